//! Packets and payloads of Engine.IO 3. The packets are those of version 4; here is how binary data and payloads are
//! written, each in two ways (eio3, "Encoding").
//!
//! ```text
//!                 text                              bytes
//! binary packet   b, type digit, base64             type as a byte, data
//! payload         length ':' packet, repeated       kind, length, ff, packet, repeated
//!                 (UTF-16 code units, decimal)      (bytes of values 0 to 9)
//! ```
//!
//! The kind is 0 before text and 1 before binary data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::eio4::Packet;
use super::payload::{split_at_unit, units};
use super::{Malformed, Message};

/// The type of a message, as a byte.
const MESSAGE: u8 = 4;

/// What begins text and binary data in a payload of bytes, and what ends a length there.
const TEXT: u8 = 0;
const BINARY: u8 = 1;
const END: u8 = 0xff;

/// The most digits of a length.
const DIGITS: usize = 10;

/// How binary data is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// As it is.
    Bytes,
    /// As base64, for clients that read nothing but text.
    Base64,
}

/// Reads a packet that is a message of its own, as over a websocket.
///
/// # Errors
///
/// [`Malformed::Empty`], [`Malformed::UnknownType`], [`Malformed::NotBase64`]
pub fn decode(message: &Message) -> Result<Packet<'_>, Malformed> {
    match message {
        Message::Text(text) => decode_text(text),
        Message::Binary(bytes) => decode_bytes(bytes),
    }
}

/// Writes a message of ours as a message of its own; only binary ones differ from version 4.
#[must_use]
pub fn encode(message: &Message, form: Form) -> Message {
    match (message, form) {
        (Message::Text(_), _) => message.clone(),
        (Message::Binary(bytes), Form::Bytes) => Message::Binary([&[MESSAGE], &**bytes].concat().into()),
        (Message::Binary(bytes), Form::Base64) => {
            let mut text = String::with_capacity(base64_size(bytes));
            push_base64(&mut text, bytes);
            Message::Text(text.into())
        }
    }
}

/// The packets of a payload of text. They end at the first that is none.
pub fn packets(payload: &str) -> impl Iterator<Item = Result<Packet<'_>, Malformed>> {
    until_fault(payload, str::is_empty, |rest| {
        let (length, behind) = rest.split_once(':').ok_or(Malformed::Truncated)?;
        let (packet, rest) = split_at_unit(behind, parse_length(length)?)?;
        Ok((decode_text(packet)?, rest))
    })
}

/// The packets of a payload of bytes. They end at the first that is none.
pub fn packets_of_bytes(payload: &Bytes) -> impl Iterator<Item = Result<Packet<'_>, Malformed>> {
    until_fault(&**payload, <[u8]>::is_empty, |rest| {
        let (kind, behind) = rest.split_first().ok_or(Malformed::Truncated)?;
        let digits = behind.iter().position(|byte| *byte == END);
        let (digits, behind) = behind.split_at(digits.ok_or(Malformed::Truncated)?);
        let packet = behind.get(1..).unwrap_or_default();
        let (packet, rest) = packet
            .split_at_checked(length_of_bytes(digits)?)
            .ok_or(Malformed::Truncated)?;
        let packet = match *kind {
            TEXT => decode_text(std::str::from_utf8(packet).map_err(|_| Malformed::NotText)?),
            BINARY => decode_bytes(&payload.slice_ref(packet)),
            _ => Err(Malformed::NoFrame),
        };
        Ok((packet?, rest))
    })
}

/// Writes messages as a payload of text.
#[must_use]
pub fn encode_payload(messages: &[Message]) -> String {
    let size = |message: &Message| match message {
        Message::Text(text) => text.len() + DIGITS,
        Message::Binary(bytes) => base64_size(bytes) + DIGITS,
    };
    let mut out = String::with_capacity(messages.iter().map(size).sum());
    for message in messages {
        match message {
            Message::Text(text) => {
                push_length(&mut out, units(text));
                out.push_str(text);
            }
            Message::Binary(bytes) => {
                push_length(&mut out, base64_size(bytes));
                push_base64(&mut out, bytes);
            }
        }
    }
    out
}

/// Writes messages as a payload of bytes.
#[must_use]
pub fn encode_payload_of_bytes(messages: &[Message]) -> Vec<u8> {
    let size = messages.iter().map(|message| message.len() + DIGITS + 2).sum();
    let mut out = Vec::with_capacity(size);
    for message in messages {
        let (kind, length) = match message {
            Message::Text(text) => (TEXT, text.len()),
            Message::Binary(bytes) => (BINARY, 1 + bytes.len()),
        };
        out.push(kind);
        out.extend(length.to_string().bytes().map(|digit| digit - b'0'));
        out.push(END);
        match message {
            Message::Text(text) => out.extend_from_slice(text.as_bytes()),
            Message::Binary(bytes) => {
                out.push(MESSAGE);
                out.extend_from_slice(bytes);
            }
        }
    }
    out
}

/// Takes packets off the front of a payload, which has at least one.
fn until_fault<'a, T: ?Sized>(
    payload: &'a T,
    is_empty: fn(&T) -> bool,
    next: impl Fn(&'a T) -> Result<(Packet<'a>, &'a T), Malformed>,
) -> impl Iterator<Item = Result<Packet<'a>, Malformed>> {
    let mut rest = Some(payload);
    let mut first = true;
    std::iter::from_fn(move || {
        let payload = rest.take()?;
        if is_empty(payload) {
            return std::mem::take(&mut first).then_some(Err(Malformed::Empty));
        }
        first = false;
        Some(next(payload).map(|(packet, behind)| {
            rest = Some(behind);
            packet
        }))
    })
}

