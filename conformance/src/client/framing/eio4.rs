//! Engine.IO 4: a packet is a type digit and data, or bytes; the payload of a poll or POST parts its packets by U+001E and
//! carries bytes as `b` and base64 (Packet encoding).

use std::time::Duration;

use base64::DecodeError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Fault, FramingError, utf8};
use crate::scenario::json::{self, Value};

/// What parts the packets of a payload.
const SEPARATOR: char = '\u{1e}';

/// One packet as it travels: text with its type digit, or the bytes of a binary message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The type digit, and the data.
    Text(String),
    /// A binary message; it has no type digit.
    Binary(Vec<u8>),
}

/// The seven packet types; the value is the digit on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `0`
    Open,
    /// `1`
    Close,
    /// `2`
    Ping,
    /// `3`
    Pong,
    /// `4`
    Message,
    /// `5`
    Upgrade,
    /// `6`
    Noop,
}

const KINDS: [(Kind, &str); 7] = [
    (Kind::Open, "open"),
    (Kind::Close, "close"),
    (Kind::Ping, "ping"),
    (Kind::Pong, "pong"),
    (Kind::Message, "message"),
    (Kind::Upgrade, "upgrade"),
    (Kind::Noop, "noop"),
];

impl Kind {
    /// The type's name in the protocol document.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// The digit on the wire.
    #[must_use]
    pub fn digit(self) -> u8 {
        b'0' + self as u8
    }
}

/// Takes a text packet apart: its type, and the data behind the digit.
///
/// # Errors
///
/// Nothing there, or a type that is not one digit from 0 to 6.
pub fn packet(text: &str) -> Result<(Kind, &str), FramingError> {
    let Some(first) = text.bytes().next() else {
        return Err(FramingError::new(0, Fault::Empty));
    };
    let kind = KINDS.iter().find(|(kind, _)| kind.digit() == first);
    match kind {
        Some((kind, _)) => Ok((*kind, &text[1..])),
        None => Err(FramingError::new(0, Fault::Type)),
    }
}

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
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|error| base64_error(&error, encoded).shifted(1))?;
        return Ok(Message::Binary(bytes));
    }
    match packet(part)? {
        // A length, as the payloads of the revision before have them: a noop carries nothing.
        (Kind::Noop, data) if !data.is_empty() => Err(FramingError::new(0, Fault::Type)),
        _ => Ok(Message::Text(part.to_owned())),
    }
}

fn base64_error(error: &DecodeError, encoded: &str) -> FramingError {
    let offset = match *error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => at,
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => encoded.len(),
    };
    FramingError::new(offset, Fault::Base64)
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

/// What a session begins with: the data of the server's open packet (Handshake).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The session id.
    pub sid: String,
    /// The transports that the session can be upgraded to, in the server's order.
    pub upgrades: Vec<String>,
    /// How often the server sends a ping.
    pub ping_interval: Duration,
    /// How long it waits for the pong.
    pub ping_timeout: Duration,
    /// The most bytes of a payload. Releases 3.x announce none, so a session can be kept without it; see
    /// [`complete`](Open::complete).
    pub max_payload: Option<u64>,
}

