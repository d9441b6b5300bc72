//! Changes of packets: out of their framing, changed, and framed again.

use super::{data, splice};
use crate::client::framing::eio4::{self, Message};
use crate::client::framing::{hixie, htmlfile, jsonp, multipart, payload, webtransport};
use crate::client::protocol::noop;
use crate::client::tape::{Framing, Place, Tape};
use crate::client::websocket::{Opcode, server_frame};
use crate::scenario::Generation;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug)]
pub(in crate::prove) enum Change<'a> {
    /// It is another one.
    To(&'a str),
    /// It is another binary message.
    ToBinary(&'a [u8]),
    /// It never comes.
    Drop,
    /// It comes again, right behind itself.
    Twice,
    /// Another one comes right before it.
    Behind(&'a str),
}

/// The tape with one packet changed, framed anew as its section frames packets.
pub(in crate::prove) fn packet(tape: &Tape, place: &Place, framing: Framing, change: Change<'_>) -> Option<Tape> {
    let mut tape = tape.clone();
    packet_in(&mut tape, place, framing, change)?;
    Some(tape)
}

/// See [`packet`]. Of several packets of one section, change the last one first.
pub(in crate::prove) fn packet_in(tape: &mut Tape, place: &Place, framing: Framing, change: Change<'_>) -> Option<()> {
    let all = data(tape, &place.conn, place.section)?;
    let old = all.get(place.range.clone())?;
    let new = match framing {
        Framing::Raw => return None,
        Framing::Records => records(&all, place.slot, change)?,
        Framing::Payload | Framing::Jsonp => {
            reframed_body(&all, framing, |packets| changed(packets, place.slot, change))?
        }
        Framing::WebSocket | Framing::WebTransport => frames(old, framing, change),
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
    let range = if matches!(framing, Framing::Payload | Framing::Jsonp | Framing::Records) {
        0..all.len()
    } else {
        place.range.clone()
    };
    splice(tape, &place.conn, place.section, range, &new)
}

/// The packet framed as a section of its own or an item of a stream would be, next to an existing item `like`.
pub(in crate::prove) fn item(like: &[u8], framing: Framing, text: &str) -> Option<Vec<u8>> {
    match framing {
        Framing::WebSocket | Framing::WebTransport => Some(framed(framing, Message::Text(text.to_owned()))),
        Framing::Hixie => Some(hixie::frame(text)),
        Framing::HtmlFile => Some(htmlfile::element(text).into_bytes()),
        Framing::Multipart => Some(multipart::part(&boundary(like)?, text).into_bytes()),
        Framing::Payload | Framing::Records => Some(text.as_bytes().to_vec()),
        Framing::Jsonp => {
            let index = std::str::from_utf8(like)
                .ok()
                .and_then(|body| jsonp::unwrap_poll(body).ok());
            Some(jsonp::wrap_poll(index.map_or(0, |(index, _)| index), text).into_bytes())
        }
        Framing::Raw => Some(text.as_bytes().to_vec()),
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
        packets.push(noop(Generation::Rev1).to_owned());
    }
    let body = payload::join(&packets);
    Some(
        index
            .map_or(body.clone(), |index| jsonp::wrap_poll(index, &body))
            .into_bytes(),
    )
}

/// A body of Engine.IO 4 with one of its records changed.
fn records(all: &[u8], slot: usize, change: Change<'_>) -> Option<Vec<u8>> {
    let mut packets = eio4::split(all).ok()?;
    let old = packets.get(slot)?.clone();
    match change {
        Change::To(text) => packets[slot] = Message::Text(text.to_owned()),
        Change::ToBinary(bytes) => packets[slot] = Message::Binary(bytes.to_vec()),
        Change::Drop => drop(packets.remove(slot)),
        Change::Twice => packets.insert(slot, old),
        Change::Behind(text) => packets.insert(slot, Message::Text(text.to_owned())),
    }
    if packets.is_empty() {
        packets.push(Message::Text(noop(Generation::Eio4).to_owned()));
    }
    Some(eio4::join(&packets).into_bytes())
}

fn changed(packets: &mut Vec<String>, slot: usize, change: Change<'_>) -> Option<()> {
    let old = packets.get(slot)?.clone();
    match change {
        Change::To(text) => packets[slot] = text.to_owned(),
        Change::ToBinary(_) => return None,
        Change::Drop => drop(packets.remove(slot)),
        Change::Twice => packets.insert(slot, old),
        Change::Behind(text) => packets.insert(slot, text.to_owned()),
    }
    Some(())
}

fn frames(old: &[u8], framing: Framing, change: Change<'_>) -> Vec<u8> {
    let frame = |text: &str| framed(framing, Message::Text(text.to_owned()));
    match change {
        Change::To(text) => frame(text),
        Change::ToBinary(bytes) => framed(framing, Message::Binary(bytes.to_vec())),
        Change::Drop => Vec::new(),
        Change::Twice => old.repeat(2),
        Change::Behind(text) => [frame(text), old.to_vec()].concat(),
    }
}

fn framed(framing: Framing, message: Message) -> Vec<u8> {
    match (framing, message) {
        (Framing::WebTransport, message) => webtransport::frame(&message),
        (_, Message::Text(text)) => server_frame(Opcode::Text, text.as_bytes()),
        (_, Message::Binary(bytes)) => server_frame(Opcode::Binary, &bytes),
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

#[cfg(test)]
mod tests {
    use super::super::tests::{conn, place, tape, text};
    use super::*;

    #[rstest::rstest]
    #[case(Framing::Payload, "3:::a", 0, Change::Drop, "8::")]
    #[case(
        Framing::Payload,
        "3:::a",
        0,
        Change::Twice,
        "\u{fffd}5\u{fffd}3:::a\u{fffd}5\u{fffd}3:::a"
    )]
    #[case(
        Framing::Payload,
        "\u{fffd}5\u{fffd}3:::a\u{fffd}5\u{fffd}3:::b",
        1,
        Change::Drop,
        "3:::a"
    )]
    #[case(
        Framing::Records,
        "4a\x1ebAQ==\x1e4c",
        1,
        Change::ToBinary(b"\x02"),
        "4a\x1ebAg==\x1e4c"
    )]
    #[case(Framing::Records, "4a\x1e4b", 0, Change::Twice, "4a\x1e4a\x1e4b")]
    #[case(Framing::Records, "4a", 0, Change::Drop, "6")]
    #[case(Framing::Jsonp, "io.j[4](\"3:::a\");", 0, Change::To("3:::b"), "io.j[4](\"3:::b\");")]
    #[case(
        Framing::HtmlFile,
        "<script>_(\"3:::a\");</script>",
        0,
        Change::Behind("3:::b"),
        "<script>_(\"3:::b\");</script><script>_(\"3:::a\");</script>"
    )]
    #[case(
        Framing::Multipart,
        "Content-Type: text/plain\n\n3:::a\n--x\n",
        0,
        Change::To("3:::b"),
        "Content-Type: text/plain\n\n3:::b\n--x\n"
    )]
    #[case(Framing::HtmlFile, "<script>_(\"3:::a\");</script>", 0, Change::Drop, "")]
    #[case(Framing::WebTransport, "\x024a", 0, Change::Behind("4bc"), "\x034bc\x024a")]
    #[case(Framing::WebTransport, "\x024a", 0, Change::To("4bcd"), "\x044bcd")]
    fn a_packet_is_framed_anew(
        #[case] framing: Framing,
        #[case] body: &str,
        #[case] slot: usize,
        #[case] change: Change<'_>,
        #[case] expected: &str,
    ) {
        let tape = tape(framing, &[body]);
        let edited = packet(&tape, &place(0..body.len(), slot), framing, change).unwrap();
        assert_eq!(text(&edited), expected);
    }

    #[test]
    fn a_place_that_is_not_there_gives_no_mutant() {
        let tape = tape(Framing::Payload, &["3:::a"]);
        assert!(packet(&tape, &place(0..5, 1), Framing::Payload, Change::Drop).is_none());
        assert!(packet(&tape, &place(0..6, 0), Framing::Payload, Change::Drop).is_none());
        assert!(data(&tape, &conn(), 1).is_none());
    }
}
