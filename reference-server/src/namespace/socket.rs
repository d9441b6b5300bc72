//! What the application holds: one client in one namespace.

use std::sync::Arc;
use std::time::Duration;

use crate::codec::rev1::{self, Id};
use crate::codec::{Args, socketio};
use crate::contract;
use crate::server::client::{Client, Handshake, Urgency, lock, now};
use crate::session::{Encoded, Generation, Input, Reason};

use super::recovery::Addressees;
use super::{Membership, eio4};

/// Runs once, when the client acknowledges.
pub(crate) type AckHandler = Box<dyn FnOnce(&Socket<'_>, Args<'_>) + Send>;

/// A client in a namespace. What a handler sends is written when the handler returns.
#[derive(Clone, Copy)]
pub(crate) struct Socket<'a> {
    client: &'a Arc<Client>,
    membership: &'a Arc<Membership>,
}

/// Whom a broadcast reaches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct To<'a> {
    /// Only those in this room.
    pub(crate) room: Option<&'a str>,
    /// Nobody in this room.
    pub(crate) except: Option<&'a str>,
    /// The sender too.
    pub(crate) sender: bool,
    /// Only those who have a connection open.
    pub(crate) volatile: bool,
}

impl<'a> Socket<'a> {
    pub(crate) fn new(client: &'a Arc<Client>, membership: &'a Arc<Membership>) -> Self {
        Socket { client, membership }
    }

    /// The protocol that the client speaks.
    pub(crate) fn generation(&self) -> Generation {
        self.client.generation
    }

