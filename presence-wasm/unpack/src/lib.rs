//! Decodes LZMA in a kilobyte of wasm: how the npm package unpacks the engine
//! that is inlined in it.
//!
//! Raw LZMA of a known length, with lc = 3 and lp = pb = 0. The names are those
//! of Igor Pavlov's specification, which has the reasons too. (The decoder of
//! `lzma-rust2`, which packs it, is nine kilobytes of wasm: most of what
//! packing saves.)

mod bits;
mod lzma;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use lzma::unpack;
