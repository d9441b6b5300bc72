//! Colours, where they are wanted.

use std::env;
use std::io::IsTerminal;

/// Wraps text in colours, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// No colours.
    pub const OFF: Paint = Paint { on: false };
    /// Colours.
    pub const ON: Paint = Paint { on: true };

    /// Colours where `stream` is a terminal that has them and `NO_COLOR` is unset or empty (<https://no-color.org>).
    #[must_use]
    pub fn for_stream(stream: &impl IsTerminal) -> Paint {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint {
            on: stream.is_terminal() && !refused && !dumb(),
        }
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(super) fn odd(self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn head(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Whether the terminal can do nothing but print.
pub(super) fn dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Text from outside, without control characters: what a server sends must not steer the terminal.
pub(super) fn harmless(text: &str) -> String {
    let harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || is_bidi_control(c);
    if !text.contains(harmful) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        if harmful(c) {
            safe.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            safe.push(c);
        }
        safe
    })
}

/// Characters that reorder a line on the screen.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(
            harmless("a\x1b[2J\u{9b}b\n\té\u{202e}"),
            "a\\u{1b}[2J\\u{9b}b\n\té\\u{202e}"
        );
    }
}
