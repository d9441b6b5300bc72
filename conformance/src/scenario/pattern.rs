//! Byte patterns: a whole body or frame (`<<`), or the next bytes of a stream (`<<+`).

use std::fmt::Write as _;

use super::ast::{Span, Text};
use super::capture::Captures;
use super::pieces::{Extent, Step, byte_pieces, run};

/// Where something received differs from a pattern, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Mismatch {
    /// The part of the pattern that does not fit.
    pub span: Span,
    /// The way to the first difference within JSON: `$.args[0].n`; empty outside of JSON.
    pub path: String,
    /// What was expected and what came: `expected int, got "25000"`.
    pub message: String,
    /// Where in what was received, in bytes, as far as it is known.
    pub offset: Option<usize>,
}

impl Mismatch {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Mismatch {
        Mismatch {
            span,
            path: String::new(),
            message: message.into(),
            offset: None,
        }
    }

    pub(crate) fn at(span: Span, offset: usize, message: impl Into<String>) -> Mismatch {
        Mismatch {
            offset: Some(offset),
            ..Mismatch::new(span, message)
        }
    }
}

/// What is known about a stream so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Everything fits as far as it goes.
    NeedMore,
    /// The first bytes, that many, are what was expected.
    Matched(usize),
    /// They are not, and nothing that follows can help.
    Mismatch(Mismatch),
}

/// Compares a whole body or frame with a pattern, and binds its holes where it fits.
///
/// # Errors
///
/// It does not fit; nothing was bound.
pub fn match_bytes(text: &Text, got: &[u8], captures: &mut Captures) -> Result<(), Mismatch> {
    match attempt(text, got, Extent::Whole, captures) {
        Step::Matched(_) => Ok(()),
        Step::Mismatch(mismatch) => Err(mismatch),
        Step::NeedMore => Err(Mismatch::new(text.span, "ends too early")),
    }
}

/// Compares the beginning of a buffer with a pattern, and binds its holes where it fits. A wrong byte is a mismatch at
/// once; `ended` says that the stream gives no more.
pub fn match_prefix(text: &Text, buffer: &[u8], ended: bool, captures: &mut Captures) -> Prefix {
    match attempt(text, buffer, if ended { Extent::Ended } else { Extent::Open }, captures) {
        Step::Matched(len) => Prefix::Matched(len),
        Step::NeedMore => Prefix::NeedMore,
        Step::Mismatch(mismatch) => Prefix::Mismatch(mismatch),
    }
}

fn attempt(text: &Text, got: &[u8], extent: Extent, captures: &mut Captures) -> Step {
    let pieces = match byte_pieces(text.atoms.iter()) {
        Ok(pieces) => pieces,
        Err(error) => return Step::Mismatch(Mismatch::new(error.span, error.message)),
    };
    let mut bound = captures.clone();
    let step = run(&pieces, got, extent, text.span, &mut bound);
    if matches!(step, Step::Matched(_)) {
        *captures = bound;
    }
    step
}

/// Two digits for each byte, as behind `>b` and `>x`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Bytes as `.wire` text shows them: characters as they are, what cannot be seen as escapes.
#[must_use]
pub fn show_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while !rest.is_empty() {
            // Most of what comes is shown as it is, and there may be a lot of it.
            let plain = rest.bytes().take_while(|byte| is_plain(*byte)).count();
            out.push_str(&rest[..plain]);
            rest = &rest[plain..];
            if let Some(c) = rest.chars().next() {
                show_char(c, &mut out);
                rest = &rest[c.len_utf8()..];
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'$')
}

/// A character, or its escape where it cannot be seen or means something else.
pub(crate) fn show_char(c: char, out: &mut String) {
    match c {
        '\r' => out.push_str("\\r"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        '$' => out.push_str("\\$"),
        c if c.is_ascii_control() => drop(write!(out, "\\x{:02x}", u32::from(c))),
        c if invisible(c) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
        c => out.push(c),
    }
}

/// Characters nobody sees or can tell apart.
fn invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(u32::from(c),
            0xad | 0x300..=0x36f | 0x61c | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202f | 0x2060..=0x206f
            | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xfff0..=0xffff | 0x1_fffe..=0x1_ffff | 0xe_0000..)
}

