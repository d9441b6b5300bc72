//! Packets of protocol revision 1: `type:id[+]:endpoint[:data]` ("Messages / Encoding" in the protocol document).
//!
//! | type | data |
//! |---|---|
//! | 0 disconnect, 1 connect, 2 heartbeat, 8 noop | text: nothing, or the query of a connect |
//! | 3 message | text |
//! | 4 JSON message | JSON |
//! | 5 event | JSON: `name` and `args`; an absent `args` is an empty one |
//! | 6 ack | `id`, or `id+` and JSON; nothing behind the `+` is `[]` |
//! | 7 error | text: `reason+advice` |
//!
//! An absent data part and an empty one are the same.

use super::super::SpannedError;
use super::super::ast::{Atom, AtomKind, Span, Text};
use super::super::capture::Captures;
use super::super::json::{JsString, Value};
use super::super::json_pattern::{JsonPattern, Member, Node, NodeKind};
use super::super::pattern::Mismatch;
use super::super::pieces::{Extent, Piece, Step, byte_pieces, run};
use super::{find, span_of};

/// What each type is called; the index is the type.
const TYPES: [&str; 9] = [
    "disconnect",
    "connect",
    "heartbeat",
    "message",
    "JSON message",
    "event",
    "ack",
    "error",
    "noop",
];

const SHAPE: &str = "a packet is type:id:endpoint:data, for example 5:1+:/custom:{\"name\":\"n\",\"args\":[]}";

#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) kind: u8,
    pub(crate) kind_span: Span,
    /// `None` where the pattern is `$_`: any id, or none, with or without `+`.
    pub(crate) id: Option<Field>,
    pub(crate) plus: bool,
    pub(crate) endpoint: Field,
    pub(crate) data: Data,
    pub(crate) span: Span,
}

/// A part of a packet that is text.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) pieces: Vec<Piece<u8>>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Text(Field),
    Json(JsonPattern),
    /// The pattern always has `args`, unless it is a hole or ends in `...`.
    Event(JsonPattern),
    Ack {
        id: Field,
        data: Option<JsonPattern>,
    },
}

impl Pattern {
    pub(super) fn compile(text: &Text) -> Result<Pattern, SpannedError> {
        let atoms = &*text.atoms.written_out();
        let Some([first, second]) = colons(atoms) else {
            return Err(SpannedError::new(text.span, "no packet: fewer than two colons").help(SHAPE));
        };
        let kind_span = span_of(&atoms[..first], text.span);
        let kind = match &atoms[..first] {
            [
                Atom {
                    kind: AtomKind::Byte(digit @ b'0'..=b'8'),
                    ..
                },
            ] => digit - b'0',
            _ => {
                return Err(SpannedError::new(kind_span, "unknown packet type").help("the types are 0 to 8"));
            }
        };
        let third = find(atoms, second + 1, b':').unwrap_or(atoms.len());
        let (id, plus) = compile_id(&atoms[first + 1..second], atoms[second].span)?;
        let endpoint = Field::compile(&atoms[second + 1..third], atoms[second].span)?;
        let data = compile_data(kind, atoms.get(third + 1..).unwrap_or_default(), text.span)?;
        Ok(Pattern {
            kind,
            kind_span,
            id,
            plus,
            endpoint,
            data,
            span: text.span,
        })
    }

    pub(super) fn matches(&self, got: &str, captures: &mut Captures) -> Result<(), Mismatch> {
        let packet = Packet::parse(got).map_err(|error| Mismatch::new(self.span, error))?;
        if packet.kind != self.kind {
            let name = |kind: u8| TYPES.get(usize::from(kind)).unwrap_or(&"unknown");
            let (a, b) = (self.kind, packet.kind);
            let message = format!("expected type {a} ({}), got {b} ({})", name(a), name(b));
            return Err(Mismatch::at(self.kind_span, 0, message));
        }
        if let Some(id) = &self.id {
            if packet.id.is_empty() && !id.pieces.is_empty() {
                return Err(Mismatch::at(id.span, 2, "expected an id, got none"));
            }
            id.matches(packet.id, 2, captures)?;
            if self.plus != packet.plus {
                let message = if self.plus {
                    "expected `+` behind the id"
                } else {
                    "unexpected `+` behind the id"
                };
                return Err(Mismatch::at(id.span, 2 + packet.id.len(), message));
            }
        }
        self.endpoint
            .matches(packet.endpoint, got.len() - packet.tail, captures)?;
        self.data
            .matches(packet.data, got.len() - packet.data.len(), self.span, captures)
    }
}

