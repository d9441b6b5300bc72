//! A client: its connections by part, its inbox, and what it answers by itself.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::aside::Asides;
use super::framing::engine::Message;
use super::framing::{eio3, hixie, webtransport};
use super::http::Request;
use super::inbox::{Inbox, Part, Section, UnitKind};
use super::link::{Asked, Begin, Link};
use super::protocol::heartbeat_answer;
use super::session::{Polling, Posts, Queue, Session, Unanswered};
use super::tape::{ConnId, ConnTape, Entry, Framing, Progress, Tape, lock};
use super::websocket::{self, Opcode, client_frame};
use super::{BoxedStream, Connect, Port};
use crate::scenario::Generation;

/// What the clients of one case share.
pub struct Wire {
    /// Where connections come from.
    pub connect: Arc<dyn Connect>,
    /// How far the case has come.
    pub progress: Arc<Progress>,
    /// Which packets come.
    pub generation: Generation,
    recorded: bool,
    tape: Mutex<Tape>,
}

impl Wire {
    /// A wire on which nothing has happened. A tape holds all that the server sends; most runs need none.
    #[must_use]
    pub fn new(connect: Arc<dyn Connect>, progress: Arc<Progress>, generation: Generation, recorded: bool) -> Wire {
        Wire {
            connect,
            progress,
            generation,
            recorded,
            tape: Mutex::default(),
        }
    }

    /// What the server has done so far; the recording begins anew.
    #[must_use]
    pub fn take_tape(&self) -> Tape {
        std::mem::take(&mut lock(&self.tape))
    }

    pub(super) fn open_tape(&self, id: &ConnId, port: Port, headless: Framing) {
        if !self.recorded {
            return;
        }
        lock(&self.tape).conns.insert(
            id.clone(),
            ConnTape {
                port,
                headless,
                entries: Vec::new(),
            },
        );
    }

    pub(super) fn record(&self, id: &ConnId, entry: Entry) {
        if let Some(conn) = lock(&self.tape).conns.get_mut(id) {
            conn.entries.push(entry);
        }
    }
}

/// Why a client cannot send.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[from] io::Error),
    /// HTTP/1.1 answers in order, and the step before has not been answered.
    #[error("{0} still waits for an answer; a second request at the same time needs a part of its own")]
    Busy(String),
    /// The step needs a connection that was never opened, or is gone.
    #[error("{0} has no open connection")]
    NotConnected(String),
}

/// How long the end of a connection is awaited that the server has announced, before another is opened.
const ENDING: Duration = Duration::from_millis(100);

/// What a client's tasks share.
pub(super) struct Shared {
    pub(super) wire: Arc<Wire>,
    pub(super) inbox: Mutex<Inbox>,
    pub(super) changed: Notify,
    pub(super) asides: Asides,
    pub(super) background: Mutex<Vec<AbortHandle>>,
    /// Packets that a transport without a way back sends by POST.
    pub(super) posts: Mutex<Option<Posts>>,
    pub(super) unanswered: Unanswered,
    /// The polls that go on by themselves.
    pub(super) polling: Mutex<Option<Polling>>,
    /// The task that sends the client's own heartbeats.
    pub(super) heartbeat: Mutex<Option<AbortHandle>>,
    /// Whether heartbeats are the runner's affair.
    pub(super) auto: bool,
    name: String,
    links: Mutex<BTreeMap<String, Link>>,
    /// Connections that another has taken the place of; what the server still says on them is not lost.
    retired: Mutex<Vec<Link>>,
    ordinals: Mutex<BTreeMap<String, usize>>,
    sent: Mutex<Vec<Instant>>,
    beats: Mutex<Beats>,
}

/// The server's heartbeats, where the runner answers them.
#[derive(Default)]
struct Beats {
    last: Option<Instant>,
    longest: Duration,
}

/// A client of a case.
pub struct Client {
    /// The session, once opened by the runner.
    pub session: Option<Session>,
    shared: Arc<Shared>,
}

