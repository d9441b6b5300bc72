//! The answer to a request: its status and its headers.

use super::super::edit;
use super::{Mutant, Subject, lane, quoted};
use crate::client::http::ResponseHead;
use crate::client::tape::{ConnId, Entry, Tape};
use crate::scenario::ast::{Action, HeaderLine, Span};
use crate::scenario::mutate::bytes_mutants;

/// Headers that say how long the body is: changed, they would break the connection and not the case.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

pub(super) fn mutants(subject: &Subject<'_>, conn: &ConnId, section: usize, head: &ResponseHead) -> Vec<Mutant> {
    let with = |new: ResponseHead| with_head(subject.tape(), conn, section, new);
    let status = if head.status == 500 { 503 } else { 500 };
    let mut mutants = Vec::new();
    let tape = with(ResponseHead { status, ..head.clone() });
    mutants.extend(tape.map(|tape| subject.mutant(format!("status {status} and not {}", head.status), tape)));
    let words = format!("the answer {} on {} did not come", head.status, lane(conn));
    mutants.extend(without(subject.tape(), conn, section).map(|tape| subject.mutant(words, tape)));
    let Some(Action::Status { headers, .. }) = subject.action else {
        return mutants;
    };
    for line in headers {
        for (words, span, new) in changed(subject, line, head) {
            mutants.extend(with(new).map(|tape| Mutant {
                span,
                ..subject.mutant(words, tape)
            }));
        }
    }
    mutants
}

/// Heads that the line must refuse.
fn changed(subject: &Subject<'_>, line: &HeaderLine, head: &ResponseHead) -> Vec<(String, Span, ResponseHead)> {
    let name = line.name.as_str();
    let set = |value: Option<&str>| {
        let mut head = head.clone();
        head.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        head.headers
            .extend(value.map(|value| (name.to_owned(), value.to_owned())));
        head
    };
    let (Some(pattern), Some(got)) = (&line.value, head.header(name)) else {
        return vec![(format!("header {name} came"), line.span, set(Some("unexpected")))];
    };
    let mut changes = vec![(format!("header {name} did not come"), line.span, set(None))];
    if FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
        return changes;
    }
    for mutation in bytes_mutants(pattern, got.as_bytes(), &subject.took.before) {
        let Ok(value) = String::from_utf8(mutation.bytes) else {
            continue;
        };
        if value.trim() == got || value.contains(['\r', '\n']) {
            continue;
        }
        let shown = quoted(value.as_bytes());
        let words = format!("header {name} became {shown}: {}", mutation.description);
        changes.push((words, mutation.span, set(Some(&value))));
    }
    changes
}

fn with_head(tape: &Tape, conn: &ConnId, section: usize, new: ResponseHead) -> Option<Tape> {
    let mut tape = tape.clone();
    let number = edit::entries(&tape, conn, section)?.start;
    let Entry::Head { head, .. } = tape.conns.get_mut(conn)?.entries.get_mut(number)? else {
        return None;
    };
    *head = new;
    Some(tape)
}

/// The tape without a response; the connection answers nothing more, for HTTP answers in order.
fn without(tape: &Tape, conn: &ConnId, section: usize) -> Option<Tape> {
    let mut tape = tape.clone();
    let start = edit::entries(&tape, conn, section)?.start;
    tape.conns.get_mut(conn)?.entries.truncate(start);
    Some(tape)
}
