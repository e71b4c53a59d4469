//! The options of `new Socket`, as far as the machine needs them.

use js_sys::Reflect;
use presence_core::{Backoff, Config};
use wasm_bindgen::prelude::*;

/// Reads the options object that the JavaScript `Socket` hands over, with
/// numbers in ms. Functions stay on the other side; `asksReconnect` and
/// `asksRejoin` say that there are some.
pub(crate) fn config(options: &JsValue) -> Result<Config, JsError> {
    let number = |name| number(options, name);
    let is_set = |name| Ok::<_, JsError>(number(name)?.is_some_and(|value| value != 0.0));
    let mut config = Config::default();
    if let Some(ms) = number("timeout")? {
        config.timeout = millis(ms);
    }
    if let Some(ms) = number("heartbeatIntervalMs")? {
        config.heartbeat_interval = millis(ms);
    }
    config.heartbeat_timeout = number("heartbeatTimeoutMs")?.map(millis);
    if is_set("asksReconnect")? {
        config.reconnect = Backoff::Asked;
    }
    if is_set("asksRejoin")? {
        config.rejoin = Backoff::Asked;
    }
    config.jitter = number("jitter")?.unwrap_or(0.0);
    config.seed = number("seed")?.unwrap_or(0.0).to_bits();
    if let Some(count) = number("maxBuffered")? {
        config.max_buffered = count as usize;
    }
    config.stop_on_refusal = is_set("stopOnRefusal")?;
    config.stop_on_join_refusal = is_set("stopOnJoinRefusal")?;
    Ok(config)
}

/// An option that is a number or a boolean, if it is there.
fn number(options: &JsValue, name: &str) -> Result<Option<f64>, JsError> {
    let wrong = |_| JsError::new(&["socket options: ", name, " must be a number"].concat());
    let value = Reflect::get(options, &name.into()).map_err(wrong)?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    let number = value.as_f64().or(value.as_bool().map(f64::from));
    number.ok_or(value).map(Some).map_err(wrong)
}

/// A JavaScript delay as `setTimeout` takes it: what is no positive number is
/// no delay.
pub(crate) fn millis(ms: f64) -> u64 {
    // `as` saturates, and makes 0 of NaN and of negative numbers.
    ms.ceil() as u64
}
