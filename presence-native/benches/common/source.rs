//! A server that answers a join with what was made before: the reply, a state of `users`, and `frames` diffs.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures_util::StreamExt as _;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Set for the process that is the server.
const ROLE: &str = "PRESENCE_BENCH_SOURCE";

/// The server, in a process of its own that ends with this one.
pub(crate) struct Source {
    child: Child,
    address: String,
}

impl Source {
    /// Starts this program once more, which is to call [`serve_if_asked`] first.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut address)
            .expect("its address");
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    pub(crate) fn endpoint(&self, users: usize, frames: usize) -> String {
        format!("ws://{}/socket?users={users}&frames={frames}", self.address)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// In the process that is to be the server this does not return before its end.
pub(crate) fn serve_if_asked() -> bool {
    if std::env::var_os(ROLE).is_none() {
        return false;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    std::thread::spawn(move || runtime.block_on(serve()));
    let mut rest = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut rest);
    true
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr().expect("its address")).expect("a reader");
    out.flush().expect("a reader");
    let scripts = Arc::new(Mutex::new(HashMap::new()));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, Arc::clone(&scripts)));
    }
}

type Scripts = Arc<Mutex<HashMap<(usize, usize), Arc<Script>>>>;

/// What a connection gets, but for the join_ref.
struct Script {
    state: String,
    diffs: Vec<u8>,
}

async fn answer(stream: TcpStream, scripts: Scripts) {
    let mut query = String::new();
    #[expect(clippy::result_large_err, reason = "tungstenite's own type")]
    let callback = |asked: &Request, response: Response| -> Result<Response, ErrorResponse> {
        query = asked.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let _ = stream.set_nodelay(true);
    let Ok(mut stream) = accept_hdr_async(stream, callback).await else {
        return;
    };
    let number = |name: &str| -> usize {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name));
        pair.and_then(|value| value.strip_prefix('=')?.parse().ok())
            .unwrap_or_default()
    };
    let (users, frames) = (number("users"), number("frames"));
    let script = Arc::clone(
        scripts
            .lock()
            .entry((users, frames))
            .or_insert_with(|| Arc::new(script(users, frames))),
    );
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let Ok(message) = serde_json::from_str::<Value>(&text) else {
            return;
        };
        if message[3] != "phx_join" {
            continue;
        }
        let (join_ref, topic) = (&message[0], &message[2]);
        let mut bytes = Vec::new();
        let reply = format!(
            r#"[{join_ref},{},{topic},"phx_reply",{{"status":"ok","response":{{}}}}]"#,
            message[1]
        );
        put(&mut bytes, &reply);
        let state = format!(
            r#"[{join_ref},null,{topic},"presence_state",{}]"#,
            script.state
        );
        put(&mut bytes, &state);
        let tcp = stream.get_mut();
        if tcp.write_all(&bytes).await.is_err() || tcp.write_all(&script.diffs).await.is_err() {
            return;
        }
    }
}

/// Each diff is somebody's update: the `n`th replaces the ref `n` by `n + users`.
fn script(users: usize, frames: usize) -> Script {
    let entry = |number: usize| {
        format!(
            r#""user-{}":{{"metas":[{{"online_at":"1700000000","status":"here","phx_ref":"{number}"}}]}}"#,
            number % users
        )
    };
    let entries: Vec<String> = (0..users).map(entry).collect();
    let mut diffs = Vec::new();
    for number in 0..frames {
        let diff = format!(
            r#"[null,null,"room:bench","presence_diff",{{"joins":{{{}}},"leaves":{{{}}}}}]"#,
            entry(number + users),
            entry(number)
        );
        put(&mut diffs, &diff);
    }
    Script {
        state: format!("{{{}}}", entries.join(",")),
        diffs,
    }
}

/// Adds a text frame, as servers send them.
fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(0x81);
    let len = text.len();
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ ..126), _) => bytes.push(short),
        (_, Ok(medium)) => {
            bytes.push(126);
            bytes.extend(medium.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(text.as_bytes());
}
