//! Requests as they went by: for what the player would not do by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::moments::{Body, Moment, What};
use super::regular::{attachments, is_telling};
use super::sessions::Session;
use super::units::{Piece, Way, answer, cut, frames, heard, request};
use crate::client::protocol::transport_of;
use crate::client::protocol::{framing_of, heartbeat_answer, is_hidden};
use crate::client::tape::Framing;
use crate::client::{Message, UnitKind, post_packets};
use crate::record::exchange::{Exchange, Side};
use crate::scenario::Generation;

/// Bodies of answers that are no packets are written up to this size, in bytes; longer ones are files.
const BODY: usize = 4096;

/// What happened on these requests, as moments of client `client`.
pub(super) fn moments(session: &Session<'_>, client: &str, lost: &mut Vec<String>) -> Vec<Moment> {
    let mut writer = Writer {
        generation: session.generation,
        client,
        moments: Vec::new(),
        lost,
        busy: BTreeMap::new(),
        alone: session.exchanges.len() == 1,
        last_poll: last_poll(session),
        going_on: false,
    };
    for exchange in &session.exchanges {
        writer.exchange(exchange);
    }
    writer.moments
}

struct Writer<'a> {
    generation: Generation,
    client: &'a str,
    moments: Vec<Moment>,
    lost: &'a mut Vec<String>,
    /// Until when each part waits for its answer.
    busy: BTreeMap<String, Option<Duration>>,
    alone: bool,
    /// See [`last_poll`].
    last_poll: Option<Duration>,
    /// The poll that was written last brought only what the player hides, so it polls again by itself.
    going_on: bool,
}

