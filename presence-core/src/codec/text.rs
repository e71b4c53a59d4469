use alloc::borrow::Cow;

use super::CodecError;
use super::last_head::LastHead;
use crate::json::{Decimal, Kind, Scan, Scanner, unescape_str};
use crate::message::{Message, Payload, Ref, Vsn};

/// A text frame read as far as its payload: whoever gets the message decides how to read that, in the same pass.
///
/// ```
/// use presence_core::codec::TextFrame;
/// use presence_core::message::Vsn;
///
/// let frame = TextFrame::open(Vsn::V2, r#"["1",null,"room:a","shout",{"body":"hi"}]"#)?;
/// assert_eq!(frame.event(), "shout");
/// assert_eq!(frame.join_ref().as_str(), Some("1"));
/// assert_eq!(frame.payload()?, r#"{"body":"hi"}"#);
/// # Ok::<(), presence_core::codec::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TextFrame<'a> {
    head: Head<'a>,
    payload: TextPayload<'a>,
}

/// A payload that is still to be read: what a [`TextFrame`] has beside its head.
#[derive(Clone, Debug)]
pub struct TextPayload<'a> {
    scanner: Scanner<'a>,
    rest: Rest,
}

impl<'a> From<TextFrame<'a>> for TextPayload<'a> {
    fn from(frame: TextFrame<'a>) -> Self {
        frame.payload
    }
}

#[derive(Clone, Debug, Default)]
struct Head<'a> {
    join_ref: Ref<'a>,
    message_ref: Ref<'a>,
    topic: Cow<'a, str>,
    event: Cow<'a, str>,
}

/// What follows the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// The rest of an array.
    Array,
    /// The rest of an object that has been checked already, up to this position.
    Checked,
    /// The end.
    Nothing,
}

/// Reads a whole text frame.
///
/// # Errors
///
/// When the frame is malformed, anywhere in it.
pub fn decode_text(vsn: Vsn, text: &str) -> Result<Message<'_>, CodecError> {
    TextFrame::open(vsn, text)?.into_message()
}

impl<'a> TextFrame<'a> {
    /// Reads a frame as far as its payload. In the object format of [`Vsn::V1`] the payload may stand anywhere, so
    /// there the whole frame is checked.
    ///
    /// # Errors
    ///
    /// When what was read is malformed. Elements after the payload are ignored, as phoenix.js does, but fewer than
    /// five are an error.
    pub fn open(vsn: Vsn, text: &'a str) -> Result<Self, CodecError> {
        match vsn {
            Vsn::V1 => Self::open_object(text),
            Vsn::V2 => Self::open_array(text),
        }
    }

    /// As [`TextFrame::open`], with what is known of the frame before.
    pub(crate) fn open_next(
        vsn: Vsn,
        text: &'a str,
        last: &mut LastHead,
    ) -> Result<Self, CodecError> {
        if vsn == Vsn::V1 {
            return Self::open_object(text);
        }
        if let Some((topic, event, at)) = last.of(text) {
            let mut scanner = Scanner::new(text);
            scanner.skip_known(at);
            let head = Head {
                topic: Cow::Borrowed(topic),
                event: Cow::Borrowed(event),
                ..Head::default()
            };
            return Ok(Self::new(head, scanner, Rest::Array));
        }
        let frame = Self::open_array(text)?;
        if let Head {
            join_ref: Ref::None,
            message_ref: Ref::None,
            topic: Cow::Borrowed(topic),
            event: Cow::Borrowed(event),
        } = frame.head
        {
            last.keep(text, topic, event, frame.payload.scanner.position());
        }
        Ok(frame)
    }

    /// As [`TextFrame::open`], from bytes.
    ///
    /// # Errors
    ///
    /// As [`TextFrame::open`], and when the bytes are not UTF-8.
    pub fn open_bytes(vsn: Vsn, bytes: &'a [u8]) -> Result<Self, CodecError> {
        let text =
            core::str::from_utf8(bytes).map_err(|error| CodecError::Utf8(error.valid_up_to()))?;
        Self::open(vsn, text)
    }

