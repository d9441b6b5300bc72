//! Namespaces: several sockets over one session, and what the application can do with one.

mod acks;
mod eio4;
mod rev1;
mod rooms;
mod socket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use crate::contract;
use crate::server::client::{Client, Urgency, lock};
use crate::session::Encoded;

use rooms::Rooms;
pub(crate) use socket::{AckHandler, Socket, To};

/// The acks that a client owes, and in which namespace each was asked for.
pub(crate) type Acks = acks::Acks<(Arc<Namespace>, AckHandler)>;

/// Which namespaces the application has, in one generation.
pub(crate) struct Names {
    /// Those that anybody may join. In revision 1 the first is everybody's.
    pub(crate) open: &'static [&'static str],
    /// Those that refuse everybody.
    pub(crate) forbidden: &'static [&'static str],
    /// Those that exist on demand.
    pub(crate) dynamic: fn(&str) -> bool,
}

/// One namespace and who is in it.
pub(crate) struct Namespace {
    /// The name in its packets; that of the main one is empty in revision 1, and a slash later.
    name: Box<str>,
    /// Nobody may join.
    forbidden: bool,
    rooms: RwLock<Rooms<usize, Arc<Client>>>,
}

/// That a client is in a namespace.
pub(crate) struct Membership {
    pub(crate) namespace: Arc<Namespace>,
    /// The id of the socket, which is also a room of its own; revision 1 has none.
    pub(crate) id: Box<str>,
    /// What the client sent to be let in, a JSON value.
    pub(crate) auth: Box<str>,
}

/// The namespaces of one generation.
pub(crate) struct Namespaces {
    all: Vec<Arc<Namespace>>,
    is_dynamic: fn(&str) -> bool,
    /// They live as long as somebody is in them.
    dynamic: Mutex<HashMap<Box<str>, Weak<Namespace>>>,
}

impl Namespaces {
    pub(crate) fn new(names: &Names) -> Self {
        let open = names.open.iter().map(|name| Namespace::new(name, false));
        let forbidden = names.forbidden.iter().map(|name| Namespace::new(name, true));
        Namespaces {
            all: open.chain(forbidden).map(Arc::new).collect(),
            is_dynamic: names.dynamic,
            dynamic: Mutex::default(),
        }
    }

    /// The session is over: out of every namespace, then the disconnect handlers, which join nothing any more.
    pub(crate) fn closed(client: &Arc<Client>) {
        for membership in client.leave_all() {
            contract::disconnected(&Socket::new(client, &membership));
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Namespace>> {
        let fixed = self.all.iter().find(|namespace| &*namespace.name == name);
        if let Some(namespace) = fixed {
            return Some(Arc::clone(namespace));
        }
        if !(self.is_dynamic)(name) {
            return None;
        }
        let mut dynamic = lock(&self.dynamic);
        if let Some(namespace) = dynamic.get(name).and_then(Weak::upgrade) {
            return Some(namespace);
        }
        // Forgetting the dead only where the table would grow costs little for each newcomer.
        if dynamic.len() == dynamic.capacity() {
            dynamic.retain(|_, namespace| namespace.strong_count() > 0);
        }
        let namespace = Arc::new(Namespace::new(name, false));
        dynamic.insert(name.into(), Arc::downgrade(&namespace));
        Some(namespace)
    }
}

impl Namespace {
    fn new(name: &str, forbidden: bool) -> Self {
        Namespace {
            name: name.into(),
            forbidden,
            rooms: RwLock::new(Rooms::new()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Puts the client in, and greets it before anybody else can reach it here.
    pub(crate) fn insert(&self, client: &Arc<Client>, id: &str, greeting: Option<Encoded>) {
        let mut rooms = self.write();
        if let Some(greeting) = greeting {
            client.push(greeting, Urgency::Keep);
        }
        rooms.insert(client.key(), Arc::clone(client));
        if !id.is_empty() {
            rooms.join(&client.key(), id);
        }
    }

    pub(crate) fn remove(&self, client: &Client) {
        self.write().remove(&client.key());
    }

    /// Hands one encoded packet to all whom it is for.
    fn broadcast(&self, sender: &Client, to: To<'_>, packet: &Encoded) {
        let urgency = if to.volatile { Urgency::Volatile } else { Urgency::Keep };
        let rooms = self.read();
        for client in rooms.in_room(to.room) {
            let is_sender = client.key() == sender.key();
            if (is_sender && !to.sender) || to.except.is_some_and(|room| rooms.is_in(&client.key(), room)) {
                continue;
            }
            client.push(packet.clone(), urgency);
            if !is_sender {
                client.wake();
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
