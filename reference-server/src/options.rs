//! Every tunable of the server, its default, and the generation it belongs to.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// What a [`Server`](crate::Server) is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Flash policy port (rev1); 0 takes a free one, `None` starts no policy server.
    pub policy_port: Option<u16>,
    /// rev1: how often the server beats.
    pub heartbeat_interval: Duration,
    /// rev1: how long the client has to answer a beat; announced in the handshake, in seconds.
    pub heartbeat_timeout: Duration,
    /// rev1: how long a session outlives its connection; announced in the handshake, in seconds.
    pub close_timeout: Duration,
    /// rev1: how long an idle poll is held.
    pub polling_duration: Duration,
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
        }
    }
}

impl Options {
    /// The timings of the contract application: short, so that cases about time end soon.
    #[must_use]
    pub fn contract() -> Self {
        Options {
            port: 0,
            policy_port: Some(0),
            heartbeat_interval: Duration::from_secs(1),
            heartbeat_timeout: Duration::from_secs(2),
            close_timeout: Duration::from_secs(2),
            polling_duration: Duration::from_secs(1),
            ..Options::default()
        }
    }
}