    fn new(head: Head<'a>, scanner: Scanner<'a>, rest: Rest) -> Self {
        Self {
            head,
            payload: TextPayload { scanner, rest },
        }
    }

    /// The payload, for those who read it themselves.
    pub(crate) fn unread(&self) -> TextPayload<'a> {
        self.payload.clone()
    }

    /// The ref of the join that the message belongs to.
    pub fn join_ref(&self) -> &Ref<'a> {
        &self.head.join_ref
    }

    /// The ref of the push that the message answers.
    pub fn message_ref(&self) -> &Ref<'a> {
        &self.head.message_ref
    }

    /// The topic; a lone surrogate in it reads as U+FFFD. One that is no string, which a Phoenix server sends only in
    /// reply to such a one, reads as its JSON.
    pub fn topic(&self) -> &str {
        &self.head.topic
    }

    /// The event; a lone surrogate in it reads as U+FFFD.
    pub fn event(&self) -> &str {
        &self.head.event
    }

    /// The payload's raw text, once it and the rest of the frame have been checked.
    ///
    /// # Errors
    ///
    /// When they are malformed.
    pub fn payload(self) -> Result<&'a str, CodecError> {
        self.payload.text()
    }

    /// The whole message, once the payload and the rest of the frame have been checked.
    ///
    /// # Errors
    ///
    /// When they are malformed.
    pub fn into_message(self) -> Result<Message<'a>, CodecError> {
        let Self { head, payload } = self;
        Ok(Message {
            join_ref: head.join_ref,
            message_ref: head.message_ref,
            topic: head.topic,
            event: head.event,
            payload: Payload::Json(payload.text()?),
        })
    }

    fn open_array(text: &'a str) -> Result<Self, CodecError> {
        let mut scanner = Scanner::new(text);
        scanner.skip_ws();
        if !scanner.eat(b'[') {
            return Err(not_a_frame(
                scanner,
                "an array, [join_ref, ref, topic, event, payload]",
            ));
        }
        let mut element = |name, first| match scanner.element(first) {
            Ok(true) => read_value(&mut scanner).map_err(|expected| scanner.error(expected).into()),
            Ok(false) => Err(CodecError::Missing(name)),
            Err(expected) => Err(scanner.error(expected).into()),
        };
        let join_ref = element("join_ref", true)?.into_ref();
        let message_ref = element("ref", false)?.into_ref();
        let topic = element("topic", false)?.into_topic();
        let event = element("event", false)?.into_event()?;
        match scanner.element(false) {
            Ok(true) => {}
            Ok(false) => return Err(CodecError::Missing("payload")),
            Err(expected) => return Err(scanner.error(expected).into()),
        }
        let head = Head {
            join_ref,
            message_ref,
            topic,
            event,
        };
        Ok(Self::new(head, scanner, Rest::Array))
    }

    fn open_object(text: &'a str) -> Result<Self, CodecError> {
        let mut scanner = Scanner::new(text);
        scanner.skip_ws();
        if !scanner.eat(b'{') {
            return Err(not_a_frame(
                scanner,
                "an object, {\"topic\", \"event\", \"payload\", \"ref\"}",
            ));
        }
        let (mut join_ref, mut message_ref, mut topic, mut event, mut payload) =
            (None, None, None, None, None);
        let mut first = true;
        while let Some(key) = scanner
            .member(first)
            .map_err(|expected| scanner.error(expected))?
        {
            first = false;
            let at = scanner.position();
            let value = read_value(&mut scanner).map_err(|expected| scanner.error(expected))?;
            match &*unescape_str(scanner.slice(key.start, key.end), key.escaped) {
                "join_ref" => join_ref = Some(value),
                "ref" => message_ref = Some(value),
                "topic" => topic = Some(value),
                "event" => event = Some(value),
                "payload" => payload = Some(at),
                _ => {}
            }
        }
        scanner.end().map_err(|expected| scanner.error(expected))?;
        let head = Head {
            join_ref: join_ref.map_or(Ref::None, Value::into_ref),
            message_ref: message_ref.map_or(Ref::None, Value::into_ref),
            topic: topic.ok_or(CodecError::Missing("topic"))?.into_topic(),
            event: event.ok_or(CodecError::Missing("event"))?.into_event()?,
        };
        let at = payload.ok_or(CodecError::Missing("payload"))?;
        let mut scanner = Scanner::new(text);
        scanner.skip_known(at);
        Ok(Self::new(head, scanner, Rest::Checked))
    }
}

