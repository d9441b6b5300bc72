//! The packets in bodies and frames, read with the harness's own codecs.

use std::time::Duration;

use crate::client::framing::engine::{Kind, Message};
use crate::client::framing::jsonp::{self, Callee};
use crate::client::framing::{eio3, eio4, hixie, payload};
use crate::client::http::ResponseHead;
use crate::client::protocol::{framing_of, transport_of};
use crate::client::tape::{ConnId, Framing};
use crate::client::{Section, UnitKind};
use crate::record::exchange::{Answer, Exchange, Frame, RAW, Side};
use crate::scenario::Generation;

/// Bytes in front of the first frame of a hixie-76 connection: the client's third key.
const KEY: usize = 8;

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the server.
    Up,
    /// To the client.
    Down,
}

/// A packet, or a frame that is none, with the moment at which it was whole.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) at: Duration,
    pub(super) way: Way,
    pub(super) kind: UnitKind,
}

/// What the answer to a request holds, by the framing that its target names.
pub(super) fn answer(generation: Generation, exchange: &Exchange) -> Vec<Piece> {
    let Some(answer) = &exchange.answer else {
        return Vec::new();
    };
    let framing = framing_of(generation, &exchange.target);
    let mut section = section(framing, exchange, answer);
    let (mut found, mut from) = (Vec::new(), 0);
    let mut take = |section: &mut Section, at: Duration| {
        let units = std::mem::take(&mut section.units);
        found.extend(units.into_iter().map(|unit| Piece {
            at,
            way: Way::Down,
            kind: unit.kind,
        }));
    };
    let mut last = answer.at;
    for (at, end) in &answer.pieces {
        section.push(answer.body.get(from..*end).unwrap_or_default());
        (from, last) = (*end, *at);
        take(&mut section, *at);
    }
    if exchange.ended.is_some() || framing.is_body() {
        section.end();
        take(&mut section, last);
    }
    found.retain(|piece| !matches!(piece.kind, UnitKind::Prelude(_) | UnitKind::Digest(_)));
    found
}

/// What the body of a POST holds.
///
/// # Errors
///
/// It is no payload of its transport.
pub(super) fn request(generation: Generation, exchange: &Exchange) -> Result<Vec<Message>, String> {
    let body = &exchange.body;
    let text = || std::str::from_utf8(body).map_err(|_| "a body that is not UTF-8".to_owned());
    let transport = transport_of(generation, &exchange.target);
    let packets = match (generation, transport) {
        (Generation::Eio4, _) => eio4::split(body),
        (Generation::Eio3, "jsonp") => {
            jsonp::parse_post(Callee::Eio3, text()?).and_then(|payload| eio3::split_text(&payload))
        }
        (Generation::Eio3, _) => eio3::split(body),
        (Generation::Rev1, transport) => {
            let payload = match transport {
                "jsonp-polling" => jsonp::parse_post(Callee::Rev1, text()?),
                _ => Ok(text()?.to_owned()),
            };
            let packets = payload.and_then(|payload| payload::split(&payload));
            packets.map(|packets| packets.into_iter().map(Message::Text).collect())
        }
    };
    let packets = packets.map_err(|error| format!("a POST that is no payload: {error}"))?;
    packets.into_iter().map(|packet| untyped(generation, packet)).collect()
}

/// A binary message without the byte of its type, which Engine.IO 3 has.
fn untyped(generation: Generation, packet: Message) -> Result<Message, String> {
    match (generation, packet) {
        (Generation::Eio3, Message::Binary(bytes)) => match eio3::binary(&bytes) {
            Ok((Kind::Message, data)) => Ok(Message::Binary(data.to_vec())),
            _ => Err("a binary packet that is no message".to_owned()),
        },
        (_, packet) => Ok(packet),
    }
}

/// The messages and close frames of a WebSocket, both ways, in order. Pings and pongs are no news.
///
/// # Errors
///
/// Frames that break the rules, or that were longer than what is kept.
pub(super) fn frames(generation: Generation, exchange: &Exchange) -> Result<Vec<Piece>, String> {
    if exchange.frames.iter().any(|frame| frame.opcode == RAW) {
        return old_frames(exchange);
    }
    let mut found = Vec::new();
    let (mut up, mut down) = (None, None);
    for frame in &exchange.frames {
        let (way, open) = match frame.from_page {
            true => (Way::Up, &mut up),
            false => (Way::Down, &mut down),
        };
        if frame.length > frame.payload.len() as u64 {
            return Err(format!("a frame of {} bytes, which was not kept whole", frame.length));
        }
        let (opcode, bytes) = match (frame.opcode, open.take()) {
            (9 | 10, message) => {
                *open = message;
                continue;
            }
            (8, _) => (8, frame.payload.clone()),
            (0, Some((opcode, bytes))) => (opcode, [bytes, frame.payload.clone()].concat()),
            (opcode @ (1 | 2), None) => (opcode, frame.payload.clone()),
            (opcode, _) => return Err(format!("a frame out of order, with the opcode {opcode}")),
        };
        if !frame.fin {
            *open = Some((opcode, bytes));
            continue;
        }
        let kind = match opcode {
            8 => close(&bytes),
            1 => {
                let text = String::from_utf8(bytes).map_err(|_| "a text frame that is not UTF-8".to_owned())?;
                UnitKind::Packet(text)
            }
            _ => UnitKind::Binary(bytes),
        };
        let kind = match generation {
            Generation::Eio3 => typed(kind)?,
            _ => kind,
        };
        found.push(Piece {
            at: frame.at,
            way,
            kind,
        });
    }
    Ok(sent_before_the_end(found))
}

