//! Expectations of an end: of a session (`closed`), or of a connection (`eof`).

use tokio::time::Instant;

use super::response::wrong_head;
use super::show::show;
use super::{Attempt, Consumed, Ending, Hit, Piece, View, Wrong, candidates, mismatch, pass_over};
use crate::client::protocol::ends_session;
use crate::client::tape::{ConnId, Framing};
use crate::client::{Inbox, Part, UnitKind};
use crate::run::case::fault::Fault;
use crate::scenario::Generation;
use crate::scenario::ast::Span;
use crate::scenario::diagnostic::excerpt;

impl View<'_> {
    pub(super) fn closed(&self, inbox: &mut Inbox, code: Option<u16>, span: Span) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let end = stream_end(part);
        let mut seen = Vec::new();
        let mut told = None;
        for (section, number, unit) in candidates(part) {
            let says_so = match &unit.kind {
                UnitKind::Packet(packet) => ends_session(self.generation, packet) && !part.said.contains(packet),
                UnitKind::Close(got, _) => {
                    if let Some(code) = code
                        && *got != Some(code)
                    {
                        let label = format!("expected close code {code}, got {}", show(&unit.kind, None));
                        return mismatch(Fault::new(span, "closed with another code", label));
                    }
                    told = Some(unit.at);
                    true
                }
                _ => false,
            };
            if says_so {
                if self.polling && self.generation == Generation::Rev1 {
                    told = Some(unit.at);
                }
                seen.push((section, number));
            } else if !self.hides(unit) {
                let fault =
                    Fault::new(span, "not closed", "expected the end, got a packet").got(show(&unit.kind, None));
                let piece = Piece::Unit(number);
                let wrong = Wrong {
                    part: name,
                    section,
                    piece,
                };
                return Attempt::Mismatch(Box::new(fault), Some(wrong));
            }
        }
        let refused = part.refused.as_ref().filter(|_| self.polling);
        if let Some(refused) = refused {
            if refused.status != 400 {
                let label = format!(
                    "the poll was answered {}, where a session that is over gives 400",
                    refused.status
                );
                return mismatch(Fault::new(span, "closed in another way", label).got(refused.answer.clone()));
            }
            told = Some(refused.at);
        }
        let refused = refused.map(|refused| (refused.conn.clone(), refused.section));
        let over = end.filter(|_| !self.polling);
        let Some(at) = told.or(over) else {
            return Attempt::NotYet;
        };
        if code.is_some() && told.is_none() {
            return mismatch(Fault::new(
                span,
                "closed without a code",
                "the connection ended without a close frame",
            ));
        }
        // What was refused was never open, and so is not closed.
        let opened = part.sections.last_mut().filter(|_| !self.polling);
        if let Some(section) = opened {
            if let Some(fault) = wrong_head(section, span).filter(|_| section.is_error()) {
                return mismatch(fault);
            }
            section.head_taken |= section.framing.is_websocket();
        }
        let mut words = Vec::new();
        for (number, unit) in seen.into_iter().rev() {
            let section = &mut part.sections[number];
            let framing = section.framing;
            if let Some(unit) = section.take_unit(unit) {
                words.push((section.place(unit.range, unit.slot), framing));
            }
        }
        for section in &mut part.sections {
            pass_over(section, self.generation);
        }
        part.trouble.clear();
        let Some(conn) = part.sections.last().map(|section| section.conn.clone()) else {
            return Attempt::NotYet;
        };
        let consumed = Consumed::End(Ending {
            conn,
            words,
            eof: end.is_some(),
            refused,
        });
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures: self.captures.clone(),
            at,
            part: name,
        }))
    }

    pub(super) fn eof(&self, inbox: &mut Inbox, span: Span) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let visible = candidates(part).find(|(_, _, unit)| !self.hides(unit));
        if let Some((section, number, unit)) = visible {
            let fault = Fault::new(span, "no end of the stream", "a packet came before it").got(show(&unit.kind, None));
            let piece = Piece::Unit(number);
            let wrong = Wrong {
                part: name,
                section,
                piece,
            };
            return Attempt::Mismatch(Box::new(fault), Some(wrong));
        }
        let raw = part
            .sections
            .last()
            .filter(|section| section.framing == Framing::Raw && section.head.is_none());
        if let Some(rest) = raw
            .map(|section| &section.data[section.taken..])
            .filter(|rest| !rest.is_empty())
        {
            let fault = Fault::new(span, "no end of the stream", "bytes came before it").got(excerpt(rest, None));
            return mismatch(fault);
        }
        let Some(at) = stream_end(part) else {
            return Attempt::NotYet;
        };
        part.trouble.clear();
        let conn = match part.sections.last() {
            Some(section) => section.conn.clone(),
            None => ConnId {
                client: String::new(),
                part: name.clone(),
                ordinal: 0,
            },
        };
        let consumed = Consumed::End(Ending {
            conn,
            words: Vec::new(),
            eof: true,
            refused: None,
        });
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures: self.captures.clone(),
            at,
            part: name,
        }))
    }
}

/// When the newest connection of a part ended. The end of a stream's response counts: HTTP may keep the connection.
fn stream_end(part: &Part) -> Option<Instant> {
    let stream = part
        .sections
        .last()
        .filter(|it| matches!(it.framing, Framing::HtmlFile | Framing::Multipart));
    part.end.map(|(_, at)| at).or_else(|| stream?.ended_at)
}
