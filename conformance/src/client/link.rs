//! One connection: a task that writes what it is given, and one that reads, undoes HTTP, records, and fills the inbox.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::core::Shared;
use super::http::{BodyKind, Chunk, Dechunker, parse_head};
use super::inbox::{End, Refused, SECTION_LIMIT, Section, UNITS_LIMIT, Unit, UnitKind};
use super::protocol::ends_session;
use super::tape::{ConnId, Entry, Framing, lock};
use super::{BoxedStream, Port};
use crate::scenario::Generation;

/// How much is read at once, in bytes.
const READ: usize = 16 * 1024;

/// A connection; dropping it cuts it.
#[derive(Debug)]
pub(super) struct Link {
    id: ConnId,
    requests: AtomicUsize,
    out: mpsc::UnboundedSender<Out>,
    asked: Arc<Mutex<VecDeque<Asked>>>,
    closing: Arc<Closing>,
    tasks: [AbortHandle; 2],
}

/// The end that we bring about ourselves.
#[derive(Debug, Default)]
struct Closing {
    /// From here on the end is not the server's.
    ordered: AtomicBool,
    /// Everything has arrived.
    done: Notify,
    /// The server has said that it ends the connection behind its response.
    announced: AtomicBool,
}

/// A request whose response is due.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) framing: Framing,
    /// Sent by the runner itself: no step looks at the response's head.
    pub(super) managed: bool,
    /// The `Sec-WebSocket-Accept` that is due.
    pub(super) accept: Option<String>,
}

#[derive(Debug)]
enum Out {
    Bytes(Vec<u8>),
    HalfClose,
    /// Once the other side has everything: both directions.
    Close,
}

/// What comes on a connection before anything is asked.
pub(super) enum Begin {
    /// Nothing: requests are answered.
    Answers,
    /// A stream, to be called so in messages, that holds packets in that way.
    Stream(String, Framing),
}

impl Link {
    /// Starts the two tasks.
    pub(super) fn start(shared: &Arc<Shared>, id: ConnId, port: Port, stream: BoxedStream, begin: Begin) -> Link {
        let headless = match &begin {
            Begin::Answers => Framing::Raw,
            Begin::Stream(_, framing) => *framing,
        };
        shared.wire.open_tape(&id, port, headless);
        let asked = Arc::new(Mutex::new(VecDeque::new()));
        let (out, orders) = mpsc::unbounded_channel();
        let (read, write) = tokio::io::split(stream);
        let closing = Arc::new(Closing::default());
        let writer = tokio::spawn(write_loop(write, orders, closing.clone()));
        let reader = Reader {
            shared: shared.clone(),
            id: id.clone(),
            asked: asked.clone(),
            out: out.clone(),
            sections: 0,
            closing: closing.clone(),
        };
        let state = match begin {
            Begin::Answers => State::Head,
            Begin::Stream(name, framing) => {
                reader.open(Section::new(id.clone(), 0, name, None, framing), None);
                State::Tunnel
            }
        };
        let reader = tokio::spawn(reader.run(read, state));
        Link {
            id,
            requests: AtomicUsize::new(0),
            out,
            asked,
            closing,
            tasks: [writer.abort_handle(), reader.abort_handle()],
        }
    }

