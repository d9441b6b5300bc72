//! One client: its session, what carries it at the moment, and where it takes part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::task::AtomicWaker;
use http::HeaderMap;

use crate::codec::Message;
use crate::codec::binary::Reassembly;
use crate::namespace::{Acks, Membership, Namespace};
use crate::session::{ConnectionId, Delivery, Encoded, Flow, Generation, Input, Limits, Output, Refused, Session};
use crate::transport::request::Query;

use super::timers::Timers;

/// How many namespaces a client may be in.
const NAMESPACES: usize = 1000;

/// A handshaken client. Locks are taken in the order `sockets`, a namespace's rooms, `core`.
pub(crate) struct Client {
    /// The session id.
    pub(crate) sid: String,
    /// The protocol that it speaks.
    pub(crate) generation: Generation,
    /// What answers it.
    pub(crate) application: Application,
    /// What it was handshaken with.
    pub(crate) handshake: Handshake,
    /// Which packets of ours it has to acknowledge.
    pub(crate) acks: Mutex<Acks>,
    /// The binary packet that it is sending.
    pub(crate) reassembly: Mutex<Reassembly>,
    sockets: Mutex<Sockets>,
    core: Mutex<Core>,
    /// There is an [`Output`] to attend to.
    unsettled: AtomicBool,
    timers: Arc<Timers>,
}

/// What a session carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Application {
    /// Socket.IO, and on it the contract's application.
    Contract,
    /// Nothing but Engine.IO: every message is echoed.
    Echo,
}

/// What the handshake request brought: copied, as short text, for the request's own would keep the buffer that it was
/// read into for as long as the client is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handshake {
    query: Box<str>,
    /// A line each: name, colon, value.
    headers: Box<str>,
}

/// What becomes of a packet while no connection is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Urgency {
    /// It waits.
    Keep,
    /// It is dropped.
    Volatile,
}

#[derive(Default)]
struct Sockets {
    joined: Vec<Arc<Membership>>,
    over: bool,
}

struct Core {
    session: Session,
    wake: Option<Arc<Wake>>,
    /// Wakes the connection of an upgrade.
    upgrade: Option<Arc<Wake>>,
    /// When the timers will look at it next.
    timer: Option<Instant>,
}

impl Client {
    /// A client whose session begins now.
    pub(crate) fn new(
        sid: String,
        (generation, application): (Generation, Application),
        handshake: Handshake,
        limits: Limits,
        timers: Arc<Timers>,
    ) -> Arc<Self> {
        let core = Core {
            session: Session::new(now(), generation, limits),
            wake: None,
            upgrade: None,
            timer: None,
        };
        let client = Arc::new(Client {
            sid,
            generation,
            application,
            handshake,
            acks: Mutex::new(Acks::new()),
            reassembly: Mutex::default(),
            sockets: Mutex::default(),
            core: Mutex::new(core),
            unsettled: AtomicBool::new(false),
            timers,
        });
        client.schedule(&mut lock(&client.core));
        client
    }

    /// Tells clients apart, and is fast to compare.
    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Queues an encoded packet for the client; false if the session is over. Whoever is at work for this client
    /// writes it when done; others call [`wake`](Self::wake).
    pub(crate) fn push(self: &Arc<Self>, packet: impl Into<Encoded>, urgency: Urgency) -> bool {
        let packet = packet.into();
        let core = &mut *lock(&self.core);
        match urgency {
            Urgency::Keep => core.session.send(packet),
            Urgency::Volatile => core.session.send_volatile(packet),
        }
        let live = core.session.is_live();
        if core.session.has_output() {
            // The namespaces may be locked here: the timers attend to it.
            self.unsettled.store(true, Ordering::Release);
            let at = now();
            core.timer = Some(at);
            self.timers.schedule(at, self);
        }
        live
    }

    /// Tells the session what happened.
    pub(crate) fn handle(self: &Arc<Self>, input: Input) {
        self.with(|session| session.handle(now(), input));
    }

    /// Has the open connection, and that of an upgrade, look for packets.
    pub(crate) fn wake(&self) {
        let core = lock(&self.core);
        for wake in [&core.wake, &core.upgrade].into_iter().flatten() {
            wake.wake();
        }
    }

    /// Opens a connection, and takes what is already there for it.
    pub(super) fn open(
        self: &Arc<Self>,
        delivery: Delivery,
        batch: &mut Vec<Message>,
    ) -> Result<(ConnectionId, Arc<Wake>, Flow), Refused> {
        let wake = Arc::new(Wake::default());
        let (id, old, flow) = {
            let core = &mut *lock(&self.core);
            let opened = core.session.open(now(), delivery).map(|id| {
                let old = core.wake.replace(Arc::clone(&wake));
                (id, old, core.session.take(now(), id, batch))
            });
            self.after(core);
            opened?
        };
        if let Some(old) = old {
            old.wake();
        }
        Ok((id, wake, flow))
    }

    /// Opens a connection that the session may be upgraded to.
    pub(super) fn open_upgrade(self: &Arc<Self>) -> Result<(ConnectionId, Arc<Wake>), Refused> {
        let wake = Arc::new(Wake::default());
        let core = &mut *lock(&self.core);
        let id = core.session.open_upgrade(now())?;
        core.upgrade = Some(Arc::clone(&wake));
        self.after(core);
        Ok((id, wake))
    }

    /// The connection of an upgrade is to take over; whether it did.
    pub(super) fn upgrade(self: &Arc<Self>, id: ConnectionId) -> bool {
        let core = &mut *lock(&self.core);
        core.session.handle(now(), Input::Upgrade(id));
        let taken = core.session.is_open(id);
        if taken {
            let wake = core.upgrade.take();
            if let Some(poll) = std::mem::replace(&mut core.wake, wake) {
                poll.wake();
            }
        }
        self.after(core);
        taken
    }

