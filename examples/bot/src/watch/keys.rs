//! The keyboard, and the size of the terminal.

use std::thread;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use tokio::sync::mpsc;

/// What the terminal asks for.
pub(super) enum Key {
    Quit,
    Resize,
}

/// Reads keys on a thread of its own, which waits for them and ends with the program.
pub(super) struct Keys(Option<mpsc::Receiver<Key>>);

impl Keys {
    /// For when there is no terminal.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn read() -> Self {
        let (sender, receiver) = mpsc::channel(16);
        thread::spawn(move || {
            while let Ok(event) = event::read() {
                let key = match event {
                    Event::Key(key) if is_quit(key) => Key::Quit,
                    Event::Resize(..) => Key::Resize,
                    _ => continue,
                };
                if sender.blocking_send(key).is_err() {
                    return;
                }
            }
        });
        Self(Some(receiver))
    }

    /// The next key; the end of the terminal is one to quit.
    pub(super) async fn next(&mut self) -> Key {
        match &mut self.0 {
            Some(receiver) => receiver.recv().await.unwrap_or(Key::Quit),
            None => std::future::pending().await,
        }
    }
}

fn is_quit(key: event::KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
        || (control && key.code == KeyCode::Char('c'))
}
