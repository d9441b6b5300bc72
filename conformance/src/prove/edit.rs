//! Edits of a tape. An edit that cannot be made gives `None`, and there is no such mutant.
//!
//! What arrives with an edited range keeps the time of the range's last byte.

use std::ops::Range;

use crate::client::framing::{hixie, htmlfile, jsonp, multipart, payload};
use crate::client::tape::{ConnId, Entry, Framing, Moment, Place, Tape};
use crate::client::websocket::{Opcode, server_frame};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// It is another one.
    To(&'a str),
    /// It never comes.
    Drop,
    /// It comes again, right behind itself.
    Twice,
    /// Another one comes right before it.
    Behind(&'a str),
}

/// What a poll holds that holds nothing else.
const NOOP: &str = "8::";

/// The tape with one packet changed, framed anew as its section frames packets.
pub(super) fn packet(tape: &Tape, place: &Place, framing: Framing, change: Change<'_>) -> Option<Tape> {
    let mut tape = tape.clone();
    packet_in(&mut tape, place, framing, change)?;
    Some(tape)
}

/// See [`packet`]. Of several packets of one section, change the last one first.
pub(super) fn packet_in(tape: &mut Tape, place: &Place, framing: Framing, change: Change<'_>) -> Option<()> {
    let all = data(tape, &place.conn, place.section)?;
    let old = all.get(place.range.clone())?;
    let new = match framing {
        Framing::Raw => return None,
        Framing::Payload | Framing::Jsonp => {
            reframed_body(&all, framing, |packets| changed(packets, place.slot, change))?
        }
        Framing::WebSocket => frames(old, change, |text| server_frame(Opcode::Text, text.as_bytes())),
        Framing::HtmlFile | Framing::Multipart | Framing::Hixie => {
            let text = item_text(old, framing)?;
            let packets = items(&text, place.slot, change)?;
            packets
                .iter()
                .map(|text| item(old, framing, text))
                .collect::<Option<Vec<_>>>()?
                .concat()
        }
    };
    let range = if matches!(framing, Framing::Payload | Framing::Jsonp) {
        0..all.len()
    } else {
        place.range.clone()
    };
    splice(tape, &place.conn, place.section, range, &new)
}

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

/// The packet framed as a section of its own or an item of a stream would be, next to an existing item `like`.
pub(super) fn item(like: &[u8], framing: Framing, text: &str) -> Option<Vec<u8>> {
    match framing {
        Framing::WebSocket => Some(server_frame(Opcode::Text, text.as_bytes())),
        Framing::Hixie => Some(hixie::frame(text)),
        Framing::HtmlFile => Some(htmlfile::element(text).into_bytes()),
        Framing::Multipart => Some(multipart::part(&boundary(like)?, text).into_bytes()),
        Framing::Payload => Some(text.as_bytes().to_vec()),
        Framing::Jsonp => {
            let index = std::str::from_utf8(like)
                .ok()
                .and_then(|body| jsonp::unwrap_poll(body).ok());
            Some(jsonp::wrap_poll(index.map_or(0, |(index, _)| index), text).into_bytes())
        }
        Framing::Raw => Some(text.as_bytes().to_vec()),
    }
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

fn reframed_body(all: &[u8], framing: Framing, change: impl FnOnce(&mut Vec<String>) -> Option<()>) -> Option<Vec<u8>> {
    let body = std::str::from_utf8(all).ok()?;
    let (index, body) = match framing {
        Framing::Jsonp => jsonp::unwrap_poll(body).ok().map(|(index, body)| (Some(index), body))?,
        _ => (None, body.to_owned()),
    };
    let mut packets = payload::split(&body).ok()?;
    change(&mut packets)?;
    if packets.is_empty() {
        packets.push(NOOP.to_owned());
    }
    let body = payload::join(&packets);
    Some(
        index
            .map_or(body.clone(), |index| jsonp::wrap_poll(index, &body))
            .into_bytes(),
    )
}

fn changed(packets: &mut Vec<String>, slot: usize, change: Change<'_>) -> Option<()> {
    let old = packets.get(slot)?.clone();
    match change {
        Change::To(text) => packets[slot] = text.to_owned(),
        Change::Drop => drop(packets.remove(slot)),
        Change::Twice => packets.insert(slot, old),
        Change::Behind(text) => packets.insert(slot, text.to_owned()),
    }
    Some(())
}

fn frames(old: &[u8], change: Change<'_>, frame: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
    match change {
        Change::To(text) => frame(text),
        Change::Drop => Vec::new(),
        Change::Twice => old.repeat(2),
        Change::Behind(text) => [frame(text), old.to_vec()].concat(),
    }
}

/// The text of one item of a stream: a packet, or packets framed as a payload.
fn item_text(old: &[u8], framing: Framing) -> Option<String> {
    match framing {
        Framing::Hixie => {
            let text = old.strip_prefix(b"\x00")?.strip_suffix(b"\xff")?;
            String::from_utf8(text.to_vec()).ok()
        }
        Framing::HtmlFile => {
            let text = std::str::from_utf8(old).ok()?;
            let literal = text.trim().strip_prefix("<script>_(")?.strip_suffix(");</script>")?;
            // The same literal stands in the answer to a poll.
            jsonp::unwrap_poll(&format!("io.j[0]({literal});"))
                .ok()
                .map(|(_, text)| text)
        }
        Framing::Multipart => {
            let text = std::str::from_utf8(old).ok()?;
            let body = text.split_once("\n\n").or_else(|| text.split_once("\r\n\r\n"))?.1;
            let packet = &body[..body.rfind("\n--")?];
            Some(packet.strip_suffix('\r').unwrap_or(packet).to_owned())
        }
        _ => None,
    }
}

/// The items that take the place of one.
fn items(text: &str, slot: usize, change: Change<'_>) -> Option<Vec<String>> {
    if !text.starts_with('\u{fffd}') {
        let mut items = vec![text.to_owned()];
        changed(&mut items, 0, change)?;
        return Some(items);
    }
    let mut packets = payload::split(text).ok()?;
    changed(&mut packets, slot, change)?;
    Some(if packets.is_empty() {
        Vec::new()
    } else {
        vec![payload::join(&packets)]
    })
}

/// The boundary of the line that ends a part.
fn boundary(part: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(part).ok()?;
    let line = text.trim_end().rsplit('\n').next()?;
    let boundary = line.trim_end_matches('\r').strip_prefix("--")?;
    Some(boundary.strip_suffix("--").unwrap_or(boundary).to_owned())
}
