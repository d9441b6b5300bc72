//! Packets of Engine.IO 3 and 4, with the Socket.IO packet inside an Engine.IO message: `42/nsp,7["event",1]`.
//!
//! A message (`4`) whose second character is none of `0` to `6` is plain text, as on the path `/engine.io/`.

use super::super::SpannedError;
use super::super::ast::{Atom, AtomKind, Span, Text};
use super::super::capture::Captures;
use super::super::json_pattern::JsonPattern;
use super::super::pattern::Mismatch;
use super::super::pieces::{Extent, Piece, Step, byte_pieces, run};
use super::span_of;

#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// The handshake: `0` and JSON.
    Open { data: JsonPattern, span: Span },
    /// Text: everything but the handshake and Socket.IO packets.
    Text { pieces: Vec<Piece<u8>>, span: Span },
    /// `4` and a Socket.IO packet.
    Socket(Box<Socket>),
}

#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) head: Field,
    /// `n-`, of binary packets.
    pub(crate) attachments: Field,
    pub(crate) namespace: Field,
    pub(crate) id: Field,
    pub(crate) data: Option<JsonPattern>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) pieces: Vec<Piece<u8>>,
    pub(crate) span: Span,
    name: &'static str,
}

impl Pattern {
    pub(super) fn compile(text: &Text) -> Result<Pattern, SpannedError> {
        let atoms = &*text.atoms.written_out();
        match (atoms.first().and_then(Read::byte), atoms.get(1).and_then(Read::byte)) {
            // A server's tells of the session; a client's, over WebTransport, is bare.
            (Some(b'0'), _) if atoms.len() > 1 => Ok(Pattern::Open {
                data: JsonPattern::parse(&atoms[1..], text.span)?,
                span: text.span,
            }),
            (Some(b'4'), Some(b'0'..=b'6')) => Ok(Pattern::Socket(Box::new(Socket::compile(atoms, text.span)?))),
            (Some(b'0'..=b'6'), _) => Ok(Pattern::Text {
                pieces: byte_pieces(atoms)?,
                span: text.span,
            }),
            _ => Err(SpannedError::new(text.span, "unknown packet type").help("the types are 0 to 6")),
        }
    }

    pub(super) fn matches(&self, got: &str, captures: &mut Captures) -> Result<(), Mismatch> {
        match self {
            Pattern::Open { data, span } => {
                let got = got
                    .strip_prefix('0')
                    .ok_or_else(|| Mismatch::at(*span, 0, "expected an open packet (0)"))?;
                data.matches_text(got, 1, |_| (), captures)
            }
            Pattern::Text { pieces, span } => match run(pieces, got.as_bytes(), Extent::Whole, *span, captures) {
                Step::Mismatch(mismatch) => Err(mismatch),
                Step::Matched(_) | Step::NeedMore => Ok(()),
            },
            Pattern::Socket(socket) => socket.matches(got, captures),
        }
    }
}

impl Socket {
    fn compile(atoms: &[Atom], whole: Span) -> Result<Socket, SpannedError> {
        let [attachments, namespace, id, data] = parts(atoms, 2);
        let field = |range: std::ops::Range<usize>, name| -> Result<Field, SpannedError> {
            let place = atoms.get(range.start).map_or(whole, |atom| atom.span);
            let pieces = byte_pieces(&atoms[range.clone()])?;
            Ok(Field {
                pieces,
                span: span_of(&atoms[range], place),
                name,
            })
        };
        let data = &atoms[data.clone()];
        let json = if data.is_empty() {
            None
        } else {
            Some(JsonPattern::parse(data, whole)?)
        };
        Ok(Socket {
            head: field(0..2, "type")?,
            attachments: field(attachments, "number of attachments")?,
            namespace: field(namespace, "namespace")?,
            id: field(id, "ack id")?,
            data: json,
            span: whole,
        })
    }

    fn matches(&self, got: &str, captures: &mut Captures) -> Result<(), Mismatch> {
        let Some([attachments, namespace, id, data]) = split(got) else {
            return self.head.matches(got.get(..got.len().min(2)).unwrap_or(got), captures);
        };
        self.head.matches(&got[..2], captures)?;
        self.attachments.matches(&got[attachments], captures)?;
        self.namespace.matches(&got[namespace], captures)?;
        self.id.matches(&got[id.clone()], captures)?;
        match &self.data {
            Some(pattern) => pattern.matches_text(&got[data.clone()], data.start, |_| (), captures),
            None if data.is_empty() => Ok(()),
            None => Err(Mismatch::at(self.span, data.start, "expected no data")),
        }
    }
}

impl Field {
    fn matches(&self, got: &str, captures: &mut Captures) -> Result<(), Mismatch> {
        if got.is_empty() && !self.pieces.is_empty() {
            return Err(Mismatch::new(self.span, format!("missing {}", self.name)));
        }
        match run(&self.pieces, got.as_bytes(), Extent::Whole, self.span, captures) {
            Step::Mismatch(it) => Err(Mismatch {
                message: format!("{}: {}", self.name, it.message),
                ..it
            }),
            Step::Matched(_) | Step::NeedMore => Ok(()),
        }
    }
}

