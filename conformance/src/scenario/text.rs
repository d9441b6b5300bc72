//! Text of a `.wire` line: escapes become bytes, holes become [`Hole`](super::ast::Hole)s; and back, when it is sent.

use super::SpannedError;
use super::ast::{Atom, AtomKind, Atoms, Span, Text};
use super::capture::Captures;
use super::hole;

/// The most bytes that the `*N` escapes of one text may stand for.
pub const MAX_REPEATED: usize = 1 << 20;

/// A hole that nothing has bound stands in something to be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`${name}` is not bound")]
pub struct Unbound {
    /// The capture; `_` for a hole without a name.
    pub name: String,
    /// The hole.
    pub span: Span,
}

/// The bytes of a text; each hole becomes what it holds: a string's characters, any other value as compact JSON.
///
/// # Errors
///
/// A hole holds nothing.
pub fn render_bytes(text: &Text, captures: &Captures) -> Result<Vec<u8>, Unbound> {
    let mut bytes = Vec::with_capacity(text.atoms.len());
    for atom in text.atoms.iter() {
        match &atom.kind {
            AtomKind::Byte(byte) => bytes.push(*byte),
            AtomKind::Hole(_) => bytes.extend(bound(atom, captures)?.raw()),
        }
    }
    Ok(bytes)
}

/// What the hole holds.
pub(crate) fn bound<'a>(atom: &Atom, captures: &'a Captures) -> Result<&'a super::json::Value, Unbound> {
    let name = match &atom.kind {
        AtomKind::Hole(hole) => hole.name.as_deref().unwrap_or("_"),
        AtomKind::Byte(_) => "_",
    };
    captures.get(name).ok_or_else(|| Unbound {
        name: name.to_owned(),
        span: atom.span,
    })
}

/// Reads the text at `span` of the source; what is wrong goes to `problems`, and reading goes on behind it.
pub(crate) fn parse(source: &str, span: Span, problems: &mut Vec<SpannedError>) -> Text {
    let mut lexer = Lexer {
        source,
        at: span.start,
        end: span.end,
        atoms: Vec::new(),
        runs: Vec::new(),
        repeated: 0,
        problems,
    };
    lexer.edges(span);
    while lexer.at < lexer.end {
        lexer.next();
    }
    let Lexer { atoms, mut runs, .. } = lexer;
    let atoms = if runs.is_empty() {
        atoms.into()
    } else {
        runs.push((atoms, 1));
        Atoms::from_runs(runs)
    };
    Text { atoms, span }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    end: usize,
    atoms: Vec<Atom>,
    /// What stands before `atoms`, and how often each piece of it.
    runs: Vec<(Vec<Atom>, usize)>,
    /// Bytes that came from `*N` so far.
    repeated: usize,
    problems: &'a mut Vec<SpannedError>,
}

impl Lexer<'_> {
    /// Nobody sees a space at an edge, so it has to be written out.
    fn edges(&mut self, span: Span) {
        let text = &self.source[span.range()];
        let leading = text.len() - text.trim_start_matches([' ', '\t']).len();
        let trailing = text.len() - text.trim_end_matches([' ', '\t', '\r']).len();
        if leading > 0 {
            let at = Span {
                start: span.start,
                end: span.start + leading,
            };
            self.problem(at, "the text begins with a space", "write a leading space as \\x20");
        }
        if trailing > 0 && leading < text.len() {
            let at = Span {
                start: span.end - trailing,
                end: span.end,
            };
            self.problem(
                at,
                "the text ends with a space",
                "write a trailing space as \\x20, or delete it",
            );
        }
    }

    fn next(&mut self) {
        let start = self.at;
        match self.rest().chars().next() {
            Some('\\') => self.escape(),
            Some('$') => match hole::parse(self.source, start, self.end) {
                Ok((hole, end)) => {
                    self.at = end;
                    self.atoms.push(Atom {
                        kind: AtomKind::Hole(Box::new(hole)),
                        span: Span { start, end },
                    });
                }
                Err(problem) => {
                    self.at = problem.span.end.max(start + 1);
                    self.problems.push(problem);
                }
            },
            Some(c) => {
                self.at += c.len_utf8();
                if c.is_ascii_control() {
                    let span = Span { start, end: self.at };
                    let help = format!("write it as \\x{:02x}", u32::from(c));
                    self.problem(span, "control character in the text", &help);
                }
                self.push(c.encode_utf8(&mut [0; 4]).as_bytes(), Span { start, end: self.at });
            }
            None => self.at = self.end,
        }
    }

    fn escape(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let second = rest[1..].chars().next();
        let mut utf8 = [0; 4];
        let bytes: Option<(&[u8], usize)> = match second {
            Some('r') => Some((b"\r", 2)),
            Some('n') => Some((b"\n", 2)),
            Some('t') => Some((b"\t", 2)),
            Some('\\') => Some((b"\\", 2)),
            Some('$') => Some((b"$", 2)),
            Some('x') => hex(rest, 2, 2).map(|byte| {
                utf8[0] = byte as u8;
                (&utf8[..1], 4)
            }),
            Some('u') => match unicode(rest) {
                Ok(Some((c, len))) => Some((c.encode_utf8(&mut utf8).as_bytes(), len)),
                Ok(None) => None,
                Err(lone) => {
                    self.at += 6;
                    let span = Span { start, end: self.at };
                    let message = format!("\\u{lone:04x} is half of a surrogate pair and has no UTF-8 form");
                    let help = format!("write both halves, or \\\\u{lone:04x} for the escape of a JSON string");
                    self.problem(span, &message, &help);
                    return;
                }
            },
            _ => None,
        };
        let Some((bytes, len)) = bytes else {
            let end = start + 1 + second.map_or(0, char::len_utf8);
            self.at = end;
            let help = "escapes are \\xHH \\uHHHH \\r \\n \\t \\\\ \\$; a backslash is \\\\";
            self.problem(
                Span { start, end },
                &format!("unknown escape `{}`", &self.source[start..end]),
                help,
            );
            return;
        };
        self.at += len;
        let count = self.repeat(start);
        let span = Span { start, end: self.at };
        if count == 1 {
            self.push(bytes, span);
            return;
        }
        let before = std::mem::take(&mut self.atoms);
        self.push(bytes, span);
        let repeated = std::mem::take(&mut self.atoms);
        self.runs.extend([(before, 1), (repeated, count)]);
    }

    /// The `*173` behind an escape.
    fn repeat(&mut self, start: usize) -> usize {
        let Some(after) = self.rest().strip_prefix('*') else {
            return 1;
        };
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return 1;
        }
        let count = after[..digits].parse().unwrap_or(usize::MAX);
        self.at += 1 + digits;
        self.repeated = self.repeated.saturating_add(count.saturating_mul(4));
        let span = Span { start, end: self.at };
        if count == 0 {
            self.problem(span, "repeated zero times", "delete it");
        }
        if self.repeated > 4 * MAX_REPEATED {
            self.problem(
                span,
                "repeats make more than 1 MiB",
                "a body of that size belongs in a case written in Rust",
            );
            return 0;
        }
        count
    }

    fn rest(&self) -> &str {
        &self.source[self.at..self.end]
    }

    fn push(&mut self, bytes: &[u8], span: Span) {
        self.atoms.extend(bytes.iter().map(|byte| Atom {
            kind: AtomKind::Byte(*byte),
            span,
        }));
    }

    fn problem(&mut self, span: Span, message: &str, help: &str) {
        self.problems.push(SpannedError::new(span, message).help(help));
    }
}

