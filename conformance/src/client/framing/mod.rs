//! What stands on the wire: pure functions between bytes and packets. Revision 1 (Socket.IO 0.7–0.9), Engine.IO 3 ([`eio3`],
//! [`octets`]) and 4 ([`eio4`], [`webtransport`]) with what they share ([`engine`]), and Socket.IO 5 ([`socketio`]).
//!
//! Written apart from the server's codec on purpose: a harness that shared it could not see its mistakes. Everything here
//! is strict; what a lenient reader would repair is an error that names an offset and a reason.

pub mod body;
pub mod eio3;
pub mod eio4;
pub mod engine;
pub mod handshake;
pub mod hixie;
pub mod htmlfile;
pub mod jsonp;
mod kind;
mod literal;
pub mod multipart;
pub mod octets;
pub mod packet;
pub mod payload;
pub mod socketio;
pub mod webtransport;

use base64::DecodeError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// The most that an incremental reader holds, in bytes: no packet of a case comes near it.
pub const MAX_BUFFER: usize = 16 << 20;

/// Bytes that are not what the protocol says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{fault} at offset {offset}")]
pub struct FramingError {
    /// In bytes from the start of the text (of the stream, for incremental readers).
    pub offset: usize,
    /// What is wrong.
    pub fault: Fault,
}

impl FramingError {
    pub(crate) fn new(offset: usize, fault: Fault) -> Self {
        FramingError { offset, fault }
    }

    /// The same fault in a text that stands `by` bytes into another.
    pub(crate) fn shifted(self, by: usize) -> Self {
        FramingError {
            offset: self.offset + by,
            ..self
        }
    }
}