/// What was said while the client was there: a server may still say goodbye to one that is gone.
pub(super) fn heard(exchange: &Exchange, pieces: Vec<Piece>) -> impl Iterator<Item = Piece> {
    let gone = match exchange.left {
        Some((Side::Page, at)) => at,
        _ => Duration::MAX,
    };
    pieces
        .into_iter()
        .filter(move |piece| piece.way == Way::Up || piece.at <= gone)
}

/// A client sends nothing to a server that has said goodbye: what came whole after that had begun before, as a message does
/// that is over the limit.
fn sent_before_the_end(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let is_end = |piece: &Piece| piece.way == Way::Down && matches!(piece.kind, UnitKind::Close(..));
    if let Some(end) = pieces.iter().position(is_end) {
        let at = pieces[end].at;
        let is_late = |piece: &Piece| piece.way == Way::Up && !matches!(piece.kind, UnitKind::Close(..));
        let (late, rest): (Vec<Piece>, Vec<Piece>) = pieces.split_off(end).into_iter().partition(is_late);
        pieces.extend(late.into_iter().map(|piece| Piece { at, ..piece }));
        pieces.extend(rest);
    }
    pieces
}

/// Engine.IO 3: bytes stand behind their type, or as base64 in a text.
fn typed(kind: UnitKind) -> Result<UnitKind, String> {
    let message = match kind {
        UnitKind::Binary(bytes) => Message::Binary(bytes),
        UnitKind::Packet(text) if text.starts_with('b') => eio3::text(&text).map_err(|error| error.to_string())?,
        other => return Ok(other),
    };
    untyped(Generation::Eio3, message).map(UnitKind::from)
}

fn close(payload: &[u8]) -> UnitKind {
    match payload {
        [high, low, reason @ ..] => UnitKind::Close(
            Some(u16::from_be_bytes([*high, *low])),
            String::from_utf8_lossy(reason).into_owned(),
        ),
        _ => UnitKind::Close(None, String::new()),
    }
}

/// Frames from before RFC 6455, behind the bytes of the challenge.
fn old_frames(exchange: &Exchange) -> Result<Vec<Piece>, String> {
    let challenged = exchange.headers.iter().any(|(name, _)| name == "sec-websocket-key1");
    let mut found = Vec::new();
    let mut up = hixie::Deframer::new();
    let mut key = if challenged { KEY } else { 0 };
    let mut digest = if challenged { 2 * KEY } else { 0 };
    let mut down = hixie::Deframer::new();
    for frame in &exchange.frames {
        let (way, stream, skipped) = match frame.from_page {
            true => (Way::Up, &mut up, &mut key),
            false => (Way::Down, &mut down, &mut digest),
        };
        whole(frame)?;
        let skip = (*skipped).min(frame.payload.len());
        *skipped -= skip;
        stream.push(&frame.payload[skip..]);
        while let Some(next) = stream.next().map_err(|error| error.to_string())? {
            let kind = match next {
                hixie::Frame::Text(text) => UnitKind::Packet(text),
                hixie::Frame::Close => UnitKind::Close(None, String::new()),
            };
            found.push(Piece {
                at: frame.at,
                way,
                kind,
            });
        }
    }
    Ok(found)
}

fn whole(frame: &Frame) -> Result<(), String> {
    match frame.length > frame.payload.len() as u64 {
        true => Err(format!("{} bytes of a stream, which were not kept whole", frame.length)),
        false => Ok(()),
    }
}

/// What a request brought that the record does not hold whole.
pub(super) fn cut(exchange: &Exchange) -> Option<String> {
    let request = exchange.body_length > exchange.body.len() as u64;
    let answer = exchange.answer.as_ref();
    let answer = answer.filter(|answer| answer.body_length > answer.body.len() as u64);
    let what = format!("{} {}", exchange.method, exchange.target);
    match (request, answer) {
        (true, _) => Some(format!(
            "the body of {what}, {} bytes, which was not kept whole",
            exchange.body_length
        )),
        (_, Some(answer)) => Some(format!(
            "the answer to {what}, {} bytes, which was not kept whole",
            answer.body_length
        )),
        _ if exchange.from_page + exchange.from_server > exchange.frames.len() as u64 => {
            Some(format!("frames of {what}, which were too many to keep"))
        }
        _ => None,
    }
}

fn section(framing: Framing, exchange: &Exchange, answer: &Answer) -> Section {
    let conn = ConnId {
        client: String::new(),
        part: String::new(),
        ordinal: 0,
    };
    let head = ResponseHead {
        status: answer.status,
        reason: String::new(),
        old: false,
        headers: answer.headers.clone(),
    };
    let request = format!("{} {}", exchange.method, exchange.target);
    Section::new(conn, 0, request, Some(head), framing)
}
