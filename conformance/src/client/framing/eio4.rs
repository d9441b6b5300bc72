//! Engine.IO 4: the payload of a poll or POST parts its packets by U+001E and carries bytes as `b` and base64 (Packet
//! encoding).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::engine::{Message, packet};
use super::{FramingError, base64, utf8};

/// What parts the packets of a payload.
const SEPARATOR: char = '\u{1e}';

/// The packets of a body, in their order.
///
/// # Errors
///
/// An empty body or packet, a type that is not known, base64 that is none, bytes that are not UTF-8.
pub fn split(body: &[u8]) -> Result<Vec<Message>, FramingError> {
    let body = utf8(body.to_vec(), 0)?;
    let mut offset = 0;
    let mut packets = Vec::new();
    for part in body.split(SEPARATOR) {
        packets.push(part_of_payload(part).map_err(|error| error.shifted(offset))?);
        offset += part.len() + SEPARATOR.len_utf8();
    }
    Ok(packets)
}

fn part_of_payload(part: &str) -> Result<Message, FramingError> {
    if let Some(encoded) = part.strip_prefix('b') {
        return base64(encoded).map(Message::Binary).map_err(|error| error.shifted(1));
    }
    packet(part)?;
    Ok(Message::Text(part.to_owned()))
}

/// One body for these packets.
#[must_use]
pub fn join(packets: &[Message]) -> String {
    let mut body = String::new();
    for (at, packet) in packets.iter().enumerate() {
        if at > 0 {
            body.push(SEPARATOR);
        }
        match packet {
            Message::Text(text) => body.push_str(text),
            Message::Binary(bytes) => {
                body.push('b');
                STANDARD.encode_string(bytes, &mut body);
            }
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"4a\x1e\x1e4b", 3, Fault::Empty)]
    #[case(b"4a\x1e9", 3, Fault::Type)]
    #[case(b"4\xc3\xa9\x1ebAQ!D", 7, Fault::Base64)]
    #[case(b"bAQ", 3, Fault::Base64)]
    #[case(b"bAR==", 2, Fault::Base64)]
    #[case(b"4a\x1e4\xff", 4, Fault::Utf8)]
    fn an_error_names_its_place(#[case] body: &[u8], #[case] offset: usize, #[case] fault: Fault) {
        assert_eq!(split(body), Err(FramingError { offset, fault }));
    }

    proptest::proptest! {
        #[test]
        fn split_undoes_join(
            texts in proptest::collection::vec("[0-6][^\u{1e}]{0,20}", 1..4),
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..20),
        ) {
            let mut packets: Vec<_> = texts.into_iter().map(Message::Text).collect();
            packets.insert(packets.len() / 2, Message::Binary(bytes));
            proptest::prop_assert_eq!(split(join(&packets).as_bytes()).unwrap(), packets);
        }

        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(proptest::num::u8::ANY, 0..30)) {
            let _ = split(&body);
        }
    }
}
