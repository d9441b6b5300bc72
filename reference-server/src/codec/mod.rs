//! Bytes to packets and back. Pure functions over slices; one file a wire concept.

pub mod hixie;
pub mod htmlfile;
pub mod jsonp;
pub mod multipart;
pub mod payload;
pub mod rev1;

mod script;

/// Immutable UTF-8 text that is shared without copying: an encoded packet, however many peers it goes to.
pub type Text = tokio_tungstenite::tungstenite::Utf8Bytes;

/// Why bytes of the peer are not what the protocol allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// Fewer than two colons, so there is no type, id and endpoint.
    #[error("not a packet")]
    NotAPacket,
    /// The type is not one digit of 0 to 8.
    #[error("unknown packet type")]
    UnknownType,
    /// The id is not decimal, or a `+` stands alone.
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
    /// A payload without a packet.
    #[error("empty payload")]
    Empty,
    /// What stands between two U+FFFD is not a positive length, or one that ends within a character.
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
    /// A form body that has no field `d`, is badly escaped, or does not hold a JSON string.
    #[error("not a form with a payload")]
    NotAForm,
}
