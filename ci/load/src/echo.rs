//! Clients that each keep a number of messages under way: `message`, answered by `message-back`.

use std::collections::VecDeque;
use std::io::{self, Error};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::meter::{Figures, Meter, measure};
use crate::server::Server;
use crate::socket::Socket;

/// Runs `connections` clients with `window` messages under way each.
pub async fn run(server: &Server, connections: usize, window: usize, duration: Duration) -> io::Result<Figures> {
    let meter = Rc::new(Meter::default());
    let sockets = Socket::open_all(server.address, connections).await?;
    let mut clients = JoinSet::new();
    for socket in sockets {
        clients.spawn_local(client(socket, window, Rc::clone(&meter)));
    }
    measure(server, &meter, clients, duration).await
}

async fn client(mut socket: Socket, window: usize, meter: Rc<Meter>) -> io::Result<()> {
    let mut next = 0u64;
    let mut sent: VecDeque<(u64, Instant)> = VecDeque::with_capacity(window);
    loop {
        if !meter.stop.get() {
            let now = Instant::now();
            while sent.len() < window {
                socket.queue(format!("42[\"message\",{next},\"abcdefgh\"]").as_bytes());
                sent.push_back((next, now));
                next += 1;
            }
        } else if sent.is_empty() {
            return Ok(());
        }
        socket.flush().await?;
        socket.fill().await?;
        let now = Instant::now();
        let mut fault = None;
        socket.take(|packet| {
            let place = number(packet).and_then(|number| sent.iter().position(|(sent, _)| *sent == number));
            match place.and_then(|place| Some((place, sent.remove(place)?.1))) {
                Some((place, at)) => {
                    if place > 0 {
                        meter.misplaced();
                    }
                    meter.count(1, Some(now - at));
                }
                None => fault = Some(String::from_utf8_lossy(packet).into_owned()),
            }
        })?;
        if let Some(fault) = fault {
            return Err(Error::other(format!("no message has this answer: {fault}")));
        }
    }
}

/// The number in an answer, whose other bytes are as they were sent.
pub fn number(packet: &[u8]) -> Option<u64> {
    let packet = std::str::from_utf8(packet).ok()?;
    packet
        .strip_prefix("42[\"message-back\",")?
        .strip_suffix(",\"abcdefgh\"]")?
        .parse()
        .ok()
}
