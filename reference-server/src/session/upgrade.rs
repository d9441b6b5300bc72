//! How a session of Engine.IO goes over from polling to a stream: the stream is opened beside the polls, probed, and
//! takes over when the client says so (eio3 and eio4, "Upgrade"). Until then every packet goes by polling.

use std::time::{Duration, Instant};

use crate::codec::Text;

use super::{Connection, ConnectionId, Delivery, Generation, Message, Phase, Refused, Session};

/// How long a poll that comes while a probed stream waits is held, so that the client sees soon that it need not poll.
const HOLD: Duration = Duration::from_millis(100);

/// The stream of an upgrade.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) id: ConnectionId,
    /// When the upgrade is given up.
    pub(super) until: Instant,
    probed: bool,
    /// The answer to the probe is not written yet.
    answer: bool,
}

impl Session {
    /// Opens a connection that the session may be upgraded to.
    pub(crate) fn open_upgrade(&mut self, now: Instant) -> Result<ConnectionId, Refused> {
        if self.phase == Phase::Ended {
            return Err(Refused::Ended);
        }
        if self.generation == Generation::Rev1 || self.carrier != Some(Delivery::Poll) || self.probe.is_some() {
            return Err(Refused::OtherTransport);
        }
        let id = self.next_id();
        self.probe = Some(Probe {
            id,
            until: now + self.limits.upgrade_timeout,
            probed: false,
            answer: false,
        });
        Ok(id)
    }

    /// The answer to a probe, if it is due on this connection; `None` if this is not the connection of an upgrade.
    pub(super) fn take_probe(&mut self, id: ConnectionId, batch: &mut Vec<Message>) -> Option<bool> {
        let probe = self.probe.as_mut().filter(|probe| probe.id == id)?;
        let due = std::mem::take(&mut probe.answer);
        if due {
            batch.push(Text::from_static("3probe").into());
        }
        Some(due)
    }

    /// A poll that waits is answered, so that the client can stop polling.
    pub(super) fn probed(&mut self, now: Instant, id: ConnectionId) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.id == id) {
            probe.probed = true;
            probe.answer = true;
            if let Some(poll) = &mut self.connection {
                poll.idle_until = Some(now);
            }
        }
    }

    /// How long a poll that is opened now is held.
    pub(super) fn hold(&self, now: Instant) -> Option<Instant> {
        self.probe.filter(|probe| probe.probed).map(|_| now + HOLD)
    }

    /// Without a probe before it this ends the upgrade, and polling goes on.
    pub(super) fn upgrade(&mut self, id: ConnectionId) {
        let Some(probe) = self.probe.take_if(|probe| probe.id == id) else {
            return;
        };
        if probe.probed {
            self.carrier = Some(Delivery::Stream);
            self.connection = Some(Connection {
                id,
                delivery: Delivery::Stream,
                idle_until: None,
            });
        }
    }
}
