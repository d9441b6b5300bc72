//! Where in a packet's text the values stand that a later run has otherwise, and the text with holes in their places.

use std::ops::Range;

use crate::scenario::ast::{Atom, AtomKind, BaseType, Hole, HoleKind, HoleType, Span, Text};
use crate::scenario::json::{self, Value};

/// The data of a CONNECT, whichever way: `40{…}`, `40/custom,{…}`.
pub(super) fn connect(text: &str) -> Option<Value> {
    let rest = text.strip_prefix("40")?;
    let data = match rest.strip_prefix('/') {
        Some(rest) => rest.split_once(',')?.1,
        None => rest,
    };
    json::parse(data).ok()
}

/// Where the offset of an event stands, without its quotes: the last argument, a string, of an event without an ack id.
pub(super) fn offset(text: &str) -> Option<Range<usize>> {
    let rest = text.strip_prefix("42").or_else(|| {
        let (digits, rest) = text.strip_prefix("45")?.split_once('-')?;
        digits.bytes().all(|it| it.is_ascii_digit()).then_some(rest)
    })?;
    let rest = match rest.strip_prefix('/') {
        Some(rest) => rest.split_once(',')?.1,
        None => rest,
    };
    if !rest.starts_with('[') {
        return None;
    }
    let strings = strings(text);
    let [(first, _), .., (last, key)] = strings.as_slice() else {
        return None;
    };
    let is_last = text.get(last.end..)? == "\"]" && !key && last != first;
    is_last.then(|| last.clone())
}

/// The strings of the JSON in a text, without their quotes, and whether each is a key.
pub(super) fn strings(text: &str) -> Vec<(Range<usize>, bool)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let Some(mut at) = json_start(text) else {
        return found;
    };
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let start = at + 1;
        at = start;
        while at < bytes.len() && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        if at >= bytes.len() {
            break;
        }
        let behind = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
        found.push((start..at, behind == Some(&b':')));
        at += 1;
    }
    found
}

pub(super) fn json_start(text: &str) -> Option<usize> {
    text.find(['[', '{'])
}

/// The innermost object around an offset.
pub(super) fn enclosing(text: &str, at: usize) -> Option<Range<usize>> {
    let strings = strings(text);
    let in_string = |at: usize| strings.iter().any(|(range, _)| range.contains(&at));
    let mut open = Vec::new();
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if !in_string(offset) => open.push(offset),
            b'}' if !in_string(offset) => {
                let start = open.pop()?;
                if start < at && offset >= at {
                    return Some(start..offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Letters and digits with what ids hold besides, and not a word: with a digit.
pub(super) fn is_id(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:#/+=".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether what is beside it ends it: quotes, or what parts a URL.
pub(super) fn stands_alone(bytes: &[u8], range: Range<usize>) -> bool {
    let part = |byte: Option<&u8>| byte.is_none_or(|byte| b"\"/=&?#:".contains(byte));
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    let (before_quoted, behind) = (before == Some(&b'"'), bytes.get(range.end));
    match before_quoted {
        true => behind == Some(&b'"'),
        false => before.is_some() && part(before) && part(behind) && behind != Some(&b'"'),
    }
}

pub(super) fn quoted(range: &Range<usize>) -> Range<usize> {
    range.start - 1..range.end + 1
}

pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// `$name`, and with its type `$name(str)` or `$(str)`.
pub(super) fn hole(name: Option<String>, typed: bool) -> Hole {
    let kind = of_type(BaseType::Str, false).kind.filter(|_| typed);
    Hole { name, kind }
}

/// `$(str)`, and where it may be absent `$(str?)`.
pub(super) fn of_type(base: BaseType, optional: bool) -> Hole {
    let kind = HoleKind::Type(HoleType {
        base,
        range: None,
        optional,
    });
    Hole {
        name: None,
        kind: Some(kind),
    }
}

pub(super) fn build(text: &str, edits: &[(Range<usize>, Hole)]) -> Text {
    let span = Span::default();
    let mut atoms = Vec::new();
    let mut at = 0;
    let literal = |range: Range<usize>, atoms: &mut Vec<Atom>| {
        let bytes = text.as_bytes().get(range).unwrap_or_default();
        atoms.extend(bytes.iter().map(|byte| Atom {
            kind: AtomKind::Byte(*byte),
            span,
        }));
    };
    for (range, hole) in edits {
        literal(at..range.start, &mut atoms);
        atoms.push(Atom {
            kind: AtomKind::Hole(Box::new(hole.clone())),
            span,
        });
        at = range.end;
    }
    literal(at..text.len(), &mut atoms);
    Text {
        atoms: atoms.into(),
        span,
    }
}
