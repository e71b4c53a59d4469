//! Long polling and static files, by plain HTTP.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{binary_push, error, in_time, ok, server};
use presence_server::{Limits, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// One request on a connection of its own.
async fn request(server: &Server, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(server.addr()).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = in_time(exchange).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

/// A long-polling client.
struct Poller<'a> {
    server: &'a Server,
    token: String,
}

impl<'a> Poller<'a> {
    async fn open(server: &'a Server, query: &str) -> Self {
        let answer = poll(server, query, "").await;
        assert_eq!(
            (&answer["status"], &answer["messages"]),
            (&json!(410), &json!([]))
        );
        let token = answer["token"].as_str().unwrap().to_owned();
        Self { server, token }
    }

    /// The status of one poll and its messages.
    async fn poll(&self) -> (u64, Vec<Value>) {
        let header = format!("x-phoenix-longpoll-token: {}\r\n", self.token);
        let answer = poll(self.server, "vsn=2.0.0", &header).await;
        let messages = answer["messages"].as_array().unwrap().iter();
        let messages = messages.map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap());
        (answer["status"].as_u64().unwrap(), messages.collect())
    }

    /// Polls until so many messages came.
    async fn recv(&self, count: usize) -> Vec<Value> {
        let mut all = Vec::new();
        while all.len() < count {
            let (status, messages) = self.poll().await;
            assert_eq!(status, 200);
            all.extend(messages);
        }
        all
    }

    /// Posts lines, with the token in the query as older clients have it.
    async fn post(&self, lines: &[String]) -> u64 {
        let path = format!("/socket/longpoll?vsn=2.0.0&token={}", self.token);
        let headers = "content-type: application/x-ndjson\r\n";
        let answer = request(self.server, "POST", &path, headers, &lines.join("\n")).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["status"].as_u64().unwrap()
    }

    async fn send(&self, message: Value) {
        assert_eq!(self.post(&[message.to_string()]).await, 200);
    }
}

async fn poll(server: &Server, query: &str, headers: &str) -> Value {
    let answer = request(
        server,
        "GET",
        &format!("/socket/longpoll?{query}"),
        headers,
        "",
    )
    .await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.head.contains("access-control-allow-origin: *"),
        "{}",
        answer.head
    );
    assert!(
        answer.head.contains("cache-control: no-store"),
        "{}",
        answer.head
    );
    serde_json::from_str(&answer.body).unwrap()
}

fn window(window: Duration) -> Limits {
    let mut limits = Limits::default();
    limits.long_poll_window = window;
    limits
}

#[tokio::test]
async fn a_session_over_requests() {
    let server = server().await;
    let alice = Poller::open(&server, "vsn=2.0.0&user_id=alice").await;
    alice
        .send(json!(["1", "1", "room:a", "phx_join", {}]))
        .await;
    let joined = alice.recv(3).await;
    assert_eq!(
        joined[0],
        json!(["1", "1", "room:a", "phx_reply", ok(json!({}))])
    );
    assert_eq!(
        (&joined[1][3], &joined[2][3]),
        (&json!("presence_diff"), &json!("presence_state"))
    );

    // A poll that waits is answered once there is something.
    let (polled, ()) = tokio::join!(alice.poll(), async {
        server.broadcast("room:a", "news", &json!({ "n": 1 }));
    });
    assert_eq!(
        polled,
        (200, vec![json!([null, null, "room:a", "news", { "n": 1 }])])
    );

    // A batch, in order; what comes behind the leave gets no reply.
    let lines = [
        json!(["1", "2", "room:a", "echo", { "line\n": "break" }]),
        json!(["1", "3", "room:a", "phx_leave", {}]),
        json!(["1", "4", "room:a", "echo", {}]),
    ];
    assert_eq!(alice.post(&lines.map(|line| line.to_string())).await, 200);
    let answers = alice.recv(3).await;
    assert_eq!(answers[0][4], ok(json!({ "line\n": "break" })));
    assert_eq!(
        (&answers[1][1], &answers[2][3]),
        (&json!("3"), &json!("phx_close"))
    );
    alice
        .send(json!(["1", "5", "room:a", "slow", { "ms": 1 }]))
        .await;
    assert_eq!(alice.recv(1).await[0][4], error("unmatched topic"));
}

#[tokio::test]
async fn binary_messages_come_as_base64() {
    let server = server().await;
    let alice = Poller::open(&server, "vsn=2.0.0&user_id=alice").await;
    let mut bob = common::Client::joined(&server, "bob", "room:a").await;
    alice
        .send(json!(["1", "1", "room:a", "phx_join", {}]))
        .await;
    bob.recv().await;
    let frame = binary_push(["1", "2", "room:a", "shout_from"], b"abc");
    let encoded = STANDARD.encode(frame);
    assert_eq!(alice.post(&[encoded]).await, 200);
    assert_eq!(bob.recv_binary().await, b"\x02\x06\x05room:ashoutabc");
    assert_eq!(alice.post(&["no base64".to_owned()]).await, 400);
}

