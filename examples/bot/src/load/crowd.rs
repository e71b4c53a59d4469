//! All users of a run, and what they do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::{Common, User};
use super::measure::Measures;
use crate::cli::LoadOptions;

/// So many connect at a time: a listener has room for no more.
const AT_ONCE: usize = 64;

/// How many users share a room by default.
const ROOM: u32 = 100;

pub(super) struct Crowd {
    common: Arc<Common>,
    topics: Vec<String>,
    connecting: Arc<Semaphore>,
    acting: parking_lot::Mutex<JoinSet<()>>,
    failures: Arc<AtomicU64>,
}

impl Crowd {
    pub(super) fn new(options: &LoadOptions) -> Result<Self> {
        let rooms = options
            .rooms
            .unwrap_or_else(|| options.clients.div_ceil(ROOM));
        let topic = &options.server.topic;
        let topics: Vec<String> = match rooms {
            1 => vec![topic.clone()],
            rooms => (1..=rooms).map(|room| format!("{topic}-{room}")).collect(),
        };
        let users = topics
            .iter()
            .cycle()
            .take(options.clients as usize)
            .cloned()
            .map(User::new)
            .collect();
        let common = Common {
            // Under load a connection or a reply may take its time.
            builder: options
                .server
                .builder()?
                .connect_timeout(Duration::from_secs(60))
                .timeout(Duration::from_secs(60)),
            channel_options: options.server.channel_options()?,
            user_param: options.user_param.clone(),
            update_event: options.update_event.clone(),
            run: format!("load-{:06x}", rand::random::<u32>() & 0xff_ffff),
            users,
            measures: Measures::new()?,
        };
        Ok(Self {
            common: Arc::new(common),
            topics,
            connecting: Arc::new(Semaphore::new(AT_ONCE)),
            acting: parking_lot::Mutex::default(),
            failures: Arc::default(),
        })
    }

    pub(super) fn measures(&self) -> &Measures {
        &self.common.measures
    }

    pub(super) fn rooms(&self) -> u32 {
        u32::try_from(self.topics.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) async fn online(&self) -> usize {
        let mut online = 0;
        for user in &self.common.users {
            online += usize::from(user.is_online().await);
        }
        online
    }

    /// All join, as fast as they can.
    pub(super) async fn join_all(&self, bar: &ProgressBar) -> Result<()> {
        let mut joining = JoinSet::new();
        for number in 0..self.common.users.len() {
            let (common, connecting) = (Arc::clone(&self.common), Arc::clone(&self.connecting));
            joining.spawn(async move {
                let _turn = connecting.acquire().await?;
                common.join(number).await
            });
        }
        while let Some(joined) = joining.join_next().await {
            joined?.context("a client could not join")?;
            bar.inc(1);
        }
        Ok(())
    }

    /// Has somebody do something, and doesn't wait for it: most update, some go, and those who are gone come back.
    pub(super) fn act(&self, who: u64, what: u8) {
        let number = usize::try_from(who).unwrap_or(usize::MAX) % self.common.users.len();
        let common = Arc::clone(&self.common);
        let (connecting, failures) = (Arc::clone(&self.connecting), Arc::clone(&self.failures));
        let mut acting = self.acting.lock();
        while acting.try_join_next().is_some() {}
        acting.spawn(async move {
            let outcome = async {
                if !common.users[number].is_online().await {
                    let _turn = connecting.acquire().await?;
                    common.join(number).await
                } else if what < 64 || common.update_event.is_empty() {
                    common.leave(number).await;
                    Ok(())
                } else {
                    common.update(number).await
                }
            };
            if let Err(error) = outcome.await {
                failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "an action failed");
            }
        });
    }

    /// Waits until everybody has done what there was to do.
    pub(super) async fn rest(&self) {
        let mut acting = std::mem::take(&mut *self.acting.lock());
        while acting.join_next().await.is_some() {}
    }

    /// Waits until all have seen all; gives those who don't, and how their rosters are wrong.
    pub(super) async fn settle(&self, patience: Duration) -> Vec<String> {
        let deadline = Instant::now() + patience;
        let mut wrong = Vec::new();
        for topic in &self.topics {
            let expected = self.common.expected(topic).await;
            for (number, user) in self.common.users.iter().enumerate() {
                if user.topic == *topic {
                    let left = deadline.saturating_duration_since(Instant::now());
                    wrong.extend(self.common.agrees(number, &expected, left).await.err());
                }
            }
        }
        wrong
    }

    pub(super) async fn leave_all(&self) {
        let mut leaving = JoinSet::new();
        for number in 0..self.common.users.len() {
            let common = Arc::clone(&self.common);
            leaving.spawn(async move { common.leave(number).await });
        }
        while leaving.join_next().await.is_some() {}
    }
}
