//! The order of two packets that came one after the other on one part.

use super::super::edit::{self, Change};
use super::{Mutant, Subject, quoted};
use crate::client::tape::{Framing, Place};
use crate::run::case::{Consumed, Consumption, Op};
use crate::scenario::ast::Action;

/// Exchanges the packet with the one before it, where no send stands between them: what follows a send has its cause there.
pub(super) fn mutants(subject: &Subject<'_>, ops: &[Op<'_>]) -> Option<Mutant> {
    let (place, framing, text) = ordered(subject.took, ops)?;
    let before = subject.previous()?;
    let (other_place, other_framing, other_text) = ordered(before, ops)?;
    if before.gate != subject.took.gate || other_text == text {
        return None;
    }
    let mut tape = edit::packet(subject.tape(), place, framing, Change::To(other_text))?;
    edit::packet_in(&mut tape, other_place, other_framing, Change::To(text))?;
    let words = format!(
        "{} came before {}",
        quoted(text.as_bytes()),
        quoted(other_text.as_bytes())
    );
    Some(subject.mutant(words, tape))
}

/// A packet whose order counts.
fn ordered<'a>(took: &'a Consumption, ops: &[Op<'_>]) -> Option<(&'a Place, Framing, &'a str)> {
    if matches!(ops.get(took.op)?.step.action, Action::AnyOrder(_)) {
        return None;
    }
    match &took.consumed {
        Consumed::Packet { place, framing, text } => Some((place, *framing, text)),
        _ => None,
    }
}
