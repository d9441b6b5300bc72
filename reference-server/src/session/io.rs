//! What goes into a session and what comes out.

use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Message, Text};

/// Which rules a session follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Generation {
    /// Revision 1, Socket.IO 0.7 to 0.9: a session outlives its connections, and a newer connection takes over.
    Rev1,
    /// Engine.IO 3: a session ends with the connection that carries it, and may be upgraded once. The client beats.
    Eio3,
    /// Engine.IO 4: the same, and the server beats.
    Eio4,
}

/// The times and bounds of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// rev1: how long a handshake waits for its first connection.
    pub(crate) handshake_timeout: Duration,
    /// How often the server beats, or with eio3 the client; `None` for never.
    pub(crate) heartbeat_interval: Option<Duration>,
    /// How long the client has to answer a beat, or with eio3 may be late with its own.
    pub(crate) heartbeat_timeout: Duration,
    /// How long the session's last words wait to be fetched; rev1: how long the session outlives its connection.
    pub(crate) close_timeout: Duration,
    /// rev1: how long an idle poll is held.
    pub(crate) polling_duration: Duration,
    /// eio4: how long a client may be in no namespace after the handshake; `None` for ever.
    pub(crate) connect_timeout: Option<Duration>,
    /// Engine.IO: how long an upgrade may take.
    pub(crate) upgrade_timeout: Duration,
    /// How many bytes may wait for delivery; a client that lags further behind is disconnected.
    pub(crate) backlog: usize,
}

/// One connection of a session, in the order they were opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ConnectionId(pub(super) u64);

/// How a connection delivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delivery {
    /// Once: whatever is there when there is something.
    Poll,
    /// On and on.
    Stream,
}

/// Why a session does not take a connection or a POST.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// It has ended.
    Ended,
    /// Engine.IO: another transport carries it, or is about to.
    OtherTransport,
    /// Engine.IO: there is one of the kind already, and two are a reason to end the session.
    Overlap,
}

/// An encoded packet: the message that is it, and the binary messages that belong behind it.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) head: Message,
    pub(crate) attachments: Vec<Bytes>,
}

/// What happens to a session.
#[derive(Debug)]
pub(crate) enum Input {
    /// The connection is gone; these messages were taken for it and not written.
    Lost(ConnectionId, Vec<Message>),
    /// The client beats; with eio3, whatever it sends counts.
    Heartbeat,
    /// eio4: the client has joined a namespace.
    Joined,
    /// Engine.IO: the probe has come over the connection of an upgrade.
    Probe(ConnectionId),
    /// Engine.IO: the client says that the connection of an upgrade takes over.
    Upgrade(ConnectionId),
    /// Engine.IO: a POST is over.
    Posted,
    /// Somebody ends the session.
    Close(Reason),
    /// Time has passed.
    Timeout,
}

/// What the application must know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Output {
    /// rev1: the first connection is open.
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
    /// rev1: no connection came within the handshake timeout.
    HandshakeTimeout,
    /// The client did not answer a beat, or did not beat.
    HeartbeatTimeout,
    /// rev1: no connection came back within the close timeout.
    CloseTimeout,
    /// eio4: the client joined no namespace in time.
    ConnectTimeout,
    /// Engine.IO: the connection that carried it is gone.
    Lost,
    /// Engine.IO: the client broke the rules of the transport.
    Fault,
    /// The client did not read what it was sent.
    Backlog,
}

/// What a connection does after [`Session::take`](super::Session::take).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flow {
    /// Waits.
    Wait,
    /// Writes what it took, and goes on.
    Write,
    /// Writes what it took, and ends.
    Last,
    /// Ends: another connection took over, or an upgrade failed.
    Superseded,
    /// Ends: the session has.
    Gone,
}

impl Generation {
    pub(super) fn beat(self) -> Text {
        Text::from_static(match self {
            Generation::Rev1 => "2::",
            Generation::Eio3 | Generation::Eio4 => "2",
        })
    }

    pub(super) fn noop(self) -> Text {
        Text::from_static(match self {
            Generation::Rev1 => "8::",
            Generation::Eio3 | Generation::Eio4 => "6",
        })
    }
}

impl From<Message> for Encoded {
    fn from(head: Message) -> Self {
        Encoded {
            head,
            attachments: Vec::new(),
        }
    }
}

impl From<Text> for Encoded {
    fn from(text: Text) -> Self {
        Message::Text(text).into()
    }
}
