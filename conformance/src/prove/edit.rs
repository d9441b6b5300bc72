//! Edits of a tape. An edit that cannot be made gives `None`, and there is no such mutant.
//!
//! What arrives with an edited range keeps the time of the range's last byte.

mod packet;

use std::ops::Range;

pub(super) use self::packet::{Change, is_alone, item, packet, packet_in};

use crate::client::tape::{ConnId, Entry, Moment, Tape};

/// The bytes of a section.
pub(super) fn data(tape: &Tape, conn: &ConnId, section: usize) -> Option<Vec<u8>> {
    let entries = entries(tape, conn, section)?;
    let entries = tape.conns.get(conn)?.entries.get(entries)?;
    Some(entries.iter().filter_map(bytes_of).flatten().copied().collect())
}

/// Puts other bytes in the place of a range of a section.
pub(super) fn splice(tape: &mut Tape, conn: &ConnId, section: usize, range: Range<usize>, with: &[u8]) -> Option<()> {
    let entries = entries(tape, conn, section)?;
    let entries = tape.conns.get_mut(conn)?.entries.get_mut(entries)?;
    let (mut from, mut put) = (0, false);
    for entry in entries {
        let Entry::Data { bytes, .. } = entry else { continue };
        let (start, end) = (from, from + bytes.len());
        from = end;
        let cut = range.start.max(start).min(end) - start..range.end.max(start).min(end) - start;
        // The last byte of the range; or, for an empty one, the place where it stands.
        let last = if range.is_empty() {
            range.end <= end
        } else {
            range.end <= end && range.end > start
        };
        if last && !put {
            put = true;
            bytes.splice(cut, with.iter().copied());
        } else {
            bytes.drain(cut);
        }
    }
    put.then_some(())
}

/// The entries of a section, its head and its end included, and what comes before the next head.
pub(super) fn entries(tape: &Tape, conn: &ConnId, section: usize) -> Option<Range<usize>> {
    let entries = &tape.conns.get(conn)?.entries;
    let heads: Vec<usize> = (0..entries.len())
        .filter(|number| matches!(entries[*number], Entry::Head { .. }))
        .collect();
    match heads.get(section) {
        Some(start) => Some(*start..heads.get(section + 1).copied().unwrap_or(entries.len())),
        None if heads.is_empty() && section == 0 => Some(0..entries.len()),
        None => None,
    }
}

/// Cuts the entries of a section, so that one begins at that byte of it; gives its number. At the end of the data, that is
/// the entry behind them.
pub(super) fn cut_at(tape: &mut Tape, conn: &ConnId, section: usize, at: usize) -> Option<usize> {
    let range = entries(tape, conn, section)?;
    let entries = &mut tape.conns.get_mut(conn)?.entries;
    let mut from = 0;
    for number in range.clone() {
        let Entry::Data { bytes, at: moment } = &mut entries[number] else {
            continue;
        };
        if at < from + bytes.len() {
            if at == from {
                return Some(number);
            }
            let tail = Entry::Data {
                at: *moment,
                bytes: bytes.split_off(at - from),
            };
            entries.insert(number + 1, tail);
            return Some(number + 1);
        }
        from += bytes.len();
    }
    let last = range
        .clone()
        .rev()
        .find(|number| matches!(entries[*number], Entry::Data { .. } | Entry::Head { .. }));
    Some(last.map_or(range.start, |last| last + 1))
}

/// Sets when an entry comes; the others of its connection keep their order around it.
pub(super) fn shift(tape: &mut Tape, conn: &ConnId, number: usize, to: Moment) -> Option<()> {
    let entries = &mut tape.conns.get_mut(conn)?.entries;
    *entries.get_mut(number)?.at() = to;
    for earlier in &mut entries[..number] {
        let at = earlier.at();
        if later(*at, to) {
            *at = to;
        }
    }
    Some(())
}

/// Whether one moment is after the other.
pub(super) fn later(one: Moment, other: Moment) -> bool {
    (one.gate, one.after) > (other.gate, other.after)
}

fn bytes_of(entry: &Entry) -> Option<&Vec<u8>> {
    match entry {
        Entry::Data { bytes, .. } => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::Port;
    use crate::client::http::ResponseHead;
    use crate::client::tape::{ConnTape, Framing, Place};

    pub(super) fn conn() -> ConnId {
        ConnId {
            client: "a".to_owned(),
            part: "main".to_owned(),
            ordinal: 0,
        }
    }

    fn at(milliseconds: u64) -> Moment {
        Moment {
            gate: 1,
            after: Duration::from_millis(milliseconds),
        }
    }

    /// A connection with one response, whose data came in these pieces, a millisecond apart.
    pub(super) fn tape(framing: Framing, pieces: &[&str]) -> Tape {
        let head = ResponseHead {
            status: 200,
            reason: "OK".to_owned(),
            old: false,
            headers: Vec::new(),
        };
        let mut entries = vec![Entry::Head {
            at: at(0),
            head,
            framing,
            managed: false,
        }];
        entries.extend((1..).zip(pieces).map(|(after, piece)| Entry::Data {
            at: at(after),
            bytes: piece.as_bytes().to_vec(),
        }));
        entries.push(Entry::End { at: at(9) });
        let conn_tape = ConnTape {
            port: Port::Http,
            headless: Framing::Raw,
            entries,
        };
        Tape {
            conns: [(conn(), conn_tape)].into(),
        }
    }

    pub(super) fn place(range: Range<usize>, slot: usize) -> Place {
        Place {
            conn: conn(),
            section: 0,
            range,
            slot,
        }
    }

    pub(super) fn text(tape: &Tape) -> String {
        String::from_utf8_lossy(&data(tape, &conn(), 0).unwrap()).into_owned()
    }

    #[test]
    fn bytes_keep_the_time_of_the_last_one() {
        for range in 0..6 {
            for end in range..=6 {
                let mut tape = tape(Framing::Raw, &["ab", "cd", "ef"]);
                splice(&mut tape, &conn(), 0, range..end, b"XYZ").unwrap();
                assert_eq!(text(&tape), format!("{}XYZ{}", &"abcdef"[..range], &"abcdef"[end..]));
            }
        }
        let mut tape = tape(Framing::Raw, &["ab", "cd", "ef"]);
        splice(&mut tape, &conn(), 0, 1..4, b"X").unwrap();
        let pieces: Vec<&[u8]> = tape.conns[&conn()]
            .entries
            .iter()
            .filter_map(|it| bytes_of(it).map(Vec::as_slice))
            .collect();
        assert_eq!(pieces, [b"a".as_slice(), b"X", b"ef"]);
    }

    #[test]
    fn an_entry_moves_with_what_came_before_it() {
        let mut tape = tape(Framing::Raw, &["ab", "cd", "ef"]);
        let number = cut_at(&mut tape, &conn(), 0, 3).unwrap();
        assert_eq!(number, 3);
        shift(&mut tape, &conn(), number, at(1)).unwrap();
        let moments: Vec<Moment> = tape.conns[&conn()].entries.iter().map(Entry::moment).collect();
        assert_eq!(moments, [at(0), at(1), at(1), at(1), at(3), at(9)]);
    }
}
