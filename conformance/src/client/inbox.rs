//! What a client has received: sections of bytes, and the packets they hold.
//!
//! Both views are kept, because a scenario chooses its altitude only when it looks: `<` takes a [`Unit`], `<<` takes bytes.
//! Taking one marks the other.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ops::Range;

use tokio::time::Instant;

use super::framing::{FramingError, hixie, htmlfile, jsonp, multipart, payload};
use super::http::ResponseHead;
use super::tape::{ConnId, Framing, Place};
use super::websocket::{MESSAGE_LIMIT, Opcode, parse_frame};

/// Largest section that is kept, in bytes. A server that streams without end runs into it.
pub const SECTION_LIMIT: usize = 32 * 1024 * 1024;

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
}

impl Inbox {
    /// The newest section of a connection.
    pub fn section(&mut self, conn: &ConnId) -> Option<&mut Section> {
        self.parts.get_mut(&conn.part)?.sections.iter_mut().rev().find(|section| section.conn == *conn)
    }
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

#[derive(Debug)]
enum Parser {
    /// Bytes only, or the framing is broken.
    None,
    /// xhr-polling and jsonp-polling: at the end of the body.
    Whole,
    HtmlFile(htmlfile::Stream),
    Multipart(multipart::Stream),
    WebSocket(Assembler),
    Hixie(hixie::Stream),
}

impl Section {
    /// An empty section.
    #[must_use]
    pub fn new(conn: ConnId, index: usize, request: String, head: Option<ResponseHead>, framing: Framing) -> Section {
        let parser = match framing {
            Framing::Raw => Parser::None,
            Framing::Payload | Framing::Jsonp => Parser::Whole,
            Framing::HtmlFile => Parser::HtmlFile(htmlfile::Stream::default()),
            Framing::Multipart => {
                let content_type = head.as_ref().and_then(|head| head.header("content-type")).unwrap_or_default();
                Parser::Multipart(multipart::Stream::new(&content_type))
            }
            Framing::WebSocket => Parser::WebSocket(Assembler::default()),
            Framing::Hixie => Parser::Hixie(hixie::Stream::default()),
        };
        Section {
            conn,
            index,
            request,
            accept: None,
            head_taken: head.is_none(),
            head,
            head_at: Instant::now(),
            framing,
            data: Vec::new(),
            taken: 0,
            body_taken: false,
            ended: false,
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
        if !matches!(self.parser, Parser::Whole) || self.data.is_empty() {
            return 0;
        }
        let packets = match (std::str::from_utf8(&self.data), self.framing) {
            (Err(error), _) => Err(format!("body is not UTF-8 at byte {}", error.valid_up_to())),
            (Ok(body), Framing::Jsonp) => jsonp::unwrap_poll(body)
                .and_then(|(_, body)| payload::split(&body))
                .map_err(|error| error.to_string()),
            (Ok(body), _) => payload::split(body).map_err(|error| error.to_string()),
        };
        let at = Instant::now();
        let range = 0..self.data.len();
        let before = self.units.len();
        match packets {
            Ok(packets) => self.units.extend(packets.into_iter().enumerate().map(|(slot, packet)| Unit {
                kind: UnitKind::Packet(packet),
                range: range.clone(),
                slot,
                at,
            })),
            Err(reason) => self.units.push_back(Unit { kind: UnitKind::Bad(reason), range, slot: 0, at }),
        }
        self.units.len() - before
    }

    /// When the byte before `end` came.
    #[must_use]
    pub fn arrived(&self, end: usize) -> Instant {
        self.arrivals.iter().find(|(upto, _)| *upto >= end).map_or(self.head_at, |(_, at)| *at)
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
        Place { conn: self.conn.clone(), section: self.index, range, slot }
    }

    fn parse(&mut self, bytes: &[u8]) -> usize {
        let mut from = self.units.back().map_or(self.taken, |unit| unit.range.end).max(self.parsed);
        let (found, broken) = self.parser.feed(&self.data, bytes);
        let (count, at) = (found.len() + usize::from(broken.is_some()), Instant::now());
        for (kind, end) in found {
            self.units.push_back(Unit { kind, range: from..end, slot: 0, at });
            from = end;
        }
        self.parsed = from;
        if let Some(reason) = broken {
            let range = from..self.data.len();
            self.units.push_back(Unit { kind: UnitKind::Bad(reason), range, slot: 0, at });
            self.parser = Parser::None;
        }
        count
    }
}

/// Units with the offset after each, and the reason why nothing after them can be read.
type Found = (Vec<(UnitKind, usize)>, Option<String>);

impl Parser {
    fn feed(&mut self, all: &[u8], new: &[u8]) -> Found {
        let mut found = Vec::new();
        let result = match self {
            Parser::None | Parser::Whole => Ok(()),
            Parser::HtmlFile(stream) => {
                stream.push(new);
                pull(&mut found, || {
                    let Some(item) = stream.next()? else { return Ok(None) };
                    let kind = match item {
                        htmlfile::HtmlItem::Prelude(text) => UnitKind::Prelude(text),
                        htmlfile::HtmlItem::Packet(text) => UnitKind::Packet(text),
                    };
                    Ok(Some((kind, stream.consumed())))
                })
            }
            Parser::Multipart(stream) => {
                stream.push(new);
                pull(&mut found, || {
                    let Some(item) = stream.next()? else { return Ok(None) };
                    let kind = match item {
                        multipart::MultipartItem::Prelude(text) => UnitKind::Prelude(text),
                        multipart::MultipartItem::Packet(text) => UnitKind::Packet(text),
                    };
                    Ok(Some((kind, stream.consumed())))
                })
            }
            Parser::Hixie(stream) => {
                stream.push(new);
                pull(&mut found, || {
                    let Some(item) = stream.next()? else { return Ok(None) };
                    let kind = match item {
                        hixie::HixieItem::Digest(digest) => UnitKind::Digest(digest),
                        hixie::HixieItem::Frame(text) => UnitKind::Packet(text),
                        hixie::HixieItem::Close => UnitKind::Close(None, String::new()),
                    };
                    Ok(Some((kind, stream.consumed())))
                })
            }
            Parser::WebSocket(assembler) => loop {
                match assembler.next(all) {
                    Ok(Some(unit)) => found.push(unit),
                    Ok(None) => break Ok(()),
                    Err(reason) => break Err(reason),
                }
            },
        };
        (found, result.err())
    }
}

fn pull(
    found: &mut Vec<(UnitKind, usize)>,
    mut next: impl FnMut() -> Result<Option<(UnitKind, usize)>, FramingError>,
) -> Result<(), String> {
    loop {
        match next() {
            Ok(Some(unit)) => found.push(unit),
            Ok(None) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Puts WebSocket messages together from frames; control frames may come in between (RFC 6455, section 5.4).
#[derive(Debug, Default)]
struct Assembler {
    next: usize,
    message: Option<(Opcode, Vec<u8>)>,
}

impl Assembler {
    fn next(&mut self, all: &[u8]) -> Result<Option<(UnitKind, usize)>, String> {
        while let Some((frame, length)) = parse_frame(all.get(self.next..).unwrap_or_default())? {
            self.next += length;
            let kind = match (frame.opcode, self.message.take()) {
                (Opcode::Ping, message) => {
                    self.message = message;
                    UnitKind::Ping(frame.payload)
                }
                (Opcode::Pong, message) => {
                    self.message = message;
                    UnitKind::Pong(frame.payload)
                }
                (Opcode::Close, _) => close(&frame.payload)?,
                (Opcode::Continuation, None) => return Err("a continuation of no message".to_owned()),
                (Opcode::Text | Opcode::Binary, Some(_)) => return Err("a new message inside a message".to_owned()),
                (opcode, message) => {
                    let (opcode, mut bytes) = message.unwrap_or((opcode, Vec::new()));
                    bytes.extend_from_slice(&frame.payload);
                    if bytes.len() > MESSAGE_LIMIT {
                        return Err(format!("a message of more than {MESSAGE_LIMIT} bytes"));
                    }
                    if !frame.fin {
                        self.message = Some((opcode, bytes));
                        continue;
                    }
                    match opcode {
                        Opcode::Binary => UnitKind::Binary(bytes),
                        _ => UnitKind::Packet(String::from_utf8(bytes).map_err(|error| {
                            format!("a text message is not UTF-8 at byte {}", error.utf8_error().valid_up_to())
                        })?),
                    }
                }
            };
            return Ok(Some((kind, self.next)));
        }
        Ok(None)
    }
}

fn close(payload: &[u8]) -> Result<UnitKind, String> {
    match payload {
        [] => Ok(UnitKind::Close(None, String::new())),
        [_] => Err("a close frame with one byte".to_owned()),
        [high, low, reason @ ..] => {
            let reason = String::from_utf8(reason.to_vec()).map_err(|_| "a close reason is not UTF-8".to_owned())?;
            Ok(UnitKind::Close(Some(u16::from_be_bytes([*high, *low])), reason))
        }
    }
}
