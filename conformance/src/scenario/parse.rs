//! Text to tree, line by line. A line is where reading recovers, so one run reports every error of a file.

mod arguments;
mod cursor;
mod headers;
mod nested;
mod page;
mod step;
mod window;

use std::sync::Arc;

use super::ast::{Authority, Item, Level, Reference, Scenario, Source, Span, Spanned};
use super::diagnostic::{Diagnostic, Severity};
use super::{Generation, SpannedError, lint};
use cursor::Cursor;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 4 << 20;

/// Reads a `.wire` file. `path` is only shown.
///
/// # Errors
///
/// Everything that is wrong with the file, in the order of its lines.
pub fn parse(path: &str, text: &str) -> Result<Scenario, Vec<Diagnostic>> {
    let source = Arc::new(Source {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    if text.len() > MAX_FILE {
        let title = format!("the file is larger than {} MiB", MAX_FILE >> 20);
        return Err(vec![Diagnostic::new(Severity::Error, title, source)]);
    }
    let (scenario, mut problems) = read(source);
    problems.extend(lint::errors(&scenario, problems.is_empty()));
    if problems.is_empty() {
        return Ok(scenario);
    }
    problems.sort_by_key(|problem| problem.span.start);
    Err(problems
        .iter()
        .map(|problem| Diagnostic::of(problem, Severity::Error, &scenario.source))
        .collect())
}

/// What the lines say, and what is wrong with them one by one.
pub(crate) fn read(source: Arc<Source>) -> (Scenario, Vec<SpannedError>) {
    let mut parser = Parser {
        source: &source.text,
        lines: lines(&source.text),
        at: 0,
        generation: None,
        carriage_return: false,
        problems: Vec::new(),
    };
    let headers = parser.headers();
    let items = parser.items();
    let problems = parser.problems;
    (Scenario { source, headers, items }, problems)
}

/// Splits at line feeds; a line's span leaves out its line feed.
fn lines(text: &str) -> Vec<Span> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let end = start + line.len() - usize::from(line.ends_with('\n'));
        lines.push(Span { start, end });
        start += line.len();
    }
    lines
}

struct Parser<'a> {
    source: &'a str,
    lines: Vec<Span>,
    /// The line to be read next.
    at: usize,
    /// Known once `case:` was read.
    generation: Option<Generation>,
    /// Whether a carriage return at the end of a line was reported.
    carriage_return: bool,
    problems: Vec<SpannedError>,
}

impl<'a> Parser<'a> {
    fn items(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some(line) = self.next_line() {
            let text = self.text(line);
            if text.is_empty() {
                items.push(Item::Blank);
            } else if let Some(comment) = text.strip_prefix('#') {
                items.push(Item::Comment(comment.trim().to_owned()));
            } else if text.starts_with([' ', '\t']) {
                let help =
                    "header lines stand below a request, a status or `ws`; expectations below `any order` and `one of`";
                self.problem(line, "nothing above this line takes indented lines", help);
                self.skip_indented();
            } else if text.starts_with('@') {
                items.extend(self.reference(line).map(Item::Reference));
            } else {
                items.extend(self.step(line).map(Item::Step));
            }
        }
        items
    }

    /// `@ requirement … [level] [authority] [words]`
    fn reference(&mut self, line: Span) -> Option<Reference> {
        let mut cursor = Cursor::new(
            self.source,
            Span {
                start: line.start + 1,
                end: line.end,
            },
        );
        let mut requirements = Vec::new();
        while let Some(word) = cursor.peek_word().filter(|word| word.node.contains('#')) {
            cursor.word();
            if !is_requirement(word.node) {
                let message = format!("malformed requirement `{}`", word.node);
                self.problem(word.span, &message, "write document#section/name: rev1#framing/length");
            }
            requirements.push(Spanned {
                node: word.node.to_owned(),
                span: word.span,
            });
        }
        if requirements.is_empty() {
            self.problem(
                line,
                "the reference names no requirement",
                "write @ document#section/name, more than one if need be",
            );
            return None;
        }
        let level = Level::ALL.into_iter().find(|it| cursor.eat_word(it.word()));
        let authority = Authority::ALL.into_iter().find(|it| cursor.eat_word(it.word()));
        let words = cursor.rest().node.trim().to_owned();
        Some(Reference {
            requirements,
            level,
            authority,
            words,
            span: line,
        })
    }

    fn next_line(&mut self) -> Option<Span> {
        let line = *self.lines.get(self.at)?;
        self.at += 1;
        Some(self.without_trailing_space(line))
    }

    /// The next line without its indentation, where it is indented; blank lines end a block.
    fn next_indented(&mut self) -> Option<Span> {
        let line = *self.lines.get(self.at)?;
        let text = self.text(line);
        if !text.starts_with([' ', '\t']) || text.trim().is_empty() {
            return None;
        }
        self.at += 1;
        let indent = Span {
            start: line.start,
            end: line.end - text.trim_start_matches([' ', '\t']).len(),
        };
        if self.text(indent).contains('\t') {
            self.problem(indent, "a tab indents the line", "indent with four spaces");
        }
        Some(self.without_trailing_space(Span {
            start: indent.end,
            end: line.end,
        }))
    }

    /// How far right the next line begins, where it is indented.
    fn next_indent(&self) -> Option<usize> {
        let text = self.text(*self.lines.get(self.at)?);
        let words = text.trim_start_matches([' ', '\t']);
        (!words.trim().is_empty()).then_some(text.len() - words.len())
    }

    /// How far right on its line a span begins.
    fn indent(&self, span: Span) -> usize {
        let before = &self.source[..span.start];
        before.len() - before.rfind('\n').map_or(0, |at| at + 1)
    }

    fn skip_indented(&mut self) {
        while self.next_indented().is_some() {}
    }

    fn text(&self, span: Span) -> &'a str {
        &self.source[span.range()]
    }

    fn without_trailing_space(&mut self, line: Span) -> Span {
        let text = self.text(line);
        let kept = Span {
            end: line.start + text.trim_end_matches([' ', '\t', '\r']).len(),
            ..line
        };
        let cut = Span {
            start: kept.end,
            ..line
        };
        if self.text(cut).ends_with('\r') {
            if !std::mem::replace(&mut self.carriage_return, true) {
                self.problem(
                    cut,
                    "the line ends with a carriage return",
                    "save the file with LF line ends",
                );
            }
        } else if kept.end < line.end {
            self.problem(
                cut,
                "the line ends with a space",
                "delete it, or write \\x20 where the text ends with one",
            );
        }
        kept
    }

    fn problem(&mut self, span: Span, message: &str, help: &str) {
        self.problems.push(SpannedError::new(span, message).help(help));
    }
}

pub(crate) fn is_requirement(id: &str) -> bool {
    let part = |it: &str| {
        !it.is_empty()
            && it
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
    };
    id.split_once('#')
        .is_some_and(|(document, path)| part(document) && path.split('/').all(part))
}

#[cfg(test)]
mod tests;
