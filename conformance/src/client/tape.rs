//! The recording of a case: what the server sent on every connection, and after which step it came.
//!
//! Bytes are recorded with their HTTP chunking undone, so that a mutation may change their length; the replay chunks them
//! again. Time is kept as a [`Moment`]: how long after a step of the scenario, not how long after the start.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Port;
use super::http::ResponseHead;

/// Names a connection in a way that is the same at every run of the case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    /// The client.
    pub client: String,
    /// The part of the client.
    pub part: String,
    /// The how-manieth connection of that part, from 0.
    pub ordinal: usize,
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}#{}", self.client, self.part, self.ordinal)
    }
}

/// A point in time, counted from the step that was under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How many sends of the scenario had begun.
    pub gate: usize,
    /// How long after the last of them.
    pub after: Duration,
}

/// How the bytes of a section hold packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Bytes only.
    Raw,
    /// xhr-polling: a bare packet, or packets behind `\ufffd<length>\ufffd`.
    Payload,
    /// Engine.IO 3 polling: packets behind their lengths, as text or as octets.
    Lengths,
    /// Engine.IO 3 polling with `j=`: a text payload as the argument of `___eio[i](…)`.
    LengthsJsonp,
    /// Engine.IO 4 polling: packets with U+001E between them, binary ones as `b` and base64.
    Records,
    /// jsonp-polling: a payload as the argument of `io.j[i](…)`.
    Jsonp,
    /// htmlfile: script elements.
    HtmlFile,
    /// xhr-multipart: MIME parts.
    Multipart,
    /// RFC 6455 frames.
    WebSocket {
        /// Engine.IO 3: a binary message begins with the byte of its type.
        typed: bool,
    },
    /// Frames of the hixie-76 draft, behind the 16 bytes of the challenge's answer.
    Hixie,
    /// The stream of a WebTransport session: packets behind their length.
    WebTransport,
}

impl Framing {
    /// Whether a body holds the packets, and is read when it is whole: the answer to a poll.
    #[must_use]
    pub fn is_body(self) -> bool {
        matches!(
            self,
            Framing::Payload | Framing::Jsonp | Framing::Lengths | Framing::LengthsJsonp | Framing::Records
        )
    }

    /// RFC 6455 frames, with or without types.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Framing::WebSocket { .. })
    }

    /// Whether binary packets begin with the byte of their type.
    #[must_use]
    pub fn is_typed(self) -> bool {
        matches!(
            self,
            Framing::Lengths | Framing::LengthsJsonp | Framing::WebSocket { typed: true }
        )
    }
}

/// One thing the server did on a connection.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A response head; it opens a new section.
    Head {
        /// When.
        at: Moment,
        /// The head as it came.
        head: ResponseHead,
        /// How its body holds packets.
        framing: Framing,
        /// Whether the runner asked for it by itself, and not the case.
        managed: bool,
    },
    /// Bytes of the section.
    Data {
        /// When.
        at: Moment,
        /// Body bytes, chunking undone.
        bytes: Vec<u8>,
    },
    /// The end of a response's body.
    End {
        /// When.
        at: Moment,
    },
    /// The server closed its direction.
    Eof {
        /// When.
        at: Moment,
    },
}

impl Entry {
    /// When it happened.
    #[must_use]
    pub fn moment(&self) -> Moment {
        match self {
            Entry::Head { at, .. } | Entry::Data { at, .. } | Entry::End { at } | Entry::Eof { at } => *at,
        }
    }

    /// When it happened, to be changed.
    pub fn at(&mut self) -> &mut Moment {
        match self {
            Entry::Head { at, .. } | Entry::Data { at, .. } | Entry::End { at } | Entry::Eof { at } => at,
        }
    }
}

/// What the server did on one connection.
#[derive(Clone, Debug)]
pub struct ConnTape {
    /// Where it was opened to.
    pub port: Port,
    /// How it holds packets, where it is no HTTP.
    pub headless: Framing,
    /// In order.
    pub entries: Vec<Entry>,
}

/// What the server did, connection by connection.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// The connections.
    pub conns: BTreeMap<ConnId, ConnTape>,
}

/// A range of a section's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The connection.
    pub conn: ConnId,
    /// Which response of it, from 0; the bytes before any response (raw TCP) are section 0 as well.
    pub section: usize,
    /// Which bytes.
    pub range: Range<usize>,
    /// Which packet of those the bytes hold, where one framed unit holds several (a poll's body).
    pub slot: usize,
}

/// How far a case has come: one count for all lanes, raised at every send.
#[derive(Debug)]
pub struct Progress {
    gate: watch::Sender<usize>,
    begun: std::sync::Mutex<Vec<Instant>>,
}

impl Progress {
    /// At the start of a case.
    #[must_use]
    pub fn start() -> Progress {
        Progress {
            gate: watch::Sender::new(0),
            begun: std::sync::Mutex::new(vec![Instant::now()]),
        }
    }

    /// A send begins.
    pub fn advance(&self) {
        let mut begun = lock(&self.begun);
        begun.push(Instant::now());
        self.gate.send_replace(begun.len() - 1);
    }

    /// The moment that is now.
    pub fn now(&self) -> Moment {
        let begun = lock(&self.begun);
        let gate = begun.len() - 1;
        Moment {
            gate,
            after: begun.last().map_or(Duration::ZERO, Instant::elapsed),
        }
    }

    /// A point in time as a moment.
    #[must_use]
    pub fn moment_of(&self, at: Instant) -> Moment {
        let begun = lock(&self.begun);
        let gate = begun.iter().rposition(|begun| *begun <= at).unwrap_or_default();
        Moment {
            gate,
            after: begun
                .get(gate)
                .map_or(Duration::ZERO, |begun| at.saturating_duration_since(*begun)),
        }
    }

    /// Waits until the moment has come.
    pub async fn reach(&self, moment: Moment) {
        let mut gate = self.gate.subscribe();
        if gate.wait_for(|gate| *gate >= moment.gate).await.is_err() {
            return;
        }
        let begun = lock(&self.begun).get(moment.gate).copied();
        if let Some(begun) = begun {
            // The next step began after this moment: where it has begun already, the moment is over.
            let over = gate.wait_for(|gate| *gate > moment.gate);
            tokio::select! {
                () = tokio::time::sleep_until(begun + moment.after) => {}
                _ = over => {}
            }
        }
    }
}

/// Locks a mutex; a panic elsewhere does not make what it guards unusable, for every update here is one assignment.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