impl Client {
    /// A client that has not connected. With `auto`, heartbeats and pings are answered as they come, and sent where
    /// the client is to.
    #[must_use]
    pub fn new(wire: Arc<Wire>, name: &str, auto: bool) -> Client {
        Client {
            session: None,
            shared: Arc::new(Shared {
                wire,
                inbox: Mutex::default(),
                changed: Notify::new(),
                asides: Asides::default(),
                background: Mutex::default(),
                posts: Mutex::default(),
                unanswered: Unanswered::default(),
                polling: Mutex::default(),
                heartbeat: Mutex::default(),
                auto,
                name: name.to_owned(),
                links: Mutex::default(),
                retired: Mutex::default(),
                ordinals: Mutex::default(),
                sent: Mutex::default(),
                beats: Mutex::default(),
            }),
        }
    }

    /// Looks at what came, and takes from it.
    pub fn inbox<T>(&self, look: impl FnOnce(&mut Inbox) -> T) -> T {
        look(&mut lock(&self.shared.inbox))
    }

    /// Waits until `look` finds something. The caller bounds the wait.
    pub async fn wait<T>(&self, look: impl FnMut(&mut Inbox) -> Option<T>) -> T {
        self.shared.wait(look).await
    }

    /// Waits until nothing stands in the way of a request on the part: the rest of an answer that has begun, or a heartbeat
    /// that is being posted. An answer that has not begun is not waited for. The caller bounds the wait.
    pub async fn rest(&self, part: &str) {
        let begun = |section: &&Section| !section.ended && section.head.is_some();
        let whole = |section: &Section| section.framing == Framing::Raw || section.framing.is_body();
        let comes = |part: &Part| part.end.is_none() && part.sections.last().filter(begun).is_some_and(whole);
        let posting = || self.shared.unanswered.any(Queue::Heartbeats);
        self.wait(|inbox| (!posting() && !inbox.parts.get(part).is_some_and(comes)).then_some(()))
            .await;
    }

    /// When the client last sent something by that time: on a paused clock, an answer goes out as the question comes in.
    #[must_use]
    pub fn sent_before(&self, at: Instant) -> Option<Instant> {
        lock(&self.shared.sent).iter().rev().find(|sent| **sent <= at).copied()
    }

    /// The longest time between two of the server's heartbeats.
    #[must_use]
    pub fn longest_between_beats(&self) -> Duration {
        lock(&self.shared.beats).longest
    }

    /// Sends a request on a part; its response becomes a section there.
    ///
    /// # Errors
    ///
    /// When no connection can be had, or the part waits for an answer.
    pub async fn request(&self, part: &str, request: Request, framing: Framing) -> Result<(), ClientError> {
        self.shared.request(part, request, framing, false).await.map(drop)
    }

