//! The options of `new Socket`, as far as the machine needs them.

use presence_core::{Backoff, Config};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

/// What the JavaScript `Socket` hands over: numbers in ms. Functions stay on
/// the other side; `asksReconnect` and `asksRejoin` say that there are some.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    timeout: Option<f64>,
    heartbeat_interval_ms: Option<f64>,
    heartbeat_timeout_ms: Option<f64>,
    asks_reconnect: bool,
    asks_rejoin: bool,
    jitter: Option<f64>,
    seed: f64,
    max_buffered: Option<f64>,
    stop_on_refusal: bool,
    stop_on_join_refusal: bool,
}

/// Reads the options object.
pub(crate) fn config(options: JsValue) -> Result<Config, JsError> {
    let options: Options = serde_wasm_bindgen::from_value(options)
        .map_err(|error| JsError::new(&format!("socket options: {error}")))?;
    let mut config = Config::default();
    if let Some(ms) = options.timeout {
        config.timeout = millis(ms);
    }
    if let Some(ms) = options.heartbeat_interval_ms {
        config.heartbeat_interval = millis(ms);
    }
    config.heartbeat_timeout = options.heartbeat_timeout_ms.map(millis);
    if options.asks_reconnect {
        config.reconnect = Backoff::Asked;
    }
    if options.asks_rejoin {
        config.rejoin = Backoff::Asked;
    }
    config.jitter = options.jitter.unwrap_or(0.0);
    config.seed = options.seed.to_bits();
    if let Some(count) = options.max_buffered {
        config.max_buffered = count as usize;
    }
    config.stop_on_refusal = options.stop_on_refusal;
    config.stop_on_join_refusal = options.stop_on_join_refusal;
    Ok(config)
}

/// A JavaScript delay as `setTimeout` takes it: what is no positive number is
/// no delay.
pub(crate) fn millis(ms: f64) -> u64 {
    // `as` saturates, and makes 0 of NaN and of negative numbers.
    ms.ceil() as u64
}
