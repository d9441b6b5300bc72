//! Engine.IO 3: packets in text. A payload is `<length>:<packet>…`, the length in UTF-16 code units; bytes stand in it as `b`,
//! the type's digit and base64 (Encoding). As bytes they are in [`octets`], and in the binary messages of a WebSocket.
//!
//! A binary [`Message`] begins with the byte of its type here, whichever way it travels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::engine::{Kind, Message, packet};
use super::{Fault, FramingError, base64, length, octets, utf8, utf16_end};

/// Takes a binary packet apart: its type, and the data behind the byte.
///
/// # Errors
///
/// Nothing there, or a type that is not one byte from 0 to 6.
pub fn binary(bytes: &[u8]) -> Result<(Kind, &[u8]), FramingError> {
    let Some((first, data)) = bytes.split_first() else {
        return Err(FramingError::new(0, Fault::Empty));
    };
    let kind = first.checked_add(b'0').and_then(Kind::from_digit);
    kind.map(|kind| (kind, data)).ok_or(FramingError::new(0, Fault::Type))
}

/// The binary packet that carries these bytes as a message.
#[must_use]
pub fn message(data: &[u8]) -> Vec<u8> {
    [&[Kind::Message as u8], data].concat()
}

/// One packet of a text payload, or of a text frame.
///
/// # Errors
///
/// Nothing there, an unknown type, base64 that is none.
pub fn text(text: &str) -> Result<Message, FramingError> {
    let Some(rest) = text.strip_prefix('b') else {
        return packet(text).map(|_| Message::Text(text.to_owned()));
    };
    let digit = rest.bytes().next().and_then(Kind::from_digit);
    let kind = digit.ok_or(FramingError::new(1, Fault::Type))?;
    let encoded = &rest[1..];
    let data = base64(encoded).map_err(|error| error.shifted(2))?;
    let bytes = [&[kind as u8], data.as_slice()].concat();
    Ok(Message::Binary(bytes))
}

/// The packets of a body, which is text or octets: the first byte tells which. A digit of text is none of 0 and 1.
///
/// # Errors
///
/// Those of [`split_text`] and [`octets::split`]; text that is not UTF-8.
pub fn split(body: &[u8]) -> Result<Vec<Message>, FramingError> {
    match body.first() {
        Some(0 | 1) => octets::split(body),
        _ => split_text(&utf8(body.to_vec(), 0)?),
    }
}

/// The packets of a text payload, in their order.
///
/// # Errors
///
/// An empty body; a length that is no positive decimal number, exceeds the body, or ends inside a character; a packet of an
/// unknown type or with malformed base64.
pub fn split_text(body: &str) -> Result<Vec<Message>, FramingError> {
    if body.is_empty() {
        return Err(FramingError::new(0, Fault::Empty));
    }
    let mut packets = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let rest = &body[at..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let counted = length(&rest[..digits]).map_err(|fault| FramingError::new(at, fault))?;
        match rest.as_bytes().get(digits) {
            Some(b':') => {}
            Some(_) => return Err(FramingError::new(at + digits, Fault::Length)),
            None => return Err(FramingError::new(at + digits, Fault::Truncated)),
        }
        at += digits + 1;
        let end = utf16_end(&body[at..], counted).map_err(|fault| FramingError::new(at, fault))?;
        packets.push(text(&body[at..at + end]).map_err(|error| error.shifted(at))?);
        at += end;
    }
    Ok(packets)
}

/// One text payload for these packets; binary ones stand as base64.
#[must_use]
pub fn join_text(packets: &[Message]) -> String {
    let mut body = String::new();
    for packet in packets {
        let text = match packet {
            Message::Text(text) => text.clone(),
            Message::Binary(bytes) => in_text(bytes),
        };
        body.push_str(&format!("{}:{text}", text.encode_utf16().count()));
    }
    body
}

/// A binary packet as text: `b`, the type's digit, base64.
#[must_use]
pub fn in_text(bytes: &[u8]) -> String {
    let (kind, data) = bytes.split_first().unwrap_or((&(Kind::Message as u8), &[]));
    format!("b{kind}{}", STANDARD.encode(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"2:4a:", 4, Fault::Length)]
    #[case(b"2:4a1:9", 6, Fault::Type)]
    #[case(b"2:4a2", 5, Fault::Truncated)]
    #[case(b"02:4a", 0, Fault::Length)]
    #[case(b"2:4a0:", 4, Fault::Length)]
    #[case(b"3:4a", 2, Fault::Truncated)]
    #[case("2:4\u{1f600}".as_bytes(), 2, Fault::Length)]
    #[case("6:4\u{1f600}".as_bytes(), 2, Fault::Truncated)]
    #[case(b"4a", 1, Fault::Length)]
    #[case(b"4", 1, Fault::Truncated)]
    #[case("2:4\u{e9}6:b4AQ!D".as_bytes(), 11, Fault::Base64)]
    #[case(b"5:bAQID", 3, Fault::Type)]
    #[case(b"2:4\xff", 3, Fault::Utf8)]
    #[case(b"", 0, Fault::Empty)]
    fn an_error_names_its_place(#[case] body: &[u8], #[case] offset: usize, #[case] fault: Fault) {
        assert_eq!(split(body), Err(FramingError { offset, fault }));
    }

    #[test]
    fn lengths_count_utf16_code_units() {
        let packets = [
            Message::Text("4\u{e9}\u{1d11e}".to_owned()),
            Message::Binary(vec![4, 1, 2, 3]),
        ];
        let body = "4:4\u{e9}\u{1d11e}6:b4AQID";
        assert_eq!(join_text(&packets), body);
        assert_eq!(split(body.as_bytes()).unwrap(), packets);
    }

    #[test]
    fn a_binary_packet_has_a_type() {
        assert_eq!(binary(&message(b"a")), Ok((Kind::Message, b"a".as_slice())));
        assert_eq!(binary(b"7a"), Err(FramingError::new(0, Fault::Type)));
        assert_eq!(binary(b""), Err(FramingError::new(0, Fault::Empty)));
    }

    proptest::proptest! {
        #[test]
        fn split_undoes_join(
            texts in proptest::collection::vec("[0-6]\\PC{0,20}", 1..4),
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..20),
        ) {
            let mut packets: Vec<_> = texts.into_iter().map(Message::Text).collect();
            packets.insert(packets.len() / 2, Message::Binary(message(&bytes)));
            proptest::prop_assert_eq!(&split(join_text(&packets).as_bytes()).unwrap(), &packets);
            proptest::prop_assert_eq!(split(&octets::join(&packets)).unwrap(), packets);
        }

        #[test]
        fn any_body_is_read_or_refused(body in "[0-9:b4\u{1f600}]{0,30}") {
            let _ = split(body.as_bytes());
        }
    }
}
