//! The end of a connection or session.

use super::super::edit::{self, Change};
use super::{Mutant, Subject, lane};
use crate::client::tape::{Entry, Framing, Tape};
use crate::client::websocket::{Opcode, server_frame};
use crate::run::case::Ending;
use crate::scenario::ast::Action;

pub(super) fn mutants(subject: &Subject<'_>, ending: &Ending) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    let words = format!("{} stayed open", lane(&ending.conn));
    mutants.extend(stays_open(subject.tape(), ending).map(|tape| subject.mutant(words, tape)));
    if let Some(Action::Closed(Some(code))) = subject.action {
        let other = if *code == 1001 { 1002 } else { 1001 };
        let words = format!("close code {other} and not {code}");
        mutants.extend(coded(subject.tape(), ending, other).map(|tape| subject.mutant(words, tape)));
    }
    mutants
}

/// Nothing says the end, and the connection does not end.
fn stays_open(tape: &Tape, ending: &Ending) -> Option<Tape> {
    let mut tape = tape.clone();
    // The words are noted from the last to the first.
    for (place, framing) in &ending.words {
        match edit::packet_in(&mut tape, place, *framing, Change::Drop) {
            Some(()) => {}
            None => edit::splice(&mut tape, &place.conn, place.section, place.range.clone(), b"")?,
        }
    }
    if let Some((conn, section)) = &ending.refused {
        // The poll is never answered.
        let head = edit::entries(&tape, conn, *section)?.start;
        tape.conns.get_mut(conn)?.entries.truncate(head);
        return Some(tape);
    }
    let conn = tape.conns.get_mut(&ending.conn)?;
    let mut streams = false;
    let before = conn.entries.len();
    conn.entries.retain(|entry| {
        if let Entry::Head { framing, .. } = entry {
            streams = matches!(framing, Framing::HtmlFile | Framing::Multipart);
        }
        match entry {
            Entry::Eof { .. } => false,
            Entry::End { .. } => !streams,
            _ => true,
        }
    });
    // What the client has ended itself is nothing that the server did.
    let changed = conn.entries.len() < before || !ending.words.is_empty();
    changed.then_some(tape)
}

/// Another close code.
fn coded(tape: &Tape, ending: &Ending, code: u16) -> Option<Tape> {
    let mut tape = tape.clone();
    let (place, _) = ending.words.iter().find(|(_, framing)| framing.is_websocket())?;
    let frame = server_frame(Opcode::Close, &code.to_be_bytes());
    edit::splice(&mut tape, &place.conn, place.section, place.range.clone(), &frame)?;
    Some(tape)
}
