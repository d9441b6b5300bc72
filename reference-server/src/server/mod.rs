//! The tokio and hyper shell: listeners, one task a connection, shutdown.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod hub;
pub(crate) mod shutdown;
pub(crate) mod stream;

mod listener;
mod service;
mod timers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::options::Options;
use crate::transport::{flashsocket, webtransport};
use hub::Hub;
use shutdown::Stop;

/// How long [`Server::shutdown`] waits for connections to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// How many ports are tried where any will do.
const PORTS: usize = 20;

/// A running server. Dropping it stops it as well, without waiting for the last bytes.
pub struct Server {
    address: SocketAddr,
    policy_address: Option<SocketAddr>,
    certificate_hash: Option<String>,
    hub: Arc<Hub>,
    stop: Stop,
}

impl Server {
    /// Binds the listeners and starts serving on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound.
    pub async fn start(options: Options) -> io::Result<Server> {
        let (listener, quic) = bind_both(&options).await?;
        let policy = match options.policy_port {
            Some(port) => Some(bind(&options, port).await?),
            None => None,
        };
        let address = listener.local_addr()?;
        let policy_address = policy.as_ref().map(TcpListener::local_addr).transpose()?;
        let certificate_hash = quic.as_ref().map(|quic| quic.certificate_hash.clone());
        let hub = Arc::new(Hub::new(options));
        let (stop, stopped) = Stop::new();
        if let Some(quic) = quic {
            tokio::spawn(webtransport::run(quic, Arc::clone(&hub), stopped.clone()));
        }
        if let Some(policy) = policy {
            tokio::spawn(flashsocket::serve_policy(policy, stopped.clone()));
        }
        tokio::spawn(listener::run(listener, Arc::clone(&hub), stopped.clone()));
        let timers = Arc::clone(&hub);
        let mut stopping = stopped;
        tokio::spawn(async move {
            tokio::select! {
                () = timers.run_timers() => {}
                () = stopping.wait() => {}
            }
        });
        Ok(Server {
            address,
            policy_address,
            certificate_hash,
            hub,
            stop,
        })
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the flash policy server listens, if it was asked for.
    #[must_use]
    pub fn policy_address(&self) -> Option<SocketAddr> {
        self.policy_address
    }

    /// By what a client of WebTransport knows the server, if there is WebTransport: the SHA-256 of its certificate in
    /// hexadecimal.
    #[must_use]
    pub fn certificate_hash(&self) -> Option<&str> {
        self.certificate_hash.as_deref()
    }

    /// How many sessions there are: handshaken, live, or with last packets to fetch.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.hub.sessions()
    }

    /// Stops accepting, ends every session, and waits (bounded) until their connections are closed.
    pub async fn shutdown(self) {
        self.stop.send();
        self.hub.close_all();
        let _ = tokio::time::timeout(FAREWELL, self.stop.all_ended()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send();
        self.hub.close_all();
    }
}

/// TCP and, for WebTransport, UDP on a port of the same number. One that is free for TCP may be in use for UDP; where the
/// system chooses, it is asked again.
async fn bind_both(options: &Options) -> io::Result<(TcpListener, Option<webtransport::Listener>)> {
    let mut attempts = PORTS;
    loop {
        let listener = bind(options, options.port).await?;
        if !options.webtransport {
            return Ok((listener, None));
        }
        attempts -= 1;
        match webtransport::bind(listener.local_addr()?) {
            Ok(quic) => return Ok((listener, Some(quic))),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && options.port == 0 && attempts > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

async fn bind(options: &Options, port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::new(options.host, port);
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}
