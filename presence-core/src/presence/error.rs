use thiserror::Error;

use crate::codec::CodecError;

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
#[non_exhaustive]
pub enum PresenceError {
    /// The frame or the payload is malformed.
    #[error(transparent)]
    Frame(#[from] CodecError),
    /// The payload is JSON, but no state or diff.
    #[error("not a presence payload, at byte {offset}: {problem}")]
    Shape {
        /// The offset, in bytes, from the start of the frame.
        offset: usize,
        /// What is wrong there.
        problem: ShapeProblem,
    },
    /// The roster would grow beyond four gigabytes of text.
    #[error("the roster would grow beyond 4 GiB of text")]
    TooLarge,
}

/// What keeps JSON from being a presence state or diff. phoenix.js throws at these, some of them only after half of
/// the frame has been applied.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeProblem {
    /// A state is `{key: presence, …}`.
    #[error("a state must be an object of presences")]
    StateNotAnObject,
    /// A diff is `{"joins": {…}, "leaves": {…}}`.
    #[error("a diff must be an object with joins and leaves")]
    DiffNotAnObject,
    /// `joins` is missing or no object.
    #[error("a diff's \"joins\" must be an object of presences")]
    Joins,
    /// `leaves` is missing or no object.
    #[error("a diff's \"leaves\" must be an object of presences")]
    Leaves,
    /// A presence is `{"metas": […], …}`.
    #[error("a presence must be an object with an array of metas")]
    Presence,
    /// `metas` is missing or no array.
    #[error("a presence's \"metas\" must be an array")]
    Metas,
    /// A meta is `null`.
    #[error("a meta must not be null")]
    NullMeta,
    /// [`Values`](super::Values) are not told as a [`ValuesFrame`](super::ValuesFrame) has to be.
    #[error("expected keys, numbers of metas and refs in an array")]
    Values,
}
