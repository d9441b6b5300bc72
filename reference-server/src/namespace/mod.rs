//! Namespaces: several sockets over one session, and what the application can do with one.

mod acks;
mod eio3;
mod eio4;
mod engine;
mod recovery;
mod rev1;
mod rooms;
mod socket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use crate::contract;
use crate::server::client::{Client, Urgency, lock, now};
use crate::session::{Encoded, Generation, Reason};

use recovery::{Recovery, Saved};
use rooms::Rooms;
pub(crate) use socket::{AckHandler, Socket, To};

/// The acks that a client owes, and in which namespace each was asked for.
pub(crate) type Acks = acks::Acks<(Arc<Namespace>, AckHandler)>;

/// Which namespaces the application has.
pub(crate) struct Names {
    /// Those that anybody may join.
    pub(crate) open: &'static [&'static str],
    /// Those that refuse everybody.
    pub(crate) forbidden: &'static [&'static str],
    /// Those that exist on demand; not in revision 1.
    pub(crate) dynamic: fn(&str) -> bool,
}

/// One namespace and who is in it.
pub(crate) struct Namespace {
    /// The name; that of the main one is a slash.
    name: Box<str>,
    /// Nobody may join.
    forbidden: bool,
    /// What it remembers for clients that come back, where it does. Whoever holds it keeps the order of what is sent.
    recovery: Option<Mutex<Recovery>>,
    rooms: RwLock<Rooms<usize, Arc<Client>>>,
}

/// That a client is in a namespace.
pub(crate) struct Membership {
    pub(crate) namespace: Arc<Namespace>,
    /// The id of the socket, which is also a room of its own; revision 1 has none. In eio3 it follows from the session's, so
    /// that nobody has to tell the client.
    pub(crate) id: Box<str>,
    /// The private id that the client may come back with.
    pub(crate) pid: Option<Box<str>>,
    /// What the client sent to be let in, a JSON value; in eio3, the query behind the namespace.
    pub(crate) auth: Box<str>,
}

/// The namespaces, which clients of every generation share.
pub(crate) struct Namespaces {
    all: Vec<Arc<Namespace>>,
    /// For how long they remember what a client misses, if they do.
    recovery: Option<Duration>,
    is_dynamic: fn(&str) -> bool,
    /// They live as long as somebody is in them.
    dynamic: Mutex<HashMap<Box<str>, Weak<Namespace>>>,
}

impl Namespaces {
    pub(crate) fn new(names: &Names, recovery: Option<Duration>) -> Self {
        let open = names.open.iter().map(|name| Namespace::new(name, false, recovery));
        let forbidden = names.forbidden.iter().map(|name| Namespace::new(name, true, None));
        Namespaces {
            recovery,
            all: open.chain(forbidden).map(Arc::new).collect(),
            is_dynamic: names.dynamic,
            dynamic: Mutex::default(),
        }
    }

    /// The session is over: out of every namespace, then the disconnect handlers, which join nothing any more.
    /// Unless the application has sent it away, the client may come back.
    pub(crate) fn closed(client: &Arc<Client>, reason: Reason) {
        if reason != Reason::Server {
            for membership in client.memberships() {
                membership.save(client);
            }
        }
        for membership in client.leave_all() {
            contract::disconnected(&Socket::new(client, &membership));
        }
    }

    /// One that is always there.
    fn find_fixed(&self, name: &str) -> Option<Arc<Namespace>> {
        self.all.iter().find(|namespace| &*namespace.name == name).cloned()
    }

    fn find(&self, name: &str) -> Option<Arc<Namespace>> {
        if let Some(namespace) = self.find_fixed(name) {
            return Some(namespace);
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
        let namespace = Arc::new(Namespace::new(name, false, self.recovery));
        dynamic.insert(name.into(), Arc::downgrade(&namespace));
        Some(namespace)
    }
}

impl Membership {
    /// Has the namespace remember the socket.
    fn save(&self, client: &Client) {
        if let (Some(recovery), Some(pid)) = (&self.namespace.recovery, &self.pid) {
            let rooms = self.namespace.read().of(&client.key()).map(str::to_owned).collect();
            let saved = Saved {
                id: self.id.clone(),
                rooms,
                at: now(),
            };
            lock(recovery).save(pid, saved);
        }
    }
}

impl Namespace {
    fn new(name: &str, forbidden: bool, recovery: Option<Duration>) -> Self {
        Namespace {
            name: name.into(),
            forbidden,
            recovery: recovery.map(|duration| Mutex::new(Recovery::new(duration))),
            rooms: RwLock::new(Rooms::new()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Puts the client in, and greets it before anybody else can reach it here.
    pub(crate) fn insert(&self, client: &Arc<Client>, id: &str, greeting: Vec<Encoded>) {
        let mut rooms = self.write();
        for packet in greeting {
            client.push(packet, Urgency::Keep);
        }
        rooms.insert(client.key(), Arc::clone(client));
        if !id.is_empty() {
            rooms.join(&client.key(), id);
        }
    }

    pub(crate) fn remove(&self, client: &Client) {
        self.write().remove(&client.key());
    }

    /// Hands an event to all whom it is for, each in its own form; `None` for a generation that cannot be told.
    fn broadcast<'a>(&self, sender: &Client, to: To<'_>, form: impl Fn(Generation) -> Option<&'a Encoded>) {
        let urgency = if to.volatile { Urgency::Volatile } else { Urgency::Keep };
        let rooms = self.read();
        for client in rooms.in_room(to.room) {
            let is_sender = client.key() == sender.key();
            if (is_sender && !to.sender) || to.except.is_some_and(|room| rooms.is_in(&client.key(), room)) {
                continue;
            }
            let Some(packet) = form(client.generation) else {
                continue;
            };
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
