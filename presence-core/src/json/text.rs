//! Between the text of JSON and what it stands for.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::number::Decimal;

/// Appends what the contents of a valid JSON string stand for, as WTF-8: UTF-8 in which a lone surrogate, which
/// JavaScript allows and UTF-8 does not, has its own three bytes. So two keys are equal exactly where JavaScript
/// thinks so.
pub(crate) fn unescape(contents: &[u8], out: &mut Vec<u8>) {
    let mut rest = contents;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some(&letter) = escape.get(1) else { return };
        let taken = match letter {
            b'b' => push_byte(out, 0x08),
            b'f' => push_byte(out, 0x0c),
            b'n' => push_byte(out, b'\n'),
            b'r' => push_byte(out, b'\r'),
            b't' => push_byte(out, b'\t'),
            b'u' => unescape_unicode(escape, out),
            other => push_byte(out, other),
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn push_byte(out: &mut Vec<u8>, byte: u8) -> usize {
    out.push(byte);
    2
}

/// `escape` begins with `\u`; returns how much of it was used.
fn unescape_unicode(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = hex(escape);
    if (0xd800..0xdc00).contains(&unit)
        && let Some(second) = escape.get(6..).filter(|next| next.starts_with(b"\\u"))
    {
        let low = hex(second);
        if (0xdc00..0xe000).contains(&low) {
            push_code_point(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
            return 12;
        }
    }
    push_code_point(unit, out);
    6
}

fn hex(escape: &[u8]) -> u32 {
    let digits = escape.get(2..6).unwrap_or_default();
    digits.iter().fold(0, |unit, &digit| {
        unit << 4 | (digit as char).to_digit(16).unwrap_or(0)
    })
}

fn push_code_point(code: u32, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend(
            [
                0xe0 | code >> 12,
                0x80 | code >> 6 & 0x3f,
                0x80 | code & 0x3f,
            ]
            .map(|byte| byte as u8),
        ),
    }
}

/// The contents of a valid JSON string as a `str`; a lone surrogate becomes U+FFFD.
#[inline]
pub(crate) fn unescape_str(contents: &str, escaped: bool) -> Cow<'_, str> {
    if escaped {
        Cow::Owned(unescape_lossy(contents))
    } else {
        Cow::Borrowed(contents)
    }
}

#[cold]
fn unescape_lossy(contents: &str) -> String {
    let mut out = Vec::with_capacity(contents.len());
    unescape(contents.as_bytes(), &mut out);
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => lossy(error.as_bytes()).into_owned(),
    }
}

/// WTF-8 as a `str`, with one U+FFFD for each lone surrogate.
pub(crate) fn lossy(wtf8: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = core::str::from_utf8(wtf8) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(wtf8.len());
    for piece in pieces(wtf8) {
        match piece {
            Piece::Text(valid) => text.push_str(valid),
            Piece::Surrogate(_) => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(text)
}

enum Piece<'a> {
    Text(&'a str),
    Surrogate(u32),
}

fn pieces(wtf8: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = wtf8;
    core::iter::from_fn(move || {
        let error = match core::str::from_utf8(rest) {
            Ok("") => return None,
            Ok(text) => {
                rest = &[];
                return Some(Piece::Text(text));
            }
            Err(error) => error,
        };
        let (valid, odd) = rest.split_at(error.valid_up_to());
        if valid.is_empty() {
            let (surrogate, after) = odd.split_at(odd.len().min(3));
            rest = after;
            let unit = surrogate
                .iter()
                .skip(1)
                .fold(0xd, |unit, &byte| unit << 6 | u32::from(byte & 0x3f));
            return Some(Piece::Surrogate(unit));
        }
        rest = odd;
        core::str::from_utf8(valid).ok().map(Piece::Text)
    })
}

/// Writes WTF-8 as a JSON string, spelled as `JSON.stringify` spells it, in pieces.
pub(crate) fn write_string(wtf8: &[u8], mut write: impl FnMut(&str)) {
    write("\"");
    for piece in pieces(wtf8) {
        match piece {
            Piece::Text(text) => write_escaped(text, &mut write),
            Piece::Surrogate(unit) => write_unicode_escape(unit, &mut write),
        }
    }
    write("\"");
}

fn write_escaped(text: &str, write: &mut impl FnMut(&str)) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        write(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => write("\\\""),
            b'\\' => write("\\\\"),
            0x08 => write("\\b"),
            0x0c => write("\\f"),
            b'\n' => write("\\n"),
            b'\r' => write("\\r"),
            b'\t' => write("\\t"),
            other => write_unicode_escape(other.into(), write),
        }
    }
    write(text.get(plain..).unwrap_or_default());
}

