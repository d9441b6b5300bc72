//! The harness's own client: connections that are recorded, and what a client has received, as bytes and as packets at once.
//!
//! Nothing here knows a scenario. [`Client`] connects, sends and keeps what comes; `run::case` decides what it means.
//! Every connection goes through [`Connect`], so that `prove` can put scripted pipes in the place of sockets.

use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

mod aside;
mod core;
pub mod framing;
pub mod http;
mod inbox;
mod link;
pub mod protocol;
mod session;
pub mod tape;
pub mod websocket;
pub mod webtransport;

pub use self::core::{Client, ClientError, Wire};
pub use self::framing::engine::Message;
pub use self::inbox::{End, Inbox, Part, Refused, Section, Unit, UnitKind};
pub use self::session::{Announced, OpenError, Session, UP, client_script, post_body, post_packets};

/// A connection's two directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What [`Connect::connect`] gives.
pub type BoxedStream = Box<dyn ByteStream>;

/// A boxed future, for the one trait that needs dynamic dispatch.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which listener of the server under test a connection goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The port under test.
    Http,
    /// The flash policy port.
    Policy,
}

/// Where byte streams come from: real sockets, or the pipes of a scripted server.
pub trait Connect: Send + Sync {
    /// Opens the connection `id`.
    ///
    /// # Errors
    ///
    /// When nobody listens, or (policy) when the port is not known.
    fn connect<'a>(&'a self, id: &'a tape::ConnId, port: Port) -> BoxFuture<'a, io::Result<BoxedStream>>;

    /// Opens the connection `id` as a session of WebTransport at the port under test, and its one bidirectional stream.
    /// The caller bounds the wait: where nobody listens on UDP, nothing says so.
    ///
    /// # Errors
    ///
    /// When the server refuses the session.
    fn webtransport<'a>(&'a self, id: &'a tape::ConnId, target: &'a str) -> BoxFuture<'a, io::Result<BoxedStream>>;

    /// `host:port`, for the `Host` header.
    fn authority(&self) -> String;
}

/// Connects to a server over TCP, or over UDP at the port of the same number.
#[derive(Clone, Debug)]
pub struct TcpConnect {
    /// Host name or address.
    pub host: String,
    /// The port under test.
    pub port: u16,
    /// The flash policy port, where one is known.
    pub policy_port: Option<u16>,
}

impl Connect for TcpConnect {
    fn connect<'a>(&'a self, _: &'a tape::ConnId, port: Port) -> BoxFuture<'a, io::Result<BoxedStream>> {
        Box::pin(async move {
            let port = match port {
                Port::Http => self.port,
                Port::Policy => self.policy_port.ok_or_else(|| {
                    io::Error::new(io::ErrorKind::NotFound, "the server announced no flash policy port")
                })?,
            };
            let stream = TcpStream::connect((self.host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxedStream)
        })
    }

    fn webtransport<'a>(&'a self, _: &'a tape::ConnId, target: &'a str) -> BoxFuture<'a, io::Result<BoxedStream>> {
        Box::pin(async move {
            let stream = webtransport::connect(&self.host, self.port, &self.authority(), target).await?;
            Ok(Box::new(stream) as BoxedStream)
        })
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