impl Field {
    fn compile(atoms: &[Atom], place: Span) -> Result<Field, SpannedError> {
        Ok(Field {
            pieces: byte_pieces(atoms)?,
            span: span_of(atoms, place),
        })
    }

    /// `offset` is where the field begins in the packet.
    fn matches(&self, got: &str, offset: usize, captures: &mut Captures) -> Result<(), Mismatch> {
        match run(&self.pieces, got.as_bytes(), Extent::Whole, self.span, captures) {
            Step::Mismatch(mismatch) => Err(Mismatch {
                offset: mismatch.offset.map(|it| it + offset),
                ..mismatch
            }),
            Step::Matched(_) | Step::NeedMore => Ok(()),
        }
    }
}

impl Data {
    fn matches(&self, got: &str, offset: usize, place: Span, captures: &mut Captures) -> Result<(), Mismatch> {
        match self {
            Data::Text(field) => field.matches(got, offset, captures),
            Data::Json(pattern) => pattern.matches_text(got, offset, |_| (), captures),
            Data::Event(pattern) => {
                let whole = matches!(pattern.root.kind, NodeKind::Hole(_));
                let complete = |value: &mut Value| {
                    if !whole {
                        complete_event(value);
                    }
                };
                pattern.matches_text(got, offset, complete, captures)
            }
            Data::Ack { id, data } => {
                let (got_id, got_data) = match got.split_once('+') {
                    Some((id, data)) => (id, Some(if data.is_empty() { "[]" } else { data })),
                    None => (got, None),
                };
                if got_id.is_empty() || !got_id.bytes().all(|it| it.is_ascii_digit()) {
                    return Err(Mismatch::at(id.span, offset, "not a packet: the ack names no id"));
                }
                id.matches(got_id, offset, captures)?;
                let offset = offset + got_id.len() + 1;
                match (data, got_data) {
                    (None, None) => Ok(()),
                    (Some(pattern), Some(got)) => pattern.matches_text(got, offset, |_| (), captures),
                    (Some(_), None) => Err(Mismatch::new(place, "expected an ack with data (`+`), got one without")),
                    (None, Some(_)) => Err(Mismatch::new(place, "expected an ack without data, got one with `+`")),
                }
            }
        }
    }
}

/// A packet as it came.
pub(crate) struct Packet<'a> {
    pub(crate) kind: u8,
    pub(crate) id: &'a str,
    pub(crate) plus: bool,
    pub(crate) endpoint: &'a str,
    pub(crate) data: &'a str,
    /// Bytes from the endpoint's first to the packet's last.
    tail: usize,
}

impl Packet<'_> {
    pub(crate) fn parse(text: &str) -> Result<Packet<'_>, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(kind), Some(id), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("not a packet: fewer than two colons".to_owned());
        };
        let kind = match kind.as_bytes() {
            [digit @ b'0'..=b'8'] => digit - b'0',
            _ => return Err("not a packet: the type is none of 0 to 8".to_owned()),
        };
        let (id, plus) = id.strip_suffix('+').map_or((id, false), |id| (id, true));
        if !id.bytes().all(|it| it.is_ascii_digit()) || (plus && id.is_empty()) {
            return Err("not a packet: the id is no number".to_owned());
        }
        let (endpoint, data) = rest.split_once(':').unwrap_or((rest, ""));
        Ok(Packet {
            kind,
            id,
            plus,
            endpoint,
            data,
            tail: rest.len(),
        })
    }
}

/// Where the JSON of a packet to be sent begins.
pub(super) fn json_start(atoms: &[Atom]) -> Option<usize> {
    let [first, second] = colons(atoms)?;
    let third = find(atoms, second + 1, b':')?;
    match atoms[..first] {
        [
            Atom {
                kind: AtomKind::Byte(b'4' | b'5'),
                ..
            },
        ] => Some(third + 1),
        [
            Atom {
                kind: AtomKind::Byte(b'6'),
                ..
            },
        ] => find(atoms, third + 1, b'+').map(|plus| plus + 1),
        _ => None,
    }
}

