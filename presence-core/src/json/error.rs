use alloc::string::{String, ToString};

use thiserror::Error;

use crate::error::ErrorText;

/// Text that is not JSON: where it stops being so, and what was expected there.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{}", self.text())]
pub struct JsonError {
    /// The offset, in bytes of UTF-8, from the start of the text that was scanned.
    pub offset: usize,
    /// What would have been valid there.
    pub expected: Expected,
}

/// What a JSON text should have gone on with.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{}", self.as_str())]
#[non_exhaustive]
pub enum Expected {
    /// Any JSON value.
    Value,
    /// `{`.
    Object,
    /// `[`.
    Array,
    /// A property's name in quotes.
    Key,
    /// `:`.
    Colon,
    /// `,` or `}`.
    CommaOrBrace,
    /// `,` or `]`.
    CommaOrBracket,
    /// More of a string, or its closing quote; control characters must be escaped.
    String,
    /// One of `"\/bfnrtu` after a backslash.
    Escape,
    /// Four hexadecimal digits after `\u`.
    HexDigits,
    /// A decimal digit.
    Digit,
    /// `true`, `false` or `null`, spelled out.
    Literal,
    /// Nothing but white space.
    End,
}

impl ErrorText for JsonError {
    fn text(&self) -> String {
        let offset = self.offset.to_string();
        [
            "invalid JSON at byte ",
            &offset,
            ": expected ",
            self.expected.as_str(),
        ]
        .concat()
    }
}

impl Expected {
    /// A few words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "a value",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Key => "a property name in double quotes",
            Self::Colon => "a colon",
            Self::CommaOrBrace => "a comma or the end of the object",
            Self::CommaOrBracket => "a comma or the end of the array",
            Self::String => "the rest of a string, without raw control characters",
            Self::Escape => "an escape: one of \"\\/bfnrtu",
            Self::HexDigits => "four hexadecimal digits",
            Self::Digit => "a digit",
            Self::Literal => "true, false or null",
            Self::End => "the end of the text",
        }
    }
}
