//! What the server answers at which path.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::services::{ServeDir, ServeFile};

use crate::connect::{self, Refused};
use crate::longpoll;
use crate::server::Shared;
use crate::websocket;

const ABOUT: &str = "A server that speaks Phoenix Channels and Presence.\n\
    WebSocket: /socket/websocket?vsn=2.0.0&user_id=NAME\n\
    Long polling: /socket/longpoll\n\
    Topics: room:*\n";

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let long_poll = get(longpoll::get)
        .post(longpoll::post)
        .options(longpoll::options)
        .layer(DefaultBodyLimit::max(shared.options.limits.max_frame_bytes));
    let router = Router::new()
        .route("/socket/websocket", get(upgrade))
        .route("/socket/longpoll", long_poll);
    let router = match &shared.options.serve_dir {
        Some(dir) => {
            let index = ServeFile::new(dir.join("index.html"));
            router.fallback_service(ServeDir::new(dir).fallback(index))
        }
        None => router.route("/", get(async || ABOUT)),
    };
    router.with_state(shared)
}

async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Query(params): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // Taken before the upgrade, lest a cut in between pass this connection by.
    let cut = shared.cut_token();
    let auth_token = match headers.get(SEC_WEBSOCKET_PROTOCOL) {
        None => Ok(None),
        Some(value) => value
            .to_str()
            .map_err(|_| Refused::UnknownSubprotocol)
            .and_then(connect::auth_token_of),
    };
    let hook = shared.options.connect.as_deref();
    let connected = match auth_token.and_then(|token| connect::connect(params, token, hook)) {
        Ok(connected) => connected,
        Err(error) => {
            tracing::debug!(%error, "a connection was refused");
            return StatusCode::FORBIDDEN.into_response();
        }
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let max_bytes = shared.options.limits.max_frame_bytes;
    upgrade
        .protocols(["phoenix"])
        .max_frame_size(max_bytes)
        .max_message_size(max_bytes)
        // Per connection and kept, so small: thousands of connections are usual here.
        .read_buffer_size(8 * 1024)
        .write_buffer_size(32 * 1024)
        .on_upgrade(async move |socket| {
            let (session, outbox) = shared.open_session(connected);
            let idle_timeout = shared.options.limits.idle_timeout;
            let connection = websocket::run(socket, session, outbox, idle_timeout, cut);
            shared.connections.track_future(connection).await;
        })
}
