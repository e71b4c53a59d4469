//! Time as the machine sees it: a number of milliseconds the shell hands in.

use core::fmt;
use core::ops::{Add, Sub};

/// A moment, in milliseconds since whatever start the shell chose.
///
/// The core reads no clock: every `handle_*` call that can start or end a
/// timer is told what time it is. Moments only have to be comparable with each
/// other; one that lies before an earlier one is taken as that earlier one, so
/// a clock that jumps back does no harm.
///
/// ```
/// use presence_core::Millis;
///
/// let opened = Millis(20);
/// assert_eq!(opened + 30_000, Millis(30_020));
/// assert_eq!(Millis(5).since(opened), 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The milliseconds from `earlier` to `self`, 0 if `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Millis {
    type Output = Self;

    fn add(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub for Millis {
    type Output = u64;

    fn sub(self, earlier: Self) -> u64 {
        self.since(earlier)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
