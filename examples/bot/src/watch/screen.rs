//! The room on a terminal: who is there, and what happened.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, List, Row, Table};
use ratatui::{DefaultTerminal, Frame};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::news::{News, Roster, metas, printable, verb};

/// So many lines of the past are kept.
const KEPT: usize = 500;

/// What is on the screen.
pub(super) struct View {
    topic: String,
    connection: (String, Color),
    is_synced: bool,
    log: VecDeque<(String, Color)>,
}

impl View {
    pub(super) fn new(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            connection: ("connecting".to_owned(), Color::Yellow),
            is_synced: false,
            log: VecDeque::new(),
        }
    }

    fn take(&mut self, news: &News, roster: &Roster) {
        match news {
            News::Connected => self.connection = ("connected".to_owned(), Color::Green),
            News::Disconnected(_) => self.connection = ("reconnecting".to_owned(), Color::Yellow),
            News::Closed => self.connection = ("closed".to_owned(), Color::Red),
            News::Stale => self.is_synced = false,
            News::Synced => self.is_synced = true,
            _ => {}
        }
        let colour = match news {
            News::Change(change) => match verb(change) {
                "joined" => Color::Green,
                "left" => Color::Red,
                _ => Color::Cyan,
            },
            News::Asked(_) | News::Answered(_) => Color::Magenta,
            News::Disconnected(_) | News::Stale | News::Lagged(_) | News::Closed => Color::Yellow,
            News::Connected | News::Synced => Color::DarkGray,
        };
        if self.log.len() == KEPT {
            self.log.pop_front();
        }
        self.log.push_back((printable(&news.text(roster)), colour));
    }

    fn draw(&self, frame: &mut Frame<'_>, roster: &Roster) {
        let [head, body, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let [people, log] =
            Layout::horizontal([Constraint::Percentage(60), Constraint::Fill(1)]).areas(body);

        let (connection, colour) = &self.connection;
        let mut title = vec![
            Span::from(format!(" {} ", printable(&self.topic)))
                .bold()
                .reversed(),
            Span::from(format!(" ● {connection}")).fg(*colour),
            Span::from(format!("  {} here", roster.len())),
        ];
        if !self.is_synced {
            title.push(Span::from("  not in sync").yellow());
        }
        frame.render_widget(Line::from(title), head);
        frame.render_widget(people_table(roster, people.height), people);

        let visible = usize::from(log.height.saturating_sub(2));
        let lines = self.log.iter().skip(self.log.len().saturating_sub(visible));
        let lines = lines.map(|(text, colour)| Line::from(text.as_str()).fg(*colour));
        frame.render_widget(
            List::new(lines).block(Block::bordered().title("What happened")),
            log,
        );
        frame.render_widget(Line::from(" q quits").dark_gray(), foot);
    }
}

fn people_table(roster: &Roster, height: u16) -> Table<'_> {
    let rows = roster.iter().take(usize::from(height)).map(|who| {
        let metas = metas(&who);
        Row::new([
            Cell::from(printable(who.key())).style(Style::new().bold()),
            Cell::from(who.len().to_string()),
            Cell::from(metas.last().map(summary).unwrap_or_default()),
        ])
    });
    Table::new(
        rows,
        [
            Constraint::Fill(2),
            Constraint::Length(7),
            Constraint::Fill(3),
        ],
    )
    .header(Row::new(["Who", "Devices", "Latest"]).dim())
    .block(Block::bordered().title("Who is here"))
}

/// The fields of a meta that tell something: not its refs.
fn summary(meta: &Value) -> String {
    let Value::Object(fields) = meta else {
        return printable(&meta.to_string());
    };
    let told = fields
        .iter()
        .filter(|(name, _)| !name.starts_with("phx_ref"));
    let told = told.map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    printable(&told.collect::<Vec<_>>().join(", "))
}

/// A terminal that is ours until this is dropped.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    view: View,
    /// When to draw what has changed. Not at once: there may be more.
    due: Option<Instant>,
}

const FRAME: Duration = Duration::from_millis(33);

impl Screen {
    pub(super) fn new(topic: &str) -> io::Result<Self> {
        Ok(Self {
            terminal: ratatui::try_init()?,
            view: View::new(topic),
            due: None,
        })
    }

    pub(super) fn take(&mut self, news: &News, roster: &Roster) {
        self.view.take(news, roster);
        self.due.get_or_insert_with(|| Instant::now() + FRAME);
    }

    pub(super) async fn due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn draw(&mut self, roster: &Roster) -> io::Result<()> {
        self.due = None;
        self.terminal.draw(|frame| self.view.draw(frame, roster))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

#[cfg(test)]
mod tests {
    use presence_native::{Presence, Socket};
    use presence_server::Server;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::{Map, json};

    use super::*;

    fn drawn(view: &View, roster: &Roster) -> String {
        let mut terminal = Terminal::new(TestBackend::new(70, 8)).unwrap();
        terminal.draw(|frame| view.draw(frame, roster)).unwrap();
        terminal.backend().to_string()
    }

    #[tokio::test]
    async fn the_room_is_on_the_screen() {
        let server = Server::builder().start().await.unwrap();
        let mut others = server.presences().process();
        let meta: Map<String, Value> = json!({"status": "away\u{1b}[31m"})
            .as_object()
            .unwrap()
            .clone();
        others.track("room:lobby", "ann", meta).unwrap();
        let socket = Socket::builder(server.endpoint())
            .param("user_id", "bot")
            .build()
            .unwrap();
        let channel = socket.channel("room:lobby");
        let presence: Presence<Value> = channel.presence().unwrap();
        let mut changes = presence.changes();
        channel.join().await.unwrap();
        let roster = presence.synced().await.unwrap();

        let mut view = View::new("room:lobby");
        view.take(&News::Connected, &roster);
        assert!(drawn(&view, &roster).contains("not in sync"));
        let change = changes.next().await.unwrap().unwrap();
        view.take(&News::Change(change), &roster);
        view.take(&News::Synced, &roster);
        let screen = drawn(&view, &roster);
        for said in [
            "room:lobby",
            "● connected",
            "2 here",
            "ann",
            "status: away",
            "joined (1 device)",
        ] {
            assert!(screen.contains(said), "no {said:?} in\n{screen}");
        }
        assert!(
            !screen.contains("not in sync") && !screen.contains('\u{1b}'),
            "{screen}"
        );
    }
}