fn hex(text: &str, from: usize, digits: usize) -> Option<u32> {
    let digits = text
        .get(from..from + digits)
        .filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The character of `\uHHHH` or of two of them that make a pair, and the length of what was read; `Err` for half a pair.
fn unicode(text: &str) -> Result<Option<(char, usize)>, u32> {
    let Some(first) = hex(text, 2, 4) else { return Ok(None) };
    if let Some(c) = char::from_u32(first) {
        return Ok(Some((c, 6)));
    }
    let second = text.get(6..8).filter(|it| *it == "\\u").and_then(|_| hex(text, 8, 4));
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
        let c = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        return c.map(|c| Some((c, 12))).ok_or(first);
    }
    Err(first)
}

#[cfg(test)]
mod tests {
    use super::super::json::Value;
    use super::*;
    use rstest::rstest;

    fn read(source: &str) -> (Text, Vec<SpannedError>) {
        let mut problems = Vec::new();
        let text = parse(
            source,
            Span {
                start: 0,
                end: source.len(),
            },
            &mut problems,
        );
        (text, problems)
    }

    #[rstest]
    #[case(r"\x00\xff", b"\x00\xff")]
    #[case(r"\ufffd7\ufffd", b"\xef\xbf\xbd7\xef\xbf\xbd")]
    #[case(r"\ud834\udd1e", "𝄞".as_bytes())]
    #[case(r"a\r\n\t\\\$", b"a\r\n\t\\$")]
    #[case(r"\x20*3x", b"   x")]
    #[case(r"\n*", b"\n*")]
    #[case("", b"")]
    fn escapes_are_resolved(#[case] source: &str, #[case] bytes: &[u8]) {
        let (text, problems) = read(source);
        assert_eq!(problems, []);
        assert_eq!(render_bytes(&text, &Captures::new()).unwrap(), bytes);
    }

    #[rstest]
    #[case(r"a\q", "unknown escape `\\q`")]
    #[case(r"a\", "unknown escape `\\`")]
    #[case(r"\x4", "unknown escape `\\x`")]
    #[case(r"\ud834", "\\ud834 is half of a surrogate pair and has no UTF-8 form")]
    #[case("a ", "the text ends with a space")]
    #[case(" a", "the text begins with a space")]
    #[case("a\tb", "control character in the text")]
    #[case(r"\x20*1048577", "repeats make more than 1 MiB")]
    #[case(r"\x20*99999999999999999999999", "repeats make more than 1 MiB")]
    #[case(r"\x20*0", "repeated zero times")]
    fn what_is_wrong_is_said(#[case] source: &str, #[case] message: &str) {
        let (_, problems) = read(source);
        assert_eq!(
            problems.iter().map(|it| it.message.as_str()).collect::<Vec<_>>(),
            [message]
        );
    }

    #[test]
    fn holes_render_raw() {
        let (text, _) = read("/1/$sid?n=$n&x=$obj");
        let mut captures = Captures::new();
        captures.insert("sid", Value::string("a\"b"));
        captures.insert("n", Value::integer(7));
        assert_eq!(render_bytes(&text, &captures).unwrap_err().name, "obj");
        captures.insert("obj", super::super::json::parse(r#"{"a": [1]}"#).unwrap());
        assert_eq!(render_bytes(&text, &captures).unwrap(), br#"/1/a"b?n=7&x={"a":[1]}"#);
    }
}
