//! What a client has received: sections of bytes, and the packets they hold.
//!
//! Both views are kept, because a scenario chooses its altitude only when it looks: `<` takes a [`Unit`], `<<` takes bytes.
//! Taking one marks the other.

mod parser;

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ops::Range;

use tokio::time::Instant;

use self::parser::{Parser, unpacked};
use super::framing::engine::{Kind, Message};
use super::framing::jsonp::{self, Callee};
use super::framing::{eio3, eio4, payload};
use super::http::ResponseHead;
use super::protocol::parameter;
use super::tape::{ConnId, Framing, Place};

/// Largest section that is kept, in bytes. A server that streams without end runs into it.
pub(super) const SECTION_LIMIT: usize = 4 * 1024 * 1024;

/// Most packets of a section that wait to be taken.
pub(super) const UNITS_LIMIT: usize = 20_000;

/// What a client has received, by part.
#[derive(Debug, Default)]
pub struct Inbox {
    /// The parts that have connected.
    pub parts: BTreeMap<String, Part>,
}

/// What came on one part of a client, over all its connections.
#[derive(Debug, Default)]
pub struct Part {
    /// Responses and streams, in order.
    pub sections: Vec<Section>,
    /// How the newest connection ended.
    pub end: Option<(End, Instant)>,
    /// What went wrong below the packets: a malformed response, a poll that nobody answered.
    pub trouble: VecDeque<String>,
    /// Whether the server has ended the session here, with `0::` or `7:::…`.
    pub farewell: bool,
    /// The poll of the runner's that was answered with something else than 200: since Engine.IO 3, so ends a session.
    pub refused: Option<Refused>,
    /// The words of a farewell that a step has taken: they are due once.
    pub said: Vec<String>,
}

impl Inbox {
    /// The newest section of a connection.
    pub fn section(&mut self, conn: &ConnId) -> Option<&mut Section> {
        self.parts
            .get_mut(&conn.part)?
            .sections
            .iter_mut()
            .rev()
            .find(|section| section.conn == *conn)
    }
}

impl Part {
    /// The section of a connection with that number.
    #[must_use]
    pub fn find(&self, (conn, index): &(ConnId, usize)) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| section.index == *index && section.conn == *conn)
    }
}

/// A poll that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The connection.
    pub conn: ConnId,
    /// Which answer of it.
    pub section: usize,
    /// Its status.
    pub status: u16,
    /// Its head, for a reader.
    pub answer: String,
    /// When it came.
    pub at: Instant,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server closed it.
    Eof,
    /// The server reset it.
    Reset,
}

/// One response, or the stream of one connection.
#[derive(Debug)]
pub struct Section {
    /// The connection it came on.
    pub conn: ConnId,
    /// Which section of that connection it is.
    pub index: usize,
    /// What was asked, for messages: `GET /socket.io/1/`.
    pub request: String,
    /// The `Sec-WebSocket-Accept` that a 101 owes.
    pub accept: Option<String>,
    /// The response head; raw TCP has none.
    pub head: Option<ResponseHead>,
    /// When the head came.
    pub head_at: Instant,
    /// Whether a step has taken the head, or none needs to.
    pub head_taken: bool,
    /// Whether the runner asked for it by itself.
    pub managed: bool,
    /// How packets are held.
    pub framing: Framing,
    /// All bytes, HTTP chunking undone.
    pub data: Vec<u8>,
    /// How many of them were taken, from the start.
    pub taken: usize,
    /// Whether a step has taken the body as a whole.
    pub body_taken: bool,
    /// Whether no more bytes will come.
    pub ended: bool,
    /// Since when.
    pub ended_at: Option<Instant>,
    /// Packets that were not taken yet.
    pub units: VecDeque<Unit>,
    parser: Parser,
    parsed: usize,
    arrivals: Vec<(usize, Instant)>,
}

