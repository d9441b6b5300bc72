//! Expectations at byte altitude: a whole body or frame, the next bytes of a stream, raw bytes below the framing.

use super::response::wrong_head;
use super::show::{describe, short_hex};
use super::{Attempt, Consumed, Hit, Piece, View, Wrong, labelled, mismatch, pass_over, passed};
use crate::client::protocol::may_be_hidden;
use crate::client::tape::Framing;
use crate::client::{Inbox, Section, UnitKind};
use crate::run::case::fault::Fault;
use crate::scenario::ast::{Span, Text};
use crate::scenario::diagnostic::excerpt;
use crate::scenario::pattern::{Mismatch, Prefix, match_bytes, match_prefix};

impl View<'_> {
    pub(super) fn bytes(&self, inbox: &mut Inbox, text: &Text, whole: bool) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        // An empty body is one, too: where a step has looked at the newest head, and the pattern fits nothing.
        let newest = part.sections.iter().rposition(|section| section.head_taken);
        let nothing = |number: &usize| {
            let section = &part.sections[*number];
            let fits = || match_bytes(text, b"", &mut self.captures.clone()).is_ok();
            whole && passed(section) && !section.body_taken && fits()
        };
        let waiting = |section: &Section| !section.body_taken && !passed(section);
        let current = newest
            .filter(nothing)
            .or_else(|| part.sections.iter().position(waiting));
        let Some(number) = current else {
            return match part.trouble.front() {
                Some(reason) => mismatch(Fault::new(text.span, "the connection failed", reason.clone())),
                None => Attempt::NotYet,
            };
        };
        let framing = part.sections[number].framing;
        if framing.is_websocket() || framing == Framing::Hixie {
            return self.frame(inbox, text);
        }
        let section = &part.sections[number];
        if let Some(fault) = wrong_head(section, text.span) {
            return mismatch(fault);
        }
        let rest = &section.data[section.taken..];
        let refuse = |miss: &Mismatch| {
            let wrong = Wrong {
                part: name.clone(),
                section: number,
                piece: Piece::Body,
            };
            Attempt::Mismatch(Box::new(bytes_fault(miss, rest)), Some(wrong))
        };
        let mut captures = self.captures.clone();
        let result = if whole {
            if !section.ended {
                // The beginning may be wrong already; a stream without end is not waited for.
                return match match_prefix(text, rest, false, &mut captures) {
                    Prefix::Mismatch(miss) => refuse(&miss),
                    _ => Attempt::NotYet,
                };
            }
            match_bytes(text, rest, &mut captures).map(|()| rest.len())
        } else {
            match match_prefix(text, rest, section.ended, &mut captures) {
                Prefix::NeedMore => return Attempt::NotYet,
                Prefix::Matched(length) => Ok(length),
                Prefix::Mismatch(miss) => Err(miss),
            }
        };
        let repoll = self.repoll && self.auto && !section.units.is_empty();
        match result {
            Ok(length) => {
                for earlier in &mut part.sections[..number] {
                    pass_over(earlier, self.generation);
                }
                let section = &mut part.sections[number];
                section.head_taken = true;
                let range = section.take_bytes(length);
                section.body_taken |= whole;
                let at = section.arrived(range.end);
                let bytes = section.data[range.clone()].to_vec();
                let consumed = Consumed::Bytes {
                    place: section.place(range, 0),
                    bytes,
                    whole,
                };
                Attempt::Matched(Box::new(Hit {
                    consumed,
                    captures,
                    at,
                    part: name,
                }))
            }
            Err(_) if repoll && section.ended && section.units.iter().all(|unit| self.hides(unit)) => {
                let section = &mut part.sections[number];
                section.units.clear();
                section.body_taken = true;
                Attempt::Repoll(name)
            }
            Err(miss) => refuse(&miss),
        }
    }

    /// `<<` on a WebSocket: the text of the next frame.
    pub(super) fn frame(&self, inbox: &mut Inbox, text: &Text) -> Attempt {
        let wants_hidden = may_be_hidden(self.generation, text.literals().next().as_ref());
        self.take_unit(inbox, text.span, wants_hidden, "frame", |kind, captures| match kind {
            UnitKind::Packet(got) | UnitKind::Encoded(got, _) => match_bytes(text, got.as_bytes(), captures),
            other => Err(Mismatch {
                span: text.span,
                path: String::new(),
                message: format!("expected a text frame, got {}", describe(other)),
                offset: None,
            }),
        })
    }

    /// Goes beyond heartbeats that stand where other bytes are expected.
    fn pass_hidden(&self, section: &mut Section, expected: &[u8]) {
        while let Some(unit) = section.units.front()
            && self.hides(unit)
            && unit.range.start == section.taken
            && !expected.starts_with(&section.data[unit.range.clone()])
        {
            section.take_unit(0);
        }
    }

    /// `<x`: the next bytes below the framing of a WebSocket or of a WebTransport stream.
    pub(super) fn raw(&self, inbox: &mut Inbox, bytes: &[u8], span: Span) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let number = part.sections.len().saturating_sub(1);
        let Some(section) = part.sections.get_mut(number) else {
            return Attempt::NotYet;
        };
        if section.taken == 0 && !section.head_taken {
            if let Some(fault) = wrong_head(section, span) {
                return mismatch(fault);
            }
            section.head_taken = true;
        }
        self.pass_hidden(section, bytes);
        let rest = &section.data[section.taken..];
        let known = rest.len().min(bytes.len());
        if rest[..known] != bytes[..known] {
            let fault = Fault::new(span, "bytes do not match", format!("got {}", short_hex(&rest[..known])));
            let wrong = Wrong {
                part: name,
                section: number,
                piece: Piece::Body,
            };
            return Attempt::Mismatch(Box::new(fault.got(short_hex(rest))), Some(wrong));
        }
        if known < bytes.len() {
            return Attempt::NotYet;
        }
        let range = section.take_bytes(bytes.len());
        let at = section.arrived(range.end);
        let consumed = Consumed::Bytes {
            place: section.place(range, 0),
            bytes: bytes.to_vec(),
            whole: false,
        };
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures: self.captures.clone(),
            at,
            part: name,
        }))
    }
}

fn bytes_fault(miss: &Mismatch, got: &[u8]) -> Fault {
    Fault::new(miss.span, "bytes do not match", labelled(miss)).got(excerpt(got, miss.offset))
}