    /// Begins a POST, which ends with [`Input::Posted`].
    pub(crate) fn post(self: &Arc<Self>) -> Result<(), Refused> {
        self.with(|session| session.post(now()))
    }

    /// See [`Session::take`].
    pub(super) fn take(self: &Arc<Self>, id: ConnectionId, batch: &mut Vec<Message>) -> Flow {
        self.with(|session| session.take(now(), id, batch))
    }

    /// Whether this is the session's connection.
    pub(super) fn is_open(&self, id: ConnectionId) -> bool {
        lock(&self.core).session.is_open(id)
    }

    /// See [`Session::poll`].
    pub(super) fn output(&self) -> Option<Output> {
        lock(&self.core).session.poll()
    }

    /// Whether there was something to attend to since it was last asked.
    pub(super) fn take_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire) && self.unsettled.swap(false, Ordering::AcqRel)
    }

    /// The timer that was set to `at` rings.
    pub(super) fn ring(self: &Arc<Self>, at: Instant) {
        let core = &mut *lock(&self.core);
        if core.timer == Some(at) {
            core.timer = None;
            core.session.handle(now(), Input::Timeout);
        }
        self.after(core);
    }

    /// Bytes that wait for delivery.
    pub(crate) fn backlog(&self) -> usize {
        lock(&self.core).session.backlog()
    }

    /// See [`Session::is_streaming`].
    pub(crate) fn is_streaming(&self) -> bool {
        lock(&self.core).session.is_streaming()
    }

    /// Whether a packet that has come counts. Where the server only listens, it is a beat.
    pub(super) fn hears(&self) -> bool {
        let session = &mut lock(&self.core).session;
        if self.generation == Generation::Eio3 {
            session.handle(now(), Input::Heartbeat);
        }
        session.is_live()
    }

    /// Whether packets of the client still count.
    pub(crate) fn is_live(&self) -> bool {
        lock(&self.core).session.is_live()
    }

    /// Its membership in the namespace of this name.
    pub(crate) fn joined(&self, name: &str) -> Option<Arc<Membership>> {
        lock(&self.sockets)
            .joined
            .iter()
            .find(|joined| joined.namespace.name() == name)
            .cloned()
    }

    /// All namespaces that it is in, in the order in which it joined them.
    pub(crate) fn memberships(&self) -> Vec<Arc<Membership>> {
        lock(&self.sockets).joined.clone()
    }

    /// Puts the client into a namespace; false if it is there already, in too many, or its session is over.
    pub(crate) fn join(self: &Arc<Self>, membership: &Arc<Membership>, greeting: Vec<Encoded>) -> bool {
        let mut sockets = lock(&self.sockets);
        let namespace = &membership.namespace;
        let new = !sockets.over
            && sockets.joined.len() < NAMESPACES
            && !sockets
                .joined
                .iter()
                .any(|joined| Arc::ptr_eq(&joined.namespace, namespace));
        if new {
            sockets.joined.push(Arc::clone(membership));
            namespace.insert(self, &membership.id, greeting);
        }
        new
    }

    /// Takes it out of the namespace; false if it was not there.
    pub(crate) fn leave(&self, namespace: &Arc<Namespace>) -> bool {
        let mut sockets = lock(&self.sockets);
        let before = sockets.joined.len();
        sockets
            .joined
            .retain(|joined| !Arc::ptr_eq(&joined.namespace, namespace));
        namespace.remove(self);
        sockets.joined.len() < before
    }

    /// Takes it out of every namespace, for good, and says which.
    pub(crate) fn leave_all(&self) -> Vec<Arc<Membership>> {
        let mut sockets = lock(&self.sockets);
        sockets.over = true;
        let joined = std::mem::take(&mut sockets.joined);
        for membership in &joined {
            membership.namespace.remove(self);
        }
        joined
    }

    fn with<R>(self: &Arc<Self>, change: impl FnOnce(&mut Session) -> R) -> R {
        let core = &mut *lock(&self.core);
        let result = change(&mut core.session);
        self.after(core);
        result
    }

    fn after(self: &Arc<Self>, core: &mut Core) {
        if core.session.has_output() {
            self.unsettled.store(true, Ordering::Release);
        }
        self.schedule(core);
    }

    /// A timer that rings too early does no harm and is set anew, so only an earlier deadline costs anything.
    fn schedule(self: &Arc<Self>, core: &mut Core) {
        if let Some(deadline) = core.session.deadline()
            && core.timer.is_none_or(|timer| deadline < timer)
        {
            core.timer = Some(deadline);
            self.timers.schedule(deadline, self);
        }
    }
}

impl Handshake {
    /// A repeated header is joined with commas.
    pub(crate) fn new(query: &str, headers: &HeaderMap) -> Self {
        let mut lines = String::new();
        for name in headers.keys() {
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            for part in [name.as_str(), ":", &values.join(", "), "\n"] {
                lines.push_str(part);
            }
        }
        Handshake {
            query: query.into(),
            headers: lines.into(),
        }
    }

    /// The query of its URL.
    pub(crate) fn query(&self) -> Query<'_> {
        Query(&self.query)
    }

    /// The headers, names in lower case.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.lines().filter_map(|line| line.split_once(':'))
    }
}

/// Wakes the task that serves a connection.
#[derive(Default)]
pub(super) struct Wake {
    woken: AtomicBool,
    waker: AtomicWaker,
}

impl Wake {
    pub(super) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        if self.woken.swap(false, Ordering::AcqRel) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// The clock of the shell: tokio's, so that a paused one counts.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Nothing that holds a lock panics half-way, so a poisoned one is sound.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
