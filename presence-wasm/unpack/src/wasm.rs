//! What JavaScript calls.
#![allow(
    unsafe_code,
    reason = "the memory that JavaScript has grown is nobody's but its own"
)]

/// Unpacks `input_len` bytes at `input` into `output_len` at `output`, by way
/// of `split_len` at `split`. Of what is damaged comes no wasm that compiles,
/// so that nobody has to be told.
///
/// # Safety
///
/// All are in memory that the caller has grown, and apart.
#[unsafe(no_mangle)]
unsafe extern "C" fn unpack(
    input: *const u8,
    input_len: usize,
    split: *mut u8,
    split_len: usize,
    output: *mut u8,
    output_len: usize,
) {
    // SAFETY: as the caller promises.
    let (input, split, output) = unsafe {
        (
            std::slice::from_raw_parts(input, input_len),
            std::slice::from_raw_parts_mut(split, split_len),
            std::slice::from_raw_parts_mut(output, output_len),
        )
    };
    let _ = crate::unpack(input, split).and_then(|()| crate::join(split, output));
}
