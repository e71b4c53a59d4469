//! The allocator: a small one, which asks for memory rarely.
//!
//! JavaScript's collector counts all of the memory anew each time it grows, and soon runs because of that; so it grows
//! by a quarter at least, and not by the page.
#![allow(
    unsafe_code,
    reason = "an allocator's source hands out memory: here what the engine has just granted"
)]

use core::alloc::Layout;
use core::arch::wasm32::{memory_grow, memory_size};
use core::ptr::NonNull;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<Growing, WasmBinning> =
    TalcSyncCell::new_wasm(Growing { end: None });

const PAGE: usize = 65_536;
/// What an allocation needs beside its own bytes, with room to spare.
const OVERHEAD: usize = 256;

/// Grows the memory when there is none left.
#[derive(Debug)]
struct Growing {
    end: Option<NonNull<u8>>,
}

// SAFETY: it allocates nothing itself, and gives away only pages that have just been added.
unsafe impl Source for Growing {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let needed = (layout.size() + layout.align() + OVERHEAD).div_ceil(PAGE);
        let wished = needed.max(memory_size::<0>() / 4);
        let (pages, before) = [wished, needed]
            .into_iter()
            .map(|pages| (pages, memory_grow::<0>(pages)))
            .find(|&(_, before)| before != usize::MAX)
            .ok_or(())?;
        let base = (before * PAGE) as *mut u8;
        // The very last page ends where addresses do.
        let end = base.wrapping_add((pages * PAGE).min(usize::MAX - before * PAGE));
        talc.source.end = match talc.source.end.take() {
            // SAFETY: the heap ends there, and the memory after it is new.
            Some(old) if old.as_ptr() == base => Some(unsafe { talc.extend(old, end) }),
            // SAFETY: the memory is new.
            _ => unsafe { talc.claim(base, end as usize - base as usize) },
        };
        Ok(())
    }
}
