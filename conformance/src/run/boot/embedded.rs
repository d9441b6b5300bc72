//! The reference server, in this process.

use std::time::Duration;

use reference_server::{Options, Server};

use super::{Address, BootError, scaled};
use crate::run::plan::Extras;

/// A fresh reference server on a free port, with the contract's timings.
pub struct EmbeddedServer {
    server: Server,
}

/// How long a client that lost its connection may come back, where a case is about that.
const RECOVERY: Duration = Duration::from_secs(120);

/// The ping timeout where clients are pages.
const PAGES: Duration = Duration::from_secs(2);

/// Starts one; `patience` stretches its timings. What it announces in whole seconds is rounded up to them.
///
/// # Errors
///
/// [`BootError::Embedded`] when it cannot listen.
pub async fn embedded(patience: f64, extras: Extras) -> Result<EmbeddedServer, BootError> {
    let contract = Options::contract();
    let options = Options {
        port: 0,
        policy_port: Some(0),
        heartbeat_interval: scaled(contract.heartbeat_interval, patience),
        heartbeat_timeout: whole_seconds(scaled(contract.heartbeat_timeout, patience)),
        close_timeout: whole_seconds(scaled(contract.close_timeout, patience)),
        polling_duration: scaled(contract.polling_duration, patience),
        ping_interval: scaled(contract.ping_interval, patience),
        ping_timeout: scaled(if extras.pages { PAGES } else { contract.ping_timeout }, patience),
        connect_timeout: scaled(contract.connect_timeout, patience),
        recovery: extras.recovery.then_some(RECOVERY),
        webtransport: extras.webtransport,
        ..contract
    };
    let server = Server::start(options)
        .await
        .map_err(|source| BootError::Embedded { source })?;
    Ok(EmbeddedServer { server })
}

impl EmbeddedServer {
    /// What to connect to.
    #[must_use]
    pub fn address(&self) -> Address {
        let address = self.server.address();
        Address {
            host: address.ip().to_string(),
            port: address.port(),
            policy_port: self.server.policy_address().map(|policy| policy.port()),
        }
    }

    /// Ends every session and waits, within a bound, until their connections are closed.
    pub async fn stop(self) {
        self.server.shutdown().await;
    }
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_seconds_are_whole() {
        assert_eq!(whole_seconds(Duration::from_millis(2001)), Duration::from_secs(3));
        assert_eq!(whole_seconds(Duration::from_secs(2)), Duration::from_secs(2));
        assert_eq!(scaled(Duration::from_secs(2), f64::NAN), Duration::from_secs(2));
        assert_eq!(scaled(Duration::from_secs(2), 1.5), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn a_server_accepts_and_stops() {
        let server = embedded(1.0, Extras::default()).await.unwrap();
        super::super::reach(&server.address(), Duration::from_secs(20))
            .await
            .unwrap();
        server.stop().await;
    }
}