    /// A request with what every request carries.
    #[must_use]
    pub fn new_request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target, &self.shared.wire.connect.authority())
    }

    /// An RFC 6455 opening request; the key is made from the connection's name.
    #[must_use]
    pub fn new_websocket(&self, part: &str, target: &str) -> Request {
        let mut request = self.new_request("GET", target);
        request.set("Upgrade", Some("websocket"));
        request.set("Connection", Some("Upgrade"));
        request.set("Sec-WebSocket-Version", Some("13"));
        request.set(
            "Sec-WebSocket-Key",
            Some(&websocket::key(&self.shared.next_id(part).to_string())),
        );
        request
    }

    /// Opens a raw connection as a part.
    ///
    /// # Errors
    ///
    /// When no connection can be had.
    pub async fn tcp(&self, part: &str, port: Port) -> Result<(), ClientError> {
        self.shared
            .connect(part, port, Begin::Stream("tcp".to_owned(), Framing::Raw))
            .await
    }

    /// Opens a session of WebTransport and its one bidirectional stream as a part. The caller bounds the wait.
    ///
    /// # Errors
    ///
    /// When the server refuses the session.
    pub async fn webtransport(&self, part: &str, target: &str) -> Result<(), ClientError> {
        self.shared.webtransport(part, target).await
    }

    /// Writes bytes to a part's connection.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn write(&self, part: &str, bytes: Vec<u8>) -> Result<(), ClientError> {
        self.shared.write(part, bytes)
    }

    /// Writes a whole WebSocket message to a part's connection.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn frame(&self, part: &str, opcode: Opcode, payload: &[u8]) -> Result<(), ClientError> {
        self.shared.write(part, client_frame(opcode, payload))
    }

    /// How the newest section of a part holds packets.
    #[must_use]
    pub fn framing(&self, part: &str) -> Option<Framing> {
        self.shared.framing(part)
    }

    /// Writes a packet to a part's connection, framed as what the server says there is framed.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn message(&self, part: &str, message: &Message) -> Result<(), ClientError> {
        self.shared.message(part, message)
    }

    /// Closes our direction of a part's connection.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn half_close(&self, part: &str) -> Result<(), ClientError> {
        let links = lock(&self.shared.links);
        links
            .get(part)
            .ok_or_else(|| ClientError::NotConnected(self.shared.lane(part)))?
            .half_close();
        Ok(())
    }

    /// Closes a part's connection, once what was written has arrived.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn close(&self, part: &str) -> Result<(), ClientError> {
        let links = lock(&self.shared.links);
        links
            .get(part)
            .ok_or_else(|| ClientError::NotConnected(self.shared.lane(part)))?
            .close();
        Ok(())
    }

    /// Makes way for another connection on a part: the one there is stays open, and polling and posting stop.
    pub fn retire(&self, part: &str) {
        self.stop_background();
        let link = lock(&self.shared.links).remove(part);
        lock(&self.shared.retired).extend(link);
    }

    fn stop_background(&self) {
        for task in lock(&self.shared.background).drain(..) {
            task.abort();
        }
        self.shared.stop_heartbeat();
        *lock(&self.shared.posts) = None;
        *lock(&self.shared.polling) = None;
    }

    /// Cuts a part's connection, or all of them.
    pub fn cut(&self, part: Option<&str>) {
        match part {
            Some(part) => {
                lock(&self.shared.links).remove(part);
            }
            None => {
                self.stop_background();
                lock(&self.shared.links).clear();
                lock(&self.shared.retired).clear();
            }
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.cut(None);
    }
}

