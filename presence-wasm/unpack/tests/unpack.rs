//! What an encoder by somebody else packs is unpacked, and what is damaged is no harm.

use std::io::{self, Write};

use lzma_rust2::{LzmaOptions, LzmaWriter};
use presence_unpack::{LITERAL_CONTEXT_BITS, unpack};

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let options = LzmaOptions {
        dict_size: 1 << 16,
        lc: LITERAL_CONTEXT_BITS,
        pb: 0,
        ..LzmaOptions::with_preset(9)
    };
    let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, false)?;
    writer.write_all(bytes)?;
    writer.finish()
}

/// Bytes with short and long matches, near and far, and without any.
fn bytes(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(0..60) {
        let length = random.usize(0..2_000);
        match random.u8(0..4) {
            0 => bytes.extend((0..length).map(|_| random.u8(..))),
            1 => bytes.extend((0..length).map(|_| random.u8(b'a'..=b'd'))),
            2 => bytes.extend(std::iter::repeat_n(random.u8(..), length)),
            _ if bytes.is_empty() => {}
            _ => {
                let from = random.usize(0..bytes.len());
                let to = bytes.len().min(from + length);
                bytes.extend_from_within(from..to);
            }
        }
    }
    bytes
}

#[test]
fn gives_back_what_was_packed() -> io::Result<()> {
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..50 {
        let bytes = bytes(&mut random);
        let mut unpacked = vec![0; bytes.len()];
        assert_eq!(unpack(&pack(&bytes)?, &mut unpacked), Some(()), "{round}");
        assert!(unpacked == bytes, "{round}");
    }
    Ok(())
}

#[test]
fn says_when_it_is_cut_off() -> io::Result<()> {
    let bytes = bytes(&mut fastrand::Rng::with_seed(2));
    let packed = pack(&bytes)?;
    for len in [0, 4, packed.len() / 2] {
        let mut unpacked = vec![0; bytes.len()];
        assert_eq!(unpack(&packed[..len], &mut unpacked), None, "{len}");
    }
    Ok(())
}

#[test]
fn survives_what_is_damaged() -> io::Result<()> {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..50 {
        let bytes = bytes(&mut random);
        let mut packed = pack(&bytes)?;
        for _ in 0..3 {
            let at = random.usize(0..packed.len());
            packed[at] = random.u8(..);
        }
        let mut unpacked = vec![0; bytes.len()];
        // What comes of it is no matter.
        let _ = unpack(&packed, &mut unpacked);
    }
    Ok(())
}
