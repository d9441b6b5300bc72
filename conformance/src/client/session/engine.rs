//! The handshake of Engine.IO 3 and 4 (protocol document, section "Handshake"): a poll or a WebSocket without a session id,
//! whose first packet tells what the session is called.

use super::{Announced, DOWN, OpenError, Session, refused};
use crate::client::core::Client;
use crate::client::framing::engine::Open;
use crate::client::http::{ResponseHead, shorten};
use crate::client::inbox::{Inbox, UnitKind};
use crate::client::protocol::{framing_of, parameter, query_of};
use crate::client::tape::ConnId;
use crate::scenario::Generation;

/// Where a handshake goes where a case names no target.
const PATH: &str = "/socket.io/";

pub(super) async fn handshake(
    client: &Client,
    generation: Generation,
    transport: &str,
    target: Option<&str>,
) -> Result<Session, OpenError> {
    let base = completed(generation, target.unwrap_or(PATH));
    let mut session = Session {
        generation,
        transport: if transport == "upgraded" { "polling" } else { transport }.to_owned(),
        sid: String::new(),
        announced: Announced::default(),
        transports: Vec::new(),
        base,
        polls: 0,
        asked: None,
    };
    let target = of_transport(generation, &session.base, &session.transport);
    let packet = match session.transport.as_str() {
        "websocket" => {
            let opened = session.connect_websocket(client, &target).await?;
            client.wait(|inbox| first_frame(inbox, session.part(), opened)).await
        }
        "webtransport" => {
            let opened = session.connect_webtransport(client).await?;
            client.wait(|inbox| first_frame(inbox, session.part(), opened)).await
        }
        _ => {
            let request = client.new_request("GET", &target);
            let framing = framing_of(generation, &target);
            let asked = client.shared().request(DOWN, request, framing, true).await?;
            let packet = client.wait(|inbox| first_answer(inbox, &asked)).await;
            session.asked = Some(asked);
            packet
        }
    };
    let packet = match packet {
        First::Packet(packet) => packet,
        First::Refused(head, body) => {
            return Err(OpenError::Refused {
                status: head.status,
                body: shorten(&String::from_utf8_lossy(&body)),
            });
        }
        First::Unframed(body, reason) => {
            let body = shorten(&String::from_utf8_lossy(&body));
            return Err(OpenError::Unframed { body, reason });
        }
        First::Nothing(reason) => return Err(refused(transport, reason)),
    };
    let Open {
        sid,
        upgrades,
        ping_interval,
        ping_timeout,
        max_payload,
    } = Open::parse(&packet).map_err(|error| OpenError::Malformed {
        body: shorten(&packet),
        reason: error.to_string(),
    })?;
    session.sid = sid;
    session.transports = upgrades;
    session.announced = Announced {
        interval: Some(ping_interval),
        timeout: Some(ping_timeout),
        close: None,
        max_payload,
    };
    Ok(session)
}

/// What a handshake is answered with.
enum First {
    Packet(String),
    Refused(ResponseHead, Vec<u8>),
    /// A body without packets, and why.
    Unframed(Vec<u8>, String),
    Nothing(String),
}

/// The first packet of a poll's answer; those behind it stay.
fn first_answer(inbox: &mut Inbox, asked: &(ConnId, usize)) -> Option<First> {
    let part = inbox.parts.get_mut(DOWN)?;
    if let Some(reason) = part.trouble.pop_front() {
        return Some(First::Nothing(reason));
    }
    let (conn, index) = asked;
    let mut sections = part.sections.iter_mut();
    let section = sections.find(|section| section.index == *index && section.conn == *conn && section.ended)?;
    let head = section.head.clone().filter(|head| head.status != 200);
    if let Some(head) = head {
        return Some(First::Refused(head, section.data.clone()));
    }
    Some(match section.take_unit(0).map(|unit| unit.kind) {
        Some(UnitKind::Packet(packet)) => First::Packet(packet),
        Some(UnitKind::Bad(reason)) => First::Unframed(section.data.clone(), reason),
        _ => First::Nothing("the answer begins with no packet".to_owned()),
    })
}

/// The first frame of a socket or stream.
fn first_frame(inbox: &mut Inbox, part: &str, opened: usize) -> Option<First> {
    let part = inbox.parts.get_mut(part)?;
    let ended = part.end.is_some();
    match part.sections.get_mut(opened)?.take_unit(0).map(|unit| unit.kind) {
        Some(UnitKind::Packet(packet)) => Some(First::Packet(packet)),
        Some(UnitKind::Bad(reason)) => Some(First::Nothing(reason)),
        Some(_) => Some(First::Nothing("the stream begins with no packet".to_owned())),
        None => ended.then(|| First::Nothing("the connection was closed before the first packet".to_owned())),
    }
}

/// The target of a handshake with the protocol's version in its query, unless the case says another.
fn completed(generation: Generation, target: &str) -> String {
    let version = if generation == Generation::Eio3 { "3" } else { "4" };
    match parameter(target, "EIO") {
        Some(_) => target.to_owned(),
        None => with(target, "EIO", version),
    }
}

/// Path and query of a session's requests.
pub(super) fn target(generation: Generation, base: &str, transport: &str, sid: &str) -> String {
    with(&of_transport(generation, base, transport), "sid", sid)
}

/// The target with what the transport's requests have in their query. What the case says besides `transport` stays.
fn of_transport(generation: Generation, base: &str, transport: &str) -> String {
    let pairs = query_of(generation, transport).iter();
    pairs.fold(base.to_owned(), |target, (name, value)| {
        if *name != "transport" && parameter(&target, name).is_some() {
            return target;
        }
        with(&target, name, value)
    })
}

/// The target with a parameter of its query set.
fn with(target: &str, name: &str, value: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(str::to_owned)
        .collect();
    let pair = format!("{name}={value}");
    let names = |pair: &String| pair.split('=').next() == Some(name);
    match pairs.iter().position(names) {
        Some(at) => pairs[at] = pair,
        None => pairs.push(pair),
    }
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("websocket", "/socket.io/", "/socket.io/?EIO=4&transport=websocket&sid=s")]
    #[case("websocket", "/engine.io/?a=b", "/engine.io/?a=b&EIO=4&transport=websocket&sid=s")]
    #[case("websocket", "/x/?transport=polling&EIO=5", "/x/?transport=websocket&EIO=5&sid=s")]
    fn a_target_is_completed(#[case] transport: &str, #[case] given: &str, #[case] expected: &str) {
        let base = completed(Generation::Eio4, given);
        assert_eq!(target(Generation::Eio4, &base, transport, "s"), expected);
    }

    #[rstest::rstest]
    #[case("polling", "/x/", "/x/?EIO=3&transport=polling&sid=s")]
    #[case("polling-b64", "/x/", "/x/?EIO=3&transport=polling&b64=1&sid=s")]
    #[case("jsonp", "/x/", "/x/?EIO=3&transport=polling&b64=1&j=0&sid=s")]
    #[case("jsonp", "/x/?j=7", "/x/?j=7&EIO=3&transport=polling&b64=1&sid=s")]
    #[case("websocket", "/x/?b64=1", "/x/?b64=1&EIO=3&transport=websocket&sid=s")]
    fn a_transport_has_its_query(#[case] transport: &str, #[case] given: &str, #[case] expected: &str) {
        let base = completed(Generation::Eio3, given);
        assert_eq!(target(Generation::Eio3, &base, transport, "s"), expected);
    }
}
