//! A session whose client did what clients do: it is written as `open`, packets, `upgrade` and `close`, and the player polls,
//! pings and posts by itself.

mod rev1;

use std::time::Duration;

use super::moments::{Moment, What};
use super::sessions::{Session, given};
use super::units::{Piece, Way, answer, cut, frames, heard, request};
use crate::client::protocol::{PING, ends_session, heartbeat_answer, is_hidden, parameter, transport_of};
use crate::client::{Message, UnitKind};
use crate::record::exchange::{Exchange, Side};
use crate::scenario::Generation;

/// Headers that say something about who asks, which `open` cannot say.
pub(super) const TELLING: [&str; 2] = ["authorization", "cookie"];

const UNANSWERED: &str = "a POST was not answered";

/// A client that polls has a request open nearly always: after so long without any it is gone.
const IDLE: Duration = Duration::from_secs(1);

/// Why a session has to be written request by request.
pub(super) struct Irregular(pub(super) String);

impl From<String> for Irregular {
    fn from(why: String) -> Irregular {
        Irregular(why)
    }
}

/// What happened on the session until the recording was over at `over`, as moments of client `client`.
pub(super) fn moments(
    session: &Session<'_>,
    client: &str,
    over: Duration,
    lost: &mut Vec<String>,
) -> Result<Vec<Moment>, Irregular> {
    let Some(sid) = &session.sid else {
        return Err(Irregular("no session was opened".to_owned()));
    };
    for exchange in &session.exchanges {
        if let Some(cut) = cut(exchange) {
            return Err(Irregular(cut));
        }
        let telling = exchange.headers.iter().find(|(name, _)| is_telling(name));
        if let Some((name, _)) = telling {
            return Err(Irregular(format!("its requests have a header {name}")));
        }
    }
    let first = session.exchanges.first().filter(|first| first.sid.is_none());
    if first.and_then(|first| given(session.generation, first)).as_ref() != Some(sid) {
        return Err(Irregular("its handshake was not recorded".to_owned()));
    }
    let mut writer = Writer {
        generation: session.generation,
        client,
        moments: Vec::new(),
        lost,
        up: Group::default(),
        down: Group::default(),
        ends: Vec::new(),
        troubles: Vec::new(),
        socket: false,
        left: None,
        given_up: None,
        upgraded: false,
        unanswered: false,
    };
    match session.generation {
        Generation::Rev1 => writer.rev1(&session.exchanges)?,
        Generation::Eio3 | Generation::Eio4 => writer.engine(&session.exchanges)?,
    }
    if writer.ends.is_empty() && writer.left.is_none() {
        writer.left = stopped(session, over);
    }
    writer.finish()?;
    Ok(writer.moments)
}

/// When a client that polls had its last answer, if it asked for nothing any more.
fn stopped(session: &Session<'_>, over: Duration) -> Option<Duration> {
    if session.has_socket() {
        return None;
    }
    let ends: Option<Vec<Duration>> = session.exchanges.iter().map(|exchange| exchange.ended).collect();
    ends?.into_iter().max().filter(|last| *last + IDLE < over)
}

/// Whether the header has to be sent again for the server to answer as it did.
pub(super) fn is_telling(name: &str) -> bool {
    TELLING.contains(&name) || (name.starts_with("x-") && name != "x-requested-with")
}

struct Writer<'a> {
    generation: Generation,
    client: &'a str,
    moments: Vec<Moment>,
    lost: &'a mut Vec<String>,
    up: Group,
    down: Group,
    /// Who said goodbye, and when; requests are not answered in the order in which they were sent, so the earliest counts.
    ends: Vec<(Duration, What)>,
    /// What makes the session an irregular one, unless it was over by then.
    troubles: Vec<(Duration, String)>,
    /// Revision 1: the session has a socket.
    socket: bool,
    /// When the client left without a word, if nothing came later.
    left: Option<Duration>,
    /// When the client gave up a POST: as it left, unless something came later.
    given_up: Option<Duration>,
    /// From polling to a WebSocket: polls tell nothing of the client any more.
    upgraded: bool,
    /// The server's last heartbeat was not answered.
    unanswered: bool,
}

