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

mod heartbeat;
mod outbox;
mod registry;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec::Text;
use crate::codec::rev1::{Body, Packet};

use heartbeat::Heartbeat;
use outbox::Outbox;
pub(crate) use registry::{Registry, new_sid};

/// The times and bounds of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long a handshake waits for its first connection.
    pub(crate) handshake_timeout: Duration,
    /// How often the server beats; `None` for never.
    pub(crate) heartbeat_interval: Option<Duration>,
    /// How long the client has to answer a beat.
    pub(crate) heartbeat_timeout: Duration,
    /// How long the session outlives its connection.
    pub(crate) close_timeout: Duration,
    /// How long an idle poll is held.
    pub(crate) polling_duration: Duration,
    /// How many bytes may wait for delivery; a client that lags further behind is disconnected.
    pub(crate) backlog: usize,
}

/// One connection of a session, in the order they were opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ConnectionId(u64);

/// How a connection delivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delivery {
    /// Once: whatever is there when there is something.
    Poll,
    /// On and on; heartbeats show whether the other side is there.
    Stream,
}

/// What happens to a session.
#[derive(Debug)]
pub(crate) enum Input {
    /// The connection is gone; these packets were taken for it and not written.
    Lost(ConnectionId, Vec<Text>),
    /// The client beats.
    Heartbeat,
    /// The application sends an encoded packet.
    Send(Text),
    /// The same, dropped if no connection is open.
    SendVolatile(Text),
    /// Somebody ends the session.
    Close(Reason),
    /// Time has passed.
    Timeout,
}

/// What the application must know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Output {
    /// The first connection is open.
    Opened,
    /// The session is over; what is left may still be fetched.
    Closed(Reason),
    /// Nothing is left; the session id can be forgotten.
    Ended,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    /// The client said so.
    Client,
    /// The application said so.
    Server,
    /// No connection came within the handshake timeout.
    HandshakeTimeout,
    /// The client did not answer a beat.
    HeartbeatTimeout,
    /// No connection came back within the close timeout.
    CloseTimeout,
    /// The client did not read what it was sent.
    Backlog,
}

/// What a connection does after [`Session::take`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flow {
    /// Waits.
    Wait,
    /// Writes what it took, and goes on.
    Write,
    /// Writes what it took, and ends.
    Last,
    /// Ends: another connection took over.
    Superseded,
    /// Ends: the session has.
    Gone,
}

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    limits: Limits,
    phase: Phase,
    connection: Option<Connection>,
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
    /// Over for the application, with packets left to fetch.
    Parting {
        until: Instant,
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
    pub(crate) fn new(now: Instant, limits: Limits) -> Self {
        Session {
            limits,
            phase: Phase::Fresh {
                until: now + limits.handshake_timeout,
            },
            connection: None,
            opened: 0,
            outbox: Outbox::new(limits.backlog),
            heartbeat: Heartbeat::off(),
            outputs: VecDeque::new(),
        }
    }

    /// Opens a connection. An older one is superseded: two cannot share a session.
    ///
    /// `None` if the session has ended.
    pub(crate) fn open(&mut self, now: Instant, delivery: Delivery) -> Option<ConnectionId> {
        match self.phase {
            Phase::Fresh { .. } => {
                self.outbox.push(Packet::new("", Body::Connect("")).encode());
                self.outputs.push_back(Output::Opened);
                self.phase = Phase::Live { until: None };
            }
            Phase::Live { .. } => self.phase = Phase::Live { until: None },
            Phase::Parting { .. } => {}
            Phase::Ended => return None,
        }
        self.opened += 1;
        let id = ConnectionId(self.opened);
        let idle_until = match delivery {
            Delivery::Poll => Some(now + self.limits.polling_duration),
            Delivery::Stream => None,
        };
        self.connection = Some(Connection {
            id,
            delivery,
            idle_until,
        });
        self.heartbeat = match (delivery, self.limits.heartbeat_interval) {
            (Delivery::Stream, Some(interval)) => Heartbeat::start(now, interval, self.limits.heartbeat_timeout),
            _ => Heartbeat::off(),
        };
        Some(id)
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Lost(id, unsent) => self.lost(now, id, unsent),
            Input::Heartbeat => self.heartbeat.answered(now),
            Input::Send(packet) => self.send(packet),
            Input::SendVolatile(packet) => {
                if self.connection.is_some() {
                    self.send(packet);
                }
            }
            Input::Close(reason) => self.close(now, reason),
            Input::Timeout => self.timeout(now),
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
    pub(crate) fn take(&mut self, now: Instant, id: ConnectionId, batch: &mut Vec<Text>) -> Flow {
        match self.connection {
            Some(connection) if connection.id == id => {}
            _ if self.phase == Phase::Ended => return Flow::Gone,
            _ => return Flow::Superseded,
        }
        let some = self.outbox.take(batch);
        let poll = self
            .connection
            .is_some_and(|connection| connection.delivery == Delivery::Poll);
        if matches!(self.phase, Phase::Parting { .. }) {
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
            Phase::Fresh { until } | Phase::Parting { until } => Some(until),
            Phase::Live { until } => until,
            Phase::Ended => return None,
        };
        let idle = self.connection.and_then(|connection| connection.idle_until);
        [phase, idle, self.heartbeat.deadline()].into_iter().flatten().min()
    }

    /// Whether packets of the client still count.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    /// Whether this connection is the one that carries the session.
    pub(crate) fn is_open(&self, id: ConnectionId) -> bool {
        self.connection.is_some_and(|connection| connection.id == id)
    }

    /// Bytes that wait for delivery.
    pub(crate) fn backlog(&self) -> usize {
        self.outbox.bytes()
    }

    fn send(&mut self, packet: Text) {
        if !self.is_live() {
            return;
        }
        if !self.outbox.push(packet) {
            self.over(Reason::Backlog);
        }
    }

    /// The server's last word is `0::`, for whoever fetches it. A client that leaves gets it on an open connection only.
    fn close(&mut self, now: Instant, reason: Reason) {
        match self.phase {
            Phase::Live { .. } if reason == Reason::Server || self.connection.is_some() => {
                self.outbox.push(Packet::new("", Body::Disconnect).encode());
                self.heartbeat = Heartbeat::off();
                self.phase = Phase::Parting {
                    until: now + self.limits.close_timeout,
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
            Phase::Parting { until } if until <= now => self.end(),
            _ => {}
        }
        if self.heartbeat.is_missed(now) {
            self.over(Reason::HeartbeatTimeout);
        } else if self.heartbeat.beat(now) {
            self.send(Packet::new("", Body::Heartbeat).encode());
        }
        if let Some(connection) = &mut self.connection
            && connection.idle_until.is_some_and(|until| until <= now)
        {
            connection.idle_until = None;
            self.send(Packet::new("", Body::Noop).encode());
        }
    }

    fn lost(&mut self, now: Instant, id: ConnectionId, unsent: Vec<Text>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.outbox.put_back(unsent);
        if self.connection.is_some_and(|connection| connection.id == id) {
            self.disconnected(now);
        }
    }

    fn disconnected(&mut self, now: Instant) {
        self.connection = None;
        self.heartbeat = Heartbeat::off();
        if let Phase::Live { until } = &mut self.phase {
            *until = Some(now + self.limits.close_timeout);
        }
    }

    fn over(&mut self, reason: Reason) {
        self.outputs.push_back(Output::Closed(reason));
        self.end();
    }

    fn end(&mut self) {
        self.phase = Phase::Ended;
        self.connection = None;
        self.outbox.clear();
        self.heartbeat = Heartbeat::off();
        self.outputs.push_back(Output::Ended);
    }
}
