//! Namespaces: several sockets over one session, and what the application can do with one.

mod acks;
mod rooms;
mod socket;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::codec::Text;
use crate::codec::rev1::{Body, Id, Packet, UNAUTHORIZED};
use crate::contract;
use crate::server::client::{Client, Urgency};

pub(crate) use acks::Acks;
use rooms::Rooms;
pub(crate) use socket::{AckHandler, Socket, To};

/// One namespace and who is in it.
pub(crate) struct Namespace {
    /// The endpoint of its packets; empty for the default one.
    name: &'static str,
    /// Nobody may join.
    forbidden: bool,
    rooms: RwLock<Rooms<usize, Arc<Client>>>,
}

/// The namespaces of a server. The first one is everybody's.
pub(crate) struct Namespaces {
    all: Vec<Arc<Namespace>>,
}

impl Namespaces {
    pub(crate) fn new(names: &[&'static str], forbidden: &[&'static str]) -> Self {
        let namespace = |name, forbidden| {
            Arc::new(Namespace {
                name,
                forbidden,
                rooms: RwLock::new(Rooms::new()),
            })
        };
        let open = names.iter().map(|name| namespace(name, false));
        Namespaces {
            all: open.chain(forbidden.iter().map(|name| namespace(name, true))).collect(),
        }
    }

    /// The session has its first connection.
    pub(crate) fn opened(&self, client: &Arc<Client>) {
        if let Some(root) = self.all.first()
            && client.join(root, None)
        {
            contract::connected(&Socket::new(client, root));
        }
    }

    /// The session is over: out of every namespace, then the disconnect handlers, which join nothing any more.
    pub(crate) fn closed(&self, client: &Arc<Client>) {
        for namespace in client.leave_all() {
            contract::disconnected(&Socket::new(client, &namespace));
        }
    }

    /// What a packet of the client does. Heartbeats and the end of the session are the session's.
    pub(crate) fn receive(&self, client: &Arc<Client>, packet: Packet<'_>) {
        if let Body::Connect(_) = packet.body {
            return self.connect(client, packet.endpoint);
        }
        let Some(namespace) = client.joined(packet.endpoint) else {
            return;
        };
        let socket = Socket::new(client, &namespace);
        if let Body::Ack(digits, args) = packet.body {
            return socket.acked(digits, args);
        }
        // A plain id is acknowledged by the server itself, before the handler runs, as the original does.
        let ack = match packet.id {
            Some(Id { digits, data: false }) => {
                socket.acknowledge(digits, None);
                None
            }
            Some(Id { digits, data: true }) => Some(digits),
            None => None,
        };
        match packet.body {
            Body::Message(text) => contract::message(&socket, text, ack),
            Body::Json(json) => contract::json(&socket, json, ack),
            Body::Event { name, args } => contract::event(&socket, &name, &args, ack),
            Body::Disconnect => socket.left(),
            _ => {}
        }
    }

    /// The query is not echoed. Joining twice is answered twice and done once.
    fn connect(&self, client: &Arc<Client>, name: &str) {
        let Some(namespace) = self.all.iter().find(|namespace| namespace.name == name) else {
            return;
        };
        if namespace.forbidden {
            client.push(Packet::new(name, Body::Error(UNAUTHORIZED, "")).encode(), Urgency::Keep);
            return;
        }
        if client.joined("").is_none() {
            return;
        }
        let answer = Packet::new(name, Body::Connect("")).encode();
        if client.join(namespace, Some(&answer)) {
            contract::connected(&Socket::new(client, namespace));
        } else {
            client.push(answer, Urgency::Keep);
        }
    }
}

impl Namespace {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Puts the client in, and greets it before anybody else can reach it here.
    pub(crate) fn insert(&self, client: &Arc<Client>, greeting: Option<&Text>) {
        let mut rooms = self.write();
        if let Some(greeting) = greeting {
            client.push(greeting.clone(), Urgency::Keep);
        }
        rooms.insert(client.key(), Arc::clone(client));
    }

    pub(crate) fn remove(&self, client: &Client) {
        self.write().remove(&client.key());
    }

    /// Hands one encoded packet to everybody in the namespace, or in the room, but perhaps the sender.
    fn broadcast(&self, sender: &Client, room: Option<&str>, to_sender: bool, packet: &Text, urgency: Urgency) {
        for client in self.read().in_room(room) {
            if client.key() != sender.key() {
                client.push(packet.clone(), urgency);
                client.wake();
            } else if to_sender {
                client.push(packet.clone(), urgency);
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Rooms<usize, Arc<Client>>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rooms<usize, Arc<Client>>> {
        self.rooms.write().unwrap_or_else(PoisonError::into_inner)
    }
}
