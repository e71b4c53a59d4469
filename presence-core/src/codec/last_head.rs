//! The frames of a busy room all begin alike.

use alloc::string::String;
use core::ops::Range;

use crate::json::same_bytes;

/// How the last broadcast began, up to its payload. It had no refs, and no escapes in its topic and event. A frame
/// that begins the same says the same, and need not be read so far.
#[derive(Debug, Default)]
pub(crate) struct LastHead {
    text: String,
    topic: Range<usize>,
    event: Range<usize>,
}

/// Longer ones are not kept.
const LONGEST: usize = 512;

impl LastHead {
    /// The topic and event of a frame that begins as the last broadcast did, and where its payload begins.
    #[inline]
    pub(super) fn of<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str, usize)> {
        let at = self.text.len();
        let (head, rest) = text.as_bytes().split_at_checked(at)?;
        let same = at > 0 && same_bytes(head, self.text.as_bytes());
        // White space, or the end of the array, is for the scanner.
        let goes_on = same
            && rest
                .first()
                .is_some_and(|&next| next > b' ' && next != b']');
        goes_on.then_some((
            text.get(self.topic.clone())?,
            text.get(self.event.clone())?,
            at,
        ))
    }

    pub(super) fn keep(&mut self, text: &str, topic: &str, event: &str, payload: usize) {
        if payload <= LONGEST
            && let Some(topic) = place_of(topic, text)
            && let Some(event) = place_of(event, text)
            && let Some(head) = text.get(..payload)
        {
            self.text.clear();
            self.text.push_str(head);
            (self.topic, self.event) = (topic, event);
        }
    }
}

/// Where a slice of `text` lies in it.
fn place_of(part: &str, text: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let place = start..start.checked_add(part.len())?;
    (text.get(place.clone()) == Some(part)).then_some(place)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::{CodecError, TextFrame, decode_text};
    use super::LastHead;
    use crate::message::{Message, Vsn};

    fn next<'a>(text: &'a str, last: &mut LastHead) -> Result<Message<'a>, CodecError> {
        TextFrame::open_next(Vsn::V2, text, last)?.into_message()
    }

    /// Pieces of frames, so that many of those made of them begin alike and go on differently.
    const PIECES: [&[&str]; 5] = [
        &["[", "[ ", "[\"1\",", "[null,"],
        &["null,", "null ,", "\"2\",", "0,"],
        &[
            "\"room:1\",",
            "\"room:10\",",
            "\"r\\u006fom:1\",",
            "\"\",",
            "5,",
        ],
        &["\"a\",", "\"é\",", "\"presence_diff\", ", "\"a\""],
        &[
            "{}]",
            " {}]",
            "[]]",
            "]",
            "",
            "{\"b\":1}, 2]",
            "{]",
            "\"",
            "nul",
        ],
    ];

    #[test]
    fn what_is_known_of_the_last_frame_changes_nothing() {
        let seed = 20261124;
        let mut random = fastrand::Rng::with_seed(seed);
        let mut last = LastHead::default();
        let mut known = 0;
        let mut pieces = PIECES.map(|pieces| pieces[0]);
        for round in 0..20_000 {
            for (piece, others) in pieces.iter_mut().zip(PIECES) {
                if random.u8(..) < 64 {
                    *piece = others[random.usize(..others.len())];
                }
            }
            let text = pieces.concat();
            known += usize::from(last.of(&text).is_some());
            assert_eq!(
                next(&text, &mut last),
                decode_text(Vsn::V2, &text),
                "{round} of seed {seed}: {text}"
            );
        }
        assert!(known > 300, "{known}");
    }

    #[test]
    fn a_head_out_of_all_proportion_is_not_kept() {
        let topic = "x".repeat(2 * super::LONGEST);
        let text = format!(r#"[null,null,"{topic}","a",{{}}]"#);
        let mut last = LastHead::default();
        for _ in 0..2 {
            assert_eq!(next(&text, &mut last), decode_text(Vsn::V2, &text));
        }
        assert_eq!(last.text, "");
    }
}
