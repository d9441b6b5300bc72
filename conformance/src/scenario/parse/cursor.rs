//! Words of a line.

use super::super::ast::{Span, Spanned};

/// Reads a line word by word; words are separated by spaces.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    source: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a str, span: Span) -> Cursor<'a> {
        Cursor {
            source,
            at: span.start,
            end: span.end,
        }
    }

    /// The next word, which stays to be read.
    pub(super) fn peek_word(&self) -> Option<Spanned<&'a str>> {
        let rest = &self.source[self.at..self.end];
        let word = rest.trim_start_matches(' ');
        let start = self.end - word.len();
        let len = word.find(' ').unwrap_or(word.len());
        let span = Span {
            start,
            end: start + len,
        };
        (len > 0).then(|| Spanned {
            node: &self.source[span.range()],
            span,
        })
    }

    pub(super) fn word(&mut self) -> Option<Spanned<&'a str>> {
        let word = self.peek_word()?;
        self.at = word.span.end;
        Some(word)
    }

    /// Reads the next word where it is this one.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word().filter(|it| it.node == word);
        if let Some(found) = &found {
            self.at = found.span.end;
        }
        found.is_some()
    }

    /// What is left, without the spaces before it.
    pub(super) fn rest(&self) -> Spanned<&'a str> {
        let node = self.source[self.at..self.end].trim_start_matches(' ');
        Spanned {
            node,
            span: Span {
                start: self.end - node.len(),
                end: self.end,
            },
        }
    }

    /// What is left behind one space: the text of a packet or body. An empty text stands at the end of the line.
    pub(super) fn body(&self) -> Span {
        let space = usize::from(self.source[self.at..self.end].starts_with(' '));
        Span {
            start: self.at + space,
            end: self.end,
        }
    }

    /// Goes on at an offset further right.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = at.clamp(self.at, self.end);
    }
}
