use thiserror::Error;

/// Text that is not JSON: where it stops being so, and what was expected there.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("invalid JSON at byte {offset}: expected {expected}")]
pub struct JsonError {
    /// The offset, in bytes of UTF-8, from the start of the text that was scanned.
    pub offset: usize,
    /// What would have been valid there.
    pub expected: Expected,
}

/// What a JSON text should have gone on with.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Any JSON value.
    #[error("a value")]
    Value,
    /// `{`.
    #[error("an object")]
    Object,
    /// `[`.
    #[error("an array")]
    Array,
    /// A property's name in quotes.
    #[error("a property name in double quotes")]
    Key,
    /// `:`.
    #[error("a colon")]
    Colon,
    /// `,` or `}`.
    #[error("a comma or the end of the object")]
    CommaOrBrace,
    /// `,` or `]`.
    #[error("a comma or the end of the array")]
    CommaOrBracket,
    /// More of a string, or its closing quote; control characters must be escaped.
    #[error("the rest of a string, without raw control characters")]
    String,
    /// One of `"\/bfnrtu` after a backslash.
    #[error("an escape: one of \"\\/bfnrtu")]
    Escape,
    /// Four hexadecimal digits after `\u`.
    #[error("four hexadecimal digits")]
    HexDigits,
    /// A decimal digit.
    #[error("a digit")]
    Digit,
    /// `true`, `false` or `null`, spelled out.
    #[error("true, false or null")]
    Literal,
    /// Nothing but white space.
    #[error("the end of the text")]
    End,
}