impl Shared {
    pub(super) async fn wait<T>(&self, mut look: impl FnMut(&mut Inbox) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = look(&mut lock(&self.inbox)) {
                return found;
            }
            changed.await;
        }
    }

    /// Gives the connection, and which section of it the response will be.
    pub(super) async fn request(
        self: &Arc<Self>,
        part: &str,
        request: Request,
        framing: Framing,
        managed: bool,
    ) -> Result<(ConnId, usize), ClientError> {
        let (usable, ending) = {
            let links = lock(&self.links);
            let link = links.get(part).filter(|link| !link.is_over());
            if link.is_some_and(Link::is_busy) {
                return Err(ClientError::Busy(self.lane(part)));
            }
            (
                link.is_some_and(|link| !link.is_ending()),
                link.is_some_and(Link::is_ending),
            )
        };
        if ending {
            // It is as good as over, and is left when the other takes its place.
            let over = self.wait(|inbox| inbox.parts.get(part).and_then(|part| part.end).map(drop));
            let _ = timeout(ENDING, over).await;
        }
        if !usable {
            self.connect(part, Port::Http, Begin::Answers).await?;
        }
        let asked = Asked {
            method: request.method.clone(),
            target: request.target.clone(),
            framing,
            managed,
            accept: request
                .header("sec-websocket-key")
                .filter(|_| framing.is_websocket())
                .map(websocket::accept),
        };
        self.note_sent();
        let links = lock(&self.links);
        let link = links
            .get(part)
            .ok_or_else(|| ClientError::NotConnected(self.lane(part)))?;
        Ok(link.ask(asked, request.to_bytes()))
    }

    async fn connect(self: &Arc<Self>, part: &str, port: Port, begin: Begin) -> Result<(), ClientError> {
        let id = self.new_id(part);
        let stream = self.wire.connect.connect(&id, port).await?;
        self.attach(id, port, stream, begin);
        Ok(())
    }

    async fn webtransport(self: &Arc<Self>, part: &str, target: &str) -> Result<(), ClientError> {
        let id = self.new_id(part);
        let stream = self.wire.connect.webtransport(&id, target).await?;
        let begin = Begin::Stream(format!("wt {target}"), Framing::WebTransport);
        self.attach(id, Port::Http, stream, begin);
        Ok(())
    }

    fn attach(self: &Arc<Self>, id: ConnId, port: Port, stream: BoxedStream, begin: Begin) {
        let part = id.part.clone();
        if let Some(part) = lock(&self.inbox).parts.get_mut(&part) {
            part.end = None;
        }
        self.note_sent();
        let link = Link::start(self, id, port, stream, begin);
        lock(&self.links).insert(part, link);
    }

    pub(super) fn write(&self, part: &str, bytes: Vec<u8>) -> Result<(), ClientError> {
        self.note_sent();
        let links = lock(&self.links);
        links
            .get(part)
            .ok_or_else(|| ClientError::NotConnected(self.lane(part)))?
            .write(bytes);
        Ok(())
    }

    fn framing(&self, part: &str) -> Option<Framing> {
        let inbox = lock(&self.inbox);
        inbox.parts.get(part)?.sections.last().map(|section| section.framing)
    }

    pub(super) fn message(&self, part: &str, message: &Message) -> Result<(), ClientError> {
        self.write(part, self.framed(part, message))
    }

    /// A packet as the part's connection carries it.
    pub(super) fn framed(&self, part: &str, message: &Message) -> Vec<u8> {
        match (self.framing(part), message) {
            (Some(Framing::Hixie), Message::Text(text)) => hixie::frame(text),
            (Some(Framing::WebTransport), message) => webtransport::frame(message),
            (_, Message::Text(text)) => client_frame(Opcode::Text, text.as_bytes()),
            (_, Message::Binary(data)) if self.wire.generation == Generation::Eio3 => {
                client_frame(Opcode::Binary, &eio3::message(data))
            }
            (_, Message::Binary(bytes)) => client_frame(Opcode::Binary, bytes),
        }
    }

    /// The name of a connection that is about to be made.
    fn new_id(&self, part: &str) -> ConnId {
        let id = self.next_id(part);
        *lock(&self.ordinals).entry(part.to_owned()).or_default() += 1;
        id
    }

    pub(super) fn next_id(&self, part: &str) -> ConnId {
        let ordinal = lock(&self.ordinals).get(part).copied().unwrap_or_default();
        ConnId {
            client: self.name.clone(),
            part: part.to_owned(),
            ordinal,
        }
    }

    /// What the newest units of a section are answered with on the same connection. Heartbeats of a stream without a way
    /// back are answered by POST.
    pub(super) fn answers(self: &Arc<Self>, section: &Section, new: usize) -> Vec<Vec<u8>> {
        if !self.auto {
            return Vec::new();
        }
        let units = section.units.range(section.units.len() - new..);
        let mut answers = Vec::new();
        for unit in units {
            match &unit.kind {
                UnitKind::Ping(payload) => answers.push(client_frame(Opcode::Pong, payload)),
                UnitKind::Packet(packet) => {
                    let Some(answer) = heartbeat_answer(self.wire.generation, packet) else {
                        continue;
                    };
                    self.note_beat();
                    match section.framing {
                        Framing::WebSocket { .. } => answers.push(client_frame(Opcode::Text, answer.as_bytes())),
                        Framing::Hixie => answers.push(hixie::frame(answer)),
                        Framing::WebTransport => {
                            answers.push(webtransport::frame(&Message::Text(answer.to_owned())));
                        }
                        _ => self.post_answer(section, answer),
                    }
                }
                _ => {}
            }
        }
        if !answers.is_empty() {
            self.note_sent();
        }
        answers
    }

    pub(super) fn note_sent(&self) {
        lock(&self.sent).push(Instant::now());
    }

    fn note_beat(&self) {
        let (now, mut beats) = (Instant::now(), lock(&self.beats));
        if let Some(last) = beats.last.replace(now) {
            beats.longest = beats.longest.max(now - last);
        }
    }

    fn lane(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }
}