fn write_unicode_escape(unit: u32, write: &mut impl FnMut(&str)) {
    let digits =
        [12, 8, 4, 0].map(|shift| char::from_digit(unit >> shift & 0xf, 16).unwrap_or('0'));
    write("\\u");
    for digit in digits {
        write(digit.encode_utf8(&mut [0; 4]));
    }
}

/// Copies valid JSON, with the numbers that `JSON.stringify` cannot write as it writes them: infinities as `null`,
/// negative zero as `0`. phoenix.js clones presences through JSON text, and so users see these.
pub(crate) fn normalise_numbers(json: &[u8], out: &mut Vec<u8>) {
    let mut rest = json;
    loop {
        let Some(at) = rest
            .iter()
            .position(|&byte| byte == b'"' || byte == b'-' || byte.is_ascii_digit())
        else {
            out.extend_from_slice(rest);
            return;
        };
        let (before, found) = rest.split_at(at);
        out.extend_from_slice(before);
        let (token, after) = if found.first() == Some(&b'"') {
            split_string(found)
        } else {
            split_number(found)
        };
        out.extend_from_slice(token_as_written(token));
        rest = after;
    }
}

fn split_string(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return text.split_at(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    (text, &[])
}

fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    text.split_at(
        text.iter()
            .position(|byte| !is_part(byte))
            .unwrap_or(text.len()),
    )
}

fn token_as_written(token: &[u8]) -> &[u8] {
    if token.first() == Some(&b'"') {
        return token;
    }
    let number = Decimal::of(token);
    if number.is_infinite() {
        b"null"
    } else if number.negative && number.is_zero() {
        b"0"
    } else {
        token
    }
}

#[cfg(test)]
mod tests {
    use super::{lossy, normalise_numbers, unescape, unescape_str, write_string};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn wtf8(contents: &str) -> Vec<u8> {
        let mut out = Vec::new();
        unescape(contents.as_bytes(), &mut out);
        out
    }

    #[test]
    fn escapes_and_surrogates() {
        assert_eq!(wtf8(r#"a\"\\\/\b\f\n\r\tz"#), b"a\"\\/\x08\x0c\n\r\tz");
        assert_eq!(wtf8(r"\u00e9\ud83d\ude00"), "é😀".as_bytes());
        assert_eq!(
            wtf8(r"\ud83dx\ude00"),
            [0xed, 0xa0, 0xbd, b'x', 0xed, 0xb8, 0x80]
        );
        assert_ne!(wtf8(r"\ud800"), wtf8(r"\ud801"));
        assert_eq!(unescape_str(r"x\ud800\u0041", true), "x\u{fffd}A");
        assert_eq!(lossy(&wtf8(r"\ud800\ud800")), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn strings_are_written_as_json_stringify_writes_them() {
        for (contents, written) in [
            (r"plain é 😀", r#""plain é 😀""#),
            (r#"\"\\\/"#, r#""\"\\/""#),
            (
                r"\u0000\u001f\u007f\n\u0008",
                "\"\\u0000\\u001f\u{7f}\\n\\b\"",
            ),
            (r"a\ud83d\ude00\udEad", r#""a😀\udead""#),
        ] {
            let mut out = String::new();
            write_string(&wtf8(contents), |piece| out.push_str(piece));
            assert_eq!(out, written);
        }
    }

    #[test]
    fn only_numbers_beyond_json_change() {
        let text = r#"{"-0":[-0,-0.0,0,-0.5,1e999,-1E+999,1e3,-1e-999,"1e999 \" -0"],"x":-0e1}"#;
        let mut out = Vec::new();
        normalise_numbers(text.as_bytes(), &mut out);
        let expected = r#"{"-0":[0,0,0,-0.5,null,null,1e3,0,"1e999 \" -0"],"x":0}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
