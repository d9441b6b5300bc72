//! What all connections share: the sessions, the namespaces, the timers.

use std::sync::Arc;

use crate::browser::Assets;
use crate::codec::rev1::{Body, Packet};
use crate::namespace::Namespaces;
use crate::options::Options;
use crate::session::{Delivery, Input, Output, Reason, Registry, new_sid};
use crate::{codec, contract};

use super::client::{Client, Handshake};
use super::connection::Connection;
use super::timers::Timers;

pub(crate) struct Hub {
    pub(crate) options: Options,
    pub(crate) assets: Assets,
    registry: Registry<Arc<Client>>,
    namespaces: Namespaces,
    timers: Arc<Timers>,
}

impl Hub {
    pub(crate) fn new(options: Options) -> Self {
        Hub {
            registry: Registry::new(options.max_sessions),
            namespaces: Namespaces::new(contract::NAMESPACES, contract::FORBIDDEN),
            timers: Arc::default(),
            assets: Assets::new(),
            options,
        }
    }

    /// Begins a session; `None` if there is no room for it.
    pub(crate) fn handshake(&self, handshake: Handshake) -> Option<Arc<Client>> {
        let sid = new_sid()
            .inspect_err(|error| tracing::error!("no randomness for a session id: {error}"))
            .ok()?;
        let client = Client::new(sid, handshake, self.options.limits(), Arc::clone(&self.timers));
        self.registry.insert(&client.sid, Arc::clone(&client)).then_some(client)
    }

    /// The client of this session.
    pub(crate) fn find(&self, sid: &str) -> Option<Arc<Client>> {
        self.registry.get(sid)
    }

    /// Opens a connection of the session of this id.
    pub(crate) fn open(self: &Arc<Self>, sid: &str, delivery: Delivery) -> Option<Connection> {
        Connection::open(Arc::clone(self), self.find(sid)?, delivery)
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.registry.len()
    }

    /// Acts on the packets of a payload.
    pub(crate) fn receive_payload(&self, client: &Arc<Client>, payload: &str) {
        for frame in codec::payload::decode(payload) {
            match frame {
                Ok(packet) => self.receive(client, packet),
                Err(error) => tracing::debug!(sid = client.sid, "payload ignored from here: {error}"),
            }
        }
    }

    /// Acts on one packet. What it makes the server say is written by whoever calls this.
    pub(crate) fn receive(&self, client: &Arc<Client>, packet: &str) {
        match Packet::decode(packet) {
            Ok(Packet {
                body: Body::Heartbeat, ..
            }) => client.handle(Input::Heartbeat),
            Ok(Packet {
                body: Body::Disconnect,
                endpoint: "",
                ..
            }) => client.handle(Input::Close(Reason::Client)),
            Ok(packet) => self.namespaces.receive(client, packet),
            Err(error) => tracing::debug!(sid = client.sid, "packet ignored: {error}"),
        }
        self.settle(client);
    }

    /// Ends a session at once.
    pub(crate) fn close(&self, client: &Arc<Client>, reason: Reason) {
        client.handle(Input::Close(reason));
        self.settle(client);
        client.wake();
    }

    /// Ends every session.
    pub(super) fn close_all(&self) {
        for client in self.registry.all() {
            self.close(&client, Reason::Server);
        }
    }

    /// Tells the namespaces what became of the session.
    pub(super) fn settle(&self, client: &Arc<Client>) {
        if !client.take_unsettled() {
            return;
        }
        while let Some(output) = client.output() {
            tracing::debug!(sid = client.sid, ?output);
            match output {
                Output::Opened => self.namespaces.opened(client),
                Output::Closed(_) => self.namespaces.closed(client),
                Output::Ended => self.registry.remove(&client.sid),
            }
        }
    }

    /// Serves the timers, forever.
    pub(super) async fn run_timers(&self) {
        loop {
            let (at, client) = self.timers.next().await;
            client.ring(at);
            self.settle(&client);
            client.wake();
        }
    }
}
