//! What is changed in a recording: only what a step consumed, one thing at a time.
//!
//! | module | what |
//! |---|---|
//! | [`packet`] | a packet's literals, its presence, its count |
//! | [`binary`] | a binary message's bytes, its presence, its count |
//! | [`order`] | two packets of one part that came one after the other |
//! | [`response`] | a status, the asserted headers, whether an answer comes at all |
//! | [`bytes`] | bodies and pieces of streams |
//! | [`time`] | too early and too late for a window |
//! | [`end`] | a connection that stays open, another close code |
//! | [`absence`] | something that comes where nothing may |
//!
//! Not changed are holes that take everything, headers nobody asks for, hidden packets, the order across parts or inside
//! `any order`, and delays where there is no window.

mod absence;
mod binary;
mod bytes;
mod end;
mod order;
mod packet;
mod response;
mod time;

use super::Recording;
use crate::client::http::shorten;
use crate::client::tape::{ConnId, Tape};
use crate::run::case::{Consumed, Consumption, Op};
use crate::scenario::ast::{Action, Span};
use crate::scenario::pattern::show_bytes;

/// A changed recording.
pub(super) struct Mutant {
    /// The step that has to notice, as a number into the case's ops; their count stands for the end of the case.
    pub(super) op: usize,
    /// What has to notice.
    pub(super) span: Span,
    /// What was changed: `"6:::1" sent twice`.
    pub(super) words: String,
    /// The changed tape.
    pub(super) tape: Tape,
}

/// What a mutant is made from.
struct Subject<'a> {
    recording: &'a Recording,
    /// The number of the consumption.
    number: usize,
    took: &'a Consumption,
    /// What was expected; `None` at the end of the case.
    action: Option<&'a Action>,
    span: Span,
}

impl Subject<'_> {
    fn tape(&self) -> &Tape {
        &self.recording.played.tape
    }

    /// What the lane took before.
    fn previous(&self) -> Option<&Consumption> {
        let before = self.recording.played.consumed.get(..self.number)?;
        before.iter().rev().find(|other| other.lane == self.took.lane)
    }

    fn mutant(&self, words: impl Into<String>, tape: Tape) -> Mutant {
        Mutant {
            op: self.took.op,
            span: self.span,
            words: words.into(),
            tape,
        }
    }
}

/// The mutants of what one expectation consumed.
pub(super) fn of_consumption(recording: &Recording, ops: &[Op<'_>], number: usize) -> Vec<Mutant> {
    let Some(took) = recording.played.consumed.get(number) else {
        return Vec::new();
    };
    let op = ops.get(took.op);
    let (action, span) = expected(op, took);
    let span = span.unwrap_or_else(|| ops.last().map_or(Span::default(), |op| op.step.span));
    let subject = Subject {
        recording,
        number,
        took,
        action,
        span,
    };
    let mut mutants = match &took.consumed {
        Consumed::Packet { place, framing, text } => packet::mutants(&subject, place, *framing, text),
        Consumed::Binary { place, framing, bytes } => binary::mutants(&subject, place, *framing, bytes),
        Consumed::Status { conn, section, head } => response::mutants(&subject, conn, *section, head),
        Consumed::Bytes { place, bytes, whole } => bytes::mutants(&subject, place, bytes, *whole),
        Consumed::End(ending) => end::mutants(&subject, ending),
        Consumed::Silence { client, part } => absence::during(&subject, client, part),
        Consumed::Fence { place, framing, text } => absence::before(&subject, place, *framing, text),
    };
    mutants.extend(order::mutants(&subject, ops));
    mutants.extend(time::mutants(&subject));
    mutants
}

/// The mutants of the end of a case, for clients that cannot be fenced.
pub(super) fn of_end(recording: &Recording, ops: &[Op<'_>]) -> Vec<Mutant> {
    absence::at_end(recording, ops)
}

/// The expectation that took something: the step's own, or one of the lines below it.
fn expected<'a>(op: Option<&Op<'a>>, took: &Consumption) -> (Option<&'a Action>, Option<Span>) {
    let Some(op) = op else { return (None, None) };
    match (&op.step.action, took.line) {
        (Action::AnyOrder(lines) | Action::OneOf(lines), Some(line)) => (
            lines.get(line).map(|line| &line.action),
            lines.get(line).map(|line| line.span),
        ),
        (action, _) => (Some(action), Some(op.step.span)),
    }
}

/// Something received, as a person reads it.
fn quoted(bytes: &[u8]) -> String {
    // More than is shown, whatever the characters; a body may be a megabyte.
    let beginning = &bytes[..bytes.len().min(512)];
    format!("\"{}\"", shorten(&show_bytes(beginning)))
}

/// A connection as a person knows it.
fn lane(conn: &ConnId) -> String {
    format!("{}.{}", conn.client, conn.part)
}