fn decode_text(text: &str) -> Result<Packet<'_>, Malformed> {
    let Some(base64) = text.strip_prefix('b') else {
        return Packet::decode_text(text);
    };
    let (kind, data) = base64.split_at_checked(1).ok_or(Malformed::UnknownType)?;
    let data = STANDARD.decode(data).map_err(|_| Malformed::NotBase64)?;
    binary(kind.as_bytes()[0].wrapping_sub(b'0'), data.into())
}

fn decode_bytes(bytes: &Bytes) -> Result<Packet<'static>, Malformed> {
    let kind = *bytes.first().ok_or(Malformed::Empty)?;
    binary(kind, bytes.slice(1..))
}

/// Bytes mean something in messages only.
fn binary(kind: u8, data: Bytes) -> Result<Packet<'static>, Malformed> {
    Ok(match kind {
        0 => Packet::Open(""),
        1 => Packet::Close(""),
        2 => Packet::Ping(""),
        3 => Packet::Pong(""),
        MESSAGE => Packet::Binary(data),
        5 => Packet::Upgrade(""),
        6 => Packet::Noop(""),
        _ => return Err(Malformed::UnknownType),
    })
}

fn parse_length(digits: &str) -> Result<usize, Malformed> {
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let length = digits.parse().ok().filter(|length| decimal && *length > 0);
    length.ok_or(Malformed::BadLength)
}

fn length_of_bytes(digits: &[u8]) -> Result<usize, Malformed> {
    if digits.len() > DIGITS {
        return Err(Malformed::BadLength);
    }
    let length = digits.iter().try_fold(0usize, |length, digit| match digit {
        0..=9 => length.checked_mul(10)?.checked_add(usize::from(*digit)),
        _ => None,
    });
    length.filter(|length| *length > 0).ok_or(Malformed::BadLength)
}

fn push_length(out: &mut String, length: usize) {
    out.push_str(&length.to_string());
    out.push(':');
}

/// How many bytes [`push_base64`] appends.
fn base64_size(bytes: &[u8]) -> usize {
    2 + bytes.len().div_ceil(3) * 4
}

fn push_base64(out: &mut String, bytes: &[u8]) {
    out.push_str("b4");
    STANDARD.encode_string(bytes, out);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DATA: &[u8] = &[1, 2, 3, 4];

    fn messages() -> [Message; 3] {
        [
            Message::Text("4é😀".into()),
            Message::Binary(Bytes::from_static(DATA)),
            Message::Text("2".into()),
        ]
    }

    fn meant() -> Vec<Result<Packet<'static>, Malformed>> {
        vec![
            Ok(Packet::Message("é😀")),
            Ok(Packet::Binary(Bytes::from_static(DATA))),
            Ok(Packet::Ping("")),
        ]
    }

    #[test]
    fn a_payload_of_text_counts_utf_16() {
        let payload = encode_payload(&messages());
        assert_eq!(payload, "4:4é😀10:b4AQIDBA==1:2");
        assert_eq!(packets(&payload).collect::<Vec<_>>(), meant());
    }

    #[test]
    fn a_payload_of_bytes_counts_bytes() {
        let payload = Bytes::from(encode_payload_of_bytes(&messages()));
        let expected = [
            b"\x00\x07\xff4",
            "é😀".as_bytes(),
            b"\x01\x05\xff\x04",
            DATA,
            b"\x00\x01\xff2",
        ]
        .concat();
        assert_eq!(payload.escape_ascii().to_string(), expected.escape_ascii().to_string());
        assert_eq!(packets_of_bytes(&payload).collect::<Vec<_>>(), meant());
    }

    #[rstest]
    #[case::empty("", Malformed::Empty)]
    #[case::no_length("4abc", Malformed::Truncated)]
    #[case::no_digits(":4", Malformed::BadLength)]
    #[case::sign("+1:2", Malformed::BadLength)]
    #[case::zero("0:", Malformed::BadLength)]
    #[case::short("5:4abc", Malformed::Truncated)]
    #[case::within_a_pair("2:4😀", Malformed::BadLength)]
    #[case::base64("4:b4A=", Malformed::NotBase64)]
    #[case::kind("3:b9A", Malformed::NotBase64)]
    #[case::no_kind("1:b", Malformed::UnknownType)]
    fn what_is_no_payload_of_text(#[case] payload: &str, #[case] error: Malformed) {
        assert_eq!(packets(payload).collect::<Vec<_>>(), [Err(error)]);
    }

    #[rstest]
    #[case::empty(b"", Malformed::Empty)]
    #[case::text(b"1:2", Malformed::Truncated)]
    #[case::kind(b"\x02\x01\xff2", Malformed::NoFrame)]
    #[case::no_digits(b"\x00\xff2", Malformed::BadLength)]
    #[case::ascii(b"\x001\xff2", Malformed::BadLength)]
    #[case::short(b"\x00\x02\xff2", Malformed::Truncated)]
    #[case::no_text(b"\x00\x02\xff4\xe9", Malformed::NotText)]
    #[case::long(b"\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\xff2", Malformed::BadLength)]
    fn what_is_no_payload_of_bytes(#[case] payload: &'static [u8], #[case] error: Malformed) {
        let payload = Bytes::from_static(payload);
        assert_eq!(packets_of_bytes(&payload).collect::<Vec<_>>(), [Err(error)]);
    }

    #[test]
    fn what_stands_before_a_fault_counts() {
        assert_eq!(
            packets("1:21:x").collect::<Vec<_>>(),
            [Ok(Packet::Ping("")), Err(Malformed::UnknownType)]
        );
    }
}
