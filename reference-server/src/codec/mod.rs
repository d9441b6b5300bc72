//! Bytes to packets and back. Pure functions over slices; one file a wire concept.

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
    /// The data of an event is not a JSON object with a string `name`.
    #[error("not an event")]
    NotAnEvent,
    /// The data of an ack does not begin with the id of a packet.
    #[error("not an ack")]
    NotAnAck,
    /// What should stand between two U+FFFD is not a length.
    #[error("bad frame length")]
    BadLength,
    /// A frame announces more than there is, or ends within a character.
    #[error("truncated frame")]
    Truncated,
    /// A form body has no field `d` that holds a JSON string.
    #[error("not a form with a payload")]
    NotAForm,
}
