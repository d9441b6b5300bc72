//! Clients that are just there.

use std::io::{self, Error};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::server::Server;
use crate::socket::Socket;

/// How many are opened before they are left alone, and how long the server has to come to rest.
const AT_ONCE: usize = 100;
const REST: Duration = Duration::from_secs(2);

/// The bytes by which the server grows for each of the connections.
pub async fn run(server: &Server, connections: usize) -> io::Result<f64> {
    let before = server.resident()?;
    let mut clients = JoinSet::new();
    // Those that are in answer pings while the others come.
    for _ in 0..connections / AT_ONCE {
        for socket in Socket::open_all(server.address, AT_ONCE).await? {
            clients.spawn_local(socket.idle());
        }
    }
    sleep(REST).await;
    let grown = server.resident()? - before;
    match clients.try_join_next() {
        Some(result) => Err(Error::other(format!("a client is gone: {result:?}"))),
        None => Ok(grown / connections as f64),
    }
}
