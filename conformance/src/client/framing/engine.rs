//! What Engine.IO 3 and 4 have in common: the types of packets, and what a session begins with.

use std::time::Duration;

use super::kind::kinds;
use super::{Fault, FramingError};
use crate::scenario::json::{self, Value};

/// One packet as it travels: text with its type digit, or bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The type digit, and the data.
    Text(String),
    /// A binary message. In Engine.IO 4 it has no type; in 3 the first byte is the type's value, 4.
    Binary(Vec<u8>),
}

kinds! {
    "The seven packet types; the value is the digit on the wire.";
    /// `0`
    Open = "open",
    /// `1`
    Close = "close",
    /// `2`
    Ping = "ping",
    /// `3`
    Pong = "pong",
    /// `4`
    Message = "message",
    /// `5`
    Upgrade = "upgrade",
    /// `6`
    Noop = "noop",
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
    match Kind::from_digit(first) {
        Some(kind) => Ok((kind, &text[1..])),
        None => Err(FramingError::new(0, Fault::Type)),
    }
}

/// What a session begins with: the data of the server's open packet (Handshake).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The session id.
    pub sid: String,
    /// The transports that the session can be upgraded to, in the server's order.
    pub upgrades: Vec<String>,
    /// How often a ping is sent: by the server, in Engine.IO 3 by the client.
    pub ping_interval: Duration,
    /// How long the answer is waited for; in Engine.IO 3, how much longer than the interval the server waits for a ping.
    pub ping_timeout: Duration,
    /// The most bytes of a payload. Releases before 4.0 announce none, so a session can be kept without it; see
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
}
