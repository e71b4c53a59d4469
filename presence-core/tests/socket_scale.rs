//! Very many pushes: the time they take grows with their number, and not with its square, which is hours here.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use presence_core::{Config, Event, Millis, Socket};

#[test]
fn a_million_pushes_that_wait_for_a_join_time_out() {
    let count = 1_000_000;
    let mut socket: Socket<()> = Socket::new(Config::default());
    let room = socket.channel("room:1", None);
    socket.join(Millis(0), room, None).unwrap();
    for _ in 0..count {
        socket.push(Millis(0), room, "waits", (), Some(50)).unwrap();
    }
    socket.handle_timeout(Millis(50));
    let events = std::iter::from_fn(|| socket.poll_event());
    let timeouts = events.filter(|event| matches!(event, Event::PushTimeout { .. }));
    assert_eq!(timeouts.count(), count);
}
