//! A session over HTTP requests: `GET /socket/longpoll` opens one or waits for messages, `POST`
//! brings some. The statuses are in the JSON of the answer, whose HTTP status is always 200.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::connect;
use crate::outbox::{Batch, Close, Frame, Outbox};
use crate::server::Shared;
use crate::session::{Incoming, Session};

const TOKEN_HEADER: &str = "x-phoenix-longpoll-token";
const AUTH_TOKEN_HEADER: &str = "x-phoenix-authtoken";

/// How many messages of one request are read, as in Phoenix; phoenix.js sends no more.
const MAX_BATCH: usize = 100;

mod status {
    pub(super) const OK: u16 = 200;
    pub(super) const NO_CONTENT: u16 = 204;
    pub(super) const BAD_REQUEST: u16 = 400;
    pub(super) const FORBIDDEN: u16 = 403;
    pub(super) const REQUEST_TIMEOUT: u16 = 408;
    pub(super) const GONE: u16 = 410;
}

/// The open sessions by token.
#[derive(Default)]
pub(crate) struct Sessions {
    by_token: Mutex<HashMap<String, Handle>>,
}

#[derive(Clone)]
struct Handle {
    commands: mpsc::Sender<Command>,
    outbox: Arc<Outbox>,
}

enum Command {
    /// The client is still there.
    Polled,
    /// Messages; answered once they are handled, with whether they could be read.
    Publish(Vec<Incoming>, oneshot::Sender<bool>),
}

impl Sessions {
    fn find(
        &self,
        headers: &HeaderMap,
        params: &BTreeMap<String, String>,
    ) -> Option<(String, Handle)> {
        let header = headers
            .get(TOKEN_HEADER)
            .and_then(|value| value.to_str().ok());
        let token = header.or_else(|| params.get("token").map(String::as_str))?;
        let handle = self.by_token.lock().get(token)?.clone();
        Some((token.to_owned(), handle))
    }
}

pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Query(params): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    match shared.long_polls.find(&headers, &params) {
        Some((token, handle)) => {
            listen(&token, handle, shared.options.limits.long_poll_window).await
        }
        None => open(&shared, params, &headers),
    }
}

fn open(shared: &Arc<Shared>, params: BTreeMap<String, String>, headers: &HeaderMap) -> Response {
    let auth_token = headers
        .get(AUTH_TOKEN_HEADER)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let hook = shared.options.connect.as_deref();
    let connected = match connect::connect(params, auth_token, hook) {
        Ok(connected) => connected,
        Err(error) => {
            tracing::debug!(%error, "a connection was refused");
            return answer(json!({ "status": status::FORBIDDEN }));
        }
    };
    let token = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 24]>());
    let (session, outbox) = shared.open_session(connected);
    let (commands, received) = mpsc::channel(16);
    let handle = Handle {
        commands,
        outbox: Arc::clone(&outbox),
    };
    shared
        .long_polls
        .by_token
        .lock()
        .insert(token.clone(), handle);
    // Gone after one and a half windows without a poll, as in Phoenix.
    let patience = shared.options.limits.long_poll_window.mul_f32(1.5);
    let running = run(session, outbox, received, patience, shared.cut_token());
    shared.connections.spawn({
        let (shared, token) = (Arc::clone(shared), token.clone());
        async move {
            running.await;
            shared.long_polls.by_token.lock().remove(&token);
        }
    });
    answer(json!({ "status": status::GONE, "token": token, "messages": [] }))
}

async fn listen(token: &str, handle: Handle, window: Duration) -> Response {
    // A session that is ending no longer takes commands, and its outbox says so below.
    let _: Result<(), _> = handle.commands.send(Command::Polled).await;
    let (status, messages) = match timeout(window, handle.outbox.next()).await {
        Ok(Batch::Frames(frames)) => (status::OK, frames.into_iter().filter_map(text).collect()),
        Ok(Batch::Close(_)) => (status::GONE, Vec::new()),
        Err(_) => (status::NO_CONTENT, Vec::new()),
    };
    answer(json!({ "status": status, "token": token, "messages": messages }))
}

fn text(frame: Frame) -> Option<Value> {
    match frame {
        Frame::Text(text) => Some(Value::from(text.as_str())),
        Frame::Binary(_) => {
            tracing::warn!("long polling carries no binary messages to clients: one is dropped");
            None
        }
    }
}

pub(crate) async fn post(
    State(shared): State<Arc<Shared>>,
    Query(params): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((_, handle)) = shared.long_polls.find(&headers, &params) else {
        return answer(json!({ "status": status::GONE }));
    };
    let status = match parts(&headers, &body) {
        Some(parts) => publish(handle, parts).await,
        None => status::BAD_REQUEST,
    };
    answer(json!({ "status": status }))
}

/// The messages of a body: one a line, JSON or base64 of a binary frame; or, of clients before
/// 1.7.15, a single JSON text.
fn parts(headers: &HeaderMap, body: &[u8]) -> Option<Vec<Incoming>> {
    let body = std::str::from_utf8(body).ok()?;
    if headers
        .get(CONTENT_TYPE)
        .is_none_or(|kind| kind != "application/x-ndjson")
    {
        return Some(vec![Incoming::Text(body.to_owned())]);
    }
    let part = |line: &str| match line.as_bytes().first() {
        Some(b'[' | b'{') => Some(Incoming::Text(line.to_owned())),
        _ => Some(Incoming::Binary(STANDARD.decode(line).ok()?.into())),
    };
    body.lines().take(MAX_BATCH).map(part).collect()
}

async fn publish(handle: Handle, parts: Vec<Incoming>) -> u16 {
    let (done, handled) = oneshot::channel();
    if handle
        .commands
        .send(Command::Publish(parts, done))
        .await
        .is_err()
    {
        return status::GONE;
    }
    match handled.await {
        Ok(true) => status::OK,
        // In Phoenix the session crashes, and the request waits for it in vain.
        Ok(false) => status::REQUEST_TIMEOUT,
        Err(_) => status::GONE,
    }
}

/// Runs a session until its client stops polling, sends what can't be read, or is sent away.
async fn run(
    mut session: Session,
    outbox: Arc<Outbox>,
    mut commands: mpsc::Receiver<Command>,
    patience: Duration,
    cut: CancellationToken,
) {
    let mut deadline = Instant::now() + patience;
    loop {
        let command = tokio::select! {
            biased;
            () = cut.cancelled() => break,
            () = outbox.closing() => break,
            command = commands.recv() => command,
            late = session.next_late() => {
                session.send_late(&late);
                continue;
            }
            () = sleep_until(deadline) => break,
        };
        match command {
            Some(Command::Polled) => deadline = Instant::now() + patience,
            Some(Command::Publish(parts, done)) => {
                let read = handle_all(&mut session, parts).await;
                // The client may have gone meanwhile; its messages count all the same.
                let _: Result<(), bool> = done.send(read);
                if !read {
                    break;
                }
            }
            None => break,
        }
    }
    outbox.close(Close::Gone);
}

async fn handle_all(session: &mut Session, parts: Vec<Incoming>) -> bool {
    for part in parts {
        if let Err(error) = session.handle(part).await {
            tracing::debug!(%error, "a malformed message");
            return false;
        }
    }
    session.settle();
    true
}

/// Lets pages of other origins in, as Phoenix does.
pub(crate) async fn options(headers: HeaderMap) -> Response {
    let mut response = ().into_response();
    let out = response.headers_mut();
    if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    out.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("get, post, options"),
    );
    out.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

fn answer(json: Value) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        // The poll's address is the same for all when the token is in a header.
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Json(json)).into_response()
}
