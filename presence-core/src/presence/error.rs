use alloc::string::{String, ToString};

use thiserror::Error;

use crate::codec::CodecError;
use crate::error::ErrorText;

/// A state or diff that cannot be applied. Nothing has changed then.
///
/// ```
/// use presence_core::presence::{Presence, PresenceError, ShapeProblem};
///
/// let mut presence = Presence::default();
/// let problem = match presence.sync_state(r#"{"ann":{"metas":{}}}"#) {
///     Err(PresenceError::Shape { problem, .. }) => problem,
///     other => panic!("{other:?}"),
/// };
/// assert_eq!(problem, ShapeProblem::Metas);
/// assert!(presence.is_empty());
/// ```
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", self.text())]
#[non_exhaustive]
pub enum PresenceError {
    /// The frame or the payload is malformed.
    #[error(transparent)]
    Frame(#[from] CodecError),
    /// The payload is JSON, but no state or diff.
    Shape {
        /// The offset, in bytes, from the start of the frame.
        offset: usize,
        /// What is wrong there.
        problem: ShapeProblem,
    },
    /// The roster would grow beyond four gigabytes of text.
    TooLarge,
}

impl ErrorText for PresenceError {
    fn text(&self) -> String {
        match self {
            Self::Frame(error) => error.text(),
            Self::Shape { offset, problem } => {
                let offset = offset.to_string();
                [
                    "not a presence payload, at byte ",
                    &offset,
                    ": ",
                    problem.as_str(),
                ]
                .concat()
            }
            Self::TooLarge => "the roster would grow beyond 4 GiB of text".to_string(),
        }
    }
}

/// What keeps JSON from being a presence state or diff. phoenix.js throws at these, some of them only after half of
/// the frame has been applied.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{}", self.as_str())]
#[non_exhaustive]
pub enum ShapeProblem {
    /// A state is `{key: presence, …}`.
    StateNotAnObject,
    /// A diff is `{"joins": {…}, "leaves": {…}}`.
    DiffNotAnObject,
    /// `joins` is missing or no object.
    Joins,
    /// `leaves` is missing or no object.
    Leaves,
    /// A presence is `{"metas": […], …}`.
    Presence,
    /// `metas` is missing or no array.
    Metas,
    /// A meta is `null`.
    NullMeta,
    /// [`Values`](super::Values) are not told as a [`ValuesFrame`](super::ValuesFrame) has to be.
    Values,
}

impl ShapeProblem {
    /// A few words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StateNotAnObject => "a state must be an object of presences",
            Self::DiffNotAnObject => "a diff must be an object with joins and leaves",
            Self::Joins => "a diff's \"joins\" must be an object of presences",
            Self::Leaves => "a diff's \"leaves\" must be an object of presences",
            Self::Presence => "a presence must be an object with an array of metas",
            Self::Metas => "a presence's \"metas\" must be an array",
            Self::NullMeta => "a meta must not be null",
            Self::Values => "expected keys, numbers of metas and refs in an array",
        }
    }
}
