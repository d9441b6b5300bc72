//! What came, in words.

use crate::client::UnitKind;
use crate::scenario::diagnostic::excerpt;
use crate::scenario::pattern::hex;

/// A unit as the language writes it; a long one around `difference`, a byte of it.
pub(in crate::run::case) fn show(kind: &UnitKind, difference: Option<usize>) -> String {
    match kind {
        UnitKind::Packet(packet) => excerpt(packet.as_bytes(), difference),
        other => describe(other),
    }
}

pub(super) fn describe(kind: &UnitKind) -> String {
    match kind {
        UnitKind::Packet(packet) => format!("the packet {}", excerpt(packet.as_bytes(), None)),
        UnitKind::Binary(bytes) => format!("a binary message of {} bytes: {}", bytes.len(), short_hex(bytes)),
        UnitKind::Encoded(text, _) => format!("a binary message as text: {}", excerpt(text.as_bytes(), None)),
        UnitKind::Ping(_) => "a websocket ping".to_owned(),
        UnitKind::Pong(_) => "a websocket pong".to_owned(),
        UnitKind::Close(Some(code), reason) if reason.is_empty() => format!("a close frame with code {code}"),
        UnitKind::Close(Some(code), reason) => format!("a close frame with code {code} ({reason})"),
        UnitKind::Close(None, _) => "a close frame without a code".to_owned(),
        UnitKind::Prelude(_) | UnitKind::Digest(_) => "the start of the stream".to_owned(),
        UnitKind::Bad(reason) => format!("malformed framing: {reason}"),
    }
}

pub(in crate::run::case) fn short_hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    match bytes.get(..SHOWN) {
        Some(shown) if bytes.len() > SHOWN => hex(shown) + "…",
        _ => hex(bytes),
    }
}