/// What is wrong, by the categories of the packet vectors (`fixtures/packets/README.md`).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Nothing at all where a packet or payload was due.
    #[error("nothing there")]
    Empty,
    /// Fewer than two colons.
    #[error("fewer than two colons")]
    Separator,
    /// The packet type is not one of the digits that the revision knows.
    #[error("unknown packet type")]
    Type,
    /// The packet id is not decimal, or a `+` stands without one.
    #[error("the id is not decimal")]
    Id,
    /// An acknowledgement without an id, or an id where only events and acknowledgements have any.
    #[error("{0} id")]
    PacketId(&'static str),
    /// Data that must be JSON and is not.
    #[error("malformed JSON")]
    Json,
    /// JSON that is no event: an object with a string `name` and, if any, an array `args`.
    #[error("not an event object")]
    Event,
    /// The data of an acknowledgement is not an id, or an id, `+` and an array.
    #[error("malformed acknowledgement")]
    Ack,
    /// A marker, delimiter or fixed text of the framing is missing.
    #[error("expected {0}")]
    Marker(&'static str),
    /// A length that is not a positive decimal number, or that ends inside a character.
    #[error("bad length")]
    Length,
    /// The text ends before what was announced.
    #[error("ends too early")]
    Truncated,
    /// Something follows where the text should end.
    #[error("unexpected text behind the end")]
    Trailing,
    /// A callback index that is not decimal.
    #[error("the callback index is not decimal")]
    Index,
    /// Not a string literal in double quotes with the escapes of JSON.
    #[error("malformed string literal")]
    Literal,
    /// A character that breaks the surrounding script: U+2028 or U+2029, or, in a page, a closing script tag.
    #[error("unescaped {0} breaks the script")]
    Unsafe(&'static str),
    /// A form without the field `d`, or with a malformed escape.
    #[error("malformed form")]
    Form,
    /// A handshake body without exactly four fields.
    #[error("not four fields")]
    Fields,
    /// A field of an open packet that is missing or has another type.
    #[error("no usable {0}")]
    Field(&'static str),
    /// An empty session id, or one that cannot stand in a URL as it is.
    #[error("bad session id")]
    Sid,
    /// A timeout that is neither empty nor a whole number of seconds.
    #[error("bad timeout")]
    Timeout,
    /// An empty or malformed list of transports.
    #[error("bad list of transports")]
    Transports,
    /// A stream that does not begin as its transport demands.
    #[error("bad start of the stream")]
    Prelude,
    /// A media type without a usable boundary.
    #[error("no boundary in the media type")]
    Boundary,
    /// Bytes that are not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// A key of the hixie-76 handshake without digits or spaces, or one that does not divide.
    #[error("bad key")]
    Key,
    /// Not base64 with the alphabet of RFC 4648, section 4, and its padding.
    #[error("malformed base64")]
    Base64,
    /// Data that is missing, is where none may be, or has the wrong shape for its packet.
    #[error("expected {0}")]
    Payload(&'static str),
    /// The number of attachments of a binary packet is missing, zero or no number.
    #[error("no number of attachments")]
    Attachments,
    /// A placeholder whose number is none of an attachment's.
    #[error("a placeholder of no attachment")]
    Placeholder,
    /// More than [`MAX_BUFFER`] bytes without an end.
    #[error("more than {MAX_BUFFER} bytes without an end")]
    Size,
}

impl Fault {
    /// The category's name in the packet vectors.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self {
            Fault::Empty => "empty",
            Fault::Separator => "separator",
            Fault::Type => "type",
            Fault::Id | Fault::PacketId(_) => "id",
            Fault::Json => "json",
            Fault::Event => "event",
            Fault::Ack => "ack",
            Fault::Marker(_) => "marker",
            Fault::Length => "length",
            Fault::Truncated => "truncated",
            Fault::Trailing => "trailing",
            Fault::Index => "index",
            Fault::Literal => "literal",
            Fault::Unsafe(_) => "unsafe",
            Fault::Form => "form",
            Fault::Fields | Fault::Field(_) => "fields",
            Fault::Sid => "sid",
            Fault::Timeout => "timeout",
            Fault::Transports => "transports",
            Fault::Prelude => "prelude",
            Fault::Boundary => "boundary",
            Fault::Utf8 => "utf8",
            Fault::Key => "key",
            Fault::Base64 => "base64",
            Fault::Payload(_) => "payload",
            Fault::Attachments => "attachments",
            Fault::Placeholder => "placeholder",
            Fault::Size => "size",
        }
    }
}

/// Bytes of a stream that were not read yet, with their place in it.
#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    offset: usize,
    overflow: bool,
}

impl Pending {
    fn push(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > MAX_BUFFER {
            self.overflow = true;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn check(&self) -> Result<(), FramingError> {
        if self.overflow {
            Err(FramingError::new(self.offset, Fault::Size))
        } else {
            Ok(())
        }
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        self.offset += n;
        self.bytes.drain(..n).collect()
    }

    fn skip_whitespace(&mut self) {
        let n = self.bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.take(n);
    }

    fn fail<T>(&self, at: usize, fault: Fault) -> Result<T, FramingError> {
        Err(FramingError::new(self.offset + at, fault))
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn utf8(bytes: Vec<u8>, offset: usize) -> Result<String, FramingError> {
    String::from_utf8(bytes).map_err(|error| FramingError::new(offset + error.utf8_error().valid_up_to(), Fault::Utf8))
}

/// Reads base64 with the alphabet of RFC 4648, section 4, and its padding.
fn base64(encoded: &str) -> Result<Vec<u8>, FramingError> {
    STANDARD.decode(encoded).map_err(|error| {
        let offset = match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => at,
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => encoded.len(),
        };
        FramingError::new(offset, Fault::Base64)
    })
}

/// The byte offset after `units` UTF-16 code units: what the text payloads of revision 1 and Engine.IO 3 count.
fn utf16_end(text: &str, units: usize) -> Result<usize, Fault> {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen == units {
            return Ok(at);
        }
        seen += c.len_utf16();
        if seen > units {
            return Err(Fault::Length);
        }
    }
    if seen == units {
        Ok(text.len())
    } else {
        Err(Fault::Truncated)
    }
}

/// A length as payloads write it: decimal, positive, without zeros in front.
fn length(digits: &str) -> Result<usize, Fault> {
    match digits.parse::<usize>() {
        Ok(n) if n > 0 && !digits.starts_with('0') => Ok(n),
        _ => Err(Fault::Length),
    }
}