/// A packet that waits for its attachments.
#[derive(Default)]
struct Group {
    messages: Vec<Message>,
    missing: usize,
}

impl Writer<'_> {
    fn engine(&mut self, exchanges: &[&Exchange]) -> Result<(), Irregular> {
        let Some((first, rest)) = exchanges.split_first() else {
            return Ok(());
        };
        let direct = first.is_switched();
        let transport = match direct {
            true => "websocket",
            false => transport_of(self.generation, &first.target),
        };
        let known = ["EIO", "transport", "t", "sid", "j", "b64"];
        // A transport that polls says by itself that it takes no bytes.
        let known = &known[..known.len() - usize::from(direct)];
        let target = own_query(&first.target, known, "/socket.io/");
        self.say(
            first.at,
            What::Open {
                transport: transport.to_owned(),
                target,
            },
        );
        if direct {
            self.socket(first, frames(self.generation, first)?, true)?;
        } else {
            let mut pieces = answer(self.generation, first).into_iter();
            // The open packet, which `open` takes.
            pieces.next();
            pieces.try_for_each(|piece| self.piece(piece))?;
        }
        for exchange in rest {
            match exchange.method.as_str() {
                "OPTIONS" => self
                    .lost
                    .push(format!("{}: OPTIONS {}, a preflight", self.client, exchange.target)),
                "POST" => self.post(exchange)?,
                "GET" if exchange.is_switched() => self.upgrade(exchange)?,
                "GET" if parameter(&exchange.target, "transport") == Some("websocket") => {
                    let what = "an upgrade to websocket that was refused";
                    self.lost.push(format!("{}: {what}", self.client));
                }
                "GET" => self.poll(exchange)?,
                other => return Err(Irregular(format!("a request {other}"))),
            }
        }
        Ok(())
    }

    /// A poll, or the answer that goes on of a streaming transport.
    fn poll(&mut self, exchange: &Exchange) -> Result<(), Irregular> {
        let Some(head) = &exchange.answer else {
            self.polled(exchange.ended.filter(|_| !left_by_server(exchange)));
            if let Some((Side::Server, at)) = exchange.left {
                self.troubles.push((at, "a poll was never answered".to_owned()));
            }
            return Ok(());
        };
        self.polled(None);
        match head.status {
            200 => {
                let pieces = answer(self.generation, exchange);
                pieces.into_iter().try_for_each(|piece| self.piece(piece))?;
                let streams = matches!(exchange.transport.as_deref(), Some("htmlfile" | "xhr-multipart"));
                if streams {
                    self.polled(exchange.ended);
                }
                Ok(())
            }
            400 if self.generation != Generation::Rev1 => {
                self.end(head.at, What::Closed(None));
                Ok(())
            }
            status => {
                self.troubles.push((head.at, format!("a poll was answered {status}")));
                Ok(())
            }
        }
    }

    /// When the client left, as far as a poll tells.
    fn polled(&mut self, left: Option<Duration>) {
        if !self.upgraded {
            self.left = left;
        }
    }

    fn post(&mut self, exchange: &Exchange) -> Result<(), Irregular> {
        let trouble = match &exchange.answer {
            Some(answer) if answer.status == 200 => None,
            Some(answer) => Some(format!("a POST was answered {}", answer.status)),
            None if left_by_server(exchange) => exchange.ended.map(|_| UNANSWERED.to_owned()),
            None => {
                self.given_up = self.given_up.into_iter().chain(exchange.ended).min();
                None
            }
        };
        self.troubles.extend(trouble.map(|trouble| (exchange.at, trouble)));
        for message in request(self.generation, exchange)? {
            self.piece(Piece {
                at: exchange.at,
                way: Way::Up,
                kind: message.into(),
            })?;
        }
        Ok(())
    }

    fn upgrade(&mut self, exchange: &Exchange) -> Result<(), Irregular> {
        let pieces = frames(self.generation, exchange)?;
        let done = |piece: &Piece| piece.way == Way::Up && piece.kind == UnitKind::Packet("5".to_owned());
        if !pieces.iter().any(done) {
            let what = "an upgrade to websocket that was not completed";
            self.lost.push(format!("{}: {what}", self.client));
            return Ok(());
        }
        self.say(exchange.at, What::Upgrade("websocket"));
        self.upgraded = true;
        self.socket(exchange, pieces, false)
    }

    /// The frames of a WebSocket. `opens` is whether the first one from the server is what `open` takes.
    fn socket(&mut self, exchange: &Exchange, pieces: Vec<Piece>, mut opens: bool) -> Result<(), Irregular> {
        self.left = None;
        let generation = self.generation;
        for piece in heard(exchange, pieces) {
            let probe = match &piece.kind {
                UnitKind::Packet(packet) if generation != Generation::Rev1 => {
                    matches!(packet.as_str(), "2probe" | "3probe" | "5")
                }
                _ => false,
            };
            if probe || (piece.way == Way::Down && std::mem::take(&mut opens)) {
                continue;
            }
            self.piece(piece)?;
        }
        if let Some(ended) = exchange.ended {
            match exchange.left {
                Some((Side::Server, at)) => self.end(at, What::Closed(None)),
                Some((Side::Page, at)) => self.left = Some(at),
                None => self.left = Some(ended),
            }
        }
        Ok(())
    }

    /// A packet or a close frame, whichever way.
    fn piece(&mut self, piece: Piece) -> Result<(), Irregular> {
        let Piece { at, way, kind } = piece;
        let message = match kind {
            UnitKind::Packet(text) if self.is_heartbeat(way, &text) => {
                let asks = way == Way::Down && heartbeat_answer(self.generation, &text).is_some();
                self.unanswered = asks || (self.unanswered && way == Way::Down);
                return Ok(());
            }
            UnitKind::Packet(text) if self.is_goodbye(way, &text) => {
                match way {
                    Way::Up => self.end(at, What::Close(None)),
                    Way::Down => self.end(at, What::Closed(None)),
                }
                return Ok(());
            }
            UnitKind::Close(code, _) => {
                match way {
                    Way::Up => self.end(at, What::Close(code.filter(|code| *code != 1000 && is_sendable(*code)))),
                    Way::Down => self.end(at, What::Closed(code)),
                }
                return Ok(());
            }
            UnitKind::Packet(text) => Message::Text(text),
            UnitKind::Binary(bytes) | UnitKind::Encoded(_, bytes) => Message::Binary(bytes),
            UnitKind::Bad(reason) => return Err(Irregular(format!("something that is no packet: {reason}"))),
            _ => return Ok(()),
        };
        let group = match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        };
        match &message {
            Message::Text(text) if group.missing == 0 => group.missing = attachments(self.generation, text),
            Message::Text(_) => return Err(Irregular("a packet without its attachments".to_owned())),
            Message::Binary(_) => group.missing = group.missing.saturating_sub(1),
        }
        group.messages.push(message);
        if group.missing == 0 {
            let messages = std::mem::take(&mut group.messages);
            self.say(
                at,
                match way {
                    Way::Up => What::Send(messages),
                    Way::Down => What::Expect(messages),
                },
            );
        }
        Ok(())
    }

    fn is_heartbeat(&self, way: Way, text: &str) -> bool {
        match way {
            Way::Down => is_hidden(self.generation, text),
            Way::Up if self.generation == Generation::Eio3 => text == PING,
            Way::Up => ["2::", "2"]
                .into_iter()
                .any(|ping| heartbeat_answer(self.generation, ping) == Some(text)),
        }
    }

    /// Whether the packet ends the session: `1`, and in revision 1 `0::` from the server, or from a client that has no socket
    /// to close.
    fn is_goodbye(&self, way: Way, text: &str) -> bool {
        match (self.generation, way) {
            (Generation::Rev1, Way::Down) => ends_session(self.generation, text) && !text.starts_with('7'),
            (Generation::Rev1, Way::Up) => !self.socket && text.trim_end_matches(':') == "0",
            _ => ends_session(self.generation, text),
        }
    }

    fn say(&mut self, at: Duration, what: What) {
        self.moments.push(Moment::new(at, self.client, what));
    }

    fn end(&mut self, at: Duration, what: What) {
        self.ends.push((at, what));
    }

    fn finish(&mut self) -> Result<(), Irregular> {
        if self.up.missing + self.down.missing > 0 {
            self.lost.push(format!(
                "{}: a binary packet whose attachments did not all come",
                self.client
            ));
        }
        // A client that gives its poll up may say goodbye on another connection.
        let is_said = |(_, what): &(Duration, What)| matches!(what, What::Close(_));
        let left = self.left.filter(|_| !self.ends.iter().any(is_said));
        self.ends.extend(left.map(|at| (at, What::Drop)));
        self.ends.sort_by_key(|(at, _)| *at);
        let end = std::mem::take(&mut self.ends).into_iter().next();
        let over = end.as_ref().map_or(Duration::MAX, |(at, _)| *at);
        if let Some((_, trouble)) = self.troubles.iter().find(|(at, _)| *at <= over) {
            return Err(Irregular(trouble.clone()));
        }
        if self.given_up.is_some_and(|at| self.moments.iter().any(|it| it.at > at)) {
            return Err(Irregular(UNANSWERED.to_owned()));
        }
        // What the server says to a client that has said goodbye depends on which of the two was quicker.
        let generation = self.generation;
        let last_words =
            |messages: &[Message]| matches!(messages, [Message::Text(text)] if ends_session(generation, text));
        self.moments
            .retain(|it| it.at < over || !matches!(&it.what, What::Expect(messages) if last_words(messages)));
        if self.unanswered && matches!(end, Some((_, What::Closed(_)))) {
            let what = "it did not answer the last heartbeat, and a replay does";
            self.lost.push(format!("{}: {what}", self.client));
        }
        if let Some((at, what)) = end {
            self.say(at, what);
        }
        Ok(())
    }
}