#[tokio::test]
async fn a_poll_without_messages_ends_after_the_window() {
    let limits = window(Duration::from_millis(300));
    let server = Server::builder().limits(limits).start().await.unwrap();
    let alice = Poller::open(&server, "vsn=2.0.0&user_id=alice").await;
    for _ in 0..2 {
        assert_eq!(alice.poll().await, (204, vec![]));
    }
}

#[tokio::test]
async fn clients_that_stop_polling_are_gone() {
    let limits = window(Duration::from_millis(500));
    let server = Server::builder().limits(limits).start().await.unwrap();
    let mut bob = common::Client::joined(&server, "bob", "room:a").await;
    let alice = Poller::open(&server, "vsn=2.0.0&user_id=alice").await;
    alice
        .send(json!(["1", "1", "room:a", "phx_join", {}]))
        .await;
    assert!(bob.recv().await[4]["joins"]["alice"].is_object());
    assert!(bob.recv().await[4]["leaves"]["alice"].is_object());
    common::until(|| server.connection_count() == 1).await;
    assert_eq!(alice.post(&[]).await, 410);
    // The next poll opens a new session, as the first one did.
    assert_eq!(alice.poll().await, (410, vec![]));
}

#[tokio::test]
async fn refusals_and_ends() {
    let server = server().await;
    assert_eq!(
        poll(&server, "vsn=2.0.0&reject=1", "").await,
        json!({ "status": 403 })
    );
    assert_eq!(
        poll(&server, "vsn=9.0.0", "").await,
        json!({ "status": 403 })
    );

    let alice = Poller::open(&server, "vsn=2.0.0&user_id=alice").await;
    assert_eq!(alice.post(&["[]".to_owned()]).await, 408);
    common::until(|| server.connection_count() == 0).await;
    assert_eq!(alice.post(&["[]".to_owned()]).await, 410);

    let bob = Poller::open(&server, "vsn=2.0.0&user_id=bob").await;
    let (polled, closed) = tokio::join!(bob.poll(), async { server.disconnect("bob") });
    assert_eq!((polled, closed), ((410, vec![]), 1));
}

#[tokio::test]
async fn older_clients_post_one_json_text() {
    let server = server().await;
    let answer = poll(&server, "user_id=alice", "").await;
    let alice = Poller {
        server: &server,
        token: answer["token"].as_str().unwrap().to_owned(),
    };
    let path = format!("/socket/longpoll?token={}", alice.token);
    let message = json!({ "topic": "room:a", "event": "phx_join", "payload": {}, "ref": "1" });
    let headers = "content-type: application/json\r\n";
    let answer = request(&server, "POST", &path, headers, &message.to_string()).await;
    assert_eq!(answer.body, r#"{"status":200}"#);
    assert_eq!(alice.recv(3).await[2]["event"], "presence_state");
}

#[tokio::test]
async fn auth_token_comes_in_a_header() {
    let server = server().await;
    let answer = poll(
        &server,
        "vsn=2.0.0&user_id=alice",
        "x-phoenix-authtoken: secret\r\n",
    )
    .await;
    let alice = Poller {
        server: &server,
        token: answer["token"].as_str().unwrap().to_owned(),
    };
    alice
        .send(json!(["1", "1", "room:a", "phx_join", { "order": "observe" }]))
        .await;
    alice.send(json!(["1", "2", "room:a", "whoami", {}])).await;
    assert_eq!(
        alice.recv(3).await[2][4]["response"]["auth_token"],
        "secret"
    );
}

#[tokio::test]
async fn other_origins_may_ask() {
    let server = server().await;
    let headers =
        "origin: http://other.example\r\naccess-control-request-headers: x-one, x-two\r\n";
    let answer = request(&server, "OPTIONS", "/socket/longpoll", headers, "").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("access-control-allow-headers: x-one, x-two")
    );
    assert!(
        answer
            .head
            .contains("access-control-allow-methods: get, post, options")
    );
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_keep_alive_connections() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).await.unwrap();
    let begun = std::time::Instant::now();
    in_time(server.shutdown()).await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "the grace was used up"
    );
}

#[tokio::test]
async fn files_are_served_and_unknown_paths_are_the_page() {
    let dir = std::env::temp_dir().join(format!("presence-server-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("index.html"), "<h1>page</h1>").unwrap();
    std::fs::write(dir.join("app.js"), "app()").unwrap();
    let server = Server::builder().serve_dir(&dir).start().await.unwrap();
    for (path, body, kind) in [
        ("/", "<h1>page</h1>", "text/html"),
        ("/?user_id=alice", "<h1>page</h1>", "text/html"),
        ("/deep/link", "<h1>page</h1>", "text/html"),
        ("/app.js", "app()", "text/javascript"),
        ("/../../../etc/hostname", "<h1>page</h1>", "text/html"),
    ] {
        let answer = request(&server, "GET", path, "", "").await;
        assert_eq!((answer.status, &*answer.body), (200, body), "{path}");
        assert!(answer.head.contains(kind), "{path}: {}", answer.head);
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
