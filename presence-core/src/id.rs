//! Handles: what shells use to speak of the things inside a socket.

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The bare number, for shells whose other side holds integers.
            pub const fn to_u32(self) -> u32 {
                self.0
            }

            /// The handle of a number that [`Self::to_u32`] gave; any other
            /// number is a handle of nothing, which every call tolerates.
            pub const fn from_u32(number: u32) -> Self {
                Self(number)
            }
        }
    )*};
}

handles! {
    /// One connection attempt and what became of it. Never used twice.
    ConnectionId,
    /// One channel of a socket. Never used twice.
    ChannelId,
    /// One push of a socket. Used again only after 2^28 other pushes.
    PushId,
    /// One presence of a channel. Never used twice.
    PresenceId,
}
