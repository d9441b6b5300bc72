//! Indented lines: headers below a request or a status, expectations below `any order` and `one of`.

use super::super::SpannedError;
use super::super::ast::{Action, Expectation, HeaderLine, Span, Spanned};
use super::super::text;
use super::super::words::did_you_mean;
use super::arguments::{hex, status};
use super::{Cursor, Parser};

/// What may stand below `any order` and `one of`.
const EXPECTATIONS: [&str; 4] = ["<", "<b", "closed", "eof"];

impl Parser<'_> {
    pub(super) fn header_lines(&mut self) -> Vec<HeaderLine> {
        let mut headers: Vec<HeaderLine> = Vec::new();
        while let Some(line) = self.next_indented() {
            headers.extend(self.header_line(line));
        }
        headers
    }

    /// The headers of a status that is itself indented: the lines that stand further right.
    fn deeper_header_lines(&mut self, status: Span) -> Vec<HeaderLine> {
        let indent = self.indent(status);
        let mut headers: Vec<HeaderLine> = Vec::new();
        while self.next_indent().is_some_and(|next| next > indent) {
            let Some(line) = self.next_indented() else { break };
            headers.extend(self.header_line(line));
        }
        headers
    }

    fn header_line(&mut self, line: Span) -> Option<HeaderLine> {
        let Some((name, rest)) = self.text(line).split_once(':') else {
            self.problem(
                line,
                "an indented line that is no header",
                "write `name: value`, or `name: -`",
            );
            return None;
        };
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            let span = Span {
                start: line.start,
                end: line.start + name.len(),
            };
            let help = "names of headers are letters, digits and hyphens";
            self.problem(span, "malformed name of a header", help);
        }
        let start = line.end - rest.len() + usize::from(rest.starts_with(' '));
        let span = Span { start, end: line.end };
        let value = (self.text(span) != "-").then(|| text::parse(self.source, span, &mut self.problems));
        Some(HeaderLine {
            name: name.to_owned(),
            value,
            span: line,
        })
    }

    pub(super) fn expectations(&mut self, head: Span) -> Vec<Expectation> {
        let mut expectations: Vec<Expectation> = Vec::new();
        let mut lines = 0;
        while let Some(line) = self.next_indented() {
            lines += 1;
            match self.expectation(line) {
                Ok(Action::ExpectAttachment(bytes)) => match expectations.last_mut() {
                    Some(Expectation {
                        action: Action::ExpectPacket(_),
                        attachments,
                        ..
                    }) => attachments.push(bytes),
                    _ => self.problem(
                        line,
                        "an attachment without a packet",
                        "put the `<b` line below its `<` line",
                    ),
                },
                Ok(Action::Status { code, .. }) => {
                    let headers = self.deeper_header_lines(line);
                    expectations.push(Expectation {
                        action: Action::Status { code, headers },
                        attachments: Vec::new(),
                        span: line,
                    });
                }
                Ok(action) => expectations.push(Expectation {
                    action,
                    attachments: Vec::new(),
                    span: line,
                }),
                Err(problem) => self.problems.push(problem),
            }
        }
        if lines == 0 {
            let message = format!("nothing stands below `{}`", self.text(head));
            self.problem(head, &message, "indent the expectations by four spaces");
        }
        expectations
    }

    fn expectation(&mut self, line: Span) -> Result<Action, SpannedError> {
        let mut cursor = Cursor::new(self.source, line);
        let word = cursor.word().unwrap_or(Spanned { node: "", span: line });
        let action = match word.node {
            "<" => {
                return Ok(Action::ExpectPacket(text::parse(
                    self.source,
                    cursor.body(),
                    &mut self.problems,
                )));
            }
            "<b" => return hex(&cursor.rest()).map(Action::ExpectAttachment),
            "closed" => Action::Closed(self.close_code(&mut cursor)?),
            "eof" => Action::Eof,
            code if code.starts_with(|c: char| c.is_ascii_digit()) => {
                let code = status(&word)?;
                let rest = cursor.rest();
                if !rest.node.is_empty() {
                    let help = "headers stand below the status, further right than it";
                    return Err(SpannedError::new(rest.span, "something follows the status").help(help));
                }
                Action::Status {
                    code,
                    headers: Vec::new(),
                }
            }
            other => {
                let help = if super::step::VERBS.contains(&other) || other.starts_with('>') {
                    "only `<`, `<b`, a status, `closed` and `eof` stand here".to_owned()
                } else {
                    did_you_mean(other, EXPECTATIONS)
                };
                let message = format!("`{other}` is no expectation");
                return Err(SpannedError::new(word.span, message).help(help));
            }
        };
        self.nothing_more(&cursor, word.node);
        Ok(action)
    }
}
