//! What all connections share: the sessions, the namespaces, the timers.

use std::sync::Arc;
use std::time::Duration;

use crate::browser::Assets;
use crate::codec::eio4::{self, Packet};
use crate::codec::{Malformed, Message, eio3, rev1};
use crate::contract;
use crate::namespace::Namespaces;
use crate::options::Options;
use crate::session::{Delivery, Generation, Input, Output, Reason, Refused, Registry, new_sid};

use super::client::{Application, Client, Handshake, Urgency};
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
            namespaces: Namespaces::new(&contract::NAMES, options.recovery),
            timers: Arc::default(),
            assets: Assets::new(),
            options,
        }
    }

    /// Begins a session of revision 1; `None` if there is no room for it.
    pub(crate) fn handshake(&self, handshake: Handshake) -> Option<Arc<Client>> {
        self.begin((Generation::Rev1, Application::Contract), handshake)
    }

    /// Begins a session of Engine.IO, whose first packets wait for its connection; `None` if there is no room for it.
    pub(crate) fn open_engine(
        &self,
        protocol: (Generation, Application),
        handshake: Handshake,
        upgrades: &[&str],
    ) -> Option<Arc<Client>> {
        let client = self.begin(protocol, handshake)?;
        let data = eio4::Handshake {
            sid: &client.sid,
            upgrades,
            ping_interval: milliseconds(self.options.ping_interval),
            ping_timeout: milliseconds(self.options.ping_timeout),
            max_payload: (client.generation == Generation::Eio4).then_some(self.options.max_payload),
        }
        .encode();
        client.push(Packet::Open(&data).encode(), Urgency::Keep);
        if protocol == (Generation::Eio3, Application::Contract) {
            self.namespaces.opened_eio3(&client);
        }
        Some(client)
    }

    /// The transports that a polling session of Engine.IO may be upgraded to.
    pub(crate) fn upgrades(&self, generation: Generation) -> &'static [&'static str] {
        if self.options.webtransport && generation == Generation::Eio4 {
            &["websocket", "webtransport"]
        } else {
            &["websocket"]
        }
    }

    fn begin(&self, protocol: (Generation, Application), handshake: Handshake) -> Option<Arc<Client>> {
        let sid = new_sid()
            .inspect_err(|error| tracing::error!("no randomness for a session id: {error}"))
            .ok()?;
        let limits = self.options.limits(protocol);
        let client = Client::new(sid, protocol, handshake, limits, Arc::clone(&self.timers));
        self.registry.insert(&client.sid, Arc::clone(&client)).then_some(client)
    }

    /// The client of this session of revision 1.
    pub(crate) fn find(&self, sid: &str) -> Option<Arc<Client>> {
        self.registry
            .get(sid)
            .filter(|client| client.generation == Generation::Rev1)
    }

    /// The client of this session of Engine.IO, if it belongs to the application.
    pub(crate) fn find_engine(&self, application: Application, sid: &str) -> Option<Arc<Client>> {
        let client = self.registry.get(sid)?;
        (client.generation != Generation::Rev1 && client.application == application).then_some(client)
    }

    /// Opens a connection of the session of revision 1 of this id.
    pub(crate) fn open(self: &Arc<Self>, sid: &str, delivery: Delivery) -> Result<Connection, Refused> {
        let client = self.find(sid).ok_or(Refused::Ended)?;
        Connection::open(Arc::clone(self), client, delivery)
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.registry.len()
    }

    /// Acts on the packets of a payload of revision 1.
    pub(crate) fn receive_payload(&self, client: &Arc<Client>, payload: &str) {
        for frame in crate::codec::payload::decode(payload) {
            match frame {
                Ok(packet) => self.receive_rev1(client, packet),
                Err(error) => tracing::debug!(sid = client.sid, "payload ignored from here: {error}"),
            }
        }
    }

    /// Acts on one message. What it makes the server say is written by whoever calls this.
    pub(crate) fn receive(&self, client: &Arc<Client>, message: &Message) {
        match (client.generation, message) {
            (Generation::Rev1, Message::Text(packet)) => self.receive_rev1(client, packet),
            // The original ignores them.
            (Generation::Rev1, Message::Binary(_)) => {}
            (Generation::Eio3, message) => self.receive_engine(client, eio3::decode(message)),
            (Generation::Eio4, message) => self.receive_engine(client, Packet::decode(message)),
        }
    }

    fn receive_rev1(&self, client: &Arc<Client>, packet: &str) {
        match rev1::Packet::decode(packet) {
            Ok(rev1::Packet {
                body: rev1::Body::Heartbeat,
                ..
            }) => client.handle(Input::Heartbeat),
            Ok(rev1::Packet {
                body: rev1::Body::Disconnect,
                endpoint: "",
                ..
            }) => client.handle(Input::Close(Reason::Client)),
            Ok(packet) => self.namespaces.receive_rev1(client, packet),
            Err(error) => tracing::debug!(sid = client.sid, "packet ignored: {error}"),
        }
        self.settle(client);
    }

    /// Acts on a packet of Engine.IO; one that is none ends the session. So does, in version 4, a ping, which is the server's
    /// to send.
    pub(crate) fn receive_engine(&self, client: &Arc<Client>, packet: Result<Packet<'_>, Malformed>) {
        let eio3 = client.generation == Generation::Eio3;
        match packet {
            _ if !client.hears() => {}
            Ok(Packet::Ping(data)) if eio3 => drop(client.push(Packet::Pong(data).encode(), Urgency::Keep)),
            Ok(Packet::Pong(_)) if eio3 => {}
            Ok(Packet::Pong(_)) => client.handle(Input::Heartbeat),
            Ok(Packet::Close(_)) => client.handle(Input::Close(Reason::Client)),
            Ok(Packet::Open(_) | Packet::Upgrade(_) | Packet::Noop(_)) => {}
            Ok(Packet::Ping(_)) => client.handle(Input::Close(Reason::Fault)),
            Ok(packet) => match client.application {
                Application::Contract => self.namespaces.receive_engine(client, packet),
                Application::Echo => echo(client, &packet),
            },
            Err(error) => {
                tracing::debug!(sid = client.sid, "closed: {error}");
                client.handle(Input::Close(Reason::Fault));
            }
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
    pub(crate) fn settle(&self, client: &Arc<Client>) {
        if !client.take_unsettled() {
            return;
        }
        while let Some(output) = client.output() {
            tracing::debug!(sid = client.sid, ?output);
            match output {
                Output::Opened => self.namespaces.opened_rev1(client),
                Output::Closed(reason) => Namespaces::closed(client, reason),
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

fn echo(client: &Arc<Client>, packet: &Packet<'_>) {
    client.push(packet.encode(), Urgency::Keep);
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