fn colons(atoms: &[Atom]) -> Option<[usize; 2]> {
    let first = find(atoms, 0, b':')?;
    Some([first, find(atoms, first + 1, b':')?])
}

fn compile_id(atoms: &[Atom], place: Span) -> Result<(Option<Field>, bool), SpannedError> {
    let (id, plus) = match atoms {
        [
            id @ ..,
            Atom {
                kind: AtomKind::Byte(b'+'),
                ..
            },
        ] => (id, true),
        id => (id, false),
    };
    let span = span_of(atoms, place);
    if let (
        [
            Atom {
                kind: AtomKind::Hole(hole),
                ..
            },
        ],
        false,
    ) = (id, plus)
        && hole.name.is_none()
        && hole.kind.is_none()
    {
        return Ok((None, false));
    }
    let digits = |atom: &Atom| matches!(atom.kind, AtomKind::Hole(_) | AtomKind::Byte(b'0'..=b'9'));
    if !id.iter().all(digits) || (plus && id.is_empty()) {
        let error = SpannedError::new(span, "the id is neither a number nor a hole");
        return Err(error.help("the id is a number, with `+` behind it where the ack carries data; or nothing"));
    }
    Ok((
        Some(Field {
            span,
            ..Field::compile(id, place)?
        }),
        plus,
    ))
}

/// `$_`
fn is_wildcard(atom: &Atom) -> bool {
    matches!(&atom.kind, AtomKind::Hole(hole) if hole.name.is_none() && hole.kind.is_none())
}

fn compile_data(kind: u8, atoms: &[Atom], end: Span) -> Result<Data, SpannedError> {
    let place = Span {
        start: end.end,
        end: end.end,
    };
    let json = |atoms: &[Atom]| {
        JsonPattern::parse(atoms, end).map_err(|error| SpannedError {
            message: format!("malformed JSON: {}", error.message),
            ..error
        })
    };
    Ok(match kind {
        4 => Data::Json(json(atoms)?),
        5 => Data::Event(event(json(atoms)?)?),
        6 if matches!(atoms, [atom] if is_wildcard(atom)) => Data::Text(Field::compile(atoms, place)?),
        6 => {
            let plus = find(atoms, 0, b'+');
            let id = Field::compile(&atoms[..plus.unwrap_or(atoms.len())], place)?;
            if id.pieces.is_empty() {
                return Err(
                    SpannedError::new(place, "an ack names the id it acknowledges").help("write 6:::1 or 6:::1+[]")
                );
            }
            let data = plus.map(|plus| match &atoms[plus + 1..] {
                [] => Ok(JsonPattern {
                    root: Node {
                        kind: empty_array(),
                        span: atoms[plus].span,
                    },
                }),
                data => json(data),
            });
            Data::Ack {
                id,
                data: data.transpose()?,
            }
        }
        _ => Data::Text(Field::compile(atoms, place)?),
    })
}

/// Says what an event has to have, and adds the `args` that it leaves out.
fn event(mut pattern: JsonPattern) -> Result<JsonPattern, SpannedError> {
    let span = pattern.root.span;
    match &mut pattern.root.kind {
        NodeKind::Hole(_) => {}
        NodeKind::Object { members, open } => {
            if !*open && !members.iter().any(|it| it.key == key("name")) {
                return Err(SpannedError::new(span, "an event has a name").help("write {\"name\":\"…\",\"args\":[…]}"));
            }
            if !*open && !members.iter().any(|it| it.key == key("args")) {
                let value = Node {
                    kind: empty_array(),
                    span,
                };
                members.push(Member {
                    key: key("args"),
                    key_span: span,
                    value,
                });
            }
        }
        _ => return Err(SpannedError::new(span, "an event is an object").help("write {\"name\":\"…\",\"args\":[…]}")),
    }
    Ok(pattern)
}

pub(crate) fn complete_event(value: &mut Value) {
    if let Value::Object(members) = value
        && !members.iter().any(|(name, _)| *name == key("args"))
    {
        members.push((key("args"), Value::Array(Vec::new())));
    }
}

fn key(name: &str) -> JsString {
    JsString::from(name)
}

fn empty_array() -> NodeKind {
    NodeKind::Array {
        items: Vec::new(),
        open: false,
    }
}

#[cfg(test)]
mod tests;
