//! A reverse proxy between a page and the server under test. It writes down what goes by, and lets a transport fail in the
//! ways it fails in real life.
//!
//! | module | what |
//! |---|---|
//! | `classify` | the transport and the session that a request names |
//! | `log`, `frames`, `render` | the record: exchanges, the frames of a WebSocket, and both as text |
//! | `treat` | the faults, and the transports they are in force for |
//! | `serve`, `body`, `rewrite` | HTTP: a page's connection, bodies piece by piece, headers of either side |
//! | `tunnel`, `hixie` | WebSockets: upgraded connections, and those from before RFC 6455 |
//! | `relay` | datagrams, for WebTransport |
//! | `wire` | what is open, and how it is reset |
//! | [`scenario`] | a record as a case that can be run again |
//!
//! The record knows nothing of faults but their names. Nothing is buffered: a piece of a body goes on as it comes, and only
//! copies of it are kept, up to a cap.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::run::boot::Address;

mod body;
mod classify;
mod exchange;
mod frames;
mod hixie;
mod log;
mod relay;
mod render;
mod rewrite;
pub mod scenario;
mod serve;
#[cfg(test)]
mod tests;
mod treat;
mod tunnel;
mod wire;

pub use classify::Subject;
pub use exchange::{Answer, Attempt, Exchange, Frame, Head, RAW, Side};
pub use log::{BODY_CAP, Caps, RECORD_CAP};
pub use render::render;
pub use treat::Treatment;

use log::Log;
use relay::Relay;
use serve::Shared;

/// Connections of a page at a time; more of them wait.
const CONNECTIONS: usize = 256;
/// How often another port is tried, where the same number is taken for UDP.
const PORTS: usize = 32;
/// How long accepting pauses when the process has no more file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// A file that the proxy answers by itself: a GET of exactly this path, whatever its query. It is not recorded, nothing
/// happens to it, and no browser may keep it.
#[derive(Clone, Debug)]
pub struct LocalFile {
    /// With its slash in front.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub body: Bytes,
}

/// A running proxy, one for each page. It listens on a port of 127.0.0.1, on TCP and on the same number of UDP. Dropping it
/// ends every connection.
pub struct Proxy {
    shared: Arc<Shared>,
    relay: Arc<Relay>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts one on a free port.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start(upstream: Address, local: Vec<LocalFile>) -> io::Result<Proxy> {
        let (listener, datagrams) = bind(any()).await?;
        Proxy::on(listener, datagrams, upstream, local, Caps::default())
    }

    /// Starts one at that address, on TCP and on the same number of UDP; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// When the address cannot be had.
    pub async fn listen(upstream: Address, at: SocketAddr, caps: Caps) -> io::Result<Proxy> {
        let (listener, datagrams) = bind(at).await?;
        Proxy::on(listener, datagrams, upstream, Vec::new(), caps)
    }

    fn on(
        listener: TcpListener,
        datagrams: UdpSocket,
        upstream: Address,
        local: Vec<LocalFile>,
        caps: Caps,
    ) -> io::Result<Proxy> {
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            local,
            log: Log::new(caps),
            rules: treat::Rules::default(),
            connections: Arc::default(),
            upstream: Mutex::new(upstream),
        });
        let relay = Arc::new(Relay::new(datagrams, Arc::clone(&shared)));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        tasks.spawn(Arc::clone(&relay).run());
        Ok(Proxy {
            shared,
            relay,
            _tasks: tasks,
        })
    }

    /// Its port, of TCP and of UDP.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.address.port()
    }

    /// What a page is loaded from: `http://127.0.0.1:41234`.
    #[must_use]
    pub fn origin(&self) -> String {
        match self.shared.address.ip() {
            ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", self.port()),
            IpAddr::V4(_) | IpAddr::V6(_) => format!("http://{}", self.shared.address),
        }
    }

    /// What happens to a transport's traffic from now on. `"*"` is every transport, and the handshake of revision 1, and takes
    /// back what was said about single ones before. What is open goes on until it is [cut](Proxy::cut).
    pub fn treat(&self, transport: &str, treatment: Treatment) {
        self.shared.rules.set(transport, treatment);
    }

    /// Resets every open connection whose last request was of that transport, on both sides; `"*"` every connection.
    /// Of WebTransport, what its clients send from now on is dropped.
    pub fn cut(&self, transport: &str) {
        self.shared.connections.cut(transport);
        if matches!(transport, "*" | "webtransport") {
            self.relay.cut();
        }
    }

    /// Another server from now on; what is open is cut.
    pub fn point_at(&self, upstream: Address) {
        *self.shared.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
        self.cut("*");
    }

    /// What the page's client has sent so far, and what came of it, in order; [`RECORD_CAP`] at most.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.log.exchanges()
    }

    /// The heads of the exchanges after the first `from`, without the bodies and frames that may be large.
    #[must_use]
    pub fn requests(&self, from: usize) -> Vec<Head> {
        self.shared.log.requests(from)
    }

    /// How many exchanges came that were too many to keep.
    #[must_use]
    pub fn unrecorded(&self) -> u64 {
        self.shared.log.unrecorded()
    }

    /// For how long nothing but heartbeats has gone by; `None` while nothing has at all.
    #[must_use]
    pub fn quiet(&self) -> Option<Duration> {
        self.shared.log.quiet()
    }

    /// How long the proxy has been there: exchanges count their times from its start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.log.elapsed()
    }

    /// Counts changes of the record.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.shared.log.revision()
    }

    /// Returns when the record has changed since its revision was `seen`. Waits without a bound: the caller has one.
    pub async fn changed(&self, seen: u64) {
        self.shared.log.changed(seen).await;
    }

    /// The transports that were tried, in order. An upgrade is an attempt, whatever became of it, and so is a stream; polls of
    /// one transport are one attempt, from the first, and so are datagrams, and what was never answered; a POST is none.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.shared.log.attempts()
    }
}

/// Any port of this machine alone.
fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A port of which both TCP and UDP are free. One that was named is tried once.
async fn bind(at: SocketAddr) -> io::Result<(TcpListener, UdpSocket)> {
    let mut tried = 0;
    loop {
        let listener = TcpListener::bind(at).await?;
        match UdpSocket::bind(listener.local_addr()?).await {
            Ok(datagrams) => return Ok((listener, datagrams)),
            Err(error) => {
                tried += 1;
                if tried == PORTS || at.port() != 0 {
                    return Err(error);
                }
            }
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    serve::serve(stream, shared).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}
