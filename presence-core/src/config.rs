//! What a socket is told at its start.

use crate::backoff::Backoff;

/// A socket's settings. The defaults are phoenix.js 1.8.16's.
///
/// ```
/// use presence_core::Config;
///
/// let config = Config { timeout: 5_000, jitter: 0.5, ..Config::default() };
/// assert_eq!(config.heartbeat_interval, 30_000);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long a push or a join waits for its reply, in ms. 10,000.
    pub timeout: u64,
    /// Time between an answered heartbeat and the next, in ms. 30,000.
    pub heartbeat_interval: u64,
    /// How long a heartbeat waits for its answer before the connection counts
    /// as dead, in ms. None (phoenix.js): as long as the interval.
    pub heartbeat_timeout: Option<u64>,
    /// Waits before connecting again.
    pub reconnect: Backoff,
    /// Waits before joining a channel again.
    pub rejoin: Backoff,
    /// The fraction (0 to 1) of a wait that is cut at random, so that clients
    /// don't come back all at once. 0 (phoenix.js): none.
    pub jitter: f64,
    /// Where the randomness starts. The same seed gives the same waits.
    pub seed: u64,
    /// How many messages wait for a connection at the most, in the socket and,
    /// counted apart, in each channel that has not joined. One more is refused
    /// with [`PushError::BufferFull`](crate::PushError::BufferFull).
    /// `usize::MAX` (phoenix.js): no bound.
    pub max_buffered: usize,
    /// What becomes of a sent push whose connection is lost: with `true`
    /// (phoenix.js) it runs into its timeout all the same; with `false`
    /// [`Event::PushDisconnected`](crate::Event::PushDisconnected) is its end.
    pub push_timeout_after_disconnect: bool,
    /// Stop connecting once the server refused for good (HTTP 401, 403 or 404
    /// on the upgrade, or close code 1008), instead of trying for ever. Off
    /// (phoenix.js).
    pub stop_on_refusal: bool,
    /// Stop joining a channel once the server refused the join for good (reason
    /// `unauthorized`, `forbidden` or `unmatched topic`). Off (phoenix.js).
    pub stop_on_join_refusal: bool,
    /// Take an answer to a join that is neither `ok` nor `error` for a refusal,
    /// so that the join is tried again. Off (phoenix.js): nothing is made of
    /// it, and the channel waits until the connection is lost.
    pub refuse_odd_join_answers: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: 10_000,
            heartbeat_interval: 30_000,
            heartbeat_timeout: None,
            reconnect: Backoff::reconnect(),
            rejoin: Backoff::rejoin(),
            jitter: 0.0,
            seed: 0,
            max_buffered: usize::MAX,
            push_timeout_after_disconnect: true,
            stop_on_refusal: false,
            stop_on_join_refusal: false,
            refuse_odd_join_answers: false,
        }
    }
}
