//! Changes of packets: out of their framing, changed, and framed again.

use super::{data, splice};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::framing::engine::Message;
use crate::client::framing::jsonp::{self, Callee};
use crate::client::framing::{eio3, eio4, hixie, htmlfile, multipart, octets, payload, webtransport};
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
    /// Engine.IO 3: it is a binary message that lacks its type.
    Untyped(&'a [u8]),
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
        framing if framing.is_body() => reframed_body(&all, framing, place.slot, change)?,
        Framing::WebSocket { .. } | Framing::WebTransport => frames(old, framing, change)?,
        Framing::HtmlFile | Framing::Multipart | Framing::Hixie => {
            let text = item_text(old, framing)?;
            let packets = items(&text, place.slot, change)?;
            packets
                .iter()
                .map(|text| item(old, framing, text))
                .collect::<Option<Vec<_>>>()?
                .concat()
        }
        _ => return None,
    };
    let range = if framing.is_body() {
        0..all.len()
    } else {
        place.range.clone()
    };
    // A noop that does not come is replaced by a noop, and nobody can notice that.
    if all.get(range.clone())? == new {
        return None;
    }
    splice(tape, &place.conn, place.section, range, &new)
}

/// The packet framed as a section of its own or an item of a stream would be, next to an existing item `like`.
pub(in crate::prove) fn item(like: &[u8], framing: Framing, text: &str) -> Option<Vec<u8>> {
    match framing {
        Framing::WebSocket { .. } | Framing::WebTransport => Some(framed(framing, Message::Text(text.to_owned()))),
        Framing::Hixie => Some(hixie::frame(text)),
        Framing::HtmlFile => Some(htmlfile::element(text).into_bytes()),
        Framing::Multipart => Some(multipart::part(&boundary(like)?, text).into_bytes()),
        framing if framing.is_body() => {
            let body = Body {
                packets: vec![Message::Text(text.to_owned())],
                ..Body::read(like, framing)?
            };
            body.write(framing)
        }
        _ => Some(text.as_bytes().to_vec()),
    }
}

/// Whether the body holds that packet and no other.
pub(in crate::prove) fn is_alone(body: &[u8], framing: Framing, text: &str) -> bool {
    let packets = Body::read(body, framing).map(|body| body.packets);
    matches!(packets.as_deref(), Some([Message::Text(packet)]) if packet == text)
}

/// What a body holds, and how.
struct Body {
    packets: Vec<Message>,
    /// The index of the function that a script calls.
    index: Option<u64>,
    /// Engine.IO 3: whether it is octets, and not text.
    octets: bool,
}

impl Body {
    fn read(all: &[u8], framing: Framing) -> Option<Body> {
        let text = || std::str::from_utf8(all).ok();
        let texts = |payload: &str| -> Option<Vec<Message>> {
            Some(payload::split(payload).ok()?.into_iter().map(Message::Text).collect())
        };
        let (index, packets) = match framing {
            Framing::Payload => (None, texts(text()?)?),
            Framing::Jsonp => {
                let (index, payload) = jsonp::unwrap_poll(Callee::Rev1, text()?).ok()?;
                (Some(index), texts(&payload)?)
            }
            Framing::Lengths => (None, eio3::split(all).ok()?),
            Framing::LengthsJsonp => {
                let (index, payload) = jsonp::unwrap_poll(Callee::Eio3, text()?).ok()?;
                (Some(index), eio3::split_text(&payload).ok()?)
            }
            Framing::Records => (None, eio4::split(all).ok()?),
            _ => return None,
        };
        let octets = framing == Framing::Lengths && matches!(all.first(), Some(0 | 1));
        Some(Body { packets, index, octets })
    }

    fn write(&self, framing: Framing) -> Option<Vec<u8>> {
        let texts = || -> Option<Vec<&str>> {
            let texts = self.packets.iter().map(|packet| match packet {
                Message::Text(text) => Some(text.as_str()),
                Message::Binary(_) => None,
            });
            texts.collect()
        };
        let text = match framing {
            Framing::Payload => payload::join(&texts()?),
            Framing::Jsonp => jsonp::wrap_poll(Callee::Rev1, self.index?, &payload::join(&texts()?)),
            Framing::Lengths if self.octets => return Some(octets::join(&self.packets)),
            Framing::Lengths => eio3::join_text(&self.packets),
            Framing::LengthsJsonp => jsonp::wrap_poll(Callee::Eio3, self.index?, &eio3::join_text(&self.packets)),
            Framing::Records => eio4::join(&self.packets),
            _ => return None,
        };
        Some(text.into_bytes())
    }
}

/// A body with one of its packets changed. Where none is left, it is a noop.
fn reframed_body(all: &[u8], framing: Framing, slot: usize, change: Change<'_>) -> Option<Vec<u8>> {
    let mut body = Body::read(all, framing)?;
    match change {
        // In text, the type stands before the base64.
        Change::Untyped(bytes) if framing.is_typed() && !body.octets => {
            *body.packets.get_mut(slot)? = Message::Text(format!("b{}", STANDARD.encode(bytes)));
        }
        change => changed(&mut body.packets, slot, framing, change)?,
    }
    if body.packets.is_empty() {
        let rev1 = matches!(framing, Framing::Payload | Framing::Jsonp);
        let generation = if rev1 { Generation::Rev1 } else { Generation::Eio4 };
        body.packets.push(Message::Text(noop(generation).to_owned()));
    }
    body.write(framing)
}

