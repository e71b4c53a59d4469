//! Phoenix Channels and Presence as a state machine without I/O.
#![forbid(unsafe_code)]
