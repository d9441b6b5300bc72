//! Engine.IO 3: the binary payload, `application/octet-stream`. Each packet stands behind a header: 0 for text or 1 for
//! bytes, the digits of the length as bytes from 0 to 9, and 255. The length counts bytes, the type among them (Encoding).
//! Binary data may stand as base64 in text here, too.

use super::engine::Message;
use super::{Fault, FramingError, eio3, utf8};

const TEXT: u8 = 0;
const BINARY: u8 = 1;
const END: u8 = 255;

/// The packets of a body, in their order.
///
/// # Errors
///
/// An empty body; a header that is none; a length that is no positive number or exceeds the body; an unknown type; text that
/// is not UTF-8.
pub fn split(body: &[u8]) -> Result<Vec<Message>, FramingError> {
    if body.is_empty() {
        return Err(FramingError::new(0, Fault::Empty));
    }
    let mut packets = Vec::new();
    let mut at = 0;
    while let Some(kind) = body.get(at) {
        if !matches!(*kind, TEXT | BINARY) {
            return Err(FramingError::new(at, Fault::Marker("0 or 1")));
        }
        let digits = &body[at + 1..];
        let count = digits.iter().take_while(|digit| **digit <= 9).count();
        let behind = at + 1 + count;
        match digits.get(count) {
            Some(&END) => {}
            Some(_) => return Err(FramingError::new(behind, Fault::Length)),
            None => return Err(FramingError::new(behind, Fault::Truncated)),
        }
        let length = length(&digits[..count]).ok_or(FramingError::new(at + 1, Fault::Length))?;
        let start = behind + 1;
        let bytes = start
            .checked_add(length)
            .and_then(|end| body.get(start..end))
            .ok_or(FramingError::new(start, Fault::Truncated))?;
        let message = if *kind == TEXT {
            let text = utf8(bytes.to_vec(), start)?;
            eio3::text(&text).map_err(|error| error.shifted(start))?
        } else {
            eio3::binary(bytes).map_err(|error| error.shifted(start))?;
            Message::Binary(bytes.to_vec())
        };
        packets.push(message);
        at = start + length;
    }
    Ok(packets)
}

/// One body for these packets.
#[must_use]
pub fn join(packets: &[Message]) -> Vec<u8> {
    let mut body = Vec::new();
    for packet in packets {
        let (kind, bytes) = match packet {
            Message::Text(text) => (TEXT, text.as_bytes()),
            Message::Binary(bytes) => (BINARY, bytes.as_slice()),
        };
        body.push(kind);
        body.extend(bytes.len().to_string().bytes().map(|digit| digit - b'0'));
        body.push(END);
        body.extend_from_slice(bytes);
    }
    body
}

/// A number from its digits: positive, and without zeros in front.
fn length(digits: &[u8]) -> Option<usize> {
    let number = digits.iter().try_fold(0_usize, |number, digit| {
        number.checked_mul(10)?.checked_add(usize::from(*digit))
    })?;
    (number > 0 && digits.first() != Some(&0)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn lengths_count_bytes() {
        let packets = [
            Message::Text("4\u{e9}23456789".to_owned()),
            Message::Binary(vec![4, 1, 2, 3]),
        ];
        let body = b"\x00\x01\x01\xff4\xc3\xa923456789\x01\x04\xff\x04\x01\x02\x03";
        assert_eq!(join(&packets), body);
        assert_eq!(split(body).unwrap(), packets);
    }

    #[rstest]
    #[case(b"", 0, Fault::Empty)]
    #[case(b"\x02\x01\xff2", 0, Fault::Marker("0 or 1"))]
    #[case(b"\x00\x01\xff2\x35", 4, Fault::Marker("0 or 1"))]
    #[case(b"\x00\xff2", 1, Fault::Length)]
    #[case(b"\x00\x00\xff", 1, Fault::Length)]
    #[case(b"\x00\x00\x01\xff2", 1, Fault::Length)]
    #[case(b"\x00\x31\xff2", 1, Fault::Length)]
    #[case(b"\x00\x01", 2, Fault::Truncated)]
    #[case(b"\x00\x02\xff2", 3, Fault::Truncated)]
    #[case(b"\x00\x01\xff7", 3, Fault::Type)]
    #[case(b"\x00\x02\xff4\xff", 4, Fault::Utf8)]
    #[case(b"\x01\x01\xff\x34", 3, Fault::Type)]
    #[case(
        b"\x00\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff2",
        1,
        Fault::Length
    )]
    fn an_error_names_its_place(#[case] body: &[u8], #[case] offset: usize, #[case] fault: Fault) {
        assert_eq!(split(body), Err(FramingError { offset, fault }));
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_read_or_refused(
            body in proptest::collection::vec(proptest::sample::select(vec![0_u8, 1, 2, 4, 9, 52, 255]), 0..30),
        ) {
            let _ = split(&body);
        }
    }
}