    /// Sends a request, and notes that its response is due. Gives the section that the response will be.
    pub(super) fn ask(&self, asked: Asked, bytes: Vec<u8>) -> (ConnId, usize) {
        lock(&self.asked).push_back(asked);
        self.write(bytes);
        (self.id.clone(), self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether a request waits for its response.
    pub(super) fn is_busy(&self) -> bool {
        !lock(&self.asked).is_empty()
    }

    /// Queues bytes; they are lost where the connection is gone, which the reader reports.
    pub(super) fn write(&self, bytes: Vec<u8>) {
        let _ = self.out.send(Out::Bytes(bytes));
    }

    /// Closes our direction.
    pub(super) fn half_close(&self) {
        let _ = self.out.send(Out::HalfClose);
    }

    /// Closes both directions, once what was written has arrived.
    pub(super) fn close(&self) {
        self.closing.ordered.store(true, Ordering::Release);
        let _ = self.out.send(Out::Close);
    }

    /// Whether the connection has ended.
    pub(super) fn is_over(&self) -> bool {
        self.tasks[1].is_finished()
    }

    /// Whether the server has said that it ends the connection, so that nothing more is to be asked on it.
    pub(super) fn is_ending(&self) -> bool {
        self.closing.announced.load(Ordering::Acquire)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn write_loop(
    mut write: WriteHalf<BoxedStream>,
    mut orders: mpsc::UnboundedReceiver<Out>,
    closing: Arc<Closing>,
) {
    while let Some(order) = orders.recv().await {
        let result = match order {
            Out::Bytes(bytes) => write.write_all(&bytes).await,
            Out::HalfClose => write.shutdown().await,
            Out::Close => {
                let _ = write.shutdown().await;
                closing.done.notify_one();
                return;
            }
        };
        if result.is_err() {
            return;
        }
    }
}

struct Reader {
    shared: Arc<Shared>,
    id: ConnId,
    asked: Arc<Mutex<VecDeque<Asked>>>,
    out: mpsc::UnboundedSender<Out>,
    sections: usize,
    closing: Arc<Closing>,
}

/// What the bytes that come next belong to.
enum State {
    Head,
    Length(usize),
    Chunked(Dechunker),
    UntilClose,
    Tunnel,
}

impl Reader {
    async fn run(mut self, mut read: ReadHalf<BoxedStream>, mut state: State) {
        let closing = self.closing.clone();
        let mut buffer = Vec::new();
        let end = loop {
            buffer.reserve(READ);
            let read = tokio::select! {
                read = read.read_buf(&mut buffer) => read,
                () = closing.done.notified() => break End::Eof,
            };
            match read {
                Ok(0) => break End::Eof,
                Ok(_) => {
                    if let Err(reason) = self.advance(&mut state, &mut buffer) {
                        self.trouble(reason);
                        break End::Eof;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break End::Reset,
                Err(_) => break End::Eof,
            }
        };
        // As every client does: a server may wait for it before it takes the client for gone.
        let _ = self.out.send(Out::HalfClose);
        self.finish(&state, end);
    }

    fn advance(&mut self, state: &mut State, buffer: &mut Vec<u8>) -> Result<(), String> {
        loop {
            match state {
                State::Head => {
                    if buffer.is_empty() {
                        return Ok(());
                    }
                    let Some((head, length)) = parse_head(buffer).map_err(|error| error.to_string())? else {
                        return Ok(());
                    };
                    buffer.drain(..length);
                    if head.status / 100 == 1 && head.status != 101 {
                        continue;
                    }
                    let asked = lock(&self.asked).front().cloned();
                    let asked = asked.ok_or_else(|| format!("a response nobody asked for: {}", head.to_text()))?;
                    let kind = head.body(&asked.method).map_err(|error| error.to_string())?;
                    if head.ends_connection() {
                        self.closing.announced.store(true, Ordering::Release);
                    }
                    let framing = asked.framing_of(head.status);
                    let request = format!("{} {}", asked.method, asked.target);
                    let mut section =
                        Section::new(self.id.clone(), self.sections, request, Some(head.clone()), framing);
                    section.head_taken = asked.managed;
                    section.managed = asked.managed;
                    section.accept = asked.accept;
                    self.sections += 1;
                    self.open(
                        section,
                        Some(Entry::Head {
                            at: self.shared.wire.progress.now(),
                            head,
                            framing,
                            managed: asked.managed,
                        }),
                    );
                    *state = match kind {
                        BodyKind::Length(0) => self.end_section(),
                        BodyKind::Length(n) => State::Length(n),
                        BodyKind::Chunked => State::Chunked(Dechunker::default()),
                        BodyKind::UntilClose => State::UntilClose,
                        BodyKind::Tunnel => State::Tunnel,
                    };
                }
                State::Length(due) => {
                    if buffer.is_empty() {
                        return Ok(());
                    }
                    let n = buffer.len().min(*due);
                    let bytes: Vec<u8> = buffer.drain(..n).collect();
                    *due -= n;
                    let done = *due == 0;
                    self.data(bytes)?;
                    if done {
                        *state = self.end_section();
                    }
                }
                State::Chunked(dechunker) => match dechunker.take(buffer).map_err(|error| error.to_string())? {
                    Chunk::NeedMore => return Ok(()),
                    Chunk::Data(bytes) => self.data(bytes)?,
                    Chunk::End => *state = self.end_section(),
                },
                State::UntilClose | State::Tunnel => {
                    if !buffer.is_empty() {
                        self.data(std::mem::take(buffer))?;
                    }
                    return Ok(());
                }
            }
        }
    }

    fn open(&self, section: Section, entry: Option<Entry>) {
        if let Some(entry) = entry {
            self.shared.wire.record(&self.id, entry);
        }
        let mut inbox = lock(&self.shared.inbox);
        let part = inbox.parts.entry(self.id.part.clone()).or_default();
        part.sections.push(section);
        drop(inbox);
        self.shared.changed.notify_waiters();
    }

    fn data(&self, bytes: Vec<u8>) -> Result<(), String> {
        // Before anybody can see the bytes: who sees them may begin the next step, and they came before it.
        let at = self.shared.wire.progress.now();
        let mut inbox = lock(&self.shared.inbox);
        let Some(section) = inbox.section(&self.id) else {
            return Ok(());
        };
        if section.data.len() + bytes.len() > SECTION_LIMIT {
            return Err(format!("{} goes on beyond {SECTION_LIMIT} bytes", section.request));
        }
        let new = section.push(&bytes);
        if section.units.len() > UNITS_LIMIT {
            return Err(format!(
                "{} holds more than {UNITS_LIMIT} packets that nobody takes",
                section.request
            ));
        }
        let answers = self.shared.answers(section, new);
        drop(inbox);
        self.shared.wire.record(&self.id, Entry::Data { at, bytes });
        for bytes in answers {
            if let Some(bytes) = self.shared.asides.hold(&self.id.part, bytes) {
                let _ = self.out.send(Out::Bytes(bytes));
            }
        }
        self.shared.changed.notify_waiters();
        Ok(())
    }

    fn end_section(&self) -> State {
        lock(&self.asked).pop_front();
        self.shared.wire.record(
            &self.id,
            Entry::End {
                at: self.shared.wire.progress.now(),
            },
        );
        if let Some(part) = lock(&self.shared.inbox).parts.get_mut(&self.id.part)
            && let Some(section) = part.sections.iter_mut().rev().find(|section| section.conn == self.id)
        {
            let new = section.end();
            let generation = self.shared.wire.generation;
            if generation == Generation::Rev1 {
                let ends =
                    |unit: &Unit| matches!(&unit.kind, UnitKind::Packet(packet) if ends_session(generation, packet));
                part.farewell |= section.units.range(section.units.len() - new..).any(ends);
            } else {
                self.shared.answers(section, new);
            }
            if let Some(head) = section
                .head
                .as_ref()
                .filter(|head| section.managed && head.status != 200)
            {
                section.body_taken = true;
                part.refused = Some(Refused {
                    conn: self.id.clone(),
                    section: section.index,
                    answer: head.to_text(),
                    status: head.status,
                    at: Instant::now(),
                });
            }
        }
        self.shared.changed.notify_waiters();
        State::Head
    }

    fn trouble(&self, reason: String) {
        let mut inbox = lock(&self.shared.inbox);
        inbox
            .parts
            .entry(self.id.part.clone())
            .or_default()
            .trouble
            .push_back(reason);
    }

    fn finish(&self, state: &State, end: End) {
        if !self.closing.ordered.load(Ordering::Acquire) {
            let at = self.shared.wire.progress.now();
            self.shared.wire.record(&self.id, Entry::Eof { at });
        }
        let asked = lock(&self.asked).front().cloned();
        let mut inbox = lock(&self.shared.inbox);
        let part = inbox.parts.entry(self.id.part.clone()).or_default();
        if let Some(section) = part.sections.iter_mut().rev().find(|section| section.conn == self.id) {
            section.end();
        }
        match (state, asked) {
            (State::Head, Some(asked)) => {
                part.trouble.push_back(format!(
                    "{} {}: the connection was closed without an answer",
                    asked.method, asked.target
                ));
            }
            (State::Length(_) | State::Chunked(_), Some(asked))
                if asked.framing == Framing::Raw || asked.framing.is_body() =>
            {
                part.trouble.push_back(format!(
                    "{} {}: the connection was closed within the body",
                    asked.method, asked.target
                ));
            }
            _ => {}
        }
        part.end = Some((end, Instant::now()));
        drop(inbox);
        self.shared.changed.notify_waiters();
    }
}

impl Asked {
    /// Packets are looked for only in the answers that hold them.
    fn framing_of(&self, status: u16) -> Framing {
        match (self.framing, status) {
            (Framing::WebSocket { .. } | Framing::Hixie, 101) | (Framing::HtmlFile | Framing::Multipart, 200) => {
                self.framing
            }
            (framing, 200) if framing.is_body() => framing,
            _ => Framing::Raw,
        }
    }
}
