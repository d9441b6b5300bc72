//! Expectations of a response's head.

use super::{Attempt, Consumed, Hit, MAIN, Piece, View, Wrong, labelled, mismatch};
use crate::client::http::ResponseHead;
use crate::client::tape::Framing;
use crate::client::{Inbox, Section};
use crate::run::case::fault::Fault;
use crate::scenario::ast::{HeaderLine, Span};
use crate::scenario::capture::Captures;
use crate::scenario::pattern::match_bytes;

impl View<'_> {
    pub(super) fn status(&self, inbox: &mut Inbox, code: u16, headers: &[HeaderLine], span: Span) -> Attempt {
        let name = self.part.unwrap_or(MAIN).to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let Some(at) = part.sections.iter().position(|section| !section.head_taken) else {
            return match part.trouble.front() {
                Some(reason) => mismatch(Fault::new(span, "no response", reason.clone())),
                None => Attempt::NotYet,
            };
        };
        let section = &mut part.sections[at];
        let Some(head) = section.head.clone() else {
            return Attempt::NotYet;
        };
        let mut captures = self.captures.clone();
        if let Some(fault) = wrong_status(section, &head, code, headers, span, &mut captures) {
            let wrong = Wrong {
                part: name,
                section: at,
                piece: Piece::Head,
            };
            return Attempt::Mismatch(Box::new(fault), Some(wrong));
        }
        section.head_taken = true;
        // What explains an earlier error, and nobody has looked at, is left behind.
        for earlier in &mut part.sections[..at] {
            earlier.body_taken |= earlier.is_error();
        }
        let section = &part.sections[at];
        let (conn, number, at) = (section.conn.clone(), section.index, section.head_at);
        let consumed = Consumed::Status {
            conn,
            section: number,
            head,
        };
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures,
            at,
            part: name,
        }))
    }
}

/// A response nobody asked the status of must be a good one.
pub(super) fn wrong_head(section: &Section, span: Span) -> Option<Fault> {
    let head = section.head.as_ref().filter(|_| !section.head_taken)?;
    let due = if section.framing.is_websocket() || section.framing == Framing::Hixie {
        101
    } else {
        200
    };
    let fault = Fault::new(
        span,
        "unexpected status",
        format!("{} was answered {}", section.request, head.status),
    );
    (head.status != due).then(|| fault.got(head.to_text()))
}

fn wrong_status(
    section: &Section,
    head: &ResponseHead,
    code: u16,
    headers: &[HeaderLine],
    span: Span,
    captures: &mut Captures,
) -> Option<Fault> {
    if head.status != code {
        let label = format!("{} was answered {}", section.request, head.status);
        return Some(Fault::new(span, "unexpected status", label).got(head.to_text()));
    }
    let accept = section.accept.as_ref().filter(|_| code == 101);
    if let Some(accept) = accept
        && head.header("sec-websocket-accept").as_ref() != Some(accept)
    {
        let label = format!("the key asks for Sec-WebSocket-Accept: {accept}");
        return Some(Fault::new(span, "wrong opening handshake", label).got(head.to_text()));
    }
    for line in headers {
        let got = head.header(&line.name);
        let label = match (&line.value, &got) {
            (None, None) => continue,
            (None, Some(value)) => format!("expected no {}, got {value:?}", line.name),
            (Some(_), None) => format!("no header {}", line.name),
            (Some(pattern), Some(value)) => match match_bytes(pattern, value.as_bytes(), captures) {
                Ok(()) => continue,
                Err(miss) => labelled(&miss),
            },
        };
        return Some(Fault::new(line.span, "header does not match", label).got(head.to_text()));
    }
    None
}
