//! `presence-bot watch`: who comes and goes.

mod answer;
mod keys;
mod lines;
mod news;
mod screen;

use std::io::{self, IsTerminal as _};

use anyhow::Result;
use presence_native::{PresenceError, PresenceStatus, Socket, SocketStatus};

use crate::cli::WatchOptions;
use answer::Answerer;
use keys::{Key, Keys};
use lines::Lines;
use news::{Meta, News, Roster};
use screen::Screen;

pub(crate) async fn run(options: &WatchOptions) -> Result<()> {
    // One for all the time there is: a signal that comes between two waits is not lost.
    let stopped = tokio::signal::ctrl_c();
    tokio::pin!(stopped);
    let socket = tokio::select! {
        biased;
        stopped = &mut stopped => return Ok(stopped?),
        socket = options.server.builder()?.connect() => socket?,
    };
    let outcome = tokio::select! {
        biased;
        stopped = &mut stopped => stopped.map_err(Into::into),
        outcome = follow(options, &socket) => outcome,
    };
    socket.shutdown().await;
    outcome
}

/// Until somebody quits, or the room is over.
async fn follow(options: &WatchOptions, socket: &Socket) -> Result<()> {
    let server = &options.server;
    let channel = server.channel(socket)?;
    let presence = channel.presence::<Meta>()?;
    let mut changes = presence.changes();
    let mut events = channel.events();
    let mut connection = socket.watch_status();
    let mut sync = presence.watch_status();
    let answerer = Answerer::new(server.user_id.as_deref(), channel.clone());

    let mut output = Output::new(options)?;
    let mut keys = output.keys();
    output.tell(&News::Connected, &presence.snapshot())?;
    channel.join().await?;
    loop {
        // In this order: what happened, before that it is all, and that there is a connection before what it brought.
        let news = tokio::select! {
            biased;
            key = keys.next() => match key {
                Key::Quit => return Ok(()),
                Key::Resize => {
                    output.draw(&presence.snapshot())?;
                    continue;
                }
            },
            () = output.due() => {
                output.draw(&presence.snapshot())?;
                continue;
            }
            change = changes.next() => match change {
                Some(Ok(change)) => News::Change(change),
                Some(Err(lagged)) => News::Lagged(lagged.missed),
                None => News::Closed,
            },
            Ok(()) = connection.changed() => match &*connection.borrow_and_update() {
                SocketStatus::Connected => News::Connected,
                SocketStatus::Reconnecting(why) => News::Disconnected(why.to_string()),
                _ => continue,
            },
            Ok(()) = sync.changed() => match *sync.borrow_and_update() {
                PresenceStatus::Synced => News::Synced,
                PresenceStatus::Stale => News::Stale,
                _ => continue,
            },
            Some(event) = events.next() => match event.ok().and_then(|event| answerer.question(&event)) {
                Some(question) => News::Asked(question),
                None => continue,
            },
        };
        let roster = presence.snapshot();
        output.tell(&news, &roster)?;
        match news {
            News::Asked(question) => {
                let answer = answerer.answer(&question, &roster).await?;
                output.tell(&News::Answered(answer), &roster)?;
            }
            News::Closed => return Err(PresenceError::Closed.into()),
            _ => {}
        }
    }
}

/// Where it is shown.
enum Output {
    Lines(Lines),
    Screen(Box<Screen>),
}

impl Output {
    /// The screen if there is one, and nothing else was asked for.
    fn new(options: &WatchOptions) -> io::Result<Self> {
        if options.json
            || options.plain
            || !io::stdout().is_terminal()
            || !io::stdin().is_terminal()
        {
            return Ok(Self::Lines(Lines::new(options.json)));
        }
        Ok(Self::Screen(Box::new(Screen::new(&options.server.topic)?)))
    }

    fn keys(&self) -> Keys {
        match self {
            Self::Lines(_) => Keys::none(),
            Self::Screen(_) => Keys::read(),
        }
    }

    fn tell(&mut self, news: &News, roster: &Roster) -> io::Result<()> {
        match self {
            Self::Lines(lines) => lines.tell(news, roster),
            Self::Screen(screen) => {
                screen.take(news, roster);
                Ok(())
            }
        }
    }

    /// Completes when there is something to be drawn, and it is time.
    async fn due(&self) {
        match self {
            Self::Lines(_) => std::future::pending().await,
            Self::Screen(screen) => screen.due().await,
        }
    }

    fn draw(&mut self, roster: &Roster) -> io::Result<()> {
        match self {
            Self::Lines(_) => Ok(()),
            Self::Screen(screen) => screen.draw(roster),
        }
    }
}
