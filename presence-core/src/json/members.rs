//! What is in an object that is known to be valid.

use alloc::borrow::Cow;

use super::{Scanner, unescape_str};

/// The complete members in a piece of a valid object, after its first `skip` bytes: `{"a":1,"metas":[` or `],"b":2}`.
pub(crate) fn members<'a>(
    piece: &'a str,
    skip: usize,
) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
    let mut scanner = Scanner::new(piece);
    scanner.skip_known(skip);
    core::iter::from_fn(move || next(&mut scanner))
}

#[inline(never)]
fn next<'a>(scanner: &mut Scanner<'a>) -> Option<(Cow<'a, str>, &'a str)> {
    scanner.skip_ws();
    if scanner.eat(b',') {
        scanner.skip_ws();
    }
    let name = scanner.key().ok()?;
    let start = scanner.position();
    // The metas' own bracket opens and does not close.
    scanner.value().ok()?;
    let raw = scanner.slice(start, scanner.position());
    Some((
        unescape_str(scanner.slice(name.start, name.end), name.escaped),
        raw,
    ))
}

/// What a valid JSON value says, if it is a string.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let contents = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(unescape_str(contents, contents.contains('\\')))
}