fn changed(packets: &mut Vec<Message>, slot: usize, framing: Framing, change: Change<'_>) -> Option<()> {
    let old = packets.get(slot)?.clone();
    let text = |text: &str| Message::Text(text.to_owned());
    match change {
        Change::To(to) => packets[slot] = text(to),
        Change::ToBinary(bytes) => packets[slot] = binary(framing, bytes),
        Change::Untyped(bytes) if framing.is_typed() => packets[slot] = Message::Binary(bytes.to_vec()),
        Change::Untyped(_) => return None,
        Change::Drop => drop(packets.remove(slot)),
        Change::Twice => packets.insert(slot, old),
        Change::Behind(to) => packets.insert(slot, text(to)),
    }
    Some(())
}

/// A binary message as the framing carries it.
fn binary(framing: Framing, data: &[u8]) -> Message {
    Message::Binary(if framing.is_typed() {
        eio3::message(data)
    } else {
        data.to_vec()
    })
}

fn frames(old: &[u8], framing: Framing, change: Change<'_>) -> Option<Vec<u8>> {
    let frame = |text: &str| framed(framing, Message::Text(text.to_owned()));
    Some(match change {
        Change::To(text) => frame(text),
        Change::ToBinary(bytes) => framed(framing, binary(framing, bytes)),
        Change::Untyped(bytes) if framing.is_typed() => framed(framing, Message::Binary(bytes.to_vec())),
        Change::Untyped(_) => return None,
        Change::Drop => Vec::new(),
        Change::Twice => old.repeat(2),
        Change::Behind(text) => [frame(text), old.to_vec()].concat(),
    })
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
            jsonp::unwrap_poll(Callee::Rev1, &format!("io.j[0]({literal});"))
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
        return changed_texts(vec![text.to_owned()], 0, change);
    }
    let packets = changed_texts(payload::split(text).ok()?, slot, change)?;
    Some(if packets.is_empty() {
        Vec::new()
    } else {
        vec![payload::join(&packets)]
    })
}

/// See [`changed`], of packets of a stream of revision 1: they are text, and so none can become bytes.
fn changed_texts(packets: Vec<String>, slot: usize, change: Change<'_>) -> Option<Vec<String>> {
    let mut packets: Vec<Message> = packets.into_iter().map(Message::Text).collect();
    changed(&mut packets, slot, Framing::Raw, change)?;
    let texts = packets.into_iter().map(|packet| match packet {
        Message::Text(text) => Some(text),
        Message::Binary(_) => None,
    });
    texts.collect()
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
    #[case(Framing::Lengths, "2:4a6:b4AQ==", 1, Change::ToBinary(b"\x02"), "2:4a6:b4Ag==")]
    #[case(Framing::Lengths, "2:4a6:b4AQ==", 1, Change::Untyped(b"\x02"), "2:4a5:bAg==")]
    #[case(Framing::Lengths, "2:4a", 0, Change::Behind("4\u{1f600}"), "3:4\u{1f600}2:4a")]
    #[case(Framing::Lengths, "2:4a", 0, Change::Drop, "1:6")]
    #[case(
        Framing::LengthsJsonp,
        "___eio[3](\"2:4a\");",
        0,
        Change::Twice,
        "___eio[3](\"2:4a2:4a\");"
    )]
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

    #[rstest::rstest]
    #[case(Change::ToBinary(b"\x02"), b"\x00\x02\xff4a\x01\x02\xff\x04\x02")]
    #[case(Change::Untyped(b"\x02"), b"\x00\x02\xff4a\x01\x01\xff\x02")]
    #[case(Change::To("4b"), b"\x00\x02\xff4a\x00\x02\xff4b")]
    fn octets_stay_octets(#[case] change: Change<'_>, #[case] expected: &[u8]) {
        let body = b"\x00\x02\xff4a\x01\x02\xff\x04\x01";
        assert_eq!(reframed_body(body, Framing::Lengths, 1, change).unwrap(), expected);
    }

    #[test]
    fn a_noop_that_does_not_come_is_no_change() {
        let tape = tape(Framing::Lengths, &["1:6"]);
        assert!(packet(&tape, &place(0..3, 0), Framing::Lengths, Change::Drop).is_none());
    }

    #[test]
    fn a_place_that_is_not_there_gives_no_mutant() {
        let tape = tape(Framing::Payload, &["3:::a"]);
        assert!(packet(&tape, &place(0..5, 1), Framing::Payload, Change::Drop).is_none());
        assert!(packet(&tape, &place(0..6, 0), Framing::Payload, Change::Drop).is_none());
        assert!(data(&tape, &conn(), 1).is_none());
    }
}
