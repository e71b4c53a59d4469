//! What the tests share. Not everything is used by every test file.
#![allow(dead_code, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub(crate) mod cutter;
pub(crate) mod rogue;
pub(crate) mod roster;

use std::time::Duration;

use presence_native::{Socket, SocketBuilder};
use presence_server::Server;
use tokio::sync::watch;

/// A wait that lasts so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn server() -> Server {
    Server::builder().start().await.unwrap()
}

/// A socket with short waits.
pub(crate) fn builder(endpoint: &str) -> SocketBuilder {
    let ms = Duration::from_millis;
    Socket::builder(endpoint)
        .reconnect_after([ms(5), ms(10), ms(20)])
        .rejoin_after([ms(5), ms(10)])
        .jitter(0.0)
}

/// A socket with short waits, as this user, not waited for.
pub(crate) fn socket(server: &Server, user_id: &str) -> Socket {
    builder(&server.endpoint())
        .param("user_id", user_id)
        .build()
        .unwrap()
}

/// A future that is due.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("waited too long")
}

/// Waits until a watched value is as wanted.
pub(crate) async fn until<T: Clone>(
    receiver: &mut watch::Receiver<T>,
    wanted: impl Fn(&T) -> bool,
) -> T {
    in_time(receiver.wait_for(wanted))
        .await
        .expect("its sender is gone")
        .clone()
}