impl Open {
    /// Reads the server's open packet, its type digit included. Keys may come in any order, and unknown ones among them.
    ///
    /// # Errors
    ///
    /// Another packet, malformed JSON, a field that is missing or has another type, a session id that cannot stand in a
    /// query as it is.
    pub fn parse(text: &str) -> Result<Open, FramingError> {
        let (Kind::Open, data) = packet(text)? else {
            return Err(FramingError::new(0, Fault::Type));
        };
        let fields = json::parse(data).map_err(|error| FramingError::new(1 + error.offset, Fault::Json))?;
        if !matches!(fields, Value::Object(_)) {
            return Err(FramingError::new(1, Fault::Field("object")));
        }
        let wrong = |name| FramingError::new(1, Fault::Field(name));
        let member = |name: &'static str| fields.member(&name.into());
        let number = |name| member(name).and_then(whole).ok_or(wrong(name));
        let sid = member("sid").and_then(string).ok_or(wrong("sid"))?;
        if sid.is_empty() || !sid.bytes().all(stands_in_a_query) {
            return Err(FramingError::new(1, Fault::Sid));
        }
        let upgrades = match member("upgrades") {
            Some(Value::Array(items)) => items.iter().map(string).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let max_payload = match member("maxPayload") {
            Some(value) => Some(whole(value).ok_or(wrong("maxPayload"))?),
            None => None,
        };
        Ok(Open {
            sid,
            upgrades: upgrades.ok_or(wrong("upgrades"))?,
            ping_interval: Duration::from_millis(number("pingInterval")?),
            ping_timeout: Duration::from_millis(number("pingTimeout")?),
            max_payload,
        })
    }

    /// Every field that the protocol document asks for is there.
    ///
    /// # Errors
    ///
    /// `maxPayload` is missing.
    pub fn complete(self) -> Result<Open, FramingError> {
        match self.max_payload {
            Some(_) => Ok(self),
            None => Err(FramingError::new(1, Fault::Field("maxPayload"))),
        }
    }
}

/// The open packet, as the original server writes it.
impl std::fmt::Display for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let upgrades = self.upgrades.iter().map(|name| Value::string(name)).collect();
        write!(
            f,
            "0{{\"sid\":{},\"upgrades\":{},\"pingInterval\":{},\"pingTimeout\":{}",
            Value::string(&self.sid),
            Value::Array(upgrades),
            self.ping_interval.as_millis(),
            self.ping_timeout.as_millis(),
        )?;
        if let Some(bytes) = self.max_payload {
            write!(f, ",\"maxPayload\":{bytes}")?;
        }
        f.write_str("}")
    }
}

fn string(value: &Value) -> Option<String> {
    match value {
        Value::String(string) => String::from_utf16(&string.0).ok(),
        _ => None,
    }
}

/// A whole number from 0 to 2^53, however it is written: `300`, `3e2`, `300.0`.
fn whole(value: &Value) -> Option<u64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let Value::Number(number) = value else { return None };
    let float = number.raw().parse::<f64>().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    (number.is_integer() && (0.0..=LARGEST).contains(&float)).then_some(float as u64)
}

fn stands_in_a_query(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#%&+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"4a\x1e\x1e4b", 3, Fault::Empty)]
    #[case(b"4a\x1e9", 3, Fault::Type)]
    #[case(b"4a\x1e6:4hello", 3, Fault::Type)]
    #[case(b"4\xc3\xa9\x1ebAQ!D", 7, Fault::Base64)]
    #[case(b"bAQ", 3, Fault::Base64)]
    #[case(b"bAR==", 2, Fault::Base64)]
    #[case(b"4a\x1e4\xff", 4, Fault::Utf8)]
    fn an_error_names_its_place(#[case] body: &[u8], #[case] offset: usize, #[case] fault: Fault) {
        assert_eq!(split(body), Err(FramingError { offset, fault }));
    }

    #[rstest]
    #[case("0{\"sid\":\"a\",\"sid\":\"b\"}", Fault::Json)]
    #[case("0{\"sid\":\"a b\"}", Fault::Sid)]
    #[case("0{\"sid\":\"a&transport=x\"}", Fault::Sid)]
    #[case("0{\"sid\":\"\\ud800\"}", Fault::Field("sid"))]
    #[case(
        "0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":1e400,\"pingTimeout\":1}",
        Fault::Field("pingInterval")
    )]
    fn no_handshake(#[case] text: &str, #[case] fault: Fault) {
        assert_eq!(Open::parse(text).unwrap_err().fault, fault);
    }

    #[test]
    fn a_release_without_the_payload_size_can_still_be_talked_to() {
        let text = "0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200}";
        let open = Open::parse(text).unwrap();
        assert_eq!((open.max_payload, open.to_string().as_str()), (None, text));
        assert_eq!(open.complete().unwrap_err().fault, Fault::Field("maxPayload"));
    }

    proptest::proptest! {
        #[test]
        fn split_undoes_join(
            texts in proptest::collection::vec("[0-5][^\u{1e}]{0,20}", 1..4),
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
