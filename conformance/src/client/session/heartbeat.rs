//! The client's own heartbeat: since it is the client that pings in Engine.IO 3, the runner does, at every interval that the
//! handshake announced (protocol document, section "Heartbeat").

use tokio::time::sleep;

use super::{Queue, Session};
use crate::client::core::{Client, Shared};
use crate::client::framing::engine::Message;
use crate::client::protocol::PING;
use crate::client::tape::lock;
use crate::scenario::Generation;

impl Session {
    /// Pings from here on, over the transport that the session has now. Where heartbeats are the case's own affair, or the
    /// server's, nothing is sent.
    pub(super) fn start_heartbeat(&self, client: &Client) {
        let interval = self.announced.interval.filter(|interval| !interval.is_zero());
        let Some(interval) = interval.filter(|_| self.generation == Generation::Eio3 && client.shared().auto) else {
            return;
        };
        let (session, shared) = (self.clone(), client.shared().clone());
        let task = tokio::spawn(async move {
            loop {
                sleep(interval).await;
                if !session.ping(&shared) {
                    return;
                }
            }
        });
        if let Some(earlier) = lock(&client.shared().heartbeat).replace(task.abort_handle()) {
            earlier.abort();
        }
    }

    /// Sends a ping; whether there is still something to send it on.
    fn ping(&self, shared: &Shared) -> bool {
        let ping = Message::Text(PING.to_owned());
        if self.is_socket() {
            return shared.say(self.part(), shared.framed(self.part(), &ping)).is_ok();
        }
        shared.post(self.post(&[ping]), Queue::Heartbeats)
    }
}

impl Shared {
    /// The client pings no more.
    pub(in crate::client) fn stop_heartbeat(&self) {
        if let Some(task) = lock(&self.heartbeat).take() {
            task.abort();
        }
    }
}
