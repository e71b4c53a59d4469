//! presence-core in the browser: what the npm package `phoenix-presence` runs on.
//!
//! JavaScript holds one [`Machine`] for each `Socket` and speaks of everything
//! inside by numbers: what is to be done ([`Act`]) and what it wants to know
//! ([`Ask`]). Text enters through one input buffer (written
//! by `TextEncoder.encodeInto`, read here in place), and what is to be done
//! leaves as numbers in its outbox, once for each call. No user code ever runs
//! while Rust holds a borrow: Rust queues, JavaScript drains and calls.
#![no_std]

extern crate alloc;

mod act;
mod ask;
mod machine;
#[cfg(target_arch = "wasm32")]
mod memory;
mod outbox;
#[cfg(all(target_arch = "wasm32", not(test)))]
mod panic;
mod presences;
mod scratch;
mod told;
mod values;

pub use act::Act;
pub use ask::Ask;
pub use machine::Machine;
pub use outbox::Tag;
