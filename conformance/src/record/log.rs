//! What went by: the exchanges, in order, and a counter that moves with them. Knows nothing of sockets or of faults, but
//! that a request may have met one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::classify::Subject;
use super::exchange::{Answer, Attempt, Exchange, Frame, Head, Side};
use super::frames::Seen;
use super::treat::Treatment;

/// Bytes of a body that are kept, where nothing else is said.
pub const BODY_CAP: usize = 64 * 1024;
/// How many exchanges are kept, and how many frames of all exchanges together. What comes later is only counted.
pub const RECORD_CAP: usize = 10_000;
/// Pieces of a body that are told apart.
const PIECES: usize = 10_000;
/// Bytes of bodies and frames that are kept, of all exchanges together.
const BYTES_CAP: usize = 256 * 1024 * 1024;
/// Bodies and frames that are heartbeats, or nothing at all: of Engine.IO 4 and 3, as text and as octets, and of revision 1;
/// and what a POST is answered with.
const CHATTER: [&[u8]; 13] = [
    b"",
    b"2",
    b"3",
    b"6",
    b"ok",
    b"1:2",
    b"1:3",
    b"1:6",
    b"\x00\x01\xff2",
    b"\x00\x01\xff3",
    b"\x00\x01\xff6",
    b"2::",
    b"8::",
];

/// Transports of which one request is a connection: another, once that was answered, is another attempt, where polls are one.
const STREAMS: [&str; 4] = ["websocket", "flashsocket", "htmlfile", "xhr-multipart"];

/// How much of a single body and frame is kept.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of a frame's payload.
    pub frame: usize,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps {
            body: BODY_CAP,
            frame: super::frames::FRAME_CAP,
        }
    }
}

/// A request, as it comes into the record.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) subject: Subject,
    pub(super) headers: Vec<(String, String)>,
    pub(super) treatment: Treatment,
}

/// The record of one proxy.
pub(super) struct Log {
    started: Instant,
    caps: Caps,
    state: Mutex<State>,
    revision: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    exchanges: Vec<Exchange>,
    attempts: Vec<Attempt>,
    unrecorded: u64,
    totals: Totals,
    /// When something last went by that is more than a heartbeat.
    news: Option<Duration>,
}

/// What all exchanges share of the caps.
#[derive(Default)]
struct Totals {
    frames: usize,
    bytes: usize,
}

impl Totals {
    /// Adds to a body what still fits.
    fn keep(&mut self, body: &mut Vec<u8>, bytes: &[u8], cap: usize) {
        let room = cap.saturating_sub(body.len()).min(BYTES_CAP - self.bytes);
        let kept = &bytes[..bytes.len().min(room)];
        body.extend_from_slice(kept);
        self.bytes += kept.len();
    }
}

impl Log {
    pub(super) fn new(caps: Caps) -> Arc<Log> {
        Arc::new(Log {
            started: Instant::now(),
            caps,
            state: Mutex::default(),
            revision: watch::Sender::new(0),
        })
    }

    pub(super) fn begin(self: &Arc<Log>, request: Request) -> Arc<Recording> {
        let at = self.started.elapsed();
        let mut state = self.lock();
        if matches!(request.method.as_str(), "GET" | "UDP") {
            state.attempt(&request.subject);
        }
        let index = if state.exchanges.len() < RECORD_CAP {
            let number = state.exchanges.len() + 1;
            state.exchanges.push(Exchange {
                number,
                at,
                method: request.method,
                target: request.target,
                transport: request.subject.transport,
                sid: request.subject.sid,
                headers: request.headers,
                body: Vec::new(),
                body_length: 0,
                answer: None,
                frames: Vec::new(),
                from_page: 0,
                from_server: 0,
                ended: None,
                left: None,
                treatment: (request.treatment != Treatment::Pass).then_some(request.treatment),
            });
            Some(number - 1)
        } else {
            state.unrecorded += 1;
            None
        };
        drop(state);
        self.bump();
        Arc::new(Recording {
            log: Arc::clone(self),
            index,
        })
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.lock().exchanges.clone()
    }

    pub(super) fn requests(&self, from: usize) -> Vec<Head> {
        let state = self.lock();
        let later = state.exchanges.iter().skip(from);
        later
            .map(|exchange| Head {
                method: exchange.method.clone(),
                target: exchange.target.clone(),
            })
            .collect()
    }

    pub(super) fn unrecorded(&self) -> u64 {
        self.lock().unrecorded
    }

    pub(super) fn attempts(&self) -> Vec<Attempt> {
        self.lock().attempts.clone()
    }

    /// For how long nothing but heartbeats has gone by; `None` while nothing has at all.
    pub(super) fn quiet(&self) -> Option<Duration> {
        let news = self.lock().news?;
        Some(self.started.elapsed().saturating_sub(news))
    }

