//! Packets, and the text of WebSocket frames.

use super::super::edit::{self, Change};
use super::{Mutant, Subject, quoted};
use crate::client::protocol;
use crate::client::tape::{Framing, Place};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Auto, Span};
use crate::scenario::mutate::bytes_mutants;

pub(super) fn mutants(subject: &Subject<'_>, place: &Place, framing: Framing, text: &str) -> Vec<Mutant> {
    let got = quoted(text.as_bytes());
    let change = |change: Change<'_>| edit::packet(subject.tape(), place, framing, change);
    let mut mutants: Vec<Mutant> = literals(subject, text)
        .into_iter()
        .filter_map(|(words, span, new)| {
            let tape = change(Change::To(&new))?;
            Some(Mutant {
                span,
                ..subject.mutant(format!("{got} became {}: {words}", quoted(new.as_bytes())), tape)
            })
        })
        .collect();
    mutants.extend(change(Change::Drop).map(|tape| subject.mutant(format!("{got} did not come"), tape)));
    if !is_hidden(subject, text) {
        mutants.extend(change(Change::Twice).map(|tape| subject.mutant(format!("{got} sent twice"), tape)));
    }
    mutants
}

/// Whether the runner hides such a packet where no step asks for it.
fn is_hidden(subject: &Subject<'_>, text: &str) -> bool {
    let auto = subject.recording.case.scenario.headers.auto == Auto::Heartbeats;
    auto && protocol::is_hidden(generation(subject), text)
}

fn generation(subject: &Subject<'_>) -> Generation {
    let headers = &subject.recording.case.scenario.headers;
    headers.generation().parse().unwrap_or(Generation::Rev1)
}

/// Texts that the pattern must refuse, with what was changed and where the pattern says so.
fn literals(subject: &Subject<'_>, text: &str) -> Vec<(String, Span, String)> {
    let before = &subject.took.before;
    match subject.action {
        Some(Action::ExpectPacket(pattern)) => {
            let compiled = subject.recording.patterns.packet(generation(subject), pattern);
            let Ok(pattern) = compiled.as_ref() else {
                return Vec::new();
            };
            let mutants = pattern.mutants(text, before).into_iter();
            mutants
                .map(|mutation| (mutation.description, mutation.span, mutation.text))
                .collect()
        }
        Some(Action::ExpectBytes(pattern)) => {
            let mutants = bytes_mutants(pattern, text.as_bytes(), before).into_iter();
            let utf8 = mutants.filter_map(|it| Some((it.description, it.span, String::from_utf8(it.bytes).ok()?)));
            utf8.collect()
        }
        _ => Vec::new(),
    }
}
