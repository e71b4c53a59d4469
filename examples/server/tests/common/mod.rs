//! A client that sends and shows raw frames. Not everything is used by every test file.
#![allow(dead_code, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::io::Write as _;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use presence_server::Server;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A wait that lasts so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn server() -> Server {
    Server::builder().start().await.unwrap()
}

pub(crate) struct Client {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    /// Connects with V2 under a user id.
    pub(crate) async fn connect(server: &Server, user_id: &str) -> Self {
        Self::connect_with(server, &format!("vsn=2.0.0&user_id={user_id}"))
            .await
            .unwrap()
    }

    pub(crate) async fn connect_with(server: &Server, query: &str) -> Result<Self, Error> {
        Self::connect_as(server, query, None).await
    }

    pub(crate) async fn connect_as(
        server: &Server,
        query: &str,
        protocols: Option<&str>,
    ) -> Result<Self, Error> {
        let mut request =
            format!("{}/websocket?{query}", server.endpoint()).into_client_request()?;
        if let Some(protocols) = protocols {
            let headers = request.headers_mut();
            headers.insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        let (stream, _) = in_time(connect_async(request)).await?;
        Ok(Self { stream })
    }

    /// Connects and joins; everything up to the own presence_state is read away.
    pub(crate) async fn joined(server: &Server, user_id: &str, topic: &str) -> Self {
        let mut client = Self::connect(server, user_id).await;
        client.join("1", topic).await;
        client
    }

    /// Joins with this ref as join_ref; answers with the state.
    pub(crate) async fn join(&mut self, reference: &str, topic: &str) -> Value {
        self.send(json!([reference, reference, topic, "phx_join", {}]))
            .await;
        let reply = self.recv().await;
        assert_eq!(
            reply,
            json!([reference, reference, topic, "phx_reply", ok(json!({}))])
        );
        let diff = self.recv().await;
        assert_eq!(diff[3], "presence_diff");
        let mut state = self.recv().await;
        assert_eq!(state[3], "presence_state");
        state[4].take()
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends several frames in one write, so that they arrive together.
    pub(crate) async fn send_together(&mut self, messages: &[Value]) {
        for message in messages {
            let message = Message::text(message.to_string());
            in_time(self.stream.feed(message)).await.unwrap();
        }
        in_time(self.stream.flush()).await.unwrap();
    }

    pub(crate) async fn send_binary(&mut self, data: Vec<u8>) {
        self.send_message(Message::binary(data)).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        in_time(self.stream.send(message)).await.unwrap();
    }

    /// The next text frame.
    pub(crate) async fn recv(&mut self) -> Value {
        match self.recv_message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    pub(crate) async fn recv_binary(&mut self) -> Vec<u8> {
        match self.recv_message().await {
            Some(Message::Binary(data)) => data.to_vec(),
            other => panic!("expected a binary frame, got {other:?}"),
        }
    }

    /// Whatever comes next; none at the end of the connection, however it came about.
    pub(crate) async fn recv_message(&mut self) -> Option<Message> {
        in_time(self.stream.next()).await.and_then(Result::ok)
    }

    /// Reads to the end; the close code, or none if the connection just broke.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(message) = self.recv_message().await {
            if let Message::Close(frame) = message {
                code = frame.map(|frame| frame.code.into());
            }
        }
        code
    }

    /// Closes from this side and waits for the answer.
    pub(crate) async fn close(mut self) {
        in_time(self.stream.close(None)).await.unwrap();
        while self.recv_message().await.is_some() {}
    }

    /// Asserts that all sent before has been answered: the next frame is a heartbeat's reply.
    pub(crate) async fn assert_quiet(&mut self) {
        self.send(json!([null, "quiet", "phoenix", "heartbeat", {}]))
            .await;
        let reply = json!([null, "quiet", "phoenix", "phx_reply", ok(json!({}))]);
        assert_eq!(self.recv().await, reply);
    }
}

pub(crate) fn ok(response: Value) -> Value {
    json!({ "status": "ok", "response": response })
}

pub(crate) fn error(reason: &str) -> Value {
    json!({ "status": "error", "response": { "reason": reason } })
}

/// The binary push of a client.
pub(crate) fn binary_push(strings: [&str; 4], data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend(strings.map(|string| u8::try_from(string.len()).unwrap()));
    frame.extend(strings.concat().bytes());
    frame.extend(data);
    frame
}

/// A connection that has sent its upgrade and a join, without a look at the answers.
pub(crate) fn joining(server: &Server) -> TcpStream {
    let join = br#"["1","1","room:a","phx_join",{}]"#;
    let mut sent = b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        .to_vec();
    // Masked by zeros, which change nothing.
    sent.extend([0x81, 0x80 | u8::try_from(join.len()).unwrap(), 0, 0, 0, 0]);
    sent.extend(join);
    let mut stream = std::net::TcpStream::connect(server.addr()).unwrap();
    stream.write_all(&sent).unwrap();
    stream.set_nonblocking(true).unwrap();
    TcpStream::from_std(stream).unwrap()
}

/// The status of a refused upgrade.
pub(crate) fn refusal(result: Result<Client, Error>) -> u16 {
    match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("expected an HTTP answer, got {other}"),
        Ok(_) => panic!("expected a refusal"),
    }
}

/// A future that is due; panics if it isn't done in twenty seconds.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("waited too long")
}

/// Waits for what the server's tasks are about to bring about.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    in_time(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The metas of a key in a state or in a half of a diff, without what differs from run to run.
pub(crate) fn metas(presences: &Value, key: &str) -> Vec<Value> {
    let metas = presences[key]["metas"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let stable = |mut meta: Value| {
        if let Some(fields) = meta.as_object_mut() {
            fields.retain(|name, _| !["online_at", "phx_ref", "phx_ref_prev"].contains(&&**name));
        }
        meta
    };
    metas.into_iter().map(stable).collect()
}

pub(crate) fn refs(presences: &Value, key: &str) -> Vec<String> {
    let metas = presences[key]["metas"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let phx_ref = |meta: &Value| meta["phx_ref"].as_str().map(str::to_owned);
    metas.iter().filter_map(phx_ref).collect()
}
