//! A server that does what the test tells it, step by step, right or wrong.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::in_time;

pub(crate) struct Rogue {
    listener: TcpListener,
}

impl Rogue {
    pub(crate) async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("ws://{}/socket", self.listener.local_addr().unwrap())
    }

    /// The next TCP connection, with nothing read and nothing answered.
    pub(crate) async fn tcp(&self) -> TcpStream {
        in_time(self.listener.accept()).await.unwrap().0
    }

    /// The next connection, upgraded.
    pub(crate) async fn accept(&self) -> Peer {
        let mut request = None;
        #[expect(clippy::result_large_err, reason = "tungstenite's own type")]
        let callback =
            |asked: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
                if asked.headers().contains_key("sec-websocket-protocol") {
                    response
                        .headers_mut()
                        .insert("sec-websocket-protocol", "phoenix".parse().unwrap());
                }
                request = Some(asked.clone());
                Ok(response)
            };
        let stream = in_time(accept_hdr_async(self.tcp().await, callback))
            .await
            .unwrap();
        Peer {
            stream,
            request: request.unwrap(),
        }
    }

    /// Ends the next connection once the client has begun to speak.
    pub(crate) async fn hang_up(&self) {
        let mut stream = self.tcp().await;
        // All of it is read, so that there is no reset.
        let read = in_time(stream.read(&mut [0; 4096])).await.unwrap();
        assert!(read > 0);
    }

    /// Answers the next connection's upgrade with an HTTP status; gives the request's head.
    pub(crate) async fn refuse(&self, status: u16) -> String {
        self.refuse_with(status, "").await
    }

    /// [`refuse`](Self::refuse), with further lines in the answer's head.
    pub(crate) async fn refuse_with(&self, status: u16, headers: &str) -> String {
        let mut stream = self.tcp().await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(in_time(stream.read_u8()).await.unwrap());
        }
        let answer = format!("HTTP/1.1 {status} Because\r\n{headers}content-length: 0\r\n\r\n");
        in_time(stream.write_all(answer.as_bytes())).await.unwrap();
        String::from_utf8(head).unwrap()
    }
}

/// One client, seen from the server. Dropping it breaks the connection without a goodbye.
pub(crate) struct Peer {
    stream: WebSocketStream<TcpStream>,
    pub(crate) request: Request,
}

impl Peer {
    /// The next message, without control frames; none at the end of the connection.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            match in_time(self.stream.next()).await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next text message: `[join_ref, ref, topic, event, payload]`.
    pub(crate) async fn recv(&mut self) -> Value {
        match self.message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    /// The next message of this event, letting others go by.
    pub(crate) async fn recv_event(&mut self, event: &str) -> Value {
        loop {
            let message = self.recv().await;
            if message[3] == event {
                return message;
            }
        }
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_message(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        in_time(self.stream.send(message)).await.unwrap();
    }

    /// Sends, though the client may be gone already.
    pub(crate) async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        in_time(self.stream.send(message)).await
    }

    /// Answers a message with `ok`.
    pub(crate) async fn ok(&mut self, message: &Value) {
        self.reply(message, "ok", &json!({})).await;
    }

    pub(crate) async fn reply(&mut self, message: &Value, status: &str, response: &Value) {
        let reply = json!([
            message[0],
            message[1],
            message[2],
            "phx_reply",
            {"status": status, "response": response}
        ]);
        self.send(&reply).await;
    }

    /// Takes a join and answers it; gives its join_ref.
    pub(crate) async fn joined(&mut self) -> Value {
        let join = self.recv_event("phx_join").await;
        self.ok(&join).await;
        join[0].clone()
    }

    pub(crate) async fn close(&mut self, code: Option<u16>) {
        let frame = code.map(|code| CloseFrame {
            code: code.into(),
            reason: "".into(),
        });
        in_time(self.stream.close(frame)).await.unwrap();
    }

    /// Reads to the end; the close code, or none if the connection just broke.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(message) = self.message().await {
            if let Message::Close(frame) = message {
                code = Some(frame.map_or(1005, |frame| frame.code.into()));
            }
        }
        code
    }

    /// What is under the WebSocket.
    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }
}
