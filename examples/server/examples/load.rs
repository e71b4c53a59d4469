//! How the server bears a crowd: `cargo run --release -p presence-server --example load -- 5000 50`
//! connects so many clients (default 5,000) spread over so many rooms (default 50), lets each
//! join, and then broadcasts in every room. With a third argument, a number, the clients only
//! observe and each room has so many presences without a connection. Clients and server share
//! this process.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use futures_util::stream::SplitStream;
use futures_util::{SinkExt as _, StreamExt as _};
use presence_server::Server;
use serde_json::{Map, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a client saw.
enum Seen {
    State,
    Shout,
    Lost,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |text| text.parse());
    let (clients, rooms) = (number(5_000)?, number(50)?);
    let crowd = number(0)?;
    let server = Server::builder().start().await?;
    let mut process = server.presences().process();
    for index in 0..crowd * rooms {
        let meta = Map::from_iter([("online_at".to_owned(), json!("1795489286"))]);
        let topic = format!("room:{}", index % rooms);
        process.track(&topic, &format!("crowd-{index}"), meta)?;
    }
    let order = if crowd > 0 { "observe" } else { "" };
    let (seen, mut inbox) = mpsc::unbounded_channel();

    let begun = Instant::now();
    let mut sinks = Vec::new();
    for index in 0..clients {
        let url = format!(
            "{}/websocket?vsn=2.0.0&user_id=user-{index}",
            server.endpoint()
        );
        let (sink, stream) = connect_async(url).await?.0.split();
        tokio::spawn(watch(stream, seen.clone()));
        sinks.push(sink);
    }
    println!("{clients} clients connected in {:?}", begun.elapsed());

    let begun = Instant::now();
    for (index, sink) in sinks.iter_mut().enumerate() {
        let topic = format!("room:{}", index % rooms);
        let join = json!(["1", "1", topic, "phx_join", { "order": order }]).to_string();
        sink.send(Message::text(join)).await?;
    }
    expect(&mut inbox, clients, |seen| matches!(seen, Seen::State)).await?;
    println!(
        "all joined {rooms} rooms and have their state after {:?}",
        begun.elapsed()
    );

    let begun = Instant::now();
    for room in 0..rooms {
        server.broadcast(
            &format!("room:{room}"),
            "shout",
            &json!({ "body": "hello" }),
        );
    }
    let queued = begun.elapsed();
    expect(&mut inbox, clients, |seen| matches!(seen, Seen::Shout)).await?;
    println!(
        "a broadcast to every room: queued in {queued:?}, with everybody after {:?}",
        begun.elapsed()
    );
    server.shutdown().await;
    Ok(())
}

async fn expect(
    inbox: &mut mpsc::UnboundedReceiver<Seen>,
    count: usize,
    wanted: impl Fn(&Seen) -> bool,
) -> Result<(), Error> {
    let mut left = count;
    while left > 0 {
        let seen = tokio::time::timeout(Duration::from_secs(120), inbox.recv()).await?;
        match seen.ok_or("nobody left")? {
            Seen::Lost => return Err("a client lost its connection".into()),
            seen if wanted(&seen) => left -= 1,
            _ => {}
        }
    }
    Ok(())
}

async fn watch(mut stream: SplitStream<Socket>, seen: mpsc::UnboundedSender<Seen>) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { break };
        let event = if text.contains(r#""presence_state""#) {
            Seen::State
        } else if text.contains(r#""shout""#) {
            Seen::Shout
        } else {
            continue;
        };
        if seen.send(event).is_err() {
            return;
        }
    }
    // The receiver is gone once the program is done.
    let _: Result<(), _> = seen.send(Seen::Lost);
}
