//! One connection of a session: what a transport writes from, and whose end the session learns of.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::codec::Text;
use crate::session::{ConnectionId, Delivery, Flow, Input, Reason};

use super::client::{Client, Wake};
use super::hub::Hub;

/// An open connection. Dropping it is losing it: what it was given and did not confirm goes back to the session.
pub(crate) struct Connection {
    hub: Arc<Hub>,
    client: Arc<Client>,
    id: ConnectionId,
    wake: Arc<Wake>,
    unsent: Vec<Text>,
    first: Option<Flow>,
}

impl Connection {
    /// `None` if the session has ended.
    pub(super) fn open(hub: Arc<Hub>, client: Arc<Client>, delivery: Delivery) -> Option<Self> {
        let mut unsent = Vec::new();
        let (id, wake, flow) = client.open(delivery, &mut unsent)?;
        hub.settle(&client);
        Some(Connection {
            hub,
            client,
            id,
            wake,
            unsent,
            first: Some(flow),
        })
    }

    /// Whose it is.
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Acts on a packet that came over this connection.
    pub(crate) fn receive(&self, packet: &str) {
        self.hub.receive(&self.client, packet);
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
        let over = self.is_over();
        let (hub, client) = (Arc::clone(&self.hub), Arc::clone(&self.client));
        drop(self);
        if !over {
            hub.close(&client, Reason::Client);
        }
    }

    /// Whether the session has ended, or goes on over another connection.
    pub(crate) fn is_over(&self) -> bool {
        !self.client.is_open(self.id)
    }

    /// Ready when the session wants this connection to [`take`](Self::take).
    pub(crate) fn poll_woken(&self, context: &Context<'_>) -> Poll<()> {
        self.wake.poll(context)
    }

    /// The packets to write.
    pub(crate) fn packets(&self) -> &[Text] {
        &self.unsent
    }

    /// The packets are written, as far as anybody can tell.
    pub(crate) fn confirm(&mut self) {
        self.unsent.clear();
    }

    /// Takes the packets over, confirmed.
    pub(crate) fn hand_over(&mut self) -> VecDeque<Text> {
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
