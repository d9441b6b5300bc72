//! Packets: patterns for what is expected, rendering for what is sent.
//!
//! At packet altitude only the meaning counts: JSON is compared as JSON, and differences of spelling that carry no meaning
//! (a trailing colon, an absent `args`) are none.

pub(crate) mod eio;
pub(crate) mod rev1;

use super::ast::{Atom, AtomKind, Span, Text};
use super::capture::Captures;
use super::json::{self, JsString, Value};
use super::pattern::Mismatch;
use super::text::{Unbound, bound};
use super::{Generation, SpannedError};

/// What an expected packet looks like.
#[derive(Clone, Debug)]
pub struct PacketPattern {
    pub(crate) kind: PacketKind,
}

#[derive(Clone, Debug)]
pub(crate) enum PacketKind {
    Rev1(rev1::Pattern),
    Eio(eio::Pattern),
}

impl PacketPattern {
    /// Reads the text behind `<` by the grammar of the generation.
    ///
    /// # Errors
    ///
    /// The text is no packet of that generation.
    pub fn compile(generation: Generation, text: &Text) -> Result<PacketPattern, SpannedError> {
        let kind = match generation {
            Generation::Rev1 => PacketKind::Rev1(rev1::Pattern::compile(text)?),
            Generation::Eio3 | Generation::Eio4 => PacketKind::Eio(eio::Pattern::compile(text)?),
        };
        Ok(PacketPattern { kind })
    }

    /// Whether the packet has a part that is compared as JSON.
    #[must_use]
    pub fn carries_json(&self) -> bool {
        match &self.kind {
            PacketKind::Rev1(pattern) => match &pattern.data {
                rev1::Data::Json(_) | rev1::Data::Event(_) => true,
                rev1::Data::Ack { data, .. } => data.is_some(),
                rev1::Data::Text(_) => false,
            },
            PacketKind::Eio(pattern) => match pattern {
                eio::Pattern::Open { .. } => true,
                eio::Pattern::Socket(socket) => socket.data.is_some(),
                eio::Pattern::Text { .. } => false,
            },
        }
    }

    /// Compares a packet, without its framing, with the pattern, and binds the holes where it fits.
    ///
    /// # Errors
    ///
    /// It does not fit, or is no packet at all; nothing was bound.
    pub fn matches(&self, got: &str, captures: &mut Captures) -> Result<(), Mismatch> {
        let mut bound = captures.clone();
        match &self.kind {
            PacketKind::Rev1(pattern) => pattern.matches(got, &mut bound)?,
            PacketKind::Eio(pattern) => pattern.matches(got, &mut bound)?,
        }
        *captures = bound;
        Ok(())
    }
}

/// Why a packet cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A hole holds nothing.
    #[error(transparent)]
    Unbound(#[from] Unbound),
    /// The bytes are not UTF-8, and a packet is text.
    #[error("the packet is not UTF-8; send such bytes with `>>` or `>x`")]
    NotUtf8(Span),
}

impl RenderError {
    /// Where the fault stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            RenderError::Unbound(unbound) => unbound.span,
            RenderError::NotUtf8(span) => *span,
        }
    }
}

/// The packet to send. A hole becomes JSON where a JSON value stands, the escaped text of what it holds within a JSON
/// string, and its plain text anywhere else (ids, endpoints, text messages). Text that is no packet is sent as it stands.
///
/// # Errors
///
/// A hole holds nothing, or the packet is not UTF-8.
pub fn render_packet(generation: Generation, text: &Text, captures: &Captures) -> Result<String, RenderError> {
    let utf8 = |bytes| String::from_utf8(bytes).map_err(|_| RenderError::NotUtf8(text.span));
    if text.holes().next().is_none() {
        return utf8(text.literals().collect());
    }
    let atoms = text.atoms.written_out();
    let json_from = match generation {
        Generation::Rev1 => rev1::json_start(&atoms),
        Generation::Eio3 | Generation::Eio4 => eio::json_start(&atoms),
    };
    let json_from = json_from.unwrap_or(atoms.len());
    let mut bytes = Vec::with_capacity(atoms.len());
    let (mut quoted, mut escaped) = (false, false);
    for (i, atom) in atoms.iter().enumerate() {
        match &atom.kind {
            AtomKind::Byte(byte) => {
                if i >= json_from {
                    quoted ^= *byte == b'"' && !escaped;
                    escaped = quoted && *byte == b'\\' && !escaped;
                }
                bytes.push(*byte);
            }
            AtomKind::Hole(_) => {
                let value = bound(atom, captures)?;
                match (i >= json_from, quoted, value) {
                    (false, ..) => bytes.extend(value.raw()),
                    (true, false, value) => bytes.extend(value.to_string().bytes()),
                    (true, true, Value::String(string)) => bytes.extend(string.escaped().bytes()),
                    (true, true, value) => bytes.extend(JsString::from(value.to_string()).escaped().bytes()),
                }
            }
        }
    }
    utf8(bytes)
}

/// An event without the string that ends its arguments, as where a server adds an offset to every event for connection
/// state recovery; none where the packet is no event that could have one.
#[must_use]
pub fn without_offset(packet: &str) -> Option<String> {
    let [_, _, id, data] = eio::split(packet)?;
    if !matches!(packet.as_bytes().get(1), Some(b'2' | b'5')) || !id.is_empty() {
        return None;
    }
    let Ok(Value::Array(mut items)) = json::parse(&packet[data.clone()]) else {
        return None;
    };
    match items.pop() {
        Some(Value::String(_)) if !items.is_empty() => {
            Some(format!("{}{}", &packet[..data.start], Value::Array(items)))
        }
        _ => None,
    }
}

/// The offset of the first atom, from `from` on, that is this byte.
fn find(atoms: &[Atom], from: usize, byte: u8) -> Option<usize> {
    atoms
        .iter()
        .skip(from)
        .position(|atom| atom.kind == AtomKind::Byte(byte))
        .map(|at| from + at)
}

/// From the first of the atoms to the last; where there are none, the place they would stand at.
fn span_of(atoms: &[Atom], place: Span) -> Span {
    match (atoms.first(), atoms.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Generation::Rev1, "3:::$s", "3:::a\"b")]
    #[case(
        Generation::Rev1,
        r#"5:$n+:/x:{"name":"$s","args":[$s,$n,"\\"$s"]}"#,
        r#"5:7+:/x:{"name":"a\"b","args":["a\"b",7,"\"a\"b"]}"#
    )]
    #[case(Generation::Rev1, "6:::$n+[$s]", r#"6:::7+["a\"b"]"#)]
    #[case(Generation::Rev1, "garbage $s", "garbage a\"b")]
    #[case(Generation::Eio4, r#"42/x,$n["e",$s]"#, r#"42/x,7["e","a\"b"]"#)]
    #[case(Generation::Eio4, "4$s", "4a\"b")]
    fn holes_render_as_their_place_asks(#[case] generation: Generation, #[case] source: &str, #[case] packet: &str) {
        let mut captures = Captures::new();
        captures.insert("s", Value::string("a\"b"));
        captures.insert("n", Value::integer(7));
        let mut problems = Vec::new();
        let text = text::parse(
            source,
            Span {
                start: 0,
                end: source.len(),
            },
            &mut problems,
        );
        assert_eq!(render_packet(generation, &text, &captures).unwrap(), packet);
    }
}