/// Where the JSON of a packet to be sent begins.
pub(super) fn json_start(atoms: &[Atom]) -> Option<usize> {
    match (atoms.first()?.byte()?, atoms.get(1).and_then(Read::byte)) {
        (b'0', _) => Some(1),
        (b'4', Some(b'0'..=b'6')) => Some(parts(atoms, 2)[3].start),
        _ => None,
    }
}

/// [`parts`] of a Socket.IO packet that came in an Engine.IO message; none where it is no such packet.
pub(crate) fn split(got: &str) -> Option<[std::ops::Range<usize>; 4]> {
    let socket = matches!(got.as_bytes(), [b'4', b'0'..=b'6', ..]);
    socket.then(|| split_behind(got, 2))
}

/// [`parts`] of a Socket.IO packet that came, `at` being the offset behind its type digit.
pub(crate) fn split_behind(got: &str, at: usize) -> [std::ops::Range<usize>; 4] {
    parts(got.as_bytes(), at)
}

/// Attachments (without the `-`), namespace (without the `,`), ack id and data of a Socket.IO packet; `at` is the offset
/// behind its type digit. A hole is the ack id where something follows it, else the data.
fn parts<T: Read>(text: &[T], mut at: usize) -> [std::ops::Range<usize>; 4] {
    let byte = |at: usize| text.get(at).and_then(Read::byte);
    let digit = |it: &&T| it.byte().is_some_and(|byte| byte.is_ascii_digit());
    let digits = |from: usize| from + text.get(from..).unwrap_or_default().iter().take_while(digit).count();
    let mut attachments = at..at;
    if matches!(byte(at - 1), Some(b'5' | b'6')) && byte(digits(at)) == Some(b'-') {
        attachments = at..digits(at);
        at = digits(at) + 1;
    }
    let mut namespace = at..at;
    if byte(at) == Some(b'/') {
        let comma = text[at..].iter().position(|it| it.byte() == Some(b','));
        let end = comma.map_or(text.len(), |comma| at + comma);
        namespace = at..end;
        at = (end + 1).min(text.len());
    }
    let mut end = digits(at);
    if end == at && at + 1 < text.len() && byte(at).is_none() {
        end = at + 1;
    }
    [attachments, namespace, at..end, end..text.len()]
}

/// A piece of a packet that is expected, or of one that came.
trait Read {
    /// `None` for a hole.
    fn byte(&self) -> Option<u8>;
}

impl Read for u8 {
    fn byte(&self) -> Option<u8> {
        Some(*self)
    }
}

impl Read for Atom {
    fn byte(&self) -> Option<u8> {
        match self.kind {
            AtomKind::Byte(byte) => Some(byte),
            AtomKind::Hole(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Generation, text};
    use super::super::PacketPattern;
    use super::*;
    use rstest::rstest;

    fn matches(source: &str, got: &str) -> Result<(), Mismatch> {
        let mut problems = Vec::new();
        let text = text::parse(
            source,
            Span {
                start: 0,
                end: source.len(),
            },
            &mut problems,
        );
        PacketPattern::compile(Generation::Eio4, &text)
            .unwrap()
            .matches(got, &mut Captures::new())
    }

    #[rstest]
    #[case(r#"0{"sid":$sid(str),...}"#, r#"0{"upgrades":[],"sid":"a"}"#)]
    #[case("0", "0")]
    #[case("2probe", "2probe")]
    #[case("4hello", "4hello")]
    #[case("40/custom,", "40/custom")]
    #[case(r#"40{"sid":$(str)}"#, r#"40{"sid":"x"}"#)]
    #[case(r#"42["a",$_]"#, r#"42["a", {"n":1}]"#)]
    #[case("42/x,7[]", "42/x,7[]")]
    #[case("43$id[]", "4312[]")]
    #[case("42$_", "42[]")]
    #[case(
        r#"451-["b",{"_placeholder":true,"num":0}]"#,
        r#"451-["b",{"num":0,"_placeholder":true}]"#
    )]
    fn fits(#[case] pattern: &str, #[case] got: &str) {
        matches(pattern, got).unwrap();
    }

    #[rstest]
    #[case("40", "40{}", "expected no data")]
    #[case("42[]", "43[]", "type: expected `2`, got `3`")]
    #[case("42[1]", "42[2]", "$[0]: expected 1, got 2")]
    #[case("42/x,[]", "42[]", "missing namespace")]
    #[case("427[]", "42[]", "missing ack id")]
    #[case("42[]", "2", "type: expected `42`, got `2`")]
    #[case("42[]", "é", "type: expected `42`, got `é`")]
    fn does_not_fit(#[case] pattern: &str, #[case] got: &str, #[case] message: &str) {
        assert_eq!(matches(pattern, got).unwrap_err().to_string(), message);
    }
}
