//! Unpacks a wasm module, in a few kilobytes of wasm: how the npm package
//! unpacks the engine that is inlined in it.
//!
//! First [`unpack`]: raw LZMA of a known length, with lp = pb = 0. The names
//! are those of Igor Pavlov's specification, which has the reasons too. (The
//! decoder of `lzma-rust2`, which packs it, is nine kilobytes of wasm: most of
//! what packing saves.) Then [`join`], which puts a module together from
//! streams that LZMA packs better than a whole. `xtask` does the reverse.

mod bits;
pub mod code;
mod lzma;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use code::join;
pub use lzma::{LITERAL_CONTEXT_BITS, unpack};
