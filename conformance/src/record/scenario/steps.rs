//! Moments as steps of the language.

use std::collections::BTreeMap;
use std::time::Duration;

use super::moments::{Body, Moment, What};
use super::places::build;
use super::sessions::Session;
use super::spanned;
use super::values::{Sids, Use, Values};
use crate::client::Message;
use crate::scenario::Generation;
use crate::scenario::ast::{
    Action, HeaderLine, Hole, HoleKind, Item, Lane, Span, Step, Sum, Term, TermBase, Text, Window,
};
use crate::scenario::packet::PacketPattern;

/// An expectation waits two seconds; what took longer than this when it was recorded says so in a window.
const LATE: Duration = Duration::from_millis(1200);

/// The steps of these moments, with the times at which they happened.
pub(super) fn items(
    generation: Generation,
    sessions: &[&Session<'_>],
    moments: &[Moment],
    sids: Sids,
    lost: &mut Vec<String>,
) -> Vec<Item> {
    let mut writer = Writer {
        values: Values::find(generation, sessions, moments, sids),
        items: Vec::new(),
        sent: Duration::ZERO,
        events: BTreeMap::new(),
    };
    for (number, moment) in moments.iter().enumerate() {
        writer.moment(number, moment);
    }
    lost.append(&mut writer.values.lost);
    writer.items
}

struct Writer {
    values: Values,
    items: Vec<Item>,
    /// When anything was last sent, on any lane.
    sent: Duration,
    /// When each lane had its last event.
    events: BTreeMap<(String, Option<String>), Duration>,
}

impl Writer {
    fn moment(&mut self, number: usize, moment: &Moment) {
        let client = moment.client.as_str();
        let actions = match &moment.what {
            What::Open { transport, target } => {
                let target = target
                    .as_ref()
                    .map(|target| self.values.text(client, target, number, Use::Sent));
                self.values.opened(client);
                vec![Action::Open {
                    bare: true,
                    transport: Some(spanned(transport)),
                    target,
                }]
            }
            What::Upgrade(transport) => vec![Action::Upgrade((*transport).to_owned())],
            What::Reopen(transport) => vec![Action::Reopen(transport.as_deref().map(spanned))],
            What::Request {
                method,
                target,
                headers,
                body,
            } => {
                let mut actions = vec![Action::Request {
                    method: method.clone(),
                    target: self.values.text(client, target, number, Use::Sent),
                    headers: self.headers(client, headers, number),
                }];
                match body {
                    Body::Packets(messages) => actions.extend(self.sent(client, messages, number)),
                    Body::Bytes(bytes) if bytes.is_empty() => {}
                    Body::Bytes(bytes) => actions.push(Action::SendBytes(self.bytes(client, bytes, number, Use::Sent))),
                }
                actions
            }
            What::Ws { target, headers } => vec![Action::Ws {
                target: self.values.text(client, target, number, Use::Sent),
                headers: self.headers(client, headers, number),
            }],
            What::Send(messages) => self.sent(client, messages, number),
            What::Status(code) => vec![Action::Status {
                code: *code,
                headers: Vec::new(),
            }],
            What::Expect(messages) => self.expected(client, messages, number),
            What::ExpectBytes(bytes) => {
                vec![Action::ExpectBytes(self.bytes(
                    client,
                    bytes,
                    number,
                    Use::Expected(number),
                ))]
            }
            What::Close(code) => vec![Action::Close(*code)],
            What::Closed(code) => vec![Action::Closed(*code)],
            What::Eof => vec![Action::Eof],
            What::Drop => vec![Action::Drop],
            What::Silent(duration) => vec![Action::Silent(*duration)],
            What::Wait(duration) => vec![Action::Wait(*duration)],
            What::Comment(words) => {
                self.items
                    .push(Item::Comment(format!("{client}: {}", super::one_line(words))));
                return;
            }
        };
        let window = self.window(moment);
        let lane = Lane {
            client: client.to_owned(),
            part: moment.part.clone(),
        };
        self.events
            .insert((moment.client.clone(), moment.part.clone()), moment.at);
        if !moment.expects() {
            self.sent = moment.at;
        }
        for (place, action) in actions.into_iter().enumerate() {
            self.items.push(Item::Step(Step {
                lanes: vec![lane.clone()],
                window: window.clone().filter(|_| place == 0),
                action,
                at: Some(tenths(moment.at)),
                span: Span::default(),
            }));
        }
    }

    /// A window for what took long.
    fn window(&self, moment: &Moment) -> Option<Window> {
        if !moment.expects() {
            return None;
        }
        let lane = (moment.client.clone(), moment.part.clone());
        let before = self.events.get(&lane).copied();
        let waited = moment
            .at
            .saturating_sub(before.map_or(self.sent, |before| before.max(self.sent)));
        if waited < LATE {
            return None;
        }
        // The bound counts from the lane's last event, whoever has sent since.
        let since = moment.at.saturating_sub(before.unwrap_or(self.sent));
        let bound = Duration::from_secs(since.mul_f64(1.5).as_secs() + 1);
        Some(Window {
            lo: None,
            hi: Some(Sum {
                terms: vec![Term {
                    factor: 1.0,
                    base: TermBase::Duration(bound),
                }],
            }),
            since: None,
            span: Span::default(),
        })
    }

    fn headers(&mut self, client: &str, headers: &[(String, String)], number: usize) -> Vec<HeaderLine> {
        let line = |(name, value): &(String, String)| HeaderLine {
            name: name.clone(),
            value: Some(self.values.text(client, value, number, Use::Sent)),
            span: Span::default(),
        };
        headers.iter().map(line).collect()
    }

    fn sent(&mut self, client: &str, messages: &[Message], number: usize) -> Vec<Action> {
        let mut action = |message: &Message| match message {
            Message::Text(text) => Action::SendPacket(self.values.text(client, text, number, Use::Sent)),
            Message::Binary(bytes) => Action::SendAttachment(bytes.clone()),
        };
        messages.iter().map(&mut action).collect()
    }

    fn expected(&mut self, client: &str, messages: &[Message], number: usize) -> Vec<Action> {
        let generation = self.values.generation();
        let mut action = |message: &Message| match message {
            Message::Text(packet) => {
                let text = self.values.text(client, packet, number, Use::Expected(number));
                match (PacketPattern::compile(generation, &text), plain(generation, packet)) {
                    (Ok(_), _) => Action::ExpectPacket(text),
                    (Err(_), Some(plain)) => Action::ExpectPacket(plain),
                    // What is no packet by the grammar can only be compared as bytes.
                    (Err(_), None) => Action::ExpectBytes(text),
                }
            }
            Message::Binary(bytes) => Action::ExpectAttachment(bytes.clone()),
        };
        messages.iter().map(&mut action).collect()
    }

    fn bytes(&mut self, client: &str, bytes: &[u8], number: usize, way: Use) -> Text {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.values.text(client, text, number, way),
            Err(_) => Text {
                atoms: bytes
                    .iter()
                    .map(|byte| crate::scenario::ast::Atom {
                        kind: crate::scenario::ast::AtomKind::Byte(*byte),
                        span: Span::default(),
                    })
                    .collect(),
                span: Span::default(),
            },
        }
    }
}

/// A message of plain text that begins as a Socket.IO packet does and is none, `42probe`: a hole that takes just this text
/// says that it is none.
fn plain(generation: Generation, packet: &str) -> Option<Text> {
    let packet = Some(packet).filter(|_| generation != Generation::Rev1)?;
    let rest = packet
        .strip_prefix('4')
        .filter(|rest| !rest.chars().any(char::is_control))?;
    let hole = Hole {
        name: None,
        kind: Some(HoleKind::Regex(regex::escape(rest).replace('/', "\\/"))),
    };
    Some(build(packet, &[(1..packet.len(), hole)]))
}

/// Tenths of a millisecond are as fine as a shared machine can tell.
fn tenths(at: Duration) -> Duration {
    u64::try_from(at.as_micros() / 100).map_or(at, |tenths| Duration::from_micros(tenths * 100))
}
