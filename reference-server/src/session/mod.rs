//! A session, without IO: what a session id names, whatever connections carry it.
//!
//! Time and events come in by [`Session::handle`]; what the application must know comes out by [`Session::poll`]; what a
//! connection must write comes out by [`Session::take`]; [`Session::deadline`] says when to come back with
//! [`Input::Timeout`] at the latest.
//!
//! ```text
//! Fresh --Open--> Live --Close--> Parting --all taken--> Ended
//!   '--timeout------'----timeout, client's Close----------^
//! ```
//!
//! The generations share all of it but a few rules, which ask for the [`Generation`]; a session of Engine.IO begins live.

mod heartbeat;
mod io;
mod outbox;
mod registry;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::VecDeque;
use std::time::Instant;

use crate::codec::{Message, Text};

use heartbeat::Heartbeat;
pub(crate) use io::{ConnectionId, Delivery, Encoded, Flow, Generation, Input, Limits, Output, Reason, Refused};
use outbox::Outbox;
pub(crate) use registry::{Registry, new_sid};
use upgrade::Probe;

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    generation: Generation,
    limits: Limits,
    phase: Phase,
    connection: Option<Connection>,
    /// Engine.IO: what the last connection was.
    carrier: Option<Delivery>,
    probe: Option<Probe>,
    /// Engine.IO: a POST is being read.
    posting: bool,
    /// eio4: the client has to be in a namespace by then.
    connect_until: Option<Instant>,
    opened: u64,
    outbox: Outbox,
    heartbeat: Heartbeat,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Handshaken; `until` its first connection.
    Fresh {
        until: Instant,
    },
    /// `until` is set while no connection is open.
    Live {
        until: Option<Instant>,
    },
    /// Over for the application, with packets left to fetch; to a poll of Engine.IO the farewell is said at the end.
    Parting {
        until: Instant,
        farewell: Option<&'static str>,
    },
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    id: ConnectionId,
    delivery: Delivery,
    /// When an idle poll is answered.
    idle_until: Option<Instant>,
}

impl Session {
    /// A session that has just been handshaken.
    pub(crate) fn new(now: Instant, generation: Generation, limits: Limits) -> Self {
        let live = Phase::Live { until: None };
        let (phase, heartbeat, connect_until) = match generation {
            Generation::Rev1 => {
                let until = now + limits.handshake_timeout;
                (Phase::Fresh { until }, Heartbeat::off(), None)
            }
            // The main namespace is joined unasked.
            Generation::Eio3 => (live, Heartbeat::listen(now, &limits), None),
            Generation::Eio4 => {
                let connect_until = limits.connect_timeout.map(|timeout| now + timeout);
                (live, Heartbeat::start(now, &limits), connect_until)
            }
        };
        Session {
            generation,
            limits,
            phase,
            connection: None,
            carrier: None,
            probe: None,
            posting: false,
            connect_until,
            opened: 0,
            outbox: Outbox::new(limits.backlog),
            heartbeat,
            outputs: VecDeque::new(),
        }
    }

    /// Opens a connection. In revision 1 an older one is superseded: two cannot share a session. In Engine.IO the first
    /// one says whether the session is carried by polls or by a stream.
    pub(crate) fn open(&mut self, now: Instant, delivery: Delivery) -> Result<ConnectionId, Refused> {
        match self.phase {
            Phase::Fresh { .. } => {
                self.outbox.push(Text::from_static("1::").into());
                self.outputs.push_back(Output::Opened);
                self.phase = Phase::Live { until: None };
            }
            Phase::Live { .. } if self.generation == Generation::Rev1 => self.phase = Phase::Live { until: None },
            Phase::Live { .. } | Phase::Parting { .. } => {}
            Phase::Ended => return Err(Refused::Ended),
        }
        let idle_until = match (self.generation, delivery) {
            (Generation::Eio3 | Generation::Eio4, _) => {
                self.admit(now, delivery)?;
                self.hold(now)
            }
            (Generation::Rev1, Delivery::Poll) => {
                self.heartbeat = Heartbeat::off();
                Some(now + self.limits.polling_duration)
            }
            (Generation::Rev1, Delivery::Stream) => {
                self.heartbeat = Heartbeat::start(now, &self.limits);
                None
            }
        };
        let id = self.next_id();
        self.connection = Some(Connection {
            id,
            delivery,
            idle_until,
        });
        Ok(id)
    }

