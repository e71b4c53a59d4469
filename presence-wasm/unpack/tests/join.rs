//! What is no module in streams is refused, or makes another; it is no harm. (What is one, `xtask` packs, and tries.)

use presence_unpack::code::STREAMS;
use presence_unpack::join;

/// Streams of these lengths, and their bytes.
fn split(random: &mut fastrand::Rng) -> Vec<u8> {
    let lengths = (0..STREAMS).map(|_| random.u8(0..0x80)).collect::<Vec<_>>();
    let len = lengths.iter().map(|length| usize::from(*length)).sum();
    let bytes = (0..len).map(|_| random.u8(..));
    lengths.iter().copied().chain(bytes).collect()
}

#[test]
fn survives_what_is_no_module() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..2_000 {
        let split = split(&mut random);
        let mut module = vec![0; random.usize(0..4_000)];
        // What comes of it is no matter.
        let _ = join(&split, &mut module);
    }
}

#[test]
fn says_when_it_is_cut_off() {
    let split = split(&mut fastrand::Rng::with_seed(2));
    for len in [0, 4, STREAMS, split.len() - 1] {
        assert_eq!(join(&split[..len], &mut []), None, "{len}");
    }
}

#[test]
fn says_when_the_length_is_another() {
    let mut split = vec![0; STREAMS];
    split[presence_unpack::code::BEFORE] = 3;
    split[presence_unpack::code::AFTER] = 1;
    split.extend(b"abcd");
    let mut module = [0; 4];
    assert_eq!(join(&split, &mut module), Some(()));
    assert_eq!(&module, b"abcd");
    assert_eq!(join(&split, &mut [0; 3]), None);
    assert_eq!(join(&split, &mut [0; 5]), None);
}