/// A packet, or a frame that is none.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What it is.
    pub kind: UnitKind,
    /// The bytes it came in.
    pub range: Range<usize>,
    /// Its number among the packets of those bytes.
    pub slot: usize,
    /// When it came.
    pub at: Instant,
}

/// See [`Unit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A packet.
    Packet(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A binary message that came as the text of a frame: that text, and its bytes (Engine.IO 3).
    Encoded(String, Vec<u8>),
    /// A WebSocket ping.
    Ping(Vec<u8>),
    /// A WebSocket pong.
    Pong(Vec<u8>),
    /// A close frame: its code, if it has one, and its reason.
    Close(Option<u16>, String),
    /// What a stream sends before its first packet.
    Prelude(String),
    /// hixie-76: the answer to the challenge.
    Digest([u8; 16]),
    /// Bytes that the framing forbids; nothing after them can be read.
    Bad(String),
}

impl From<Message> for UnitKind {
    fn from(message: Message) -> UnitKind {
        match message {
            Message::Text(text) => UnitKind::Packet(text),
            Message::Binary(bytes) => UnitKind::Binary(bytes),
        }
    }
}

impl UnitKind {
    /// A message of Engine.IO 3: the bytes of a binary one stand behind its type. Only messages have any.
    fn typed(message: Message) -> UnitKind {
        match message {
            Message::Text(text) => UnitKind::Packet(text),
            Message::Binary(bytes) => match eio3::binary(&bytes) {
                Ok((Kind::Message, data)) => UnitKind::Binary(data.to_vec()),
                Ok((kind, _)) => UnitKind::Bad(format!("a binary packet that is no message but a {}", kind.name())),
                Err(error) => UnitKind::Bad(format!("a binary packet without its type: {error}")),
            },
        }
    }
}

impl Section {
    /// An empty section.
    #[must_use]
    pub fn new(conn: ConnId, index: usize, request: String, head: Option<ResponseHead>, framing: Framing) -> Section {
        let parser = Parser::new(framing, head.as_ref());
        Section {
            conn,
            index,
            request,
            accept: None,
            head_taken: head.is_none(),
            head,
            head_at: Instant::now(),
            managed: false,
            framing,
            data: Vec::new(),
            taken: 0,
            body_taken: false,
            ended: false,
            ended_at: None,
            units: VecDeque::new(),
            parser,
            parsed: 0,
            arrivals: Vec::new(),
        }
    }