    /// Begins a POST, which ends with [`Input::Posted`]. Two at a time are a reason to end a session of Engine.IO.
    pub(crate) fn post(&mut self, now: Instant) -> Result<(), Refused> {
        if self.phase == Phase::Ended {
            return Err(Refused::Ended);
        }
        if self.is_streaming() {
            return Err(Refused::OtherTransport);
        }
        if std::mem::replace(&mut self.posting, true) {
            self.close(now, Reason::Fault);
            return Err(Refused::Overlap);
        }
        Ok(())
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Lost(id, unsent) => self.lost(now, id, unsent),
            Input::Heartbeat => self.heartbeat.answered(now),
            Input::Joined => self.connect_until = None,
            Input::Probe(id) => self.probed(now, id),
            Input::Upgrade(id) => self.upgrade(id),
            Input::Posted => self.posting = false,
            Input::Close(reason) => self.close(now, reason),
            Input::Timeout => self.timeout(now),
        }
    }

    /// The application sends a packet, which does not depend on the time.
    pub(crate) fn send(&mut self, packet: Encoded) {
        if self.is_live() && !self.outbox.push(packet) {
            self.over(Reason::Backlog);
        }
    }

    /// The same, dropped if no connection is open.
    pub(crate) fn send_volatile(&mut self, packet: Encoded) {
        if self.connection.is_some() {
            self.send(packet);
        }
    }

    /// The next thing the application must know.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether [`poll`](Self::poll) has something.
    pub(crate) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Moves what the connection has to write into `batch`.
    pub(crate) fn take(&mut self, now: Instant, id: ConnectionId, batch: &mut Vec<Message>) -> Flow {
        let Some(connection) = self.connection.filter(|connection| connection.id == id) else {
            return match self.take_probe(id, batch) {
                Some(true) => Flow::Write,
                Some(false) => Flow::Wait,
                None if self.phase == Phase::Ended => Flow::Gone,
                None => Flow::Superseded,
            };
        };
        let some = self.outbox.take(batch);
        let poll = connection.delivery == Delivery::Poll;
        if let Phase::Parting { farewell, .. } = self.phase {
            if poll && let Some(farewell) = farewell {
                batch.push(Text::from_static(farewell).into());
            }
            self.end();
            return Flow::Last;
        }
        match (some, poll) {
            (false, _) => Flow::Wait,
            (true, false) => Flow::Write,
            (true, true) => {
                self.disconnected(now);
                Flow::Last
            }
        }
    }

    /// When [`Input::Timeout`] is due, if ever.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Fresh { until } | Phase::Parting { until, .. } => Some(until),
            Phase::Live { until } => until,
            Phase::Ended => return None,
        };
        let idle = self.connection.and_then(|connection| connection.idle_until);
        let upgrade = self.probe.map(|probe| probe.until);
        let all = [phase, idle, upgrade, self.connect_until, self.heartbeat.deadline()];
        all.into_iter().flatten().min()
    }

    /// Whether packets of the client still count.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    /// Whether this connection is the one that carries the session.
    pub(crate) fn is_open(&self, id: ConnectionId) -> bool {
        self.connection.is_some_and(|connection| connection.id == id)
    }

    /// Engine.IO: whether a stream carries it, so that there is nothing to upgrade to.
    pub(crate) fn is_streaming(&self) -> bool {
        self.carrier == Some(Delivery::Stream)
    }

    /// Bytes that wait for delivery.
    pub(crate) fn backlog(&self) -> usize {
        self.outbox.bytes()
    }

    fn next_id(&mut self) -> ConnectionId {
        self.opened += 1;
        ConnectionId(self.opened)
    }

    /// Whether a connection of Engine.IO may be opened.
    fn admit(&mut self, now: Instant, delivery: Delivery) -> Result<(), Refused> {
        if self
            .carrier
            .is_some_and(|carrier| carrier == Delivery::Stream || carrier != delivery)
        {
            return Err(Refused::OtherTransport);
        }
        if self.connection.is_some() {
            self.close(now, Reason::Fault);
            return Err(Refused::Overlap);
        }
        self.carrier = Some(delivery);
        Ok(())
    }

    /// The last word of the server is for whoever fetches it. A client that leaves, or breaks the rules, gets it on an
    /// open connection only.
    fn close(&mut self, now: Instant, reason: Reason) {
        let waits = matches!(reason, Reason::Server | Reason::ConnectTimeout);
        match self.phase {
            Phase::Live { .. } if waits || self.connection.is_some() => {
                let farewell = match (self.generation, reason) {
                    (Generation::Rev1, _) => {
                        self.outbox.push(Text::from_static("0::").into());
                        None
                    }
                    // A poll of a client that said goodbye is only let go.
                    (_, Reason::Client) => Some("6"),
                    (_, _) => Some("1"),
                };
                self.heartbeat = Heartbeat::off();
                self.connect_until = None;
                self.phase = Phase::Parting {
                    until: now + self.limits.close_timeout,
                    farewell,
                };
                self.outputs.push_back(Output::Closed(reason));
            }
            Phase::Fresh { .. } | Phase::Live { .. } => self.over(reason),
            Phase::Parting { .. } if reason == Reason::Client && self.connection.is_none() => self.end(),
            Phase::Parting { .. } | Phase::Ended => {}
        }
    }

    fn timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::Fresh { until } if until <= now => self.over(Reason::HandshakeTimeout),
            Phase::Live { until: Some(until) } if until <= now => self.over(Reason::CloseTimeout),
            Phase::Parting { until, .. } if until <= now => self.end(),
            _ => {}
        }
        if self.connect_until.is_some_and(|until| until <= now) {
            self.connect_until = None;
            self.close(now, Reason::ConnectTimeout);
        }
        if self.heartbeat.is_missed(now) {
            match self.connection {
                // It is let go; nobody reads a stream.
                Some(poll) if self.generation != Generation::Rev1 && poll.delivery == Delivery::Poll => {
                    self.close(now, Reason::HeartbeatTimeout);
                }
                _ => self.over(Reason::HeartbeatTimeout),
            }
        } else if self.heartbeat.beat(now) {
            self.send(self.generation.beat().into());
        }
        self.probe.take_if(|probe| probe.until <= now);
        if let Some(connection) = &mut self.connection
            && connection.idle_until.is_some_and(|until| until <= now)
        {
            connection.idle_until = None;
            self.send(self.generation.noop().into());
        }
    }

    fn lost(&mut self, now: Instant, id: ConnectionId, unsent: Vec<Message>) {
        self.probe.take_if(|probe| probe.id == id);
        if self.phase == Phase::Ended {
            return;
        }
        let current = self.is_open(id);
        match self.generation {
            Generation::Rev1 => {
                self.outbox.put_back(unsent);
                if current {
                    self.disconnected(now);
                }
            }
            _ if !current => {}
            _ if self.is_live() => self.over(Reason::Lost),
            _ => self.end(),
        }
    }

    fn disconnected(&mut self, now: Instant) {
        self.connection = None;
        if self.generation == Generation::Rev1 {
            self.heartbeat = Heartbeat::off();
            if let Phase::Live { until } = &mut self.phase {
                *until = Some(now + self.limits.close_timeout);
            }
        }
    }

    fn over(&mut self, reason: Reason) {
        self.outputs.push_back(Output::Closed(reason));
        self.end();
    }

    fn end(&mut self) {
        self.phase = Phase::Ended;
        self.connection = None;
        self.probe = None;
        self.connect_until = None;
        self.outbox.clear();
        self.heartbeat = Heartbeat::off();
        self.outputs.push_back(Output::Ended);
    }
}
