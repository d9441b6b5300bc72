//! Windows: what came in time comes just before, or just after.

use std::time::Duration;

use super::super::edit;
use super::{Mutant, Subject, quoted};
use crate::client::tape::{Entry, Moment, Tape};
use crate::run::case::{Consumed, Ending};

/// How far outside of the window: more than the grain of a replay's clock, a millisecond at every event.
const MARGIN: Duration = Duration::from_millis(20);

pub(super) fn mutants(subject: &Subject<'_>) -> Vec<Mutant> {
    let took = subject.took;
    let what = what(&took.consumed);
    let progress = &subject.recording.progress;
    let mut mutants = Vec::new();
    if let (Some(lo), _) = took.window {
        // A replay sends sooner than the recording did, and its lower bounds begin sooner: the middle is early enough.
        let begun = lo - progress.moment_of(lo).after;
        let base = subject.previous().map_or(begun, |previous| previous.at.max(begun));
        let early = base + lo.saturating_duration_since(base) / 2;
        // Before what the lane took earlier, it would be the order that is wrong.
        if early > base + MARGIN {
            let words = format!("{what} came too early");
            mutants.extend(moved(subject, progress.moment_of(early)).map(|tape| subject.mutant(words, tape)));
        }
    }
    if let (_, Some(hi)) = took.window
        && !moves_its_base(subject)
    {
        // Later steps begin only when this one is done: the moment stays with the gate at which it came.
        let at = progress.moment_of(took.at);
        // A replay reaches that gate sooner than the recording did, at the earliest at once.
        let gate = took.at - at.after;
        let sooner = took
            .since
            .map_or(Duration::ZERO, |since| gate.saturating_duration_since(since));
        let late = Moment {
            after: at.after + hi.saturating_duration_since(took.at) + sooner + MARGIN,
            ..at
        };
        let words = format!("{what} came too late");
        mutants.extend(moved(subject, late).map(|tape| subject.mutant(words, tape)));
    }
    mutants
}

/// Whether the window counts from what came in the same body: then both move, and nothing is late.
fn moves_its_base(subject: &Subject<'_>) -> bool {
    let body = |consumed: &Consumed| match consumed {
        Consumed::Packet { place, framing, .. } | Consumed::Binary { place, framing, .. } if framing.is_body() => {
            Some((place.conn.clone(), place.section))
        }
        _ => None,
    };
    let took = body(&subject.took.consumed);
    subject.previous().is_some_and(|previous| {
        subject.took.since == Some(previous.at) && took.is_some() && body(&previous.consumed) == took
    })
}

/// The tape with what was consumed at another moment.
fn moved(subject: &Subject<'_>, to: Moment) -> Option<Tape> {
    let mut tape = subject.tape().clone();
    let (conn, number) = match &subject.took.consumed {
        Consumed::Packet { place, framing, .. } | Consumed::Binary { place, framing, .. } if framing.is_body() => {
            // A body counts as come when it is whole: late from its head, early to its end.
            let range = edit::entries(&tape, &place.conn, place.section)?;
            let entries = tape.conns.get(&place.conn)?.entries.get(range.clone())?;
            let end = entries.iter().position(|entry| matches!(entry, Entry::End { .. }))?;
            let late = edit::later(to, entries.get(end)?.moment());
            (&place.conn, if late { range.start } else { range.start + end })
        }
        Consumed::Packet { place, .. } | Consumed::Binary { place, .. } | Consumed::Bytes { place, .. } => {
            edit::cut_at(&mut tape, &place.conn, place.section, place.range.end)?;
            let number = edit::cut_at(&mut tape, &place.conn, place.section, place.range.start)?;
            (&place.conn, number)
        }
        Consumed::Status { conn, section, .. } => (conn, edit::entries(&tape, conn, *section)?.start),
        Consumed::End(Ending {
            refused: Some((conn, section)),
            ..
        }) => {
            let section = edit::entries(&tape, conn, *section)?;
            let late = edit::later(to, tape.conns.get(conn)?.entries.get(section.end - 1)?.moment());
            (conn, if late { section.start } else { section.end - 1 })
        }
        Consumed::End(ending) => {
            let entries = &tape.conns.get(&ending.conn)?.entries;
            let number = match ending.words.last() {
                Some((place, _)) => {
                    let (conn, section, start) = (place.conn.clone(), place.section, place.range.start);
                    let number = edit::cut_at(&mut tape, &conn, section, start)?;
                    if conn == ending.conn { number } else { return None }
                }
                None => entries
                    .iter()
                    .rposition(|entry| matches!(entry, Entry::Eof { .. } | Entry::End { .. }))?,
            };
            (&ending.conn, number)
        }
        Consumed::Silence { .. } | Consumed::Fence { .. } => return None,
    };
    edit::shift(&mut tape, conn, number, to)?;
    Some(tape)
}

fn what(consumed: &Consumed) -> String {
    match consumed {
        Consumed::Packet { text, .. } | Consumed::Fence { text, .. } => quoted(text.as_bytes()),
        Consumed::Binary { bytes, .. } | Consumed::Bytes { bytes, .. } => quoted(bytes),
        Consumed::Status { head, .. } => format!("the answer {}", head.status),
        Consumed::End(_) => "the end".to_owned(),
        Consumed::Silence { .. } => "the silence".to_owned(),
    }
}
