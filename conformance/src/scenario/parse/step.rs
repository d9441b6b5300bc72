//! `lane,lane [window] action`.

use std::time::Duration;

use super::super::SpannedError;
use super::super::ast::{Action, Lane, Span, Spanned, Step, Text};
use super::super::text;
use super::super::words::did_you_mean;
use super::arguments::{bounded, hex, is_name, mark, one_of, status};
use super::headers::WORDS;
use super::window::duration;
use super::{Cursor, Parser};

/// Every verb that is a word or a sign.
pub(super) const VERBS: [&str; 27] = [
    ">",
    "<",
    ">>",
    "<<",
    "<<+",
    ">b",
    "<b",
    ">x",
    "<x",
    "open",
    "ws",
    "wt",
    "tcp",
    "upgrade",
    "close",
    "closed",
    "eof",
    "drop",
    "half-close",
    "reopen",
    "fence",
    "silent",
    "wait",
    "mark",
    "any",
    "one",
    "GET",
];

impl Parser<'_> {
    pub(super) fn step(&mut self, line: Span) -> Option<Step> {
        let (line, at) = self.trace_time(line);
        let step = self.try_step(line, at);
        if let Err(problem) = step {
            self.problems.push(problem);
            // They belong to the line that could not be read.
            self.skip_indented();
            return None;
        }
        step.ok()
    }

    fn try_step(&mut self, line: Span, at: Option<Duration>) -> Result<Step, SpannedError> {
        let mut cursor = Cursor::new(self.source, line);
        let lanes = cursor
            .word()
            .map(|word| self.lanes(&word))
            .transpose()?
            .unwrap_or_default();
        let window = match cursor.rest() {
            Spanned { node, span } if node.starts_with('[') => {
                let Some(len) = node.find(']') else {
                    return Err(SpannedError::new(span, "the window has no `]`")
                        .help("write [lo .. hi] or [lo .. hi since mark]"));
                };
                let span = Span {
                    start: span.start,
                    end: span.start + len + 1,
                };
                cursor.skip_to(span.end);
                Some(self.window(span)?)
            }
            _ => None,
        };
        let Some(verb) = cursor.word() else {
            let place = Span {
                start: line.end,
                end: line.end,
            };
            return Err(
                SpannedError::new(place, "the step does nothing").help("a step is who, what and with what: a > 2::")
            );
        };
        let action = if lanes.iter().all(Lane::is_page) {
            self.page(&verb, &mut cursor)?
        } else {
            self.action(&verb, &mut cursor)?
        };
        Ok(Step {
            lanes,
            window,
            action,
            at,
            span: line,
        })
    }

    /// Cuts `  # +12.4ms` off the end of a step.
    fn trace_time(&mut self, line: Span) -> (Span, Option<Duration>) {
        let text = self.text(line);
        let Some(found) = text.rfind("  # +") else {
            return (line, None);
        };
        let time = &text[found + 5..];
        let plain = time
            .strip_suffix("ms")
            .filter(|it| it.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        let Some(at) = plain.and_then(|_| duration(time)) else {
            return (line, None);
        };
        (
            Span {
                start: line.start,
                end: line.start + found,
            },
            Some(at),
        )
    }

    fn lanes(&mut self, word: &Spanned<&str>) -> Result<Vec<Lane>, SpannedError> {
        if let Some(header) = word.node.strip_suffix(':').filter(|it| WORDS.contains(it)) {
            let message = format!("the header `{header}:` stands below the head of the file");
            return Err(SpannedError::new(word.span, message).help("move it up: headers come before any other line"));
        }
        let mut lanes: Vec<Lane> = Vec::new();
        for lane in word.node.split(',') {
            let (client, part) = lane
                .split_once('.')
                .map_or((lane, None), |(client, part)| (client, Some(part)));
            if !is_name(client) || !part.is_none_or(is_name) {
                let error = SpannedError::new(word.span, format!("malformed lane `{lane}`"));
                return Err(error.help("a step begins with its lane: a, b, a.poll, a.ws, or several: a,b"));
            }
            let lane = Lane {
                client: client.to_owned(),
                part: part.map(str::to_owned),
            };
            if lanes.contains(&lane) {
                self.problem(
                    word.span,
                    &format!("the lane `{}` is named twice", word.node),
                    "name it once",
                );
            }
            lanes.push(lane);
        }
        Ok(lanes)
    }

    pub(super) fn action(&mut self, verb: &Spanned<&str>, cursor: &mut Cursor<'_>) -> Result<Action, SpannedError> {
        let action = match verb.node {
            ">" => return Ok(Action::SendPacket(self.body(cursor))),
            "<" => return Ok(Action::ExpectPacket(self.body(cursor))),
            ">>" => return Ok(Action::SendBytes(self.body(cursor))),
            "<<" => return Ok(Action::ExpectBytes(self.body(cursor))),
            "<<+" => return Ok(Action::ExpectMore(self.body(cursor))),
            ">b" => return hex(&cursor.rest()).map(Action::SendAttachment),
            "<b" => return hex(&cursor.rest()).map(Action::ExpectAttachment),
            ">x" => return hex(&cursor.rest()).map(Action::SendRaw),
            "<x" => return hex(&cursor.rest()).map(Action::ExpectRaw),
            "open" => return self.open(cursor),
            "ws" => {
                let target = self.target(cursor, verb)?;
                return Ok(Action::Ws {
                    target,
                    headers: self.header_lines(),
                });
            }
            "wt" => return self.target(cursor, verb).map(Action::Wt),
            "tcp" => Action::Tcp(one_of(cursor, verb, &["http", "policy"])?),
            "upgrade" => Action::Upgrade(self.transport(cursor, verb)?.node),
            "close" => Action::Close(self.close_code(cursor)?),
            "closed" => Action::Closed(self.close_code(cursor)?),
            "eof" => Action::Eof,
            "drop" => Action::Drop,
            "half-close" => Action::HalfClose,
            "reopen" if cursor.peek_word().is_none() => Action::Reopen(None),
            "reopen" => Action::Reopen(Some(self.transport(cursor, verb)?)),
            "fence" => Action::Fence,
            "silent" => Action::Silent(bounded(cursor, verb)?),
            "wait" => Action::Wait(bounded(cursor, verb)?),
            "mark" => Action::Mark(mark(cursor, verb)?),
            "any" | "one" => return self.block(verb, cursor),
            word if word.starts_with(|c: char| c.is_ascii_digit()) => {
                let code = status(verb)?;
                self.nothing_more(cursor, word);
                return Ok(Action::Status {
                    code,
                    headers: self.header_lines(),
                });
            }
            word if word.len() > 1 && word.bytes().all(|it| it.is_ascii_uppercase()) => {
                let target = self.target(cursor, verb)?;
                return Ok(Action::Request {
                    method: word.to_owned(),
                    target,
                    headers: self.header_lines(),
                });
            }
            word => {
                let error = SpannedError::new(verb.span, format!("unknown verb `{word}`"));
                let help = match word {
                    "any-order" | "anyorder" => "did you mean `any order`?".to_owned(),
                    "one-of" | "oneof" => "did you mean `one of`?".to_owned(),
                    word => match super::super::words::nearest(word, VERBS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "verbs are > < >> << <<+ >b <b >x <x, a method, a status, open ws wt tcp upgrade close closed eof drop half-close reopen fence silent wait mark, any order, one of".to_owned(),
                    },
                };
                return Err(error.help(help));
            }
        };
        self.nothing_more(cursor, verb.node);
        Ok(action)
    }

    fn block(&mut self, verb: &Spanned<&str>, cursor: &mut Cursor<'_>) -> Result<Action, SpannedError> {
        let second = if verb.node == "any" { "order" } else { "of" };
        if !cursor.eat_word(second) {
            let error = SpannedError::new(verb.span, format!("unknown verb `{}`", verb.node));
            return Err(error.help(format!("did you mean `{} {second}`?", verb.node)));
        }
        self.nothing_more(cursor, &format!("{} {second}", verb.node));
        let head = Span {
            start: verb.span.start,
            end: verb.span.end + 1 + second.len(),
        };
        let expectations = self.expectations(head);
        Ok(if second == "order" {
            Action::AnyOrder(expectations)
        } else {
            Action::OneOf(expectations)
        })
    }

    /// `[bare] [transport] [target]`
    fn open(&mut self, cursor: &mut Cursor<'_>) -> Result<Action, SpannedError> {
        let bare = cursor.eat_word("bare");
        let mut transport = None;
        if let Some(word) = cursor.peek_word().filter(|it| !it.node.starts_with(['/', '$', '\\'])) {
            cursor.word();
            self.check_transport(&word, &["bare"])?;
            transport = Some(Spanned {
                node: word.node.to_owned(),
                span: word.span,
            });
        }
        let rest = cursor.rest();
        let target = (!rest.node.is_empty()).then(|| text::parse(self.source, rest.span, &mut self.problems));
        Ok(Action::Open {
            bare,
            transport,
            target,
        })
    }

    fn transport(&mut self, cursor: &mut Cursor<'_>, verb: &Spanned<&str>) -> Result<Spanned<String>, SpannedError> {
        let Some(word) = cursor.word() else {
            return Err(SpannedError::new(
                verb.span,
                format!("`{}` names no transport", verb.node),
            ));
        };
        self.check_transport(&word, &[])?;
        Ok(Spanned {
            node: word.node.to_owned(),
            span: word.span,
        })
    }

    pub(super) fn check_transport(&self, word: &Spanned<&str>, besides: &[&'static str]) -> Result<(), SpannedError> {
        let Some(generation) = self.generation else {
            return Ok(());
        };
        if generation.transports().contains(&word.node) {
            return Ok(());
        }
        let known: Vec<&str> = generation.transports().iter().chain(besides).copied().collect();
        let error = SpannedError::new(word.span, format!("unknown transport `{}` of {generation}", word.node));
        Err(error.help(did_you_mean(word.node, known)))
    }

    pub(super) fn target(&mut self, cursor: &Cursor<'_>, verb: &Spanned<&str>) -> Result<Text, SpannedError> {
        let rest = cursor.rest();
        if rest.node.is_empty() {
            let error = SpannedError::new(verb.span, format!("`{}` has no target", verb.node));
            return Err(error.help("write the path and the query behind it: GET /socket.io/1/"));
        }
        Ok(text::parse(self.source, rest.span, &mut self.problems))
    }

    fn body(&mut self, cursor: &Cursor<'_>) -> Text {
        text::parse(self.source, cursor.body(), &mut self.problems)
    }

    pub(super) fn close_code(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<u16>, SpannedError> {
        let Some(word) = cursor.word() else { return Ok(None) };
        match word.node.parse() {
            Ok(code @ 1000..=4999) => Ok(Some(code)),
            _ => Err(
                SpannedError::new(word.span, format!("`{}` is no close code", word.node))
                    .help("close codes of a WebSocket are 1000 to 4999"),
            ),
        }
    }

    pub(super) fn nothing_more(&mut self, cursor: &Cursor<'_>, after: &str) {
        let rest = cursor.rest();
        if rest.node.is_empty() {
            return;
        }
        let help = if rest.node.starts_with('#') {
            "a comment is a line of its own"
        } else {
            "delete it"
        };
        self.problem(rest.span, &format!("something follows `{after}`"), help);
    }
}