impl<'a> TextPayload<'a> {
    /// A payload that came without a frame.
    pub(crate) fn bare(payload: &'a str) -> Self {
        let mut scanner = Scanner::new(payload);
        scanner.skip_ws();
        Self {
            scanner,
            rest: Rest::Nothing,
        }
    }

    /// Its raw text, once it and the rest of the frame have been checked.
    pub(crate) fn text(mut self) -> Result<&'a str, CodecError> {
        let start = self.scanner.position();
        let end = self.scanner.value().map(|_| self.scanner.position());
        let end = end.map_err(|expected| self.scanner.error(expected))?;
        let text = self.scanner.slice(start, end);
        finish(&mut self.scanner, self.rest).map_err(|expected| self.scanner.error(expected))?;
        Ok(text)
    }

    /// The scanner at the payload, for those who read it themselves and then [`Tail::finish`].
    pub(crate) fn into_scanner(self) -> (Scanner<'a>, Tail) {
        (self.scanner, Tail(self.rest))
    }
}

/// How a frame goes on after its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail(Rest);

impl Tail {
    /// Checks what follows the payload.
    pub(crate) fn finish(self, scanner: &mut Scanner<'_>) -> Scan<()> {
        finish(scanner, self.0)
    }
}

fn finish(scanner: &mut Scanner<'_>, rest: Rest) -> Scan<()> {
    match rest {
        Rest::Array => {
            if scanner.rest() == b"]" {
                scanner.skip_known(1);
                return Ok(());
            }
            while scanner.element(false)? {
                scanner.value()?;
            }
            scanner.end()
        }
        Rest::Checked => Ok(()),
        Rest::Nothing => scanner.end(),
    }
}

/// JSON of another kind is no frame; what is not even JSON says so.
fn not_a_frame(mut scanner: Scanner<'_>, frame: &'static str) -> CodecError {
    match scanner.document() {
        Ok(_) => CodecError::NotAFrame(frame),
        Err(expected) => scanner.error(expected).into(),
    }
}

enum Value<'a> {
    Plain(&'a str),
    Escaped(&'a str),
    Other(&'a str, Kind),
}

#[inline]
fn read_value<'a>(scanner: &mut Scanner<'a>) -> Scan<Value<'a>> {
    let start = scanner.position();
    if !scanner.eat(b'"') {
        let kind = scanner.value()?;
        return Ok(Value::Other(scanner.slice(start, scanner.position()), kind));
    }
    let token = scanner.string_rest()?;
    let contents = scanner.slice(token.start, token.end);
    Ok(if token.escaped {
        Value::Escaped(contents)
    } else {
        Value::Plain(contents)
    })
}

impl<'a> Value<'a> {
    #[inline]
    fn into_ref(self) -> Ref<'a> {
        match self {
            Self::Plain("") | Self::Other(_, Kind::Null | Kind::False) => Ref::None,
            Self::Plain(text) => Ref::Str(Cow::Borrowed(text)),
            Self::Escaped(contents) => Ref::Str(unescape_str(contents, true)),
            Self::Other(raw, Kind::Number) if Decimal::of(raw.as_bytes()).is_zero() => Ref::None,
            Self::Other(raw, _) => Ref::Other(raw),
        }
    }

    #[inline]
    fn into_topic(self) -> Cow<'a, str> {
        match self {
            Self::Plain(text) | Self::Other(text, _) => Cow::Borrowed(text),
            Self::Escaped(contents) => unescape_str(contents, true),
        }
    }

    #[inline]
    fn into_event(self) -> Result<Cow<'a, str>, CodecError> {
        match self {
            Self::Plain(text) => Ok(Cow::Borrowed(text)),
            Self::Escaped(contents) => Ok(unescape_str(contents, true)),
            Self::Other(..) => Err(CodecError::NotAString("event")),
        }
    }
}
