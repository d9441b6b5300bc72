//! The `word: text` lines at the head of a file.

use super::super::ast::{Auto, Headers, Level, Span, Spanned};
use super::super::words::did_you_mean;
use super::{Cursor, Parser};
use crate::suite::Date;

/// Every header word.
pub(super) const WORDS: [&str; 11] = [
    "case", "title", "needs", "over", "clients", "level", "since", "auto", "alone", "affects", "fixed",
];

impl Parser<'_> {
    pub(super) fn headers(&mut self) -> Headers {
        let mut seen: Vec<(&str, Spanned<String>)> = Vec::new();
        while let Some(line) = self.lines.get(self.at).copied() {
            let text = self.text(line);
            let Some((word, value)) = text.split_once(':').filter(|(word, _)| is_word(word)) else {
                break;
            };
            self.at += 1;
            self.without_trailing_space(line);
            let word_span = Span {
                start: line.start,
                end: line.start + word.len(),
            };
            let Some(word) = WORDS.into_iter().find(|it| *it == word) else {
                self.problem(
                    word_span,
                    &format!("unknown header `{word}`"),
                    &did_you_mean(word, WORDS),
                );
                continue;
            };
            let node = value.trim();
            let start = line.end - value.trim_start().len();
            let span = Span {
                start,
                end: start + node.len(),
            };
            if node.is_empty() {
                self.problem(
                    line,
                    &format!("`{word}:` says nothing"),
                    "write something behind it, or delete the line",
                );
            }
            if seen.iter().any(|(it, _)| *it == word) {
                self.problem(
                    word_span,
                    &format!("`{word}:` stands here a second time"),
                    "keep one of the two",
                );
                continue;
            }
            seen.push((
                word,
                Spanned {
                    node: node.to_owned(),
                    span,
                },
            ));
        }
        let mut take = |word: &str| {
            seen.iter()
                .position(|(it, _)| *it == word)
                .map(|at| seen.swap_remove(at).1)
        };
        let case = take("case");
        let (level, auto) = (take("level"), take("auto"));
        let since = take("since");
        let (needs, over, clients) = (take("needs"), take("over"), take("clients"));
        let headers = Headers {
            case: Spanned {
                node: String::new(),
                span: Span::default(),
            },
            title: take("title"),
            needs: self.list(needs),
            over: self.list(over),
            clients: self.list(clients),
            level: self.level(level),
            since: self.since(since),
            auto: self.auto(auto),
            alone: take("alone"),
            affects: take("affects"),
            fixed: take("fixed"),
        };
        Headers {
            case: self.case(case),
            ..headers
        }
    }

    /// `generation/topic/name`
    fn case(&mut self, case: Option<Spanned<String>>) -> Spanned<String> {
        let help = "the id is generation/topic/name: lower case, digits and hyphens";
        let Some(case) = case else {
            let span = self.lines.first().copied().unwrap_or_default();
            self.problem(
                span,
                "the file has no `case:`",
                &format!("begin it with a line `case:  rev1/topic/name`; {help}"),
            );
            return Spanned {
                node: String::new(),
                span,
            };
        };
        let part = |it: &str| {
            !it.is_empty()
                && it
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let parts: Vec<&str> = case.node.split('/').collect();
        if parts.len() != 3 || !parts.iter().all(|it| part(it)) {
            self.problem(case.span, "malformed case id", help);
        }
        let generation = parts[0];
        match generation.parse() {
            Ok(generation) => self.generation = Some(generation),
            Err(_) => {
                let span = Span {
                    start: case.span.start,
                    end: case.span.start + generation.len(),
                };
                let help = did_you_mean(generation, ["rev1", "eio3", "eio4"]);
                self.problem(span, &format!("unknown generation `{generation}`"), &help);
            }
        }
        case
    }

    fn list(&mut self, value: Option<Spanned<String>>) -> Vec<Spanned<String>> {
        let Some(value) = value else { return Vec::new() };
        let mut cursor = Cursor::new(self.source, value.span);
        let mut words: Vec<Spanned<String>> = Vec::new();
        while let Some(word) = cursor.word() {
            if words.iter().any(|it| it.node == word.node) {
                self.problem(word.span, &format!("`{}` is named twice", word.node), "delete one");
            }
            words.push(Spanned {
                node: word.node.to_owned(),
                span: word.span,
            });
        }
        words
    }

    fn since(&mut self, value: Option<Spanned<String>>) -> Option<Spanned<String>> {
        let value = value?;
        if let Err(error) = value.node.parse::<Date>() {
            self.problem(value.span, &format!("`{}` is no date", value.node), &error.to_string());
        }
        Some(value)
    }

    fn level(&mut self, value: Option<Spanned<String>>) -> Level {
        let Some(value) = value else { return Level::default() };
        Level::ALL
            .into_iter()
            .find(|it| it.word() == value.node)
            .unwrap_or_else(|| {
                let help = did_you_mean(&value.node, Level::ALL.map(Level::word));
                self.problem(value.span, &format!("unknown level `{}`", value.node), &help);
                Level::default()
            })
    }

    fn auto(&mut self, value: Option<Spanned<String>>) -> Auto {
        let Some(value) = value else { return Auto::default() };
        match value.node.as_str() {
            "heartbeats" => Auto::Heartbeats,
            "none" => Auto::None,
            other => {
                let help = did_you_mean(other, ["heartbeats", "none"]);
                self.problem(value.span, &format!("`auto:` knows no `{other}`"), &help);
                Auto::default()
            }
        }
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|it| it.is_ascii_alphabetic())
}