    /// Bytes came. Gives how many units that made, at the end of [`units`](Section::units).
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        self.data.extend_from_slice(bytes);
        self.arrivals.push((self.data.len(), Instant::now()));
        self.parse(bytes)
    }

    /// No more bytes will come. Gives how many units that made.
    pub fn end(&mut self) -> usize {
        if self.ended {
            return 0;
        }
        self.ended = true;
        self.ended_at = Some(Instant::now());
        if let Some(reason) = self.parser.ended().filter(|_| self.taken < self.data.len()) {
            self.units.push_back(Unit {
                kind: UnitKind::Bad(reason.to_owned()),
                range: self.parsed..self.data.len(),
                slot: 0,
                at: Instant::now(),
            });
            return 1;
        }
        if !matches!(self.parser, Parser::Whole) || self.data.is_empty() {
            return 0;
        }
        let texts = |packets: Vec<String>| packets.into_iter().map(UnitKind::Packet).collect::<Vec<_>>();
        let typed = |packets: Vec<Message>| packets.into_iter().map(UnitKind::typed).collect::<Vec<_>>();
        let packets = match (std::str::from_utf8(&self.data), self.framing) {
            (_, Framing::Records) => {
                eio4::split(&self.data).map(|packets| packets.into_iter().map(UnitKind::from).collect())
            }
            (_, Framing::Lengths) => eio3::split(&self.data).map(typed),
            (Err(error), _) => {
                return self.end_with(Err(format!("body is not UTF-8 at byte {}", error.valid_up_to())));
            }
            (Ok(body), Framing::Jsonp) => jsonp::unwrap_poll(Callee::Rev1, body)
                .and_then(|(_, body)| payload::split(&body))
                .map(texts),
            (Ok(body), Framing::LengthsJsonp) => match jsonp::unwrap_poll(Callee::Eio3, body) {
                // A client has one function, and the script of another's goes past it.
                Ok((index, _)) if parameter(&self.request, "j") != Some(index.to_string().as_str()) => {
                    return self.end_with(Err(format!(
                        "the answer calls ___eio[{index}], and was asked for another"
                    )));
                }
                called => called.and_then(|(_, body)| eio3::split_text(&body)).map(typed),
            },
            (Ok(body), _) => payload::split(body).map(texts),
        };
        self.end_with(packets.map_err(|error| error.to_string()))
    }

    /// Keeps what a whole body holds, or why nothing. Gives how many units that made.
    fn end_with(&mut self, packets: Result<Vec<UnitKind>, String>) -> usize {
        let at = Instant::now();
        let range = 0..self.data.len();
        let before = self.units.len();
        match packets {
            Ok(packets) => self
                .units
                .extend(packets.into_iter().enumerate().map(|(slot, kind)| Unit {
                    kind,
                    range: range.clone(),
                    slot,
                    at,
                })),
            Err(reason) => self.units.push_back(Unit {
                kind: UnitKind::Bad(reason),
                range,
                slot: 0,
                at,
            }),
        }
        self.units.len() - before
    }

    /// Whether it is an answer that refuses.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.status >= 400)
    }

    /// When the byte before `end` came.
    #[must_use]
    pub fn arrived(&self, end: usize) -> Instant {
        self.arrivals
            .iter()
            .find(|(upto, _)| *upto >= end)
            .map_or(self.head_at, |(_, at)| *at)
    }

    /// Takes a unit: the bytes up to its end count as taken once no packet of them is left.
    pub fn take_unit(&mut self, number: usize) -> Option<Unit> {
        let unit = self.units.remove(number)?;
        if !self.units.iter().any(|other| other.range.end == unit.range.end) {
            self.taken = self.taken.max(unit.range.end);
            self.body_taken |= self.ended && self.taken == self.data.len();
        }
        Some(unit)
    }

    /// Takes bytes: the units that end there are taken with them.
    pub fn take_bytes(&mut self, count: usize) -> Range<usize> {
        let range = self.taken..(self.taken + count).min(self.data.len());
        self.taken = range.end;
        self.body_taken |= self.ended && self.taken == self.data.len();
        self.units.retain(|unit| unit.range.end > range.end);
        range
    }

    /// The place of a range of this section's bytes.
    #[must_use]
    pub fn place(&self, range: Range<usize>, slot: usize) -> Place {
        Place {
            conn: self.conn.clone(),
            section: self.index,
            range,
            slot,
        }
    }

    fn parse(&mut self, bytes: &[u8]) -> usize {
        let mut from = self
            .units
            .back()
            .map_or(self.taken, |unit| unit.range.end)
            .max(self.parsed);
        let (found, broken) = self.parser.feed(&self.data, bytes);
        let (mut count, at) = (found.len() + usize::from(broken.is_some()), Instant::now());
        for (kind, end) in found {
            let kinds = if self.framing.is_websocket() || self.framing == Framing::WebTransport {
                vec![kind]
            } else {
                unpacked(kind)
            };
            count += kinds.len() - 1;
            for (slot, kind) in kinds.into_iter().enumerate() {
                self.units.push_back(Unit {
                    kind,
                    range: from..end,
                    slot,
                    at,
                });
            }
            from = end;
        }
        self.parsed = from;
        if let Some(reason) = broken {
            let range = from..self.data.len();
            self.units.push_back(Unit {
                kind: UnitKind::Bad(reason),
                range,
                slot: 0,
                at,
            });
            self.parser = Parser::None;
        }
        count
    }
}

#[cfg(test)]
mod tests;
