//! Which exchanges belong to one client's session. Later requests of a session name its id; the first one learns it from the
//! answer.

use std::collections::BTreeMap;

use super::units::{Way, answer, frames};
use crate::client::UnitKind;
use crate::client::framing::engine::Open;
use crate::client::framing::handshake;
use crate::client::framing::jsonp::{self, Handshake};
use crate::client::protocol::parameter;
use crate::record::exchange::Exchange;
use crate::record::{Subject, Treatment};
use crate::scenario::Generation;

/// A client's session, or requests that belong to none.
#[derive(Clone, Debug)]
pub(super) struct Session<'a> {
    pub(super) generation: Generation,
    /// `None` where no handshake was answered.
    pub(super) sid: Option<String>,
    /// In the order in which they came.
    pub(super) exchanges: Vec<&'a Exchange>,
}

impl Session<'_> {
    /// Whether a WebSocket came about.
    pub(super) fn has_socket(&self) -> bool {
        self.exchanges.iter().any(|exchange| exchange.is_switched())
    }
}

/// What a record holds.
pub(super) struct Sessions<'a> {
    pub(super) all: Vec<Session<'a>>,
    /// Requests that are no part of the protocol: pages, scripts.
    others: BTreeMap<String, usize>,
    /// Connections of WebTransport, whose datagrams are encrypted.
    flows: usize,
}

impl Sessions<'_> {
    /// The generation with most sessions, the newest of equals.
    pub(super) fn most(&self) -> Option<Generation> {
        let count = |generation: &Generation| self.all.iter().filter(|it| it.generation == *generation).count();
        let most = Generation::ALL.into_iter().max_by_key(count)?;
        (count(&most) > 0).then_some(most)
    }

    /// What a case of that generation leaves out.
    pub(super) fn left_out(&self, generation: Generation) -> Vec<String> {
        let mut lost = Vec::new();
        for other in Generation::ALL.into_iter().filter(|it| *it != generation) {
            let count = self.all.iter().filter(|it| it.generation == other).count();
            if count > 0 {
                lost.push(format!(
                    "{count} sessions of {other}, for a case speaks one generation; --generation {other} writes those"
                ));
            }
        }
        if self.flows > 0 {
            lost.push(format!(
                "{} connections of webtransport, for what is on them is encrypted between client and server",
                self.flows
            ));
        }
        let others = self.others.iter();
        lost.extend(others.map(|(what, count)| match count {
            1 => format!("{what}, which is no part of the protocol"),
            count => format!("{what} ({count} times), which is no part of the protocol"),
        }));
        lost
    }
}

/// Different pages and scripts that are named one by one.
const OTHERS: usize = 20;

/// Sorts a record by sessions, in the order of their first requests.
pub(super) fn sessions(exchanges: &[Exchange]) -> Sessions<'_> {
    let mut found = Sessions {
        all: Vec::new(),
        others: BTreeMap::new(),
        flows: 0,
    };
    for exchange in exchanges {
        if exchange.method == "UDP" {
            found.flows += 1;
            continue;
        }
        let upgrade = exchange.is_switched();
        if !Subject::of(&exchange.target, upgrade).protocol
            || exchange.treatment.is_some_and(|it| it != Treatment::Pass)
        {
            let path = exchange.target.split('?').next().unwrap_or_default();
            let mut what = format!("{} {path}", exchange.method);
            if !found.others.contains_key(&what) && found.others.len() >= OTHERS {
                "others".clone_into(&mut what);
            }
            *found.others.entry(what).or_default() += 1;
            continue;
        }
        let generation = generation(exchange);
        let named = exchange.sid.as_deref();
        let known = named.and_then(|sid| {
            found
                .all
                .iter_mut()
                .find(|it| it.sid.as_deref() == Some(sid) && it.generation == generation)
        });
        match known {
            Some(session) => session.exchanges.push(exchange),
            None => found.all.push(Session {
                generation,
                sid: given(generation, exchange).or_else(|| named.map(str::to_owned)),
                exchanges: vec![exchange],
            }),
        }
    }
    found
}

/// By the query, as clients write it.
fn generation(exchange: &Exchange) -> Generation {
    match parameter(&exchange.target, "EIO") {
        Some("3") => Generation::Eio3,
        Some(_) => Generation::Eio4,
        None => Generation::Rev1,
    }
}

/// The session id in a handshake's answer.
pub(super) fn given(generation: Generation, exchange: &Exchange) -> Option<String> {
    let answer_head = exchange.answer.as_ref()?;
    if exchange.sid.is_some() {
        return None;
    }
    if generation == Generation::Rev1 {
        let body = std::str::from_utf8(&answer_head.body).ok()?;
        let body = match jsonp::unwrap_handshake(body) {
            Ok(Handshake::Accepted { body, .. }) => body,
            _ => body.to_owned(),
        };
        return handshake::parse(&body).ok().map(|handshake| handshake.sid);
    }
    let first = match answer_head.status {
        101 => {
            let frames = frames(generation, exchange).ok()?;
            frames.into_iter().find(|it| it.way == Way::Down)?.kind
        }
        _ => answer(generation, exchange).into_iter().next()?.kind,
    };
    match first {
        UnitKind::Packet(packet) => Open::parse(&packet).ok().map(|open| open.sid),
        _ => None,
    }
}
