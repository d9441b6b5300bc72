//! What the application holds: one client in one namespace.

use std::sync::Arc;

use crate::codec::Text;
use crate::codec::rev1::{Args, Body, Id, Packet};
use crate::contract;
use crate::server::client::{Client, Handshake, Urgency, lock};
use crate::session::{Input, Reason};

use super::Namespace;

/// Runs once, when the client acknowledges.
pub(crate) type AckHandler = Box<dyn FnOnce(&Socket<'_>, Args<'_>) + Send>;

/// A client in a namespace. What a handler sends is written when the handler returns.
#[derive(Clone, Copy)]
pub(crate) struct Socket<'a> {
    client: &'a Arc<Client>,
    namespace: &'a Arc<Namespace>,
}

/// Whom a broadcast reaches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct To<'a> {
    /// Only those in this room.
    pub(crate) room: Option<&'a str>,
    /// The sender too.
    pub(crate) sender: bool,
    /// Only those who have a connection open.
    pub(crate) volatile: bool,
}

impl<'a> Socket<'a> {
    pub(crate) fn new(client: &'a Arc<Client>, namespace: &'a Arc<Namespace>) -> Self {
        Socket { client, namespace }
    }

    /// What the handshake request brought.
    pub(crate) fn handshake(&self) -> &'a Handshake {
        &self.client.handshake
    }

    /// Sends a plain message. Like every sender here: false if the session is over.
    pub(crate) fn send(&self, text: &str) -> bool {
        self.push(Body::Message(text))
    }

    pub(crate) fn send_json(&self, json: &str) -> bool {
        self.push(Body::Json(json))
    }

    pub(crate) fn emit(&self, name: &str, args: &Args<'_>) -> bool {
        self.client.push(self.event(name, args), Urgency::Keep)
    }

    pub(crate) fn emit_volatile(&self, name: &str, args: &Args<'_>) -> bool {
        self.client.push(self.event(name, args), Urgency::Volatile)
    }

    /// Emits an event that the client's handler acknowledges with data. Returns the id that it waits under.
    pub(crate) fn emit_with_ack(&self, name: &str, args: &Args<'_>, handler: AckHandler) -> u64 {
        let id = lock(&self.client.acks).expect(handler);
        let digits = id.to_string();
        let body = Body::Event {
            name: name.into(),
            args: args.clone(),
        };
        let packet = Packet {
            id: Some(Id {
                digits: &digits,
                data: true,
            }),
            endpoint: self.namespace.name(),
            body,
        };
        self.client.push(packet.encode(), Urgency::Keep);
        id
    }

    /// Whether the ack was still to come.
    pub(crate) fn give_up(&self, id: u64) -> bool {
        lock(&self.client.acks).give_up(id).is_some()
    }

    /// Acknowledges the packet with this id.
    pub(crate) fn acknowledge(&self, digits: &str, args: Option<Args<'_>>) {
        let args = args.filter(|args| !args.is_empty());
        self.push(Body::Ack(digits, args));
    }

    /// The client has acknowledged. Ids count for the connection, so the endpoint need not be repeated.
    pub(super) fn acked(&self, digits: &str, args: Option<Args<'_>>) {
        let handler = lock(&self.client.acks).take(digits);
        if let Some(handler) = handler {
            handler(self, args.unwrap_or(Args::NONE));
        }
    }

    /// Emits to many, encoded once.
    pub(crate) fn broadcast(&self, to: To<'_>, name: &str, args: &Args<'_>) {
        let urgency = if to.volatile { Urgency::Volatile } else { Urgency::Keep };
        self.namespace
            .broadcast(self.client, to.room, to.sender, &self.event(name, args), urgency);
    }

    pub(crate) fn join(&self, room: &str) {
        self.namespace.write().join(&self.client.key(), room);
    }

    pub(crate) fn leave(&self, room: &str) {
        self.namespace.write().leave(&self.client.key(), room);
    }

    /// The rooms it is in, sorted.
    pub(crate) fn rooms(&self) -> Vec<String> {
        self.namespace
            .read()
            .of(&self.client.key())
            .map(str::to_owned)
            .collect()
    }

    /// How many are in a room of the namespace.
    pub(crate) fn count(&self, room: &str) -> usize {
        self.namespace.read().count(room)
    }

    /// Takes the client out of the namespace; out of the default one, or with `close`, ends the session.
    pub(crate) fn disconnect(&self, close: bool) {
        if close || self.namespace.name().is_empty() {
            self.client.handle(Input::Close(Reason::Server));
        } else {
            self.push(Body::Disconnect);
            self.left();
        }
    }

    /// The client is out of the namespace.
    pub(super) fn left(&self) {
        if self.client.leave(self.namespace) {
            contract::disconnected(self);
        }
    }

    /// Runs `later` after `delay`, unless the session is gone by then.
    pub(crate) fn after(&self, delay: std::time::Duration, later: impl FnOnce(&Socket<'_>) + Send + 'static) {
        let client = Arc::downgrade(self.client);
        let namespace = Arc::clone(self.namespace);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(client) = client.upgrade() {
                later(&Socket::new(&client, &namespace));
                client.wake();
            }
        });
    }

    fn push(&self, body: Body<'_>) -> bool {
        self.client
            .push(Packet::new(self.namespace.name(), body).encode(), Urgency::Keep)
    }

    fn event(&self, name: &str, args: &Args<'_>) -> Text {
        let body = Body::Event {
            name: name.into(),
            args: args.clone(),
        };
        Packet::new(self.namespace.name(), body).encode()
    }
}
