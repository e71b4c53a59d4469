use super::bytes::{Known, find_special};
use super::nest::Nest;
use super::{Expected, JsonError};

/// A step of the scan; the error says what was expected at [`Scanner::position`].
pub(crate) type Scan<T> = Result<T, Expected>;

/// Where a string's contents lie, between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether there is a backslash in it.
    pub(crate) escaped: bool,
}

/// What sort of value was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Number,
    Null,
    True,
    False,
    Object,
    Array,
}

impl Kind {
    pub(crate) fn is_container(self) -> bool {
        matches!(self, Self::Object | Self::Array)
    }
}

/// One pass over a text, forwards. Everything it has passed over is valid JSON.
///
/// In wasm what is used in many places is not inlined: that would be kilobytes. Presences, but for the first of a kind,
/// are read without it (see `presence/shape.rs`).
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    odd_number: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            odd_number: false,
        }
    }

    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The text between two positions the scan has stopped at.
    #[inline]
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn raw(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// What is left to scan.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Jumps over text that is known to be valid.
    #[inline]
    pub(crate) fn skip_known(&mut self, len: usize) {
        self.at += len;
    }

    /// Goes to where one of the following functions says that something ends.
    #[inline]
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    #[inline(always)]
    pub(crate) fn end_of_known(&self, at: usize, known: &Known) -> Option<usize> {
        let found = known.begins(self.bytes.get(at..)?);
        found.then_some(at + known.len())
    }

    /// Where a string without escapes ends, before its last quote; its first one stands before `at`.
    #[inline(always)]
    pub(crate) fn end_of_plain(&self, at: usize) -> Option<usize> {
        let end = find_special(self.bytes, at);
        (self.bytes.get(end) == Some(&b'"')).then_some(end)
    }

    /// Where a string ends, after its last quote; its first one stands before `at`.
    #[inline(always)]
    pub(crate) fn end_of_string(&mut self, at: usize) -> Option<usize> {
        match self.end_of_plain(at) {
            Some(end) => Some(end + 1),
            None => self.ahead(at, Self::string_rest),
        }
    }

    #[inline(always)]
    pub(crate) fn is_at(&self, at: usize, byte: u8) -> bool {
        self.bytes.get(at) == Some(&byte)
    }

    /// A property's name without escapes and the colon after it, without white space; stops at the value.
    #[inline(always)]
    pub(crate) fn plain_key(&mut self) -> Option<Token> {
        let start = self.at + 1;
        let end = self.end_of_plain(start)?;
        let found = self.is_at(self.at, b'"') && self.is_at(end + 1, b':');
        self.at = if found { end + 2 } else { self.at };
        found.then_some(Token {
            start,
            end,
            escaped: false,
        })
    }

    /// Where a number or literal ends.
    #[inline(always)]
    pub(crate) fn end_of_scalar(&mut self, at: usize) -> Option<usize> {
        self.ahead(at, Self::number_or_literal)
    }

    /// Where an array ends, if there is one.
    #[inline(always)]
    pub(crate) fn end_of_array(&mut self, at: usize) -> Option<usize> {
        let found = self.is_at(at, b'[');
        found.then(|| self.ahead(at, Self::value)).flatten()
    }

    /// Where `pass` gets from `at`. The scanner stays where it is.
    #[inline(never)]
    fn ahead<T>(&mut self, at: usize, pass: fn(&mut Self) -> Scan<T>) -> Option<usize> {
        let here = core::mem::replace(&mut self.at, at);
        let end = pass(self).ok().map(|_| self.at);
        self.at = here;
        end
    }

    /// Whether, since the last call, a number came by that `JSON.stringify(JSON.parse(…))` might change in kind:
    /// one too large for a double, or a negative zero.
    #[inline]
    pub(crate) fn take_odd_number(&mut self) -> bool {
        core::mem::take(&mut self.odd_number)
    }

    pub(crate) fn error(&self, expected: Expected) -> JsonError {
        JsonError {
            offset: self.at,
            expected,
        }
    }

    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    pub(crate) fn skip_ws(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes `byte` if it is next.
    #[inline(always)]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes all of `text` if it is next.
    #[inline(always)]
    pub(crate) fn eat_all<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        let found = self.chunk(self.at) == Some(text);
        self.at += if found { N } else { 0 };
        found
    }

    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8, expected: Expected) -> Scan<()> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(expected)
        }
    }

    /// One value with white space around it, and then the end.
    pub(crate) fn document(&mut self) -> Scan<()> {
        self.skip_ws();
        self.value()?;
        self.end()
    }

    /// White space up to the end of the text.
    pub(crate) fn end(&mut self) -> Scan<()> {
        self.skip_ws();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(Expected::End)
        }
    }

    /// The next `N` bytes.
    #[inline(always)]
    fn chunk<const N: usize>(&self, at: usize) -> Option<&'a [u8; N]> {
        self.bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk::<N>())
    }

    /// Goes on to an object's next member, or to its end: `first` is true right after `{`.
    /// Stops at the member's value.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn member(&mut self, first: bool) -> Scan<Option<Token>> {
        let quote = match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at + 1,
            _ => self.at,
        };
        if self.bytes.get(quote) == Some(&b'"') && (quote > self.at) != first {
            self.at = quote + 1;
            return self.key_rest().map(Some);
        }
        self.spaced_member(first)
    }

    #[inline(never)]
    fn spaced_member(&mut self, first: bool) -> Scan<Option<Token>> {
        self.skip_ws();
        if self.eat(b'}') {
            return Ok(None);
        }
        if !first {
            self.expect(b',', Expected::CommaOrBrace)?;
            self.skip_ws();
        }
        self.key().map(Some)
    }

    /// A property's name and the colon after it; stops at the value.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn key(&mut self) -> Scan<Token> {
        self.expect(b'"', Expected::Key)?;
        self.key_rest()
    }

    #[inline(always)]
    fn key_rest(&mut self) -> Scan<Token> {
        let start = self.at;
        let end = find_special(self.bytes, start);
        if let Some(&[b'"', b':', next]) = self.chunk(end)
            && next > b' '
        {
            self.at = end + 2;
            return Ok(Token {
                start,
                end,
                escaped: false,
            });
        }
        self.spaced_key_rest(start, end)
    }

    #[inline(never)]
    fn spaced_key_rest(&mut self, start: usize, special: usize) -> Scan<Token> {
        let key = self.string_end(start, special)?;
        self.skip_ws();
        self.expect(b':', Expected::Colon)?;
        self.skip_ws();
        Ok(key)
    }

    /// Goes on to an array's next element, or to its end: `first` is true right after `[`.
    #[inline(always)]
    pub(crate) fn element(&mut self, first: bool) -> Scan<bool> {
        let comma = !first && self.peek() == Some(b',');
        let at = self.at + usize::from(comma);
        if comma != first
            && let Some(&next) = self.bytes.get(at)
            && next > b' '
            && next != b']'
        {
            self.at = at;
            return Ok(true);
        }
        self.spaced_element(first)
    }

    #[inline(never)]
    fn spaced_element(&mut self, first: bool) -> Scan<bool> {
        self.skip_ws();
        if self.eat(b']') {
            return Ok(false);
        }
        if !first {
            self.expect(b',', Expected::CommaOrBracket)?;
            self.skip_ws();
        }
        Ok(true)
    }

    /// Passes over one value, whatever it is.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn value(&mut self) -> Scan<Kind> {
        if self.eat(b'"') {
            self.string_rest()?;
            return Ok(Kind::String);
        }
        self.value_but_string()
    }

    #[inline(never)]
    fn value_but_string(&mut self) -> Scan<Kind> {
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                self.container_rest(true)?;
                Ok(Kind::Object)
            }
            Some(b'[') => {
                self.at += 1;
                self.container_rest(false)?;
                Ok(Kind::Array)
            }
            _ => self.number_or_literal(),
        }
    }

    #[inline]
    pub(crate) fn number_or_literal(&mut self) -> Scan<Kind> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(*b"true", Kind::True),
            Some(b'f') => self.literal(*b"false", Kind::False),
            Some(b'n') => self.literal(*b"null", Kind::Null),
            _ => Err(Expected::Value),
        }
    }

    #[inline]
    fn literal<const N: usize>(&mut self, word: [u8; N], kind: Kind) -> Scan<Kind> {
        if self.chunk(self.at) != Some(&word) {
            return Err(Expected::Literal);
        }
        self.at += N;
        Ok(kind)
    }

    /// The rest of a string whose opening quote has been taken.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn string_rest(&mut self) -> Scan<Token> {
        let start = self.at;
        let special = find_special(self.bytes, start);
        self.string_end(start, special)
    }

    #[inline(always)]
    fn string_end(&mut self, start: usize, special: usize) -> Scan<Token> {
        if self.bytes.get(special) == Some(&b'"') {
            self.at = special + 1;
            return Ok(Token {
                start,
                end: special,
                escaped: false,
            });
        }
        self.escaped_rest(start, special)
    }

    #[cold]
    #[inline(never)]
    fn escaped_rest(&mut self, start: usize, special: usize) -> Scan<Token> {
        self.at = special;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(Token {
                        start,
                        end,
                        escaped: true,
                    });
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(Expected::String),
            }
            self.at = find_special(self.bytes, self.at);
        }
    }

    fn escape(&mut self) -> Scan<()> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                let digits = self
                    .bytes
                    .get(self.at..)
                    .and_then(|rest| rest.first_chunk::<4>());
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(Expected::HexDigits);
                }
                self.at += 4;
            }
            _ => return Err(Expected::Escape),
        }
        Ok(())
    }

    fn number(&mut self) -> Scan<Kind> {
        let start = self.at;
        self.eat(b'-');
        let zero = self.peek() == Some(b'0');
        if zero {
            self.at += 1;
        } else {
            self.digits()?;
        }
        // -0 is the sign and a zero; what follows (-0.5) is sorted out by whoever asked.
        let mut odd = zero && self.at == start + 2;
        if self.eat(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
            odd = true;
        }
        // A double ends at 309 digits.
        self.odd_number |= odd || self.at - start > 300;
        Ok(Kind::Number)
    }

    #[inline]
    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(Expected::Digit)
        }
    }

    /// The rest of a container whose opening bracket has been taken. A loop with a bit a level, so that no depth of
    /// nesting can exhaust the stack.
    fn container_rest(&mut self, mut object: bool) -> Scan<()> {
        let mut nest = Nest::default();
        let mut first = true;
        loop {
            let more = if object {
                self.member(first)?.is_some()
            } else {
                self.element(first)?
            };
            first = false;
            if !more {
                match nest.pop() {
                    Some(outer) => object = outer,
                    None => return Ok(()),
                }
                continue;
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    self.string_rest()?;
                }
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    nest.push(object);
                    object = open == b'{';
                    first = true;
                }
                _ => {
                    self.number_or_literal()?;
                }
            }
        }
    }
}
