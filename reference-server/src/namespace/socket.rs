//! What the application holds: one client in one namespace.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::rev1::{self, Id};
use crate::codec::{Args, socketio};
use crate::contract;
use crate::server::client::{Client, Handshake, Urgency, lock, now};
use crate::session::{Encoded, Generation, Input, Reason};

use super::recovery::Addressees;
use super::{Membership, Namespace, engine, rev1 as old};

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
        let namespace = &self.membership.namespace;
        // What is sent to a client that cannot come back is not remembered.
        let recovery = namespace.recovery.as_ref().filter(|_| self.membership.pid.is_some());
        let Some(mut recovery) = recovery.map(lock) else {
            return self.client.push(self.event(name, args, None), Urgency::Keep);
        };
        let packet = self.event(name, &args.before(recovery.offset()), None);
        let to = Addressees {
            room: Some(self.membership.id.clone()),
            except: Vec::new(),
        };
        recovery.record(now(), to, packet.clone());
        self.client.push(packet, Urgency::Keep)
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
            Generation::Eio3 | Generation::Eio4 => {
                let packet = socketio::Packet {
                    namespace: self.membership.namespace.name(),
                    id: Some(digits),
                    body: socketio::Body::Ack(args.unwrap_or_default()),
                };
                self.client.push(engine::encode(&packet), Urgency::Keep);
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

    /// Emits to many, encoded once in each form that one of them needs. Where the namespace remembers the event, it has an
    /// offset for those who may come back, and goes out in the order of the offsets.
    pub(crate) fn broadcast(&self, to: To<'_>, name: &str, args: &Args<'_>) {
        let namespace = &self.membership.namespace;
        let recovery = namespace.recovery.as_ref().filter(|_| !to.volatile);
        let mut recovery = recovery.map(lock);
        let remembered = recovery.as_mut().map(|recovery| {
            let packet = packet(namespace, name, &args.before(recovery.offset()), None);
            let own = (!to.sender).then(|| self.membership.id.clone());
            let addressees = Addressees {
                room: to.room.map(Into::into),
                except: to.except.map(Into::into).into_iter().chain(own).collect(),
            };
            recovery.record(now(), addressees, packet.clone());
            packet
        });
        let (plain, old) = (OnceCell::new(), OnceCell::new());
        namespace.broadcast(self.client, to, |generation| match (generation, &remembered) {
            // Revision 1 has no binary data.
            (Generation::Rev1, _) if !args.attachments().is_empty() => None,
            (Generation::Rev1, _) => Some(old.get_or_init(|| packet_rev1(namespace, name, args, None))),
            (Generation::Eio4, Some(packet)) => Some(packet),
            (Generation::Eio3 | Generation::Eio4, _) => Some(plain.get_or_init(|| packet(namespace, name, args, None))),
        });
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
            Generation::Rev1 if close || name == socketio::MAIN => self.client.handle(Input::Close(Reason::Server)),
            Generation::Rev1 => {
                self.push_rev1(rev1::Body::Disconnect);
                self.left();
            }
            Generation::Eio3 | Generation::Eio4 if close => {
                for membership in self.client.memberships() {
                    self.push_disconnect(membership.namespace.name());
                }
                self.client.handle(Input::Close(Reason::Server));
            }
            Generation::Eio3 | Generation::Eio4 => {
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

    fn push_rev1(&self, body: rev1::Body<'_>) {
        let packet = rev1::Packet::new(old::endpoint(self.membership.namespace.name()), body);
        self.client.push(packet.encode(), Urgency::Keep);
    }

    fn push_disconnect(&self, name: &str) {
        let packet = socketio::Packet::new(name, socketio::Body::Disconnect);
        self.client.push(engine::encode(&packet), Urgency::Keep);
    }

    fn event(&self, name: &str, args: &Args<'_>, id: Option<&str>) -> Encoded {
        let packet = match self.client.generation {
            Generation::Rev1 => packet_rev1,
            Generation::Eio3 | Generation::Eio4 => packet,
        };
        packet(&self.membership.namespace, name, args, id)
    }
}

/// An event of Engine.IO. Its messages are the same in versions 3 and 4, which differ in how a transport writes them.
fn packet(namespace: &Namespace, name: &str, args: &Args<'_>, id: Option<&str>) -> Encoded {
    engine::encode(&socketio::Packet {
        namespace: namespace.name(),
        id,
        body: socketio::Body::Event {
            name: name.into(),
            args: args.clone(),
        },
    })
}

fn packet_rev1(namespace: &Namespace, name: &str, args: &Args<'_>, id: Option<&str>) -> Encoded {
    let packet = rev1::Packet {
        id: id.map(|digits| Id { digits, data: true }),
        endpoint: old::endpoint(namespace.name()),
        body: rev1::Body::Event {
            name: name.into(),
            args: args.clone(),
        },
    };
    packet.encode().into()
}
