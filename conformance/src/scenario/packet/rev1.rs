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
use super::super::json::{self, JsString, Value};
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
        let atoms = text.atoms.as_slice();
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
            Data::Json(pattern) => {
                let value = parse_json(got, offset, pattern.span())?;
                pattern.matches(&value, captures).map_err(|it| Mismatch {
                    offset: Some(offset),
                    ..it
                })
            }
            Data::Event(pattern) => {
                let mut value = parse_json(got, offset, pattern.span())?;
                if !matches!(pattern.root.kind, NodeKind::Hole(_)) {
                    complete_event(&mut value);
                }
                pattern.matches(&value, captures).map_err(|it| Mismatch {
                    offset: Some(offset),
                    ..it
                })
            }
            Data::Ack { id, data } => {
                let (got_id, got_data) = match got.split_once('+') {
                    Some((id, data)) => (id, Some(if data.is_empty() { "[]" } else { data })),
                    None => (got, None),
                };
                id.matches(got_id, offset, captures)?;
                let offset = offset + got_id.len() + 1;
                match (data, got_data) {
                    (None, None) => Ok(()),
                    (Some(pattern), Some(got)) => {
                        let value = parse_json(got, offset, pattern.span())?;
                        pattern.matches(&value, captures).map_err(|it| Mismatch {
                            offset: Some(offset),
                            ..it
                        })
                    }
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
    {
        if hole.name.is_none() && hole.kind.is_none() {
            return Ok((None, false));
        }
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
    if let Value::Object(members) = value {
        if !members.iter().any(|(name, _)| *name == key("args")) {
            members.push((key("args"), Value::Array(Vec::new())));
        }
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

fn parse_json(got: &str, offset: usize, place: Span) -> Result<Value, Mismatch> {
    json::parse(got).map_err(|error| {
        Mismatch::at(
            place,
            offset + error.offset,
            format!("the data is not JSON: {}", error.message),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::{Generation, text};
    use super::super::PacketPattern;
    use super::*;
    use rstest::rstest;

    fn compile(source: &str) -> Result<PacketPattern, SpannedError> {
        let mut problems = Vec::new();
        let text = text::parse(
            source,
            Span {
                start: 0,
                end: source.len(),
            },
            &mut problems,
        );
        assert_eq!(problems, []);
        PacketPattern::compile(Generation::Rev1, &text)
    }

    #[rstest]
    #[case("2::", "2:::")]
    #[case("1::", "1::")]
    #[case("1:::", "1::")]
    #[case("0::/x", "0::/x:")]
    #[case("1::/custom:?x=1", "1::/custom:?x=1")]
    #[case("3:::", "3::")]
    #[case("3:::hi: there", "3:::hi: there")]
    #[case("3:::$_", "3::")]
    #[case("3:1+::$x", "3:1+::a\nb")]
    #[case("4:::{\"a\":1,\"b\":[]}", "4:::{ \"b\": [], \"a\": 1.0 }")]
    #[case("4:::$(obj)", "4:::{}")]
    #[case("5:::{\"name\":\"news\"}", "5:::{\"args\":[],\"name\":\"news\"}")]
    #[case("5:::{\"name\":\"news\",\"args\":[]}", "5:::{\"name\":\"news\"}")]
    #[case("5:::{\"name\":\"news\",...}", "5:::{\"name\":\"news\",\"args\":[1]}")]
    #[case("5:$_::$_", "5:1+::{\"name\":\"q\"}")]
    #[case("5:$_::$_", "5:::{\"name\":\"q\"}")]
    #[case("5:$id+:/x:$_", "5:12+:/x:{\"name\":\"q\"}")]
    #[case("6:::1", "6:::1")]
    #[case("6:::1+", "6:::1+[]")]
    #[case("6:::1+[]", "6:::1+")]
    #[case("6:::$id(int)+$(list)", "6:::17+[1]")]
    #[case("6::/custom:1+[\"a\"]", "6::/custom:1+[\"a\"]")]
    #[case("7:::1+0", "7:::1+0")]
    #[case("7::/forbidden:2", "7::/forbidden:2")]
    #[case("8::$_", "8::")]
    fn fits(#[case] pattern: &str, #[case] got: &str) {
        compile(pattern).unwrap().matches(got, &mut Captures::new()).unwrap();
    }

    #[rstest]
    #[case("2::", "8::", "expected type 2 (heartbeat), got 8 (noop)")]
    #[case("2::", "2", "not a packet: fewer than two colons")]
    #[case("2::", "9::", "not a packet: the type is none of 0 to 8")]
    #[case("2::", "2:x:", "not a packet: the id is no number")]
    #[case("2::", "2:1:", "1 byte too many: `1`")]
    #[case("3:1::a", "3:::a", "expected an id, got none")]
    #[case("3:$id::a", "3:::a", "expected an id, got none")]
    #[case("3:1::a", "3:1+::a", "unexpected `+` behind the id")]
    #[case("3:1+::a", "3:1::a", "expected `+` behind the id")]
    #[case("1::", "1::/x", "2 bytes too many: `/x`")]
    #[case("1::/x", "1::/y", "expected `x`, got `y`")]
    #[case("1::/x", "1::/x:?a", "2 bytes too many: `?a`")]
    #[case("3:::hi", "3:::ho", "expected `i`, got `o`")]
    #[case(
        "5:::{\"name\":\"a\"}",
        "5:::{\"name\":\"a\",\"args\":[1]}",
        "$.args: extra element 0: 1"
    )]
    #[case(
        "5:::{\"name\":\"a\",\"args\":[1]}",
        "5:::{\"name\":\"a\"}",
        "$.args: missing element 0"
    )]
    #[case("5:::{\"name\":\"a\"}", "5:::{\"name\":\"a\",\"x\":1}", "$: extra key \"x\": 1")]
    #[case(
        "5:::{\"name\":\"a\"}",
        "5:::{\"name\":",
        "the data is not JSON: ends where a value should stand"
    )]
    #[case("6:::1", "6:::1+", "expected an ack without data, got one with `+`")]
    #[case("6:::1+[]", "6:::1", "expected an ack with data (`+`), got one without")]
    #[case("6:::1", "6:::2", "expected `1`, got `2`")]
    #[case("6:::1+[1]", "6:::1+[2]", "$[0]: expected 1, got 2")]
    #[case("7:::1+0", "7:::1", "expected `+0`, got nothing more")]
    fn does_not_fit(#[case] pattern: &str, #[case] got: &str, #[case] message: &str) {
        let mismatch = compile(pattern)
            .unwrap()
            .matches(got, &mut Captures::new())
            .unwrap_err();
        assert_eq!(mismatch.to_string(), message);
    }

    #[rstest]
    #[case("hello", "no packet: fewer than two colons")]
    #[case("9:::x", "unknown packet type")]
    #[case("$t::", "unknown packet type")]
    #[case("3:x::", "the id is neither a number nor a hole")]
    #[case("3:+::", "the id is neither a number nor a hole")]
    #[case("4:::", "malformed JSON: ends where a value should stand")]
    #[case("5:::[1]", "an event is an object")]
    #[case("5:::{\"args\":[]}", "an event has a name")]
    #[case("6:::", "an ack names the id it acknowledges")]
    fn no_packet(#[case] pattern: &str, #[case] message: &str) {
        assert_eq!(compile(pattern).unwrap_err().message, message);
    }

    #[test]
    fn holes_bind_when_all_of_it_fits() {
        let mut captures = Captures::new();
        let pattern = compile("5:$id+:$nsp:{\"name\":\"q\",\"args\":[$x]}").unwrap();
        pattern
            .matches("5:3+:/c:{\"name\":\"q\",\"args\":[[1]]}", &mut captures)
            .unwrap();
        let bound: Vec<String> = captures.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(bound, ["id=\"3\"", "nsp=\"/c\"", "x=[1]"]);
        let mut captures = Captures::new();
        assert!(
            pattern
                .matches("5:3+:/c:{\"name\":\"q\",\"args\":[]}", &mut captures)
                .is_err()
        );
        assert_eq!(captures, Captures::new());
    }
}
