//! Something comes where nothing may: before a fence's answer, during a silence, at the end of the case.

use std::time::Duration;

use super::super::edit::{self, Change};
use super::{Mutant, Recording, Subject, lane, quoted};
use crate::client::http::ResponseHead;
use crate::client::tape::{ConnId, Entry, Framing, Moment, Place, Tape};
use crate::run::case::{Consumed, Op};
use crate::scenario::ast::{Action, Span};

/// What nobody expects.
fn unexpected(recording: &Recording) -> &'static str {
    match recording.case.scenario.headers.generation() {
        "rev1" => "3:::unexpected",
        _ => "42[\"unexpected\"]",
    }
}

/// How long after the end of the case's steps.
const AFTER: Duration = Duration::from_millis(5);

/// Right before the answer to a fence.
pub(super) fn before(subject: &Subject<'_>, place: &Place, framing: Framing, text: &str) -> Vec<Mutant> {
    let unexpected = unexpected(subject.recording);
    let words = format!(
        "{} came before the fence's answer \"{text}\" on {}",
        quoted(unexpected.as_bytes()),
        subject.took.lane
    );
    let tape = edit::packet(subject.tape(), place, framing, Change::Behind(unexpected));
    tape.map(|tape| subject.mutant(words, tape)).into_iter().collect()
}

/// In the middle of a silence.
pub(super) fn during(subject: &Subject<'_>, client: &str, part: &str) -> Vec<Mutant> {
    let Some(Action::Silent(duration)) = subject.action else {
        return Vec::new();
    };
    let Some(middle) = subject.took.at.checked_sub(*duration / 2) else {
        return Vec::new();
    };
    let moment = subject.recording.progress.moment_of(middle);
    let conns = subject
        .tape()
        .conns
        .keys()
        .filter(|id| id.client == client && id.part == part);
    let Some(conn) = conns.max_by_key(|id| (begun_by(subject.tape(), id, moment), id.ordinal)) else {
        return Vec::new();
    };
    let unexpected = unexpected(subject.recording);
    let words = format!(
        "{} came on {} during the silence",
        quoted(unexpected.as_bytes()),
        lane(conn)
    );
    inserted(subject.tape(), conn, moment, unexpected)
        .map(|tape| subject.mutant(words, tape))
        .into_iter()
        .collect()
}

/// Behind the last step, on connections on which something can come and no fence says that nothing did.
pub(super) fn at_end(recording: &Recording, ops: &[Op<'_>]) -> Vec<Mutant> {
    let fenced = |client: &str| {
        let at_end = recording.played.consumed.iter().filter(|took| took.op == ops.len());
        at_end
            .filter(|took| matches!(took.consumed, Consumed::Fence { .. }))
            .any(|took| took.lane.client == client)
    };
    // Also as one of several things that may come.
    let ended = |id: &ConnId| {
        let ends = recording.played.consumed.iter();
        ends.filter(|took| matches!(took.consumed, Consumed::End(_)))
            .any(|took| took.lane.client == id.client && took.lane.part.as_ref().is_none_or(|part| *part == id.part))
    };
    let left = |id: &ConnId| {
        ops.iter().any(|op| {
            let says = matches!(
                op.step.action,
                Action::Close(_) | Action::Drop | Action::Closed(_) | Action::Eof
            );
            let lane = |it: &crate::scenario::ast::Lane| {
                it.client == id.client && it.part.as_ref().is_none_or(|part| *part == id.part)
            };
            says && op.step.lanes.iter().any(lane)
        }) || ended(id)
    };
    let unexpected = unexpected(recording);
    let tape = &recording.played.tape;
    let newest = |id: &ConnId| {
        !tape.conns.contains_key(&ConnId {
            ordinal: id.ordinal + 1,
            ..id.clone()
        })
    };
    let moment = Moment {
        gate: recording.progress.now().gate,
        after: AFTER,
    };
    let open = tape.conns.iter().filter(|(id, conn)| {
        let over = matches!(conn.entries.last(), Some(Entry::End { .. } | Entry::Eof { .. }));
        !over && !id.part.starts_with('(') && newest(id) && !fenced(&id.client) && !left(id)
    });
    let span = ops.last().map_or(Span::default(), |op| op.step.span);
    open.filter_map(|(id, _)| {
        let words = format!(
            "{} came on {} at the end of the case",
            quoted(unexpected.as_bytes()),
            lane(id)
        );
        Some(Mutant {
            op: ops.len(),
            span,
            words,
            tape: inserted(tape, id, moment, unexpected)?,
        })
    })
    .collect()
}

/// Whether the server had done something on the connection by then.
fn begun_by(tape: &Tape, id: &ConnId, moment: Moment) -> bool {
    let first = tape.conns.get(id).and_then(|conn| conn.entries.first());
    first.is_some_and(|entry| !edit::later(entry.moment(), moment))
}

/// The tape with the unexpected packet at that moment: in the stream that is open then, or as the answer to the poll that
/// is open then.
fn inserted(tape: &Tape, id: &ConnId, moment: Moment, unexpected: &str) -> Option<Tape> {
    let mut tape = tape.clone();
    let entries = &tape.conns.get(id)?.entries;
    let number = entries
        .iter()
        .position(|entry| edit::later(entry.moment(), moment))
        .unwrap_or(entries.len());
    let heads = || entries.iter().filter(|entry| matches!(entry, Entry::Head { .. }));
    let section = heads().count().min(
        entries[..number]
            .iter()
            .filter(|it| matches!(it, Entry::Head { .. }))
            .count(),
    );
    let ended = matches!(entries[..number].last(), Some(Entry::Eof { .. }));
    let open = entries[..number]
        .iter()
        .rev()
        .find(|entry| !matches!(entry, Entry::Data { .. }));
    let new = match open {
        _ if ended => return None,
        Some(Entry::Head { framing, .. }) => {
            let like = edit::data(&tape, id, section.checked_sub(1)?)?;
            let bytes = edit::item(&like, *framing, unexpected)?;
            vec![Entry::Data { at: moment, bytes }]
        }
        None if heads().next().is_none() => {
            let bytes = edit::item(b"", tape.conns.get(id)?.headless, unexpected)?;
            vec![Entry::Data { at: moment, bytes }]
        }
        _ => {
            // The answers that are on the tape show how one looks.
            let (like, framing, section) = template(entries, section)?;
            let bytes = edit::item(&edit::data(&tape, id, section)?, framing, unexpected)?;
            let head = Entry::Head {
                at: moment,
                head: like,
                framing,
                managed: false,
            };
            vec![head, Entry::Data { at: moment, bytes }, Entry::End { at: moment }]
        }
    };
    tape.conns.get_mut(id)?.entries.splice(number..number, new);
    Some(tape)
}

/// The head of a poll's answer: the next one, or the newest.
fn template(entries: &[Entry], next: usize) -> Option<(ResponseHead, Framing, usize)> {
    let heads = entries.iter().filter_map(|entry| match entry {
        Entry::Head { head, framing, .. } => Some((head.clone(), *framing)),
        _ => None,
    });
    let mut polls = heads
        .enumerate()
        .filter(|(_, (_, framing))| framing.is_body())
        .map(|(number, (head, framing))| (head, framing, number))
        .collect::<Vec<_>>();
    let chosen = polls
        .iter()
        .position(|(_, _, number)| *number >= next)
        .or(polls.len().checked_sub(1))?;
    Some(polls.swap_remove(chosen))
}
