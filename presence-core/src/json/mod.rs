//! The JSON of the wire: one validating pass, no recursion, no tree.
//!
//! Accepts exactly what JavaScript's `JSON.parse` accepts, which is more than most parsers do: lone surrogate
//! escapes (`"\ud800"`), numbers beyond a double (`1e999`) and any depth of nesting. Presence keeps the text it was
//! sent and never builds a tree of it, so the scanner only finds where things begin and end.

mod bytes;
mod error;
mod members;
mod nest;
mod number;
mod scanner;
mod text;

pub use error::{Expected, JsonError};

pub(crate) use bytes::{Known, find_special, same_bytes};
pub(crate) use members::{members, string};
pub(crate) use number::Decimal;
pub(crate) use scanner::{Kind, Scan, Scanner, Token};
pub(crate) use text::{lossy, normalise_numbers, unescape, unescape_str, write_string};

/// Checks that `text` is one JSON value and nothing else, exactly as `JSON.parse` would.
///
/// ```
/// use presence_core::json;
///
/// assert!(json::validate(r#"{"a":[1e999,"\ud800"]}"#).is_ok());
/// let error = json::validate("[1,]").unwrap_err();
/// assert_eq!(error.to_string(), "invalid JSON at byte 3: expected a value");
/// ```
///
/// # Errors
///
/// Says at which byte the text stops being JSON, and what was expected there.
pub fn validate(text: &str) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(text);
    scanner
        .document()
        .map_err(|expected| scanner.error(expected))
}