    /// How long there has been a record.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn news(&self, bytes: &[u8]) {
        if !CHATTER.contains(&bytes) {
            self.lock().news = Some(self.started.elapsed());
        }
    }

    pub(super) fn revision(&self) -> u64 {
        *self.revision.borrow()
    }

    pub(super) async fn changed(&self, seen: u64) {
        // Fails only without a sender, and this is the sender.
        let _ = self.revision.subscribe().wait_for(|revision| *revision > seen).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bump(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }
}

impl State {
    fn attempt(&mut self, subject: &Subject) {
        let Some(transport) = &subject.transport else { return };
        // A browser repeats by itself what was reset before an answer.
        let answered =
            |it: &Exchange| it.transport.as_ref() == Some(transport) && it.method == "GET" && it.answer.is_some();
        let anew = STREAMS.contains(&transport.as_str()) && self.exchanges.iter().any(answered);
        let room = self.attempts.len() < RECORD_CAP;
        let known = self.attempts.iter_mut().find(|attempt| attempt.transport == *transport);
        match known.filter(|_| !anew) {
            Some(attempt) if attempt.sid.is_none() => attempt.sid.clone_from(&subject.sid),
            None if room => self.attempts.push(Attempt {
                transport: transport.clone(),
                sid: subject.sid.clone(),
            }),
            Some(_) | None => {}
        }
    }
}

/// Where one exchange is written down. It is over when the last of these is dropped.
pub(super) struct Recording {
    log: Arc<Log>,
    index: Option<usize>,
}

impl Recording {
    /// A piece of the request's body.
    pub(super) fn body(&self, bytes: &[u8]) {
        self.log.news(bytes);
        let cap = self.log.caps.body;
        self.write(|exchange, totals| {
            exchange.body_length += bytes.len() as u64;
            totals.keep(&mut exchange.body, bytes, cap);
        });
    }

    /// The answer's head.
    pub(super) fn answer(&self, status: u16, headers: Vec<(String, String)>) {
        let at = self.log.started.elapsed();
        self.write(|exchange, _| {
            exchange.answer = Some(Answer {
                at,
                status,
                headers,
                body: Vec::new(),
                body_length: 0,
                pieces: Vec::new(),
            });
        });
    }

    /// A piece of the answer's body.
    pub(super) fn answer_body(&self, bytes: &[u8]) {
        self.log.news(bytes);
        let (cap, at) = (self.log.caps.body, self.log.started.elapsed());
        self.write(|exchange, totals| {
            if let Some(answer) = &mut exchange.answer {
                answer.body_length += bytes.len() as u64;
                totals.keep(&mut answer.body, bytes, cap);
                let end = answer.body.len();
                let many = answer.pieces.len() >= PIECES;
                match answer.pieces.last_mut() {
                    Some((_, upto)) if *upto == end => {}
                    Some((_, upto)) if many => *upto = end,
                    _ => answer.pieces.push((at, end)),
                }
            }
        });
    }

    /// A frame, or a piece of a stream that has none.
    pub(super) fn frame(&self, from_page: bool, seen: Seen) {
        if !matches!(seen.opcode, 9 | 10) {
            self.log.news(&seen.payload);
        }
        let at = self.log.started.elapsed();
        self.write(|exchange, totals| {
            exchange.count(from_page);
            if totals.frames < RECORD_CAP && totals.bytes + seen.payload.len() <= BYTES_CAP {
                totals.frames += 1;
                totals.bytes += seen.payload.len();
                exchange.frames.push(Frame {
                    at,
                    from_page,
                    opcode: seen.opcode,
                    fin: seen.fin,
                    payload: seen.payload,
                    length: seen.length,
                });
            }
        });
    }

    /// Who ended it; the first to be named is the one.
    pub(super) fn left(&self, side: Side) {
        let at = self.log.started.elapsed();
        self.write(|exchange, _| {
            exchange.left.get_or_insert((side, at));
        });
    }

    /// Bytes of a frame's payload that are worth handing over.
    pub(super) fn frame_cap(&self) -> usize {
        self.log.caps.frame
    }

    /// A datagram; what it says is encrypted, so that it is only counted.
    pub(super) fn datagram(&self, from_page: bool, length: usize) {
        self.write(|exchange, _| {
            exchange.count(from_page);
            if from_page {
                exchange.body_length += length as u64;
            }
        });
    }

    fn write(&self, change: impl FnOnce(&mut Exchange, &mut Totals)) {
        if let Some(index) = self.index {
            let mut state = self.log.lock();
            let State { exchanges, totals, .. } = &mut *state;
            if let Some(exchange) = exchanges.get_mut(index) {
                change(exchange, totals);
            }
        }
        self.log.bump();
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let at = self.log.started.elapsed();
        self.write(|exchange, _| exchange.ended = Some(at));
    }
}
