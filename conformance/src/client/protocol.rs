//! What a client has to know of each generation's packets to keep a session: which it answers, which a case does not see,
//! which end the session, and how the answers to a request hold them.

use super::tape::Framing;
use crate::scenario::Generation;

/// Engine.IO 3: what a client sends at every interval.
pub const PING: &str = "2";

/// The query of an Engine.IO transport's requests, as a client of it writes them.
#[must_use]
pub fn query_of(generation: Generation, transport: &str) -> &'static [(&'static str, &'static str)] {
    match (generation, transport) {
        (Generation::Eio3, "polling-b64") => &[("transport", "polling"), ("b64", "1")],
        // A script holds no bytes, and its client says so.
        (Generation::Eio3, "jsonp") => &[("transport", "polling"), ("b64", "1"), ("j", "0")],
        (_, "websocket") => &[("transport", "websocket")],
        (_, "webtransport") => &[("transport", "webtransport")],
        _ => &[("transport", "polling")],
    }
}

/// The transport of a session that sends requests to that target, as far as their bodies depend on it.
#[must_use]
pub fn transport_of(generation: Generation, target: &str) -> &str {
    match generation {
        Generation::Rev1 => target.split('/').nth(3).unwrap_or_default(),
        Generation::Eio3 if parameter(target, "j").is_some() => "jsonp",
        Generation::Eio3 if parameter(target, "b64").is_some() => "polling-b64",
        Generation::Eio3 | Generation::Eio4 => "polling",
    }
}

/// The value of a parameter of a target's query.
#[must_use]
pub fn parameter<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(have, _)| *have == name).map(|(_, value)| value)
}

/// What a heartbeat is answered with, on the same session.
#[must_use]
pub fn heartbeat_answer(generation: Generation, packet: &str) -> Option<&'static str> {
    match (generation, packet) {
        (Generation::Rev1, "2::") => Some("2::"),
        (Generation::Eio4, "2") => Some("3"),
        _ => None,
    }
}

/// Heartbeats and noops: they are no news, and servers send them when they like.
#[must_use]
pub fn is_hidden(generation: Generation, packet: &str) -> bool {
    match generation {
        Generation::Rev1 => matches!(packet.trim_end_matches(':'), "2" | "8"),
        Generation::Eio3 => matches!(packet, "3" | "6"),
        Generation::Eio4 => matches!(packet, "2" | "6"),
    }
}

/// Whether an expectation that begins with that byte may mean a packet that is hidden otherwise.
#[must_use]
pub fn may_be_hidden(generation: Generation, first: Option<&u8>) -> bool {
    match generation {
        Generation::Rev1 => matches!(first, Some(b'2' | b'8')),
        Generation::Eio3 => matches!(first, Some(b'3' | b'6')),
        Generation::Eio4 => matches!(first, Some(b'2' | b'6')),
    }
}

/// Whether a packet tells that the session is over: `0::`, an error such as `7:::1+0` (client not handshaken), or `1`.
#[must_use]
pub fn ends_session(generation: Generation, packet: &str) -> bool {
    match generation {
        Generation::Rev1 => matches!(packet.trim_end_matches(':'), "0") || packet.starts_with("7:::"),
        Generation::Eio3 | Generation::Eio4 => packet == "1",
    }
}

/// A packet that carries nothing: what the answer to a poll holds that holds nothing else.
#[must_use]
pub fn noop(generation: Generation) -> &'static str {
    match generation {
        Generation::Rev1 => "8::",
        Generation::Eio3 | Generation::Eio4 => "6",
    }
}

/// How a WebSocket holds packets.
#[must_use]
pub fn websocket_framing(generation: Generation) -> Framing {
    Framing::WebSocket {
        typed: generation == Generation::Eio3,
    }
}

/// How the answers to a GET of that target hold packets.
#[must_use]
pub fn framing_of(generation: Generation, target: &str) -> Framing {
    if generation != Generation::Rev1 {
        let polls = parameter(target, "transport") == Some("polling");
        return match (generation, transport_of(generation, target)) {
            _ if !polls => Framing::Raw,
            (Generation::Eio3, "jsonp") => Framing::LengthsJsonp,
            (Generation::Eio3, _) => Framing::Lengths,
            _ => Framing::Records,
        };
    }
    let path = target.split('?').next().unwrap_or_default();
    let mut segments = path.split('/').skip(3);
    match (segments.next(), segments.next()) {
        (Some("xhr-polling"), Some(sid)) if !sid.is_empty() => Framing::Payload,
        (Some("jsonp-polling"), Some(sid)) if !sid.is_empty() => Framing::Jsonp,
        (Some("htmlfile"), Some(sid)) if !sid.is_empty() => Framing::HtmlFile,
        (Some("xhr-multipart"), Some(sid)) if !sid.is_empty() => Framing::Multipart,
        _ => Framing::Raw,
    }
}
