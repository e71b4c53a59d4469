//! A world for one client or two: nodes with their own truth, a network that fails, users who do what they like, and a
//! virtual clock. See [`run`].

mod checks;
mod client;
mod cluster;
mod network;
mod server;
mod trouble;
mod user;
mod world;

pub(crate) use world::Totals;
use world::{Due, World};

/// How long after the last trouble every roster is the server's, in virtual ms. A connection that is dead without a word
/// takes a heartbeat's interval and its timeout to be found out (60 s at the most here), a connection attempt or a slow
/// join that was under way 20 s to end, a join that got no answer 10 s to be given up, the next try 10 s to come, and the
/// nodes have converged long before.
pub(crate) const CALM: u64 =
    60_000 + network::CONNECT_TIMEOUT + 10_000 + 10_000 + 10_000 + cluster::CONVERGENCE;

/// A room that the user joins again just before the comparison still takes a moment.
const LAST_JOIN: u64 = 5_000;

/// How long after a disconnect nothing is left: the longest timeout of a push, in virtual ms, and some.
pub(crate) const REST: u64 = 20_000;

/// What came of a seed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) totals: Totals,
    /// The same for the same seed.
    pub(crate) digest: u64,
    pub(crate) failure: Option<String>,
    /// What happened, a line each, if asked for.
    pub(crate) trace: Vec<String>,
}

/// Lets a world live: some rounds of trouble and calm, each ending with a comparison of all rosters with the truth, and
/// then a disconnect after which nothing may be left.
///
/// With `first_cut` nothing goes wrong but that the first connection is cut after so many messages.
pub(crate) fn run(seed: u64, first_cut: Option<u32>, traced: bool) -> Outcome {
    let mut world = World::new(seed, first_cut, traced);
    let nodes = world.rng.usize(1..=3);
    world.start_nodes(nodes);
    world.later(0, Due::Crowd);
    world.later(0, Due::Trouble);
    let clients = world.rng.usize(1..=2);
    for _ in 0..clients {
        world.start_client();
    }
    for round in 0..world.rng.u32(1..=3) {
        if round > 0 {
            world.trouble_begins();
        }
        let ms = match first_cut {
            Some(_) => 10_000,
            None => world.rng.u64(1_000..90_000),
        };
        world.run(ms);
        world.trouble_ends();
        for _ in 0..CALM / 1_000 {
            world.run(1_000);
            for client in 0..clients {
                world.join_missing(client);
            }
        }
        world.run(LAST_JOIN);
        for client in 0..clients {
            world.check_rosters(client);
        }
    }
    for client in 0..clients {
        world.check_rest(client);
    }
    world.totals.seconds = world.now / 1_000;
    Outcome {
        totals: world.totals,
        digest: world.digest,
        failure: world.failure,
        trace: world.trace.unwrap_or_default(),
    }
}
