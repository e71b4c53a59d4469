//! What a frame can cost in memory, as a multiple of its size: the worst that is known of each kind, measured.

#![allow(clippy::print_stdout, reason = "it says what it measured")]

use peak_alloc::PeakAlloc;
use presence_core::codec::{decode_binary, decode_text};
use presence_core::message::Vsn;
use presence_core::presence::{Join, PresenceOptions, Tracker};
use presence_core::{Config, Millis, Socket};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// About so large is each input, so that what there is at the start does not count.
const SIZE: usize = 1 << 20;

/// The most that was allocated at once, by the bytes of the input.
fn multiple(input: &str, read: impl FnOnce(&str)) -> f64 {
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    read(input);
    (HEAP.peak_usage() - before) as f64 / input.len() as f64
}

fn many(one: impl Fn(usize) -> String, size: usize) -> String {
    let mut all = String::new();
    for number in 0.. {
        if all.len() >= size {
            break;
        }
        if number > 0 {
            all.push(',');
        }
        all += &one(number);
    }
    all
}

/// One test, since all of a process's memory is measured.
#[test]
fn memory_is_bounded_by_the_input() {
    let nested = "[".repeat(SIZE);
    let presences = many(|n| format!("\"{n:x}\":{{\"metas\":[]}}"), SIZE);
    let people = many(
        |n| {
            format!(
                "\"user{n}\":{{\"metas\":[{{\"phx_ref\":\"F{n}\",\"online_at\":\"1795489289\"}}]}}"
            )
        },
        SIZE,
    );
    let metas = many(|_| "0".to_owned(), SIZE);
    let states = [
        ("people", format!("{{{people}}}"), 9.0),
        ("the smallest presences", format!("{{{presences}}}"), 40.0),
        (
            "the smallest metas",
            format!("{{\"x\":{{\"metas\":[{metas}]}}}}"),
            80.0,
        ),
    ];

    // Nothing is copied, and a level of nesting costs a bit.
    let scanned = multiple(&nested, |text| {
        assert!(presence_core::json::validate(text).is_err());
    });
    println!("nesting: {scanned:.2}");
    assert!(scanned < 0.5, "{scanned}");
    let frame = format!("[null,null,\"t\",\"e\",{{{people}}}]");
    let decoded = multiple(&frame, |text| {
        assert!(decode_text(Vsn::V2, text).is_ok());
        assert!(decode_binary(text.as_bytes()).is_err());
    });
    println!("codec: {decoded:.2}");
    assert!(decoded < 0.01, "{decoded}");

    for (what, state, most) in &states {
        let applied = multiple(state, |state| {
            let mut tracker = Tracker::default();
            tracker.set_changes(true);
            tracker.set_steps(true);
            assert!(
                tracker
                    .handle_state_json(state, Join::answered("1"))
                    .is_ok()
            );
        });
        let refused = multiple(&state[..state.len() - 1], |cut| {
            let mut tracker = Tracker::default();
            assert!(tracker.handle_state_json(cut, Join::answered("1")).is_err());
        });
        let frame = format!("[null,null,\"t\",\"presence_state\",{state}]");
        let through = multiple(&frame, through_a_socket);
        println!(
            "{what}: {applied:.2} listened to, {refused:.2} refused, {through:.2} by a socket"
        );
        assert!(applied.max(refused).max(through) < *most, "{what}");
    }
}

fn through_a_socket(frame: &str) {
    let now = Millis(0);
    let mut socket: Socket<()> = Socket::new(Config::default());
    let channel = socket.channel("t", None);
    socket.track(channel, PresenceOptions::default());
    socket.connect(now);
    let connection = socket.connection();
    let Some(connection) = connection else {
        return;
    };
    socket.handle_open(now, connection, false);
    assert!(socket.join(now, channel, None).is_ok());
    let (join_ref, answer) = (socket.join_ref(channel), r#"{"status":"ok","response":{}}"#);
    let join_ref = join_ref.map_or(String::new(), |r| r.to_string());
    let reply = format!("[\"{join_ref}\",\"{join_ref}\",\"t\",\"phx_reply\",{answer}]");
    assert!(socket.handle_text(now, connection, Vsn::V2, &reply).is_ok());
    assert!(socket.handle_text(now, connection, Vsn::V2, frame).is_ok());
    assert!(
        socket
            .updated_presences()
            .iter()
            .all(|update| update.synced)
    );
}
