//! The upgrade of a polling session (Engine.IO protocol document, section "Upgrading"): probe, the last poll, `5`.

use super::{DOWN, OpenError, Session};
use crate::client::core::Client;
use crate::client::framing::engine::Message;
use crate::client::inbox::{Inbox, UnitKind};

impl Session {
    /// Moves the session to a WebSocket, or to a stream of WebTransport. What comes on its polls until then stays in the inbox.
    ///
    /// # Errors
    ///
    /// When the server does not take the probe.
    pub async fn upgrade(&mut self, client: &Client, transport: &str) -> Result<(), OpenError> {
        // A ping is sent on one transport or on the other, never in between.
        client.shared().stop_heartbeat();
        let polling = std::mem::replace(&mut self.transport, transport.to_owned());
        let opened = match transport {
            "webtransport" => self.connect_webtransport(client).await,
            _ => self.connect_websocket(client, &self.target()).await,
        };
        let probed = match opened {
            Ok(opened) => {
                let polls = Session::pause_polling(client).await;
                self.probe(client, opened).await.map(|()| polls)
            }
            Err(error) => Err(error),
        };
        let polls = match probed {
            Ok(polls) => polls,
            Err(error) => {
                self.transport = polling;
                return Err(error);
            }
        };
        Session::finish_polling(client, polls).await;
        client.inbox(forget_noops);
        client.message(self.part(), &Message::Text("5".to_owned()))?;
        self.start_heartbeat(client);
        Ok(())
    }

    async fn probe(&self, client: &Client, opened: usize) -> Result<(), OpenError> {
        client.message(self.part(), &Message::Text("2probe".to_owned()))?;
        let answer = client.wait(|inbox| answer(inbox, self.part(), opened)).await;
        match answer {
            Ok(UnitKind::Packet(packet)) if packet == "3probe" => Ok(()),
            Ok(other) => Err(self.refused(format!("the probe was answered {other:?}"))),
            Err(reason) => Err(self.refused(reason)),
        }
    }
}

/// The noop that ended the last poll is the runner's own affair.
fn forget_noops(inbox: &mut Inbox) {
    let sections = inbox
        .parts
        .get_mut(DOWN)
        .into_iter()
        .flat_map(|part| &mut part.sections);
    for section in sections.filter(|section| section.managed) {
        section
            .units
            .retain(|unit| !matches!(&unit.kind, UnitKind::Packet(packet) if packet == "6"));
    }
}

fn answer(inbox: &mut Inbox, part: &str, opened: usize) -> Option<Result<UnitKind, String>> {
    let part = inbox.parts.get_mut(part)?;
    let ended = part.end.is_some();
    match part.sections.get_mut(opened)?.take_unit(0) {
        Some(unit) => Some(Ok(unit.kind)),
        None => ended.then(|| Err("the connection was closed, and the probe not answered".to_owned())),
    }
}
