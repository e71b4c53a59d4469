//! presence-core in the browser: what the npm package `phoenix-presence` runs on.
//!
//! JavaScript holds one [`Machine`] for each `Socket` and speaks of everything
//! inside by numbers. Text enters through one input buffer (written
//! by `TextEncoder.encodeInto`, read here in place), and what is to be done
//! leaves as numbers in its outbox, once for each call. No user code ever runs
//! while Rust holds a borrow: Rust queues, JavaScript drains and calls.

mod changes;
mod convert;
mod machine;
#[cfg(target_arch = "wasm32")]
mod memory;
mod options;
mod outbox;
mod presences;
mod scratch;
mod told;

pub use convert::{decode_binary_head, encode_binary_head};
pub use machine::Machine;
pub use outbox::Tag;
