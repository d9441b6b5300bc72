//! One connection of a session: what a transport writes from, and whose end the session learns of.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::codec::eio4::Packet;
use crate::codec::{Message, eio3};
use crate::session::{ConnectionId, Delivery, Flow, Generation, Input, Reason, Refused};

use super::client::{Client, Wake};
use super::hub::Hub;

/// An open connection. Dropping it is losing it: what it was given and did not confirm goes back to the session.
pub(crate) struct Connection {
    hub: Arc<Hub>,
    client: Arc<Client>,
    id: ConnectionId,
    wake: Arc<Wake>,
    unsent: Vec<Message>,
    first: Option<Flow>,
    /// It does not carry the session yet.
    upgrading: bool,
}

impl Connection {
    /// A connection that carries the session from now on.
    pub(crate) fn open(hub: Arc<Hub>, client: Arc<Client>, delivery: Delivery) -> Result<Self, Refused> {
        let mut unsent = Vec::new();
        let opened = client.open(delivery, &mut unsent);
        hub.settle(&client);
        if opened.is_err() {
            client.wake();
        }
        let (id, wake, flow) = opened?;
        Ok(Connection {
            hub,
            client,
            id,
            wake,
            unsent,
            first: Some(flow),
            upgrading: false,
        })
    }

    /// A connection that the session may be upgraded to.
    pub(crate) fn open_upgrade(hub: Arc<Hub>, client: Arc<Client>) -> Result<Self, Refused> {
        let (id, wake) = client.open_upgrade()?;
        Ok(Connection {
            hub,
            client,
            id,
            wake,
            unsent: Vec::new(),
            first: None,
            upgrading: true,
        })
    }

    /// Whose it is.
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Acts on what came over this connection; false if it is to end for it.
    pub(crate) fn receive(&mut self, message: &Message) -> bool {
        if !self.upgrading {
            self.hub.receive(&self.client, message);
            return true;
        }
        let packet = match self.client.generation {
            Generation::Eio3 => eio3::decode(message),
            _ => Packet::decode(message),
        };
        match packet {
            Ok(Packet::Ping("probe")) => {
                self.client.handle(Input::Probe(self.id));
                true
            }
            Ok(Packet::Upgrade(_)) => {
                self.upgrading = !self.client.upgrade(self.id);
                !self.upgrading
            }
            _ => false,
        }
    }

    /// What to do now; with [`Flow::Write`] and [`Flow::Last`] there are packets to write.
    pub(crate) fn take(&mut self) -> Flow {
        let flow = match self.first.take() {
            Some(Flow::Last) => Flow::Last,
            // The handlers of the opening have queued more since.
            Some(Flow::Write) => match self.client.take(self.id, &mut self.unsent) {
                Flow::Wait => Flow::Write,
                flow => flow,
            },
            _ => self.client.take(self.id, &mut self.unsent),
        };
        self.hub.settle(&self.client);
        flow
    }

    /// The same, when there is something to do.
    pub(crate) fn poll_take(&mut self, context: &Context<'_>) -> Poll<Flow> {
        loop {
            match self.take() {
                Flow::Wait => std::task::ready!(self.wake.poll(context)),
                flow => return Poll::Ready(flow),
            }
        }
    }

    /// The client has left; with it goes the session, unless another connection carries it.
    pub(crate) fn leave(self) {
        let over = self.upgrading || self.is_over();
        let (hub, client) = (Arc::clone(&self.hub), Arc::clone(&self.client));
        drop(self);
        if !over {
            hub.close(&client, Reason::Client);
        }
    }

    /// Whether the session has ended, or goes on over another connection.
    pub(crate) fn is_over(&self) -> bool {
        !self.upgrading && !self.client.is_open(self.id)
    }

    /// Ready when the session wants this connection to [`take`](Self::take).
    pub(crate) fn poll_woken(&self, context: &Context<'_>) -> Poll<()> {
        self.wake.poll(context)
    }

    /// The packets to write.
    pub(crate) fn packets(&self) -> &[Message] {
        &self.unsent
    }

    /// The packets are written, as far as anybody can tell.
    pub(crate) fn confirm(&mut self) {
        self.unsent.clear();
    }

    /// Takes the packets over, confirmed.
    pub(crate) fn hand_over(&mut self) -> VecDeque<Message> {
        std::mem::take(&mut self.unsent).into()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        self.client.handle(Input::Lost(self.id, unsent));
        self.hub.settle(&self.client);
        self.client.wake();
    }
}
