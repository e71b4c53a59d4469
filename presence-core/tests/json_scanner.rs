//! The scanner takes what `JSON.parse` takes, and nothing else.

#[path = "common/random.rs"]
mod random;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::json::{Expected, JsonError, validate};
use proptest::prelude::*;
use proptest::sample::select;

#[test]
fn takes_what_json_parse_takes() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "10",
        "-1.5e+10",
        "1E400",
        "1e-999",
        "0.0",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "\t\n\r 1 \t\n\r",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\"\\\/\b\f\n\r\té""#,
        "\"\u{7f}\u{2028}é😀\"",
        r#"{"a":1,"a":2,"":[{}]}"#,
        "[[],[[]],{\"a\":{\"b\":[]}}]",
        r#"{ "a" : [ 1 , 2 ] , "b" : { } }"#,
        r#"{"a long key, longer than sixteen bytes":"and a value that is longer than sixteen bytes too"}"#,
    ] {
        assert_eq!(validate(text), Ok(()), "{text}");
    }
}

#[test]
fn says_where_and_why_a_text_is_no_json() {
    for (text, offset, expected) in [
        ("", 0, Expected::Value),
        (" ", 1, Expected::Value),
        ("nul", 0, Expected::Literal),
        ("nulL", 0, Expected::Literal),
        ("TRUE", 0, Expected::Value),
        ("+1", 0, Expected::Value),
        (".5", 0, Expected::Value),
        ("NaN", 0, Expected::Value),
        ("-", 1, Expected::Digit),
        ("-a", 1, Expected::Digit),
        ("01", 1, Expected::End),
        ("-01", 2, Expected::End),
        ("1.", 2, Expected::Digit),
        ("1.e5", 2, Expected::Digit),
        ("1e", 2, Expected::Digit),
        ("1e+", 3, Expected::Digit),
        ("0x10", 1, Expected::End),
        ("1 2", 2, Expected::End),
        ("\u{feff}1", 0, Expected::Value),
        ("\u{a0}1", 0, Expected::Value),
        ("[", 1, Expected::Value),
        ("[1", 2, Expected::CommaOrBracket),
        ("[1}", 2, Expected::CommaOrBracket),
        ("[1 2]", 3, Expected::CommaOrBracket),
        ("[,1]", 1, Expected::Value),
        ("[1,]", 3, Expected::Value),
        ("]", 0, Expected::Value),
        ("[]]", 2, Expected::End),
        ("{", 1, Expected::Key),
        ("{,", 1, Expected::Key),
        ("{a:1}", 1, Expected::Key),
        ("{'a':1}", 1, Expected::Key),
        ("{1:1}", 1, Expected::Key),
        ("{\"a\"", 4, Expected::Colon),
        ("{\"a\" 1}", 5, Expected::Colon),
        ("{\"a\":", 5, Expected::Value),
        ("{\"a\":}", 5, Expected::Value),
        ("{\"a\":1", 6, Expected::CommaOrBrace),
        ("{\"a\":1]", 6, Expected::CommaOrBrace),
        ("{\"a\":1,}", 7, Expected::Key),
        ("{\"a\":1,,", 7, Expected::Key),
        ("{\"a\":1 \"b\":2}", 7, Expected::CommaOrBrace),
        ("{\"a\":1\"b\":2}", 6, Expected::CommaOrBrace),
        ("\"", 1, Expected::String),
        ("\"abc", 4, Expected::String),
        ("\"a\nb\"", 2, Expected::String),
        ("\"a\0b\"", 2, Expected::String),
        ("{\"a\u{1f}\":1}", 3, Expected::String),
        ("\"\\", 2, Expected::Escape),
        ("\"\\x41\"", 2, Expected::Escape),
        ("\"\\u12", 3, Expected::HexDigits),
        ("\"\\u12g4\"", 3, Expected::HexDigits),
        (
            "[\"a long string, longer than sixteen bytes \t\"]",
            43,
            Expected::String,
        ),
        ("// comment\n1", 0, Expected::Value),
    ] {
        assert_eq!(
            validate(text),
            Err(JsonError { offset, expected }),
            "{text:?}"
        );
    }
}

#[test]
fn no_depth_is_too_deep() {
    let depth = 1_000_000;
    let open = "[{\"a\":".repeat(depth);
    let text = format!("{open}1{}", "}]".repeat(depth));
    assert_eq!(validate(&text), Ok(()));
    assert_eq!(
        validate(&open),
        Err(JsonError {
            offset: open.len(),
            expected: Expected::Value
        })
    );
    let mismatched = format!("{open}1{}", "}]".repeat(depth - 1) + "]]");
    let expected = JsonError {
        offset: mismatched.len() - 2,
        expected: Expected::CommaOrBrace,
    };
    assert_eq!(validate(&mismatched), Err(expected));
}

/// Pieces that make texts which are nearly JSON.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\"a\"",
    "\"key\":",
    "1",
    "-",
    "0",
    ".",
    "e",
    "+",
    "null",
    "true",
    "false",
    " ",
    "\n",
    "\u{1}",
    "é",
    "\\u00e9",
    "\\n",
    "{\"a\":1}",
    "[1,2]",
    "1.5e3",
    "abcdefghijklmnopqrstuvwxyz",
];

fn nearly_json() -> impl Strategy<Value = String> {
    let leaf = select(
        &[
            "1",
            "-2.5e-3",
            "\"x\"",
            "\"\\u00e9\\\\\"",
            "null",
            "true",
            "{}",
            "[]",
        ][..],
    )
    .prop_map(str::to_owned);
    let tree = leaf.prop_recursive(6, 64, 6, |inner| {
        let key = select(&["a", "b", "", "a key of some length, é"][..]);
        let member = (key, inner.clone()).prop_map(|(key, value)| format!("{key:?}:{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(member, 0..6)
                .prop_map(|members| format!("{{{}}}", members.join(" , "))),
        ]
    });
    // A valid text, with a piece put in or a stretch taken out somewhere.
    let damage = prop::option::of((any::<prop::sample::Index>(), 0usize..4, select(PIECES)));
    (tree, damage).prop_map(|(text, damage)| {
        let Some((at, cut, piece)) = damage else {
            return text;
        };
        let boundary = |at: usize| {
            (at..=text.len())
                .find(|&at| text.is_char_boundary(at))
                .unwrap_or(text.len())
        };
        let start = boundary(at.index(text.len() + 1));
        let end = boundary((start + cut).min(text.len()));
        format!("{}{piece}{}", &text[..start], &text[end..])
    })
}

/// What serde_json refuses and JavaScript takes, none of which these texts have: lone surrogates, numbers beyond a
/// double, and nesting deeper than 128.
fn as_serde_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[test]
fn agrees_with_serde_json_on_what_is_nearly_json() {
    random::check(3000, nearly_json(), |text| {
        prop_assert_eq!(validate(&text).is_ok(), as_serde_json(&text), "{}", text);
        Ok(())
    });
}

#[test]
fn agrees_with_serde_json_on_soup() {
    let soup = prop::collection::vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
    random::check(20_000, soup, |text| {
        prop_assert_eq!(validate(&text).is_ok(), as_serde_json(&text), "{}", text);
        Ok(())
    });
}

#[test]
fn errors_lie_within_the_text() {
    random::check(3000, any::<String>(), |text| {
        if let Err(error) = validate(&text) {
            prop_assert!(error.offset <= text.len());
        }
        Ok(())
    });
}
