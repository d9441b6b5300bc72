//! What went by, as it is kept.

use std::time::Duration;

use super::treat::Treatment;

/// The opcode of a [`Frame`] that is none: bytes of a stream whose framing is not read (hixie-76), as they came.
pub const RAW: u8 = 0xff;

/// A request, its answer, and what came behind it on the same connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// From 1, in the order in which the requests came.
    pub number: usize,
    /// When the request came, since the proxy's start.
    pub at: Duration,
    /// The method; `UDP` for a flow of datagrams.
    pub method: String,
    /// Path and query, as the page's client sent them.
    pub target: String,
    /// The transport, where the target names one.
    pub transport: Option<String>,
    /// The session id that the target names.
    pub sid: Option<String>,
    /// As the page's client sent them; names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most [`BODY_CAP`](super::BODY_CAP) bytes of the body.
    pub body: Vec<u8>,
    /// Bytes of the body that passed. For a flow, bytes of the page's datagrams.
    pub body_length: u64,
    /// `None` while there is none, and for a flow.
    pub answer: Option<Answer>,
    /// Of an upgraded connection, both ways.
    pub frames: Vec<Frame>,
    /// How many frames, or datagrams of a flow, the page's client sent; kept or not.
    pub from_page: u64,
    /// How many the server sent; kept or not.
    pub from_server: u64,
    /// When it was over, whoever ended it.
    pub ended: Option<Duration>,
    /// Who ended the connection without an answer, or the upgraded connection, and when the proxy saw it; `None` where it is
    /// not known.
    pub left: Option<(Side, Duration)>,
    /// What went wrong with it by the proxy's doing; `None` where it was passed on.
    pub treatment: Option<Treatment>,
}

impl Exchange {
    /// Whether the connection became a WebSocket.
    pub(crate) fn is_switched(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status == 101)
    }
}

/// The answer to a request, as the page's client got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When its head came.
    pub at: Duration,
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most [`BODY_CAP`](super::BODY_CAP) bytes of the body; that of a stream grows.
    pub body: Vec<u8>,
    /// Bytes of the body so far.
    pub body_length: u64,
    /// When its pieces came: for each the moment, and how many bytes of `body` there were by then. What is one piece too
    /// many belongs to the last.
    pub pieces: Vec<(Duration, usize)>,
}

/// One end of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Page,
    /// The server.
    Server,
}

/// A frame of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When its last byte came.
    pub at: Duration,
    /// Whether the page's client sent it, rather than the server.
    pub from_page: bool,
    /// The four bits, or [`RAW`].
    pub opcode: u8,
    /// Whether the message ends with it.
    pub fin: bool,
    /// At most so many bytes of the payload as [`Caps`](super::Caps) says, unmasked. Shorter than `length` also where the connection ended within it.
    pub payload: Vec<u8>,
    /// Bytes of the payload, as the frame's head announces them.
    pub length: u64,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method; `UDP` for a flow of datagrams.
    pub method: String,
    /// Path and query.
    pub target: String,
}

/// A transport that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The transport.
    pub transport: String,
    /// The first session id that its requests named.
    pub sid: Option<String>,
}

impl Exchange {
    pub(super) fn count(&mut self, from_page: bool) {
        match from_page {
            true => self.from_page += 1,
            false => self.from_server += 1,
        }
    }
}
