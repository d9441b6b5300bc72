//! Packets and payloads of Engine.IO 4: a type digit and data; `b` and base64 for binary data in a payload; packets of a
//! payload are parted by U+001E (eio4, "Packet encoding").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{Malformed, Message, Text};

/// What parts the packets of a payload.
pub const SEPARATOR: char = '\u{1e}';

/// One packet, borrowed from what carried it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Packet<'a> {
    /// `0`, with the handshake where the server sends it.
    Open(&'a str),
    /// `1`; like those below, it may have data, which means nothing.
    Close(&'a str),
    /// `2`; `probe` during an upgrade.
    Ping(&'a str),
    /// `3`
    Pong(&'a str),
    /// `4`: text.
    Message(&'a str),
    /// A message of bytes.
    Binary(Bytes),
    /// `5`
    Upgrade(&'a str),
    /// `6`
    Noop(&'a str),
}

impl<'a> Packet<'a> {
    /// Reads a packet that is a message of its own.
    ///
    /// # Errors
    ///
    /// [`Malformed::Empty`], [`Malformed::UnknownType`]
    pub fn decode(message: &'a Message) -> Result<Self, Malformed> {
        match message {
            Message::Text(text) => Packet::decode_text(text),
            Message::Binary(bytes) => Ok(Packet::Binary(bytes.clone())),
        }
    }

    /// Reads a packet of a payload.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode), and [`Malformed::NotBase64`].
    pub fn decode_part(part: &'a str) -> Result<Self, Malformed> {
        match part.strip_prefix('b') {
            Some(base64) => match STANDARD.decode(base64) {
                Ok(bytes) => Ok(Packet::Binary(bytes.into())),
                Err(_) => Err(Malformed::NotBase64),
            },
            None => Packet::decode_text(part),
        }
    }

    pub(super) fn decode_text(text: &'a str) -> Result<Self, Malformed> {
        let kind = *text.as_bytes().first().ok_or(Malformed::Empty)?;
        let data = text.get(1..).ok_or(Malformed::UnknownType)?;
        Ok(match kind {
            b'0' => Packet::Open(data),
            b'1' => Packet::Close(data),
            b'2' => Packet::Ping(data),
            b'3' => Packet::Pong(data),
            b'4' => Packet::Message(data),
            b'5' => Packet::Upgrade(data),
            b'6' => Packet::Noop(data),
            _ => return Err(Malformed::UnknownType),
        })
    }

    /// Writes the packet as a message of its own.
    #[must_use]
    pub fn encode(&self) -> Message {
        let (kind, data) = match self {
            Packet::Open(data) => ('0', *data),
            Packet::Close(data) => ('1', *data),
            Packet::Ping(data) => ('2', *data),
            Packet::Pong(data) => ('3', *data),
            Packet::Message(data) => ('4', *data),
            Packet::Upgrade(data) => ('5', *data),
            Packet::Noop(data) => ('6', *data),
            Packet::Binary(bytes) => return Message::Binary(bytes.clone()),
        };
        let mut text = String::with_capacity(1 + data.len());
        text.push(kind);
        text.push_str(data);
        Message::Text(text.into())
    }
}

/// The parts of a payload, in their order; each is read by [`Packet::decode_part`].
pub fn split_payload(payload: &str) -> impl Iterator<Item = &str> {
    payload.split(SEPARATOR)
}

/// Writes packets as one payload.
#[must_use]
pub fn encode_payload(packets: &[Message]) -> Text {
    if let [Message::Text(packet)] = packets {
        return packet.clone();
    }
    let size = packets.iter().map(|packet| packet.len() * 4 / 3 + 5).sum();
    let mut out = String::with_capacity(size);
    for (k, packet) in packets.iter().enumerate() {
        if k > 0 {
            out.push(SEPARATOR);
        }
        match packet {
            Message::Text(text) => out.push_str(text),
            Message::Binary(bytes) => {
                out.push('b');
                STANDARD.encode_string(bytes, &mut out);
            }
        }
    }
    out.into()
}

/// What a server answers a handshake with.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake<'a> {
    /// The session id.
    pub sid: &'a str,
    /// The transports that the session may be upgraded to.
    pub upgrades: &'a [&'a str],
    /// How often the server pings, or in version 3 the client, in milliseconds.
    pub ping_interval: u64,
    /// How long the client has to answer, or may be late, in milliseconds.
    pub ping_timeout: u64,
    /// The most bytes of a payload; version 3 does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_payload: Option<usize>,
}

impl Handshake<'_> {
    /// Writes the data of the open packet.
    #[must_use]
    pub fn encode(&self) -> String {
        // A structure of strings and numbers always has a text.
        serde_json::to_string(self).unwrap_or_default()
    }
}
