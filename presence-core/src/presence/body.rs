use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::arena::{Arena, Span};
use super::error::PresenceError;
use super::options::PresenceOptions;
use super::places::Places;
use super::roster::Roster;
use crate::json::same_bytes;

/// What a roster carries: see [`Json`](super::Json) and [`Values`](super::Values), which are all there are.
pub trait Carrier: sealed::Carry {}

pub(crate) mod sealed {
    use super::{Arena, Body, PresenceError, PresenceOptions, Roster, Span, fmt};

    /// What the roster has to ask about metas and extras, of which it knows nothing itself.
    pub trait Carry: Sized + fmt::Debug + 'static {
        /// A meta.
        type Meta: Copy + fmt::Debug;
        /// All of a presence beside its metas.
        type Extra: Copy + fmt::Debug;
        /// A payload to read.
        type Source<'a>: Clone;
        /// A payload held back.
        type Held: fmt::Debug;
        /// How to read payloads.
        type Options: fmt::Debug;

        fn reading(options: &PresenceOptions) -> Self::Options;

        fn stage_state(
            roster: &mut Roster<Self>,
            source: Self::Source<'_>,
            options: &mut Self::Options,
        ) -> Result<(), PresenceError>
        where
            Self: super::Carrier;

        fn stage_diff(
            roster: &mut Roster<Self>,
            source: Self::Source<'_>,
            options: &mut Self::Options,
        ) -> Result<(), PresenceError>
        where
            Self: super::Carrier;

        /// Makes a payload last; only asked of those that were read without error.
        fn hold(source: Self::Source<'_>) -> Result<Self::Held, PresenceError>;
        fn release(held: &Self::Held) -> Self::Source<'_>;
        fn held_bytes(held: &Self::Held) -> usize;

        fn same_extra(arena: &Arena, a: &Self::Extra, b: &Self::Extra) -> bool;
        /// Whether two metas with the same ref are the same; `None` if nobody can tell.
        fn same_meta(arena: &Arena, a: Self::Meta, b: Self::Meta) -> Option<bool>;

        /// A presence that had `current` got `extra` and some metas with it.
        fn merge_extra(current: &Self::Extra, extra: &Self::Extra) -> Self::Extra;
        /// To be called when a body's metas or extra have changed, once they are final.
        fn settle(body: &mut Body<Self::Meta, Self::Extra>);
        /// Whether a presence with the same refs and extra, from a state, should replace the old one, from which
        /// nobody can tell it.
        fn prefers(
            arena: &Arena,
            new: &Body<Self::Meta, Self::Extra>,
            old: &Body<Self::Meta, Self::Extra>,
        ) -> bool;

        /// How much of the arena a body needs, about.
        fn weight(body: &Body<Self::Meta, Self::Extra>) -> usize;
        /// Copies what a presence needs from one arena to another.
        fn relocate(
            key: &mut Span,
            body: &mut Body<Self::Meta, Self::Extra>,
            from: &Arena,
            to: &mut Arena,
        );
    }
}

/// A presence without its key.
#[derive(Clone, Debug)]
pub struct Body<M, E> {
    pub(crate) metas: Metas<M>,
    pub(crate) extra: E,
}

pub(crate) type BodyOf<C> = Body<<C as sealed::Carry>::Meta, <C as sealed::Carry>::Extra>;
pub(crate) type MetaOf<C> = Meta<<C as sealed::Carry>::Meta>;

/// A meta and its ref, which is the bytes of a string or, with a first byte that no string has, one of the other
/// things that JSON allows in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta<M> {
    pub(crate) reference: Span,
    pub(crate) body: M,
}

/// Marks a ref that is no string. JavaScript compares such refs too: two absent ones are equal.
pub(crate) const ODD_REF: u8 = 0xff;
/// A ref that is an object or an array: JavaScript finds it equal to nothing that came in another frame.
pub(crate) const UNEQUAL_REF: u8 = 0xfe;

/// Most presences have one meta, which then needs no allocation.
#[derive(Clone, Debug)]
pub(crate) enum Metas<M> {
    One(Meta<M>),
    Many(Vec<Meta<M>>),
}

impl<M> Metas<M> {
    pub(crate) const NONE: Self = Self::Many(Vec::new());

    #[inline]
    pub(crate) fn as_slice(&self) -> &[Meta<M>] {
        match self {
            Self::One(meta) => core::slice::from_ref(meta),
            Self::Many(metas) => metas,
        }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [Meta<M>] {
        match self {
            Self::One(meta) => core::slice::from_mut(meta),
            Self::Many(metas) => metas,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    #[inline]
    pub(crate) fn push(&mut self, meta: Meta<M>)
    where
        M: Copy,
    {
        match self {
            Self::Many(metas) if metas.is_empty() => *self = Self::One(meta),
            Self::Many(metas) => metas.push(meta),
            Self::One(first) => *self = Self::Many(vec![*first, meta]),
        }
    }

    /// Gives back the room for more.
    pub(crate) fn shrink(&mut self) {
        if let Self::Many(metas) = self {
            metas.shrink_to_fit();
        }
    }

    /// The heap memory behind it.
    pub(crate) fn heap(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(metas) => metas.capacity() * size_of::<Meta<M>>(),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<M: Copy> FromIterator<Meta<M>> for Metas<M> {
    fn from_iter<I: IntoIterator<Item = Meta<M>>>(metas: I) -> Self {
        let mut metas = metas.into_iter();
        let Some(first) = metas.next() else {
            return Self::NONE;
        };
        let Some(second) = metas.next() else {
            return Self::One(first);
        };
        let mut many = Vec::with_capacity(metas.size_hint().0 + 2);
        many.push(first);
        many.push(second);
        many.extend(metas);
        Self::Many(many)
    }
}

#[inline]
fn same_ref(arena: &Arena, a: Span, b: Span) -> bool {
    let (a, b) = (arena.get(a), arena.get(b));
    same_bytes(a, b) && a.first() != Some(&UNEQUAL_REF)
}

/// Whether both have the same refs in the same order.
#[inline]
pub(crate) fn same_refs<M>(arena: &Arena, a: &Metas<M>, b: &Metas<M>) -> bool {
    let (a, b) = (a.as_slice(), b.as_slice());
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| same_ref(arena, a.reference, b.reference))
}

/// The metas whose refs are not among those of `others`.
pub(crate) fn without<M: Copy>(arena: &Arena, metas: &[Meta<M>], others: &[Meta<M>]) -> Metas<M> {
    if metas.len().min(others.len()) <= 8 {
        let among = |meta: &&Meta<M>| {
            !others
                .iter()
                .any(|other| same_ref(arena, meta.reference, other.reference))
        };
        return metas.iter().filter(among).copied().collect();
    }
    let reference_at = |place: u32| {
        others
            .get(place as usize)
            .map_or(Span::default(), |other| other.reference)
    };
    let bytes_at = |place: u32| arena.get(reference_at(place));
    let mut refs = Places::default();
    for place in 0..others.len() as u32 {
        refs.find_or_insert(bytes_at(place), place, &bytes_at);
    }
    let among = |meta: &&Meta<M>| {
        let found = refs.find(arena.get(meta.reference), &bytes_at);
        !found.is_some_and(|place| same_ref(arena, meta.reference, reference_at(place)))
    };
    metas.iter().filter(among).copied().collect()
}
