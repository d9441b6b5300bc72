//! One packet: `type:id[+]:endpoint[:data]` (Messages / Encoding).

use std::fmt;

use super::kind::kinds;
use super::{Fault, FramingError};

/// A packet by its parts, each as it was written; [`Body`](super::body::Body) is what the data says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The first field.
    pub kind: Kind,
    /// The id's digits, without the `+`.
    pub id: Option<String>,
    /// Whether a `+` follows the id: the application acknowledges, with data.
    pub data_ack: bool,
    /// The namespace; empty for the default one.
    pub endpoint: String,
    /// Everything behind the third colon; `None` where there is no third colon.
    pub data: Option<String>,
}

kinds! {
    "The nine packet types; the value is the digit on the wire.";
    /// `0`
    Disconnect = "disconnect",
    /// `1`
    Connect = "connect",
    /// `2`
    Heartbeat = "heartbeat",
    /// `3`
    Message = "message",
    /// `4`
    Json = "json",
    /// `5`
    Event = "event",
    /// `6`
    Ack = "ack",
    /// `7`
    Error = "error",
    /// `8`
    Noop = "noop",
}

impl Packet {
    /// A packet of the default namespace without id and data: `2::`.
    #[must_use]
    pub fn bare(kind: Kind) -> Packet {
        Packet {
            kind,
            id: None,
            data_ack: false,
            endpoint: String::new(),
            data: None,
        }
    }

    /// Takes a packet apart. Its data is not looked at.
    ///
    /// # Errors
    ///
    /// Fewer than two colons, a type that is not one digit from 0 to 8, an id that is not decimal.
    pub fn parse(text: &str) -> Result<Packet, FramingError> {
        let mut fields = text.splitn(4, ':');
        let (Some(kind), Some(id), Some(endpoint)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(FramingError::new(text.len(), Fault::Separator));
        };
        let &[digit] = kind.as_bytes() else {
            return Err(FramingError::new(0, Fault::Type));
        };
        let kind = Kind::from_digit(digit).ok_or(FramingError::new(0, Fault::Type))?;
        let (digits, data_ack) = id.strip_suffix('+').map_or((id, false), |digits| (digits, true));
        if !digits.bytes().all(|b| b.is_ascii_digit()) || (digits.is_empty() && data_ack) {
            return Err(FramingError::new(2, Fault::Id));
        }
        Ok(Packet {
            kind,
            id: (!digits.is_empty()).then(|| digits.to_owned()),
            data_ack,
            endpoint: endpoint.to_owned(),
            data: fields.next().map(str::to_owned),
        })
    }

    /// The data, empty where there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.data.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.digit(), self.id.as_deref().unwrap_or_default())?;
        if self.data_ack {
            f.write_str("+")?;
        }
        write!(f, ":{}", self.endpoint)?;
        self.data.as_ref().map_or(Ok(()), |data| write!(f, ":{data}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_kept_as_written() {
        for text in [
            "0::",
            "1::/custom:?a=b",
            "3:01+:/a:b:c:",
            "3:::",
            "3::",
            "5:2::{\"name\":\"x\"}",
            "6::/a:1+[1]",
        ] {
            assert_eq!(Packet::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for (text, fault) in [
            ("", Fault::Separator),
            ("0", Fault::Separator),
            ("3:1", Fault::Separator),
            ("9::", Fault::Type),
            ("33::", Fault::Type),
            ("::", Fault::Type),
            ("3:x::", Fault::Id),
            ("3:+::", Fault::Id),
            ("3:1++::", Fault::Id),
        ] {
            assert_eq!(Packet::parse(text).unwrap_err().fault, fault, "{text}");
        }
    }
}
