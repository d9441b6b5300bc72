//! Every tunable of the server, its default, and the generation it belongs to.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::server::client::Application;
use crate::session::{Generation, Limits};

/// What a [`Server`](crate::Server) is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Flash policy port (rev1); 0 takes a free one, `None` starts no policy server.
    pub policy_port: Option<u16>,
    /// rev1: how often the server beats; zero for never, and then the handshake announces no heartbeat timeout.
    pub heartbeat_interval: Duration,
    /// rev1: how long the client has to answer a beat; announced in the handshake, in seconds.
    pub heartbeat_timeout: Duration,
    /// rev1: how long a session outlives its connection; announced in the handshake, in seconds.
    pub close_timeout: Duration,
    /// rev1: how long an idle poll is held.
    pub polling_duration: Duration,
    /// rev1: how long a handshake waits for its first connection.
    pub handshake_timeout: Duration,
    /// Engine.IO: how often the server pings, or in version 3 the client; announced in the handshake, in milliseconds.
    pub ping_interval: Duration,
    /// Engine.IO: how long the client has to answer a ping, or may be late with its own; announced in the handshake, in
    /// milliseconds.
    pub ping_timeout: Duration,
    /// eio4: how long a client may be in no namespace after the handshake.
    pub connect_timeout: Duration,
    /// Engine.IO: how long an upgrade may take.
    pub upgrade_timeout: Duration,
    /// eio4: for how long a client that lost its connection may come back as the same socket; `None` for not at all. It
    /// shows in every event, which ends with an offset.
    pub recovery: Option<Duration>,
    /// eio4: whether there is WebTransport, on the UDP port of the same number.
    pub webtransport: bool,
    /// Which pages may talk to the server, as `scheme://host[:port]`; `None` for all. The server's own pages always
    /// may, and so do programs that say neither `Origin` nor `Referer`.
    pub origins: Option<Vec<String>>,
    /// The most bytes of a body or of a WebSocket message.
    pub max_payload: usize,
    /// The most bytes that wait for one client before it is given up.
    pub max_backlog: usize,
    /// The most sessions at a time.
    pub max_sessions: usize,
    /// The most connections at a time; further ones wait.
    pub max_connections: usize,
    /// How long a request head or body may take, and how long a connection may be idle between two requests.
    pub request_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 3000,
            policy_port: Some(10843),
            heartbeat_interval: Duration::from_secs(25),
            heartbeat_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(60),
            polling_duration: Duration::from_secs(20),
            handshake_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            recovery: None,
            webtransport: false,
            origins: None,
            max_payload: 1_000_000,
            max_backlog: 16 << 20,
            max_sessions: 100_000,
            max_connections: 100_000,
            request_timeout: Duration::from_secs(30),
        }
    }
}

impl Options {
    /// The settings of the contract application: short timings, so that cases about time end soon, and one origin.
    #[must_use]
    pub fn contract() -> Self {
        Options {
            port: 0,
            policy_port: Some(0),
            heartbeat_interval: Duration::from_secs(1),
            heartbeat_timeout: Duration::from_secs(2),
            close_timeout: Duration::from_secs(2),
            polling_duration: Duration::from_secs(1),
            ping_interval: Duration::from_millis(300),
            ping_timeout: Duration::from_millis(200),
            connect_timeout: Duration::from_secs(1),
            origins: Some(vec!["http://allowed.example".to_owned()]),
            ..Options::default()
        }
    }

    pub(crate) fn limits(&self, (generation, application): (Generation, Application)) -> Limits {
        let (heartbeat_interval, heartbeat_timeout, close_timeout) = match generation {
            Generation::Rev1 => (self.heartbeat_interval, self.heartbeat_timeout, self.close_timeout),
            Generation::Eio3 | Generation::Eio4 => (
                self.ping_interval,
                self.ping_timeout,
                self.ping_interval + self.ping_timeout,
            ),
        };
        Limits {
            handshake_timeout: self.handshake_timeout,
            heartbeat_interval: Some(heartbeat_interval).filter(|interval| !interval.is_zero()),
            heartbeat_timeout,
            close_timeout,
            polling_duration: self.polling_duration,
            connect_timeout: (application == Application::Contract).then_some(self.connect_timeout),
            upgrade_timeout: self.upgrade_timeout,
            backlog: self.max_backlog,
        }
    }
}