#[cfg(test)]
mod tests {
    use super::super::json::Value;
    use super::super::text;
    use super::*;
    use rstest::rstest;

    fn text(source: &str) -> Text {
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
        text
    }

    #[rstest]
    #[case("1::", "1::", None)]
    #[case(r"$sid:2:2:$_", "abc:2:2:websocket,htmlfile", Some(("sid", "\"abc\"")))]
    #[case(r"$sid:$hb(int):$_", "a:15:25:x", Some(("hb", "15")))]
    #[case(r"\ufffd$n(int)\ufffd3:::é", "\u{fffd}5\u{fffd}3:::é", Some(("n", "5")))]
    #[case(r#"io.j[0]("$x");"#, r#"io.j[0]("1::");"#, Some(("x", "\"1::\"")))]
    #[case("$a-$a", "x-x", Some(("a", "\"x\"")))]
    #[case(r"$sid(/[0-9a-f]{4}/):", "00ff:", Some(("sid", "\"00ff\"")))]
    #[case("a$n(int?)b", "ab", Some(("n", "null")))]
    #[case("$_b", "abab", None)]
    fn a_whole_body_fits(#[case] pattern: &str, #[case] got: &str, #[case] bound: Option<(&str, &str)>) {
        let mut captures = Captures::new();
        match_bytes(&text(pattern), got.as_bytes(), &mut captures).unwrap();
        if let Some((name, value)) = bound {
            assert_eq!(captures.get(name).map(Value::to_string).as_deref(), Some(value));
        }
    }

    #[rstest]
    #[case("1::", "1:", "expected `:`, got nothing more", 2)]
    #[case("1::", "1::x", "1 byte too many: `x`", 3)]
    #[case("2:2", "2x2", "expected `:2`, got `x2`", 1)]
    #[case("$n(int):", "x:", "expected int, got \"x\"", 0)]
    #[case("$n(int(5..)):", "4:", "expected int(5..), got \"4\"", 0)]
    #[case("$a-$a", "x-y", "expected `x`, got `y`", 2)]
    #[case("$a;", "x", "expected something that ends in `;`, got `x`", 0)]
    #[case(r"$(str)", "", "expected str, got \"\"", 0)]
    fn a_whole_body_does_not_fit(
        #[case] pattern: &str,
        #[case] got: &str,
        #[case] message: &str,
        #[case] offset: usize,
    ) {
        let mut captures = Captures::new();
        let mismatch = match_bytes(&text(pattern), got.as_bytes(), &mut captures).unwrap_err();
        assert_eq!((mismatch.message.as_str(), mismatch.offset), (message, Some(offset)));
        assert_eq!(captures, Captures::new());
    }

    #[rstest]
    #[case("abc", "ab", false, Prefix::NeedMore)]
    #[case("abc", "abcd", false, Prefix::Matched(3))]
    #[case("$_\\n", "abc", false, Prefix::NeedMore)]
    #[case("$_\\n", "abc\nd", false, Prefix::Matched(4))]
    #[case("$(int)\\n", "12", false, Prefix::NeedMore)]
    #[case("", "abc", false, Prefix::Matched(0))]
    fn a_stream_so_far(#[case] pattern: &str, #[case] got: &str, #[case] ended: bool, #[case] prefix: Prefix) {
        assert_eq!(
            match_prefix(&text(pattern), got.as_bytes(), ended, &mut Captures::new()),
            prefix
        );
    }

    #[rstest]
    #[case("abc", "ax", false)]
    #[case("abc", "ab", true)]
    #[case("$(int)\\n", "12x", false)]
    #[case("$_\\n", "abc", true)]
    fn a_stream_that_cannot_fit_any_more(#[case] pattern: &str, #[case] got: &str, #[case] ended: bool) {
        let prefix = match_prefix(&text(pattern), got.as_bytes(), ended, &mut Captures::new());
        assert!(matches!(prefix, Prefix::Mismatch(_)), "{prefix:?}");
    }

    #[test]
    fn a_bound_name_is_a_literal() {
        let mut captures = Captures::new();
        captures.insert("sid", Value::string("abc"));
        assert!(match_bytes(&text("$sid:1"), b"abc:1", &mut captures).is_ok());
        assert!(match_bytes(&text("$sid:1"), b"abd:1", &mut captures).is_err());
    }
}
