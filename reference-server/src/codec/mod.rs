//! Bytes to packets and back. Pure functions over slices; one file a wire concept.

pub mod binary;
pub mod eio3;
pub mod eio4;
pub mod hixie;
pub mod htmlfile;
pub mod jsonp;
pub mod multipart;
pub mod payload;
pub mod rev1;
pub mod rfc6455;
pub mod socketio;
pub mod webtransport;

mod args;
mod json;
mod script;

use bytes::Bytes;

pub use args::Args;

/// Immutable UTF-8 text that is shared without copying: an encoded packet, however many peers it goes to.
pub type Text = tungstenite::Utf8Bytes;

/// What a transport carries in one piece. Shared without copying, like [`Text`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// An encoded packet.
    Text(Text),
    /// Binary data (Engine.IO 3 and later).
    Binary(Bytes),
}

impl Message {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&Text> {
        match self {
            Message::Text(text) => Some(text),
            Message::Binary(_) => None,
        }
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Message::Text(text)
    }
}

/// Why bytes of the peer are not what the protocol allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// Fewer than two colons, so there is no type, id and endpoint.
    #[error("not a packet")]
    NotAPacket,
    /// The type is none of the digits that the protocol has.
    #[error("unknown packet type")]
    UnknownType,
    /// The id is missing or not decimal, or a `+` stands alone.
    #[error("bad packet id")]
    BadId,
    /// Data that has to be JSON and is not.
    #[error("not JSON")]
    NotJson,
    /// Not a JSON object with a string `name` and, if any, an array `args`.
    #[error("not an event")]
    NotAnEvent,
    /// Not an id, or an id, `+` and a JSON array.
    #[error("not an ack")]
    NotAnAck,
    /// A packet or payload without a byte.
    #[error("empty")]
    Empty,
    /// No JSON where the packet needs some.
    #[error("no payload")]
    NoPayload,
    /// JSON of another kind than the packet needs, or some where there must be none.
    #[error("bad payload")]
    BadPayload,
    /// An event name that belongs to the libraries.
    #[error("reserved event name")]
    ReservedName,
    /// The number of attachments is missing or no number, or beyond the limit.
    #[error("bad number of attachments")]
    BadAttachments,
    /// A placeholder that names no attachment.
    #[error("bad placeholder")]
    BadPlaceholder,
    /// Text where an attachment is due.
    #[error("an attachment is missing")]
    AttachmentDue,
    /// Binary data that no packet has announced.
    #[error("an attachment of nothing")]
    NoAttachmentDue,
    /// Binary data of a payload that is not base64.
    #[error("not base64")]
    NotBase64,
    /// What stands where a length should is not a positive number, or one that ends within a character.
    #[error("bad frame length")]
    BadLength,
    /// Something stands where a frame should begin.
    #[error("no frame")]
    NoFrame,
    /// A frame is longer than what there is.
    #[error("truncated frame")]
    Truncated,
    /// A message beyond the limit.
    #[error("too long a message")]
    TooLong,
    /// Bytes that are not UTF-8.
    #[error("not UTF-8")]
    NotText,
    /// A key of the hixie handshake that hides no number.
    #[error("bad key")]
    BadKey,
    /// A form body that has no field `d`, is badly escaped, or in revision 1 does not hold a JSON string.
    #[error("not a form with a payload")]
    NotAForm,
}
