//! Bodies, pieces of streams, and raw bytes.

use super::super::edit;
use super::{Mutant, Subject, quoted};
use crate::client::tape::Place;
use crate::scenario::ast::{Action, Atom, AtomKind, Span, Text};
use crate::scenario::mutate::{bytes_mutants, prefix_mutants};
use crate::scenario::pattern::match_bytes;

pub(super) fn mutants(subject: &Subject<'_>, place: &Place, bytes: &[u8], whole: bool) -> Vec<Mutant> {
    let got = quoted(bytes);
    let with = |new: &[u8]| {
        let mut tape = subject.tape().clone();
        edit::splice(&mut tape, &place.conn, place.section, place.range.clone(), new)?;
        Some(tape)
    };
    let mut mutants: Vec<Mutant> = literals(subject, bytes, whole)
        .into_iter()
        .filter_map(|(words, span, new)| {
            let words = format!("{got} became {}: {words}", quoted(&new));
            Some(Mutant {
                span,
                ..subject.mutant(words, with(&new)?)
            })
        })
        .collect();
    if !bytes.is_empty() && !fits_nothing(subject) {
        mutants.extend(with(b"").map(|tape| subject.mutant(format!("{got} did not come"), tape)));
    }
    if !bytes.is_empty() && !whole {
        mutants.extend(with(&bytes.repeat(2)).map(|tape| subject.mutant(format!("{got} sent twice"), tape)));
    }
    mutants
}

/// Whether the step takes an empty body as well: `<< $(/1?/)`.
fn fits_nothing(subject: &Subject<'_>) -> bool {
    let mut captures = subject.took.before.clone();
    matches!(subject.action, Some(Action::ExpectBytes(text)) if match_bytes(text, b"", &mut captures).is_ok())
}

/// Bytes that the pattern must refuse, with what was changed and where the pattern says so.
fn literals(subject: &Subject<'_>, bytes: &[u8], whole: bool) -> Vec<(String, Span, Vec<u8>)> {
    let raw;
    let pattern = match subject.action {
        Some(Action::ExpectBytes(pattern) | Action::ExpectMore(pattern)) => pattern,
        Some(Action::ExpectRaw(bytes) | Action::ExpectAttachment(bytes)) => {
            raw = literal(bytes, subject.span);
            &raw
        }
        _ => return Vec::new(),
    };
    let before = &subject.took.before;
    let mutants = if whole {
        bytes_mutants(pattern, bytes, before)
    } else {
        prefix_mutants(pattern, bytes, before)
    };
    mutants
        .into_iter()
        .map(|it| (it.description, it.span, it.bytes))
        .collect()
}

fn literal(bytes: &[u8], span: Span) -> Text {
    Text {
        atoms: bytes
            .iter()
            .map(|byte| Atom {
                kind: AtomKind::Byte(*byte),
                span,
            })
            .collect(),
        span,
    }
}