fn left_by_server(exchange: &Exchange) -> bool {
    matches!(exchange.left, Some((Side::Server, _)))
}

/// Codes that stand for something that was not on the wire cannot be sent.
fn is_sendable(code: u16) -> bool {
    !matches!(code, 1004 | 1005 | 1006 | 1015) && (1000..5000).contains(&code)
}

/// How many binary messages belong to the packet: `451-["a",…]` has one.
pub(super) fn attachments(generation: Generation, packet: &str) -> usize {
    let binary = packet.strip_prefix("45").or_else(|| packet.strip_prefix("46"));
    let counted = binary.filter(|_| generation != Generation::Rev1).and_then(|rest| {
        let (digits, _) = rest.split_once('-')?;
        digits.parse().ok()
    });
    // More than that is no count that a client would wait for.
    counted.filter(|count| *count <= 1000).unwrap_or(0)
}

/// The target without what the player writes by itself, and without the client's cache buster; `None` where nothing else is
/// in it.
fn own_query(target: &str, known: &[&str], path: &str) -> Option<String> {
    let (have, query) = target.split_once('?').unwrap_or((target, ""));
    let own: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !known.contains(&pair.split('=').next().unwrap_or_default()))
        .collect();
    if have == path && own.is_empty() {
        return None;
    }
    Some(match own.is_empty() {
        true => have.to_owned(),
        false => format!("{have}?{}", own.join("&")),
    })
}
