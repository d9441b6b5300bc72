//! One client that has the server tell everybody: `all`. The next is said when the last has reached everybody.

use std::cell::Cell;
use std::io::{self, Error};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::meter::{Figures, Meter, measure};
use crate::server::Server;
use crate::socket::Socket;

/// How far the broadcasts are.
#[derive(Default)]
struct Round {
    number: Cell<u64>,
    reached: Cell<usize>,
    complete: Notify,
}

/// Runs `connections` clients that listen, the first of which speaks as well.
pub async fn run(server: &Server, connections: usize, duration: Duration) -> io::Result<Figures> {
    let meter = Rc::new(Meter::default());
    let round = Rc::new(Round::default());
    let sockets = Socket::open_all(server.address, connections).await?;
    let mut clients = JoinSet::new();
    let speaker = Socket::open(server.address).await?;
    clients.spawn_local(speak(speaker, connections, Rc::clone(&round), Rc::clone(&meter)));
    for socket in sockets {
        clients.spawn_local(listen(socket, connections, Rc::clone(&round), Rc::clone(&meter)));
    }
    measure(server, &meter, clients, duration).await
}

async fn speak(mut socket: Socket, listeners: usize, round: Rc<Round>, meter: Rc<Meter>) -> io::Result<()> {
    while !meter.stop.get() {
        round.reached.set(0);
        round.number.set(round.number.get() + 1);
        socket.queue(format!("42[\"broadcast\",\"tick\",{},\"abcdefgh\"]", round.number.get()).as_bytes());
        socket.flush().await?;
        while round.reached.get() < listeners {
            tokio::select! {
                () = round.complete.notified() => {}
                result = socket.fill() => {
                    result?;
                    socket.take(|_| {})?;
                    socket.flush().await?;
                }
            }
        }
    }
    // One more round, in which the listeners see that it is the last.
    socket.queue(b"42[\"broadcast\",\"tick\",0,\"abcdefgh\"]");
    socket.flush().await
}

async fn listen(mut socket: Socket, listeners: usize, round: Rc<Round>, meter: Rc<Meter>) -> io::Result<()> {
    let mut last = 0;
    loop {
        socket.fill().await?;
        let (mut over, mut fault, mut come) = (false, false, 0);
        socket.take(|packet| match number(packet) {
            Some(0) => over = true,
            Some(number) if number == last + 1 => {
                last = number;
                come += 1;
            }
            _ => fault = true,
        })?;
        if fault {
            return Err(Error::other("a broadcast is missing, or was changed"));
        }
        if over {
            return Ok(());
        }
        meter.count(come, None);
        if come > 0 && last == round.number.get() {
            round.reached.set(round.reached.get() + 1);
            if round.reached.get() == listeners {
                round.complete.notify_one();
            }
        }
        socket.flush().await?;
    }
}

fn number(packet: &[u8]) -> Option<u64> {
    let packet = std::str::from_utf8(packet).ok()?;
    packet
        .strip_prefix("42[\"tick\",")?
        .strip_suffix(",\"abcdefgh\"]")?
        .parse()
        .ok()
}
