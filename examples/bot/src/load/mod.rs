//! `presence-bot load`: many users who join, update and leave, and whether everybody saw it.

mod client;
mod crowd;
mod measure;
mod memory;
mod report;

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cli::LoadOptions;
use crowd::Crowd;
use report::Report;

/// Some clients saw somebody who is not there, or did not see somebody who is.
#[derive(Debug)]
pub(crate) struct WrongRosters(usize);

impl std::fmt::Display for WrongRosters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 roster was wrong"),
            count => write!(f, "{count} rosters were wrong"),
        }
    }
}

impl std::error::Error for WrongRosters {}

pub(crate) async fn run(options: &LoadOptions) -> Result<()> {
    let seed = options.seed.unwrap_or_else(rand::random);
    let mut random = SmallRng::seed_from_u64(seed);
    let before = memory::resident();
    let crowd = Crowd::new(options)?;

    let bar = progress(options.clients.into(), "joining");
    let begin = Instant::now();
    let Some(joined) = unless_stopped(crowd.join_all(&bar)).await? else {
        return Ok(());
    };
    joined?;
    bar.finish_and_clear();
    let joined_in = begin.elapsed();
    if unless_stopped(crowd.settle(options.settle))
        .await?
        .is_none()
    {
        return Ok(());
    }
    let memory = memory::each(before, memory::resident(), options.clients);

    let bar = progress(options.duration.as_secs(), "running");
    let begin = Instant::now();
    let diffs = crowd.measures().diffs();
    let actions = churn(options, &crowd, &mut random, &bar).await?;
    if unless_stopped(crowd.rest()).await?.is_none() {
        return Ok(());
    }
    let lasted = begin.elapsed();
    let diffs = crowd.measures().diffs() - diffs;
    bar.finish_and_clear();

    let Some(wrong) = unless_stopped(crowd.settle(options.settle)).await? else {
        return Ok(());
    };
    let report = Report {
        seed,
        clients: options.clients,
        online: crowd.online().await,
        rooms: crowd.rooms(),
        joined_in,
        lasted,
        actions,
        failures: crowd.failures(),
        diffs,
        memory,
        joins: crowd.measures().joins(),
        updates: crowd.measures().updates(),
        wrong: wrong.len(),
    };
    let mut out = io::stdout();
    if options.json {
        writeln!(out, "{}", report.json())?;
    } else {
        write!(out, "{report}")?;
    }
    for wrong in wrong.iter().take(10) {
        writeln!(io::stderr(), "{wrong}")?;
    }
    crowd.leave_all().await;
    match wrong.len() {
        0 => Ok(()),
        count => Err(WrongRosters(count).into()),
    }
}

/// So many actions a second for as long as asked, or until Ctrl-C.
async fn churn(
    options: &LoadOptions,
    crowd: &Crowd,
    random: &mut SmallRng,
    bar: &ProgressBar,
) -> Result<u64> {
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_secs(1) / options.rate);
    // Late ones are made up for: the rate is kept.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut actions = 0;
    let end = tokio::time::sleep(options.duration);
    tokio::pin!(end);
    let stopped = tokio::signal::ctrl_c();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            () = &mut end => break,
            stopped = &mut stopped => {
                stopped?;
                break;
            }
            _ = ticks.tick() => {
                crowd.act(random.random(), random.random());
                actions += 1;
            }
        }
        bar.set_position(begin.elapsed().as_secs());
        bar.set_message(format!(
            "{actions} actions, {} diffs, {} failures",
            crowd.measures().diffs(),
            crowd.failures()
        ));
    }
    Ok(actions)
}

/// What comes of it, unless Ctrl-C comes first.
async fn unless_stopped<T>(work: impl Future<Output = T>) -> io::Result<Option<T>> {
    tokio::select! {
        biased;
        stopped = tokio::signal::ctrl_c() => stopped.map(|()| None),
        done = work => Ok(Some(done)),
    }
}

/// Shown where somebody looks on.
fn progress(length: u64, what: &'static str) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target).with_prefix(what);
    match ProgressStyle::with_template("{prefix:>8} {bar:30} {pos}/{len} {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
