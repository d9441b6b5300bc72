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
pub(super) const SECTION_LIMIT: usize = 8 * 1024 * 1024;

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
    /// The words of it that a step has taken: they are due once.
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
        self.sections.iter().find(|section| section.index == *index && section.conn == *conn)
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
    /// And whether the first boundary has come.
    Multipart(multipart::Stream, bool),
    WebSocket(Assembler),
    /// And as much of the challenge's answer as has come.
    Hixie(hixie::Deframer, Vec<u8>),
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
                let content_type = head
                    .as_ref()
                    .and_then(|head| head.header("content-type"))
                    .unwrap_or_default();
                multipart::Stream::new(&content_type).map_or(Parser::None, |stream| Parser::Multipart(stream, false))
            }
            Framing::WebSocket => Parser::WebSocket(Assembler::default()),
            Framing::Hixie => Parser::Hixie(hixie::Deframer::new(), Vec::new()),
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
            Ok(packets) => self
                .units
                .extend(packets.into_iter().enumerate().map(|(slot, packet)| Unit {
                    kind: UnitKind::Packet(packet),
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
            let kinds = if self.framing == Framing::WebSocket {
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

/// The packets of one item of a stream: a reopened stream may carry its backlog as a framed payload.
fn unpacked(kind: UnitKind) -> Vec<UnitKind> {
    match kind {
        UnitKind::Packet(text) if text.starts_with('\u{fffd}') => match payload::split(&text) {
            Ok(packets) => packets.into_iter().map(UnitKind::Packet).collect(),
            Err(error) => vec![UnitKind::Bad(error.to_string())],
        },
        kind => vec![kind],
    }
}

/// Length of the answer to a hixie-76 challenge.
const DIGEST: usize = 16;

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
            Parser::Multipart(stream, begun) => {
                stream.push(new);
                if !*begun && let Some(end) = all.iter().position(|byte| *byte == b'\n') {
                    *begun = true;
                    let delimiter = String::from_utf8_lossy(&all[..=end]).into_owned();
                    found.push((UnitKind::Prelude(delimiter), end + 1));
                }
                pull(&mut found, || {
                    Ok(stream.next()?.map(|text| (UnitKind::Packet(text), stream.consumed())))
                })
            }
            Parser::Hixie(deframer, digest) => {
                let due = DIGEST.saturating_sub(digest.len()).min(new.len());
                digest.extend_from_slice(&new[..due]);
                if due > 0
                    && let Ok(digest) = <[u8; DIGEST]>::try_from(digest.as_slice())
                {
                    found.push((UnitKind::Digest(digest), DIGEST));
                }
                deframer.push(&new[due..]);
                pull(&mut found, || {
                    let Some(frame) = deframer.next()? else { return Ok(None) };
                    let kind = match frame {
                        hixie::Frame::Text(text) => UnitKind::Packet(text),
                        hixie::Frame::Close => UnitKind::Close(None, String::new()),
                    };
                    Ok(Some((kind, DIGEST + deframer.consumed())))
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
                            format!(
                                "a text message is not UTF-8 at byte {}",
                                error.utf8_error().valid_up_to()
                            )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::websocket::server_frame;

    fn section(framing: Framing, content_type: &str) -> Section {
        let conn = ConnId {
            client: "a".to_owned(),
            part: "main".to_owned(),
            ordinal: 0,
        };
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        let head = ResponseHead {
            status: 200,
            reason: "OK".to_owned(),
            headers,
        };
        Section::new(conn, 0, "GET /".to_owned(), Some(head), framing)
    }

    fn kinds(section: &Section) -> Vec<UnitKind> {
        section.units.iter().map(|unit| unit.kind.clone()).collect()
    }

    fn packet(text: &str) -> UnitKind {
        UnitKind::Packet(text.to_owned())
    }

    /// Every way to cut the bytes in two gives the same units, and their ranges cover the bytes without gaps.
    fn wherever_it_is_cut(framing: Framing, content_type: &str, bytes: &[u8], expected: &[UnitKind]) {
        for cut in 0..=bytes.len() {
            let mut section = section(framing, content_type);
            section.push(&bytes[..cut]);
            section.push(&bytes[cut..]);
            section.end();
            assert_eq!(kinds(&section), expected, "cut at {cut}");
            assert_eq!(section.units.back().map(|unit| unit.range.end), Some(bytes.len()));
        }
    }

    #[test]
    fn a_payload_gives_its_packets_when_it_is_whole() {
        let bytes = "\u{fffd}4\u{fffd}3:::\u{fffd}5\u{fffd}3:::b".as_bytes();
        wherever_it_is_cut(
            Framing::Payload,
            "text/plain",
            bytes,
            &[packet("3:::"), packet("3:::b")],
        );
    }

    #[test]
    fn a_ping_may_stand_within_a_message() {
        let mut first = server_frame(Opcode::Text, b"3:::");
        first[0] &= 0x7f;
        let bytes = [
            first,
            server_frame(Opcode::Ping, b"x"),
            server_frame(Opcode::Continuation, b"hi"),
        ]
        .concat();
        let expected = [UnitKind::Ping(b"x".to_vec()), packet("3:::hi")];
        wherever_it_is_cut(Framing::WebSocket, "", &bytes, &expected);
    }

    #[test]
    fn the_answer_to_a_hixie_challenge_comes_before_its_frames() {
        let bytes = [b"0123456789abcdef".as_slice(), b"\x001::\xff\xff\x00"].concat();
        let digest = UnitKind::Digest(*b"0123456789abcdef");
        wherever_it_is_cut(
            Framing::Hixie,
            "",
            &bytes,
            &[digest, packet("1::"), UnitKind::Close(None, String::new())],
        );
    }

    #[test]
    fn a_multipart_stream_begins_with_its_boundary() {
        let bytes = b"--socketio\nContent-Type: text/plain\n\n1::\n--socketio\n";
        let expected = [UnitKind::Prelude("--socketio\n".to_owned()), packet("1::")];
        wherever_it_is_cut(
            Framing::Multipart,
            "multipart/x-mixed-replace;boundary=\"socketio\"",
            bytes,
            &expected,
        );
    }

    #[test]
    fn nothing_is_read_after_broken_framing() {
        let mut section = section(Framing::WebSocket, "");
        section.push(&[0xc1, 0]);
        section.push(&server_frame(Opcode::Text, b"1::"));
        assert!(matches!(kinds(&section).as_slice(), [UnitKind::Bad(_)]));
    }

    #[test]
    fn taking_bytes_takes_the_packets_in_them() {
        let mut section = section(Framing::WebSocket, "");
        let first = server_frame(Opcode::Text, b"1::");
        section.push(&first);
        section.push(&server_frame(Opcode::Text, b"2::"));
        assert_eq!(section.take_bytes(first.len()), 0..first.len());
        assert_eq!(kinds(&section), [packet("2::")]);
    }
}
