//! Text with its escapes and holes.

use std::fmt::Write as _;

use super::super::ast::{AtomKind, Text};
use super::super::pattern::show_char;
use super::super::text::MAX_REPEATED;

/// Runs of this length and longer are written with `*N`: of what is visible, and of spaces and escapes.
const LONG_RUN: usize = 16;
const LONG_BLANK_RUN: usize = 4;

/// The text of a body, a packet, a target or a header value.
#[must_use]
pub fn print_text(text: &Text) -> String {
    let mut writer = Writer {
        out: String::new(),
        escaped: false,
        named: false,
        counted: false,
        repeated: 0,
    };
    let mut bytes = Vec::new();
    for atom in text.atoms.iter() {
        match &atom.kind {
            AtomKind::Byte(byte) => bytes.push(*byte),
            AtomKind::Hole(hole) => {
                writer.bytes(&std::mem::take(&mut bytes));
                let _ = write!(writer.out, "{hole}");
                writer.named = hole.name.is_some() && hole.kind.is_none();
                (writer.escaped, writer.counted) = (false, false);
            }
        }
    }
    writer.bytes(&bytes);
    edges(writer.out)
}

/// A target behind `open`: it begins with `/`, `$` or an escape, or it would be read as a transport.
pub(super) fn print_target(text: &Text) -> String {
    let out = print_text(text);
    if out.starts_with(['/', '$', '\\']) {
        out
    } else {
        escape_first(&out)
    }
}

/// The text with its first character, which is a plain one, written as an escape; a `*` behind it would repeat it.
pub(super) fn escape_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map_or_else(String::new, escape);
    let rest = chars.as_str().trim_start_matches('*');
    format!("{first}{}{rest}", escape('*').repeat(chars.as_str().len() - rest.len()))
}

/// Keeps the end of a step's line from being read as the time of a trace.
pub(super) fn hide_trace_time(line: &mut String) {
    let Some(found) = line.rfind("  # +") else { return };
    let time = &line[found + 5..];
    if time
        .strip_suffix("ms")
        .is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    {
        line.replace_range(found + 2..found + 3, "\\x23");
    }
}

struct Writer {
    out: String,
    /// Whether an escape was written last: a `*` behind it would repeat it.
    escaped: bool,
    /// Whether `$name` was written last: a letter, a digit or `(` behind it would belong to it.
    named: bool,
    /// Whether `*N` was written last: a digit behind it would belong to it.
    counted: bool,
    /// What the `*N` make so far: a text may have so much of it, and the rest is written as it is.
    repeated: usize,
}

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            let mut chars = chunk.valid().chars().peekable();
            while let Some(c) = chars.next() {
                let mut run = 1;
                while chars.next_if_eq(&c).is_some() {
                    run += 1;
                }
                self.run(c, run);
            }
            for byte in chunk.invalid() {
                let _ = write!(self.out, "\\x{byte:02x}");
                (self.escaped, self.named, self.counted) = (true, false, false);
            }
        }
    }

    fn run(&mut self, c: char, run: usize) {
        let mut shown = String::new();
        show_char(c, &mut shown);
        let plain = !shown.starts_with('\\') && c != ' ';
        let mut left = run;
        let counted = run.min(MAX_REPEATED - self.repeated);
        if counted >= if plain { LONG_RUN } else { LONG_BLANK_RUN } {
            let escaped = if plain || c == ' ' { escape(c) } else { shown.clone() };
            let _ = write!(self.out, "{escaped}*{counted}");
            (self.escaped, self.named, self.counted) = (false, false, true);
            self.repeated += counted;
            left -= counted;
        }
        for _ in 0..left {
            let taken = (self.escaped && c == '*')
                || (self.named && (c.is_ascii_alphanumeric() || c == '('))
                || (self.counted && c.is_ascii_digit());
            if taken {
                self.out.push_str(&escape(c));
            } else {
                self.out.push_str(&shown);
            }
            self.escaped = taken || shown.starts_with('\\');
            (self.named, self.counted) = (false, false);
        }
    }
}

/// Nobody sees a space at an edge.
fn edges(mut out: String) -> String {
    if out.starts_with(" *") {
        out.replace_range(..2, "\\x20\\x2a");
    } else if out.starts_with(' ') {
        out.replace_range(..1, "\\x20");
    }
    if out.ends_with(' ') {
        out.replace_range(out.len() - 1.., "\\x20");
    }
    out
}

fn escape(c: char) -> String {
    if c.is_ascii() {
        return format!("\\x{:02x}", u32::from(c));
    }
    c.encode_utf16(&mut [0; 2])
        .iter()
        .fold(String::new(), |out, unit| format!("{out}\\u{unit:04x}"))
}