    /// What the handshake request brought.
    pub(crate) fn handshake(&self) -> &'a Handshake {
        &self.client.handshake
    }

    /// What the client sent to be let in: the text of a JSON value.
    pub(crate) fn auth(&self) -> &'a str {
        &self.membership.auth
    }

    /// rev1: sends a plain message.
    pub(crate) fn send(&self, text: &str) {
        self.push_rev1(rev1::Body::Message(text));
    }

    /// rev1: sends a JSON message.
    pub(crate) fn send_json(&self, json: &str) {
        self.push_rev1(rev1::Body::Json(json));
    }

    /// Emits an event; false if the session is over.
    pub(crate) fn emit(&self, name: &str, args: &Args<'_>) -> bool {
        let to = || Addressees {
            room: Some(self.membership.id.clone()),
            except: Vec::new(),
        };
        self.recorded(to, name, args, |packet| self.client.push(packet, Urgency::Keep))
    }

    /// The same, dropped if the client has no connection open.
    pub(crate) fn emit_volatile(&self, name: &str, args: &Args<'_>) {
        self.client.push(self.event(name, args, None), Urgency::Volatile);
    }

    /// Emits an event that the client's handler acknowledges with data. Returns the id that it waits under.
    pub(crate) fn emit_with_ack(&self, name: &str, args: &Args<'_>, handler: AckHandler) -> u64 {
        let waiting = (Arc::clone(&self.membership.namespace), handler);
        let id = lock(&self.client.acks).expect(waiting);
        self.client
            .push(self.event(name, args, Some(&id.to_string())), Urgency::Keep);
        id
    }

    /// Whether the ack was still to come.
    pub(crate) fn give_up(&self, id: u64) -> bool {
        lock(&self.client.acks).give_up(id).is_some()
    }

    /// Acknowledges the packet with this id.
    pub(crate) fn acknowledge(&self, digits: &str, args: Option<Args<'_>>) {
        match self.client.generation {
            Generation::Rev1 => self.push_rev1(rev1::Body::Ack(digits, args.filter(|args| !args.is_empty()))),
            Generation::Eio4 => {
                let packet = socketio::Packet {
                    namespace: self.membership.namespace.name(),
                    id: Some(digits),
                    body: socketio::Body::Ack(args.unwrap_or_default()),
                };
                self.client.push(eio4::encode(&packet), Urgency::Keep);
            }
        }
    }

    /// The client has acknowledged. In revision 1 ids count for the connection, so the endpoint need not be repeated.
    pub(super) fn acked(&self, digits: &str, args: Args<'_>) {
        let may = |(namespace, _): &(_, AckHandler)| {
            self.client.generation == Generation::Rev1 || Arc::ptr_eq(namespace, &self.membership.namespace)
        };
        let waiting = lock(&self.client.acks).take(digits, may);
        if let Some((_, handler)) = waiting {
            handler(self, args);
        }
    }

    /// Emits to many, encoded once.
    pub(crate) fn broadcast(&self, to: To<'_>, name: &str, args: &Args<'_>) {
        let send = |packet| self.membership.namespace.broadcast(self.client, to, &packet);
        if to.volatile {
            return send(self.event(name, args, None));
        }
        let addressees = || {
            let own = (!to.sender).then(|| self.membership.id.clone());
            Addressees {
                room: to.room.map(Into::into),
                except: to.except.map(Into::into).into_iter().chain(own).collect(),
            }
        };
        self.recorded(addressees, name, args, send);
    }

    pub(crate) fn join(&self, room: &str) {
        self.membership.namespace.write().join(&self.client.key(), room);
    }

    pub(crate) fn leave(&self, room: &str) {
        self.membership.namespace.write().leave(&self.client.key(), room);
    }

    /// The rooms it is in but its own, sorted.
    pub(crate) fn rooms(&self) -> Vec<String> {
        let (rooms, key) = (self.membership.namespace.read(), self.client.key());
        let others = rooms.of(&key).filter(|room| **room != *self.membership.id);
        others.map(str::to_owned).collect()
    }

    /// How many are in a room of the namespace.
    pub(crate) fn count(&self, room: &str) -> usize {
        self.membership.namespace.read().count(room)
    }

    /// Takes the client out of the namespace. With `close`, and in revision 1 out of the main one, ends the session.
    pub(crate) fn disconnect(&self, close: bool) {
        let name = self.membership.namespace.name();
        match self.client.generation {
            Generation::Rev1 if close || name.is_empty() => self.client.handle(Input::Close(Reason::Server)),
            Generation::Rev1 => {
                self.push_rev1(rev1::Body::Disconnect);
                self.left();
            }
            Generation::Eio4 if close => {
                for membership in self.client.memberships() {
                    self.push_disconnect(membership.namespace.name());
                }
                self.client.handle(Input::Close(Reason::Server));
            }
            Generation::Eio4 => {
                self.push_disconnect(name);
                self.left();
            }
        }
    }

    /// The client is out of the namespace.
    pub(super) fn left(&self) {
        let namespace = &self.membership.namespace;
        if self.client.leave(namespace) {
            if self.client.generation != Generation::Rev1 {
                lock(&self.client.acks).retain(|(asked, _)| !Arc::ptr_eq(asked, namespace));
            }
            contract::disconnected(self);
        }
    }

    /// Runs `later` after `delay`, unless the session is gone by then.
    pub(crate) fn after(&self, delay: Duration, later: impl FnOnce(&Socket<'_>) + Send + 'static) {
        let client = Arc::downgrade(self.client);
        let membership = Arc::clone(self.membership);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(client) = client.upgrade() {
                later(&Socket::new(&client, &membership));
                client.wake();
            }
        });
    }

    /// Sends an event; where the namespace remembers it, with its offset, and in the order of the offsets.
    fn recorded<R>(
        &self,
        to: impl FnOnce() -> Addressees,
        name: &str,
        args: &Args<'_>,
        send: impl FnOnce(Encoded) -> R,
    ) -> R {
        let Some(recovery) = &self.membership.namespace.recovery else {
            return send(self.event(name, args, None));
        };
        let mut recovery = lock(recovery);
        let packet = self.event(name, &args.before(recovery.offset()), None);
        recovery.record(now(), to(), packet.clone());
        send(packet)
    }

    fn push_rev1(&self, body: rev1::Body<'_>) {
        let packet = rev1::Packet::new(self.membership.namespace.name(), body);
        self.client.push(packet.encode(), Urgency::Keep);
    }

    fn push_disconnect(&self, name: &str) {
        let packet = socketio::Packet::new(name, socketio::Body::Disconnect);
        self.client.push(eio4::encode(&packet), Urgency::Keep);
    }

    fn event(&self, name: &str, args: &Args<'_>, id: Option<&str>) -> Encoded {
        let namespace = self.membership.namespace.name();
        let (name, args) = (name.into(), args.clone());
        match self.client.generation {
            Generation::Rev1 => rev1::Packet {
                id: id.map(|digits| Id { digits, data: true }),
                endpoint: namespace,
                body: rev1::Body::Event { name, args },
            }
            .encode()
            .into(),
            Generation::Eio4 => eio4::encode(&socketio::Packet {
                namespace,
                id,
                body: socketio::Body::Event { name, args },
            }),
        }
    }
}
