//! What must hold of presence-core whatever bytes come, as plain functions: they panic if it does not.
//!
//! `tests/replay.rs` calls them with the files in `corpus/` on every run; `cargo xtask prove fuzz` lets libFuzzer look
//! for worse ones.
#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "this is how a fuzz target says that it failed"
)]

mod binary;
mod json;
mod roster;
mod socket;
mod text;

pub use binary::binary;
pub use json::json;
pub use roster::roster;
pub use socket::socket;
pub use text::text;

/// A target: what it is called, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// All there are.
pub const TARGETS: [Target; 5] = [
    ("text", text),
    ("binary", binary),
    ("json", json),
    ("roster", roster),
    ("socket", socket),
];

/// Whether a text is JSON. serde_json is as generous as `JSON.parse` where it only passes over a value: lone
/// surrogates, numbers beyond a double and any depth are fine with it then.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}