impl Writer<'_> {
    fn exchange(&mut self, exchange: &Exchange) {
        if let Some(cut) = cut(exchange) {
            self.lose(exchange.at, &cut);
            return;
        }
        if exchange.is_switched() {
            self.socket(exchange);
            return;
        }
        let (framing, packets) = self.answered(exchange);
        let hidden = self.only_hidden(&packets);
        let body = match exchange.method.as_str() {
            "POST" => self.body(exchange),
            _ => Body::Bytes(exchange.body.clone()),
        };
        if let Body::Packets(sent) = &body
            && self.answers_heartbeat(sent)
        {
            return;
        }
        let part = self.part(exchange);
        let polls = framing.is_body() && exchange.method == "GET";
        let goes_on = polls && std::mem::take(&mut self.going_on);
        if !goes_on {
            self.say(
                exchange.at,
                &part,
                What::Request {
                    method: exchange.method.clone(),
                    target: without_time(&exchange.target),
                    headers: told(exchange),
                    body,
                },
            );
        }
        let Some(head) = &exchange.answer else {
            match (exchange.left, exchange.ended) {
                (Some((Side::Server, at)), _) => self.say(at, &part, What::Eof),
                (_, Some(at)) => self.say(at, &part, What::Drop),
                (_, None) => {}
            }
            return;
        };
        // The last poll is not repeated: what answers it has to be taken, or the player would ask again.
        let last = Some(exchange.at) == self.last_poll;
        if polls && hidden && head.status == 200 && !last {
            self.going_on = true;
            return;
        }
        self.say(head.at, &part, What::Status(head.status));
        match packets {
            Some(packets) => self.packets(&part, packets, hidden),
            None if head.body.is_empty() => {}
            None if head.body.len() > BODY => {
                let what = format!(
                    "the body of the answer to {}, {} bytes",
                    exchange.target,
                    head.body.len()
                );
                self.lose(head.at, &what);
            }
            None => {
                let at = head.pieces.last().map_or(head.at, |(at, _)| *at);
                self.say(at, &part, What::ExpectBytes(head.body.clone()));
            }
        }
    }

    /// How the answer holds packets, and those, where it holds nothing else.
    fn answered(&self, exchange: &Exchange) -> (Framing, Option<Vec<Piece>>) {
        let framing = match exchange.method.as_str() {
            "GET" => framing_of(self.generation, &exchange.target),
            _ => Framing::Raw,
        };
        let good = exchange.answer.as_ref().is_some_and(|answer| answer.status == 200);
        if framing == Framing::Raw || !good {
            return (framing, None);
        }
        let pieces = answer(self.generation, exchange);
        let whole = !pieces.iter().any(|piece| matches!(piece.kind, UnitKind::Bad(_)));
        (framing, (whole && !pieces.is_empty()).then_some(pieces))
    }

    fn only_hidden(&self, pieces: &Option<Vec<Piece>>) -> bool {
        let hidden = |piece: &Piece| matches!(&piece.kind, UnitKind::Packet(it) if is_hidden(self.generation, it));
        pieces.as_ref().is_some_and(|pieces| pieces.iter().all(hidden))
    }

    fn answers_heartbeat(&self, sent: &[Message]) -> bool {
        let answer = ["2::", "2"]
            .into_iter()
            .find_map(|it| heartbeat_answer(self.generation, it));
        let is_one = |message: &Message| matches!(message, Message::Text(text) if Some(text.as_str()) == answer);
        !sent.is_empty() && sent.iter().all(is_one)
    }

    /// The body of a POST as packets, where the player would make the same bytes of them.
    fn body(&self, exchange: &Exchange) -> Body {
        let transport = transport_of(self.generation, &exchange.target);
        match request(self.generation, exchange) {
            Ok(packets) if post_packets(self.generation, transport, &packets).1 == exchange.body => {
                Body::Packets(packets)
            }
            _ => Body::Bytes(exchange.body.clone()),
        }
    }

    /// The packets of an answer, and those that the player hides where there are no others.
    fn packets(&mut self, part: &str, pieces: Vec<Piece>, hidden: bool) {
        let mut open: Vec<Message> = Vec::new();
        let mut missing = 0_usize;
        for piece in pieces {
            let message = match piece.kind {
                UnitKind::Packet(text) if !hidden && is_hidden(self.generation, &text) => continue,
                UnitKind::Packet(text) => {
                    missing = attachments(self.generation, &text);
                    Message::Text(text)
                }
                UnitKind::Binary(bytes) | UnitKind::Encoded(_, bytes) => {
                    missing = missing.saturating_sub(1);
                    Message::Binary(bytes)
                }
                _ => continue,
            };
            open.push(message);
            if missing == 0 {
                self.say(piece.at, part, What::Expect(std::mem::take(&mut open)));
            }
        }
        if !open.is_empty() {
            self.lost.push(format!(
                "{}: a binary packet whose attachments did not all come",
                self.client
            ));
        }
    }

    fn socket(&mut self, exchange: &Exchange) {
        let part = self.part(exchange);
        self.say(
            exchange.at,
            &part,
            What::Ws {
                target: without_time(&exchange.target),
                headers: told(exchange),
            },
        );
        let pieces = match frames(self.generation, exchange) {
            Ok(pieces) => pieces,
            Err(why) => {
                self.lose(
                    exchange.at,
                    &format!("what went over a websocket of {}: {why}", self.client),
                );
                return;
            }
        };
        let mut over = false;
        let (mut up, mut down): (Vec<Message>, Vec<Message>) = (Vec::new(), Vec::new());
        let (mut owed, mut due) = (0_usize, 0_usize);
        for Piece { at, way, kind } in heard(exchange, pieces) {
            let (open, missing) = match way {
                Way::Up => (&mut up, &mut owed),
                Way::Down => (&mut down, &mut due),
            };
            let message = match kind {
                UnitKind::Packet(text) if way == Way::Down && is_hidden(self.generation, &text) => continue,
                UnitKind::Packet(text) if way == Way::Up && self.answers_heartbeat(&[Message::Text(text.clone())]) => {
                    continue;
                }
                UnitKind::Packet(text) => {
                    *missing = attachments(self.generation, &text);
                    Message::Text(text)
                }
                UnitKind::Binary(bytes) | UnitKind::Encoded(_, bytes) => {
                    *missing = missing.saturating_sub(1);
                    Message::Binary(bytes)
                }
                UnitKind::Close(code, _) if !std::mem::replace(&mut over, true) => {
                    let what = match way {
                        Way::Up => What::Close(code.filter(|code| *code != 1000)),
                        Way::Down => What::Closed(code),
                    };
                    self.say(at, &part, what);
                    continue;
                }
                _ => continue,
            };
            open.push(message);
            if *missing == 0 {
                let messages = std::mem::take(open);
                let what = match way {
                    Way::Up => What::Send(messages),
                    Way::Down => What::Expect(messages),
                };
                self.say(at, &part, what);
            }
        }
        if let Some(ended) = exchange.ended.filter(|_| !over) {
            match exchange.left {
                Some((Side::Server, at)) => self.say(at, &part, What::Eof),
                _ => self.say(ended, &part, What::Drop),
            }
        }
    }

    /// The part of the client that a request goes out on: two at a time are two connections.
    fn part(&mut self, exchange: &Exchange) -> String {
        let answered = exchange.answer.as_ref();
        let name = match exchange.method.as_str() {
            _ if exchange.is_switched() => "ws",
            "GET" if self.alone => "main",
            "GET" => "poll",
            _ if self.alone => "main",
            _ => "post",
        };
        let until = match answered {
            Some(answer) if !exchange.is_switched() => exchange.ended.or(Some(answer.at)),
            _ => exchange.ended,
        };
        let mut number = 1;
        loop {
            let part = match number {
                1 => name.to_owned(),
                number => format!("{name}{number}"),
            };
            let free = match self.busy.get(&part) {
                None => true,
                Some(busy) => busy.is_some_and(|busy| busy <= exchange.at),
            };
            if free {
                self.busy.insert(part.clone(), until);
                return part;
            }
            number += 1;
        }
    }

    fn say(&mut self, at: Duration, part: &str, what: What) {
        let moment = match part {
            "main" => Moment::new(at, self.client, what),
            part => Moment::on(at, self.client, part, what),
        };
        self.moments.push(moment);
    }

    fn lose(&mut self, at: Duration, what: &str) {
        self.lost.push(format!("{}: {what}", self.client));
        self.moments
            .push(Moment::new(at, self.client, What::Comment(format!("left out: {what}"))));
    }
}

/// When the client polled for the last time. Where it upgraded, the upgrade ends that poll.
fn last_poll(session: &Session<'_>) -> Option<Duration> {
    let polls = |exchange: &&&Exchange| exchange.method == "GET";
    let last = session.exchanges.iter().rev().find(polls).map(|last| last.at);
    last.filter(|_| !session.has_socket())
}

/// The headers that matter to a server's answer.
fn told(exchange: &Exchange) -> Vec<(String, String)> {
    let mut headers = exchange.headers.clone();
    headers.retain(|(name, _)| is_telling(name) || name == "access-control-request-method");
    headers
}

/// The target without the client's cache buster.
fn without_time(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("t=")).collect();
    match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", kept.join("&")),
    }
}
