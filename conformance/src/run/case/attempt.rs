//! One look at what a lane has received: does it satisfy an expectation, break it, or is it too early to tell?
//!
//! Synchronous on purpose. What waits is in `expect`; what is decided here depends on the inbox alone.

mod bytes;
mod ending;
mod response;
mod show;

use tokio::time::Instant;

use self::response::wrong_head;
use self::show::describe;
pub(super) use self::show::{short_hex, show};
use super::fault::Fault;
use super::patterns::Patterns;
use crate::client::http::ResponseHead;
use crate::client::protocol::{ends_session, is_hidden, may_be_hidden};
use crate::client::tape::{ConnId, Framing, Place};
use crate::client::{Inbox, Part, Section, Unit, UnitKind};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Span, Text};
use crate::scenario::capture::Captures;
use crate::scenario::packet::without_offset;
use crate::scenario::pattern::Mismatch;

/// What an expectation took, in the terms of the tape.
#[derive(Clone, Debug)]
pub enum Consumed {
    /// A packet (or, at byte altitude, the text of a frame).
    Packet {
        /// Where it came.
        place: Place,
        /// How it was framed.
        framing: Framing,
        /// Its text.
        text: String,
    },
    /// A binary message.
    Binary {
        /// Where it came.
        place: Place,
        /// How it was framed.
        framing: Framing,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A response's head.
    Status {
        /// The connection.
        conn: ConnId,
        /// Which response of it.
        section: usize,
        /// The head.
        head: ResponseHead,
    },
    /// Bytes.
    Bytes {
        /// Where they came.
        place: Place,
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether they are all of the section.
        whole: bool,
    },
    /// The end of a connection or session.
    End(Ending),
    /// Nothing, for a while.
    Silence {
        /// Whose.
        client: String,
        /// Where something could have come.
        part: String,
    },
    /// The answer to a fence.
    Fence {
        /// Where it came.
        place: Place,
        /// How it was framed.
        framing: Framing,
        /// Its text.
        text: String,
    },
}

/// How a session or connection ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The connection that told.
    pub conn: ConnId,
    /// Packets and frames that said so.
    pub words: Vec<(Place, Framing)>,
    /// Whether the connection ended, too.
    pub eof: bool,
    /// The poll that was refused: its connection, and which answer of that.
    pub refused: Option<(ConnId, usize)>,
}

/// What a look has found.
pub(super) enum Attempt {
    /// Too early to tell.
    NotYet,
    /// It is there, and was taken.
    Matched(Box<Hit>),
    /// Something else is there. With what a failing `should` takes away, so that the case can go on.
    Mismatch(Box<Fault>, Option<Wrong>),
    /// The poll held nothing for a scenario's eyes: poll again.
    Repoll(String),
}

/// What is there instead: its part, its section, and which piece of that.
pub(super) struct Wrong {
    pub(super) part: String,
    pub(super) section: usize,
    pub(super) piece: Piece,
}

/// A piece of a section.
pub(super) enum Piece {
    /// The packet of that number.
    Unit(usize),
    Head,
    /// What has come of the body; of a stream with packets, the first of them.
    Body,
}

/// What was taken.
pub(super) struct Hit {
    pub(super) consumed: Consumed,
    pub(super) captures: Captures,
    pub(super) at: Instant,
    pub(super) part: String,
}

impl Wrong {
    /// Takes it away.
    pub(super) fn take(&self, inbox: &mut Inbox) {
        let part = inbox.parts.get_mut(&self.part);
        let Some(section) = part.and_then(|part| part.sections.get_mut(self.section)) else {
            return;
        };
        match self.piece {
            Piece::Unit(number) => drop(section.take_unit(number)),
            Piece::Head => section.head_taken = true,
            Piece::Body => {
                let end = section.units.front().map_or(section.data.len(), |unit| unit.range.end);
                section.head_taken = true;
                section.take_bytes(end.saturating_sub(section.taken));
                section.body_taken |= section.ended;
            }
        }
    }
}

/// What a look needs to know.
pub(super) struct View<'a> {
    pub(super) generation: Generation,
    pub(super) patterns: &'a Patterns,
    pub(super) captures: &'a Captures,
    pub(super) auto: bool,
    /// The lane's part; `None` looks at all.
    pub(super) part: Option<&'a str>,
    /// The part on which a session's packets come.
    pub(super) session: Option<&'a str>,
    /// Whether the session's transport polls.
    pub(super) polling: bool,
    /// Heartbeats before this are over and done with.
    pub(super) since: Option<Instant>,
    /// Whether events may end with an offset that the step does not speak of (connection state recovery).
    pub(super) offsets: bool,
    /// Whether a poll that brought only heartbeats and noops may be repeated.
    pub(super) repoll: bool,
}

/// The part of bytes and requests on a lane that names none.
pub(super) const MAIN: &str = "main";

impl View<'_> {
    /// Looks for what an expectation asks for, and takes it.
    pub(super) fn attempt(&self, inbox: &mut Inbox, action: &Action, span: Span) -> Attempt {
        match action {
            Action::ExpectPacket(text) => self.packet(inbox, text),
            Action::ExpectBytes(text) => self.bytes(inbox, text, true),
            Action::ExpectMore(text) => self.bytes(inbox, text, false),
            Action::ExpectRaw(bytes) => self.raw(inbox, bytes, span),
            Action::ExpectAttachment(bytes) => self.attachment(inbox, bytes, span),
            Action::Status { code, headers } => self.status(inbox, *code, headers, span),
            Action::Closed(code) => self.closed(inbox, *code, span),
            Action::Eof => self.eof(inbox, span),
            _ => mismatch(Fault::new(
                span,
                "not an expectation",
                "the runner cannot wait for this step",
            )),
        }
    }

    /// The first packet of any part that a scenario would see: part, section, unit.
    pub(super) fn visible(&self, inbox: &Inbox) -> Option<(String, usize, usize)> {
        self.parts(inbox).find_map(|name| {
            let found = candidates(&inbox.parts[&name]).find(|(_, _, unit)| !self.hides(unit));
            found.map(|(section, number, _)| (name, section, number))
        })
    }

    /// The parts in question, by name.
    fn parts(&self, inbox: &Inbox) -> impl Iterator<Item = String> + use<> {
        let names: Vec<String> = match self.part {
            Some(part) => inbox
                .parts
                .contains_key(part)
                .then(|| part.to_owned())
                .into_iter()
                .collect(),
            None => inbox
                .parts
                .keys()
                .filter(|name| !name.starts_with('('))
                .cloned()
                .collect(),
        };
        names.into_iter()
    }

    /// The part of bytes, responses and ends.
    fn part_name(&self) -> &str {
        self.part.or(self.session).unwrap_or(MAIN)
    }

    /// Heartbeats, noops and pings, while the runner answers them.
    fn hides(&self, unit: &Unit) -> bool {
        let hidden = match &unit.kind {
            UnitKind::Packet(packet) => is_hidden(self.generation, packet),
            UnitKind::Ping(_) => true,
            _ => false,
        };
        self.auto && hidden
    }

    fn packet(&self, inbox: &mut Inbox, text: &Text) -> Attempt {
        let wants_hidden = may_be_hidden(self.generation, text.literals().next().as_ref());
        self.take_unit(inbox, text.span, wants_hidden, "packet", |kind, captures| match kind {
            UnitKind::Packet(got) => {
                let compiled = self.patterns.packet(self.generation, text);
                let pattern = compiled.as_ref().as_ref().map_err(|error| Mismatch {
                    span: error.span,
                    path: String::new(),
                    message: error.message.clone(),
                    offset: None,
                })?;
                match pattern.matches(got, captures) {
                    Err(miss) if self.offsets => match without_offset(got) {
                        Some(event) if pattern.matches(&event, captures).is_ok() => Ok(()),
                        _ => Err(miss),
                    },
                    result => result,
                }
            }
            other => Err(Mismatch {
                span: text.span,
                path: String::new(),
                message: format!("expected a packet, got {}", describe(other)),
                offset: None,
            }),
        })
    }

    fn attachment(&self, inbox: &mut Inbox, bytes: &[u8], span: Span) -> Attempt {
        self.take_unit(inbox, span, false, "attachment", |kind, _| match kind {
            UnitKind::Binary(got) | UnitKind::Encoded(_, got) if got == bytes => Ok(()),
            other => Err(Mismatch {
                span,
                path: String::new(),
                message: format!("got {}", describe(other)),
                offset: None,
            }),
        })
    }

    /// Takes the first unit of any part that fits.
    fn take_unit(
        &self,
        inbox: &mut Inbox,
        span: Span,
        wants_hidden: bool,
        what: &str,
        fits: impl Fn(&UnitKind, &mut Captures) -> Result<(), Mismatch>,
    ) -> Attempt {
        let mut first_miss = None;
        let names: Vec<String> = self.parts(inbox).collect();
        let mut open = 0;
        for name in &names {
            let Some(part) = inbox.parts.get_mut(name) else {
                continue;
            };
            open += usize::from(part.sections.iter().any(|section| section.framing != Framing::Raw));
            let mut found = None;
            for (section, number, unit) in candidates(part) {
                let hidden = self.hides(unit);
                if hidden && (!wants_hidden || self.since.is_some_and(|since| unit.at <= since)) {
                    continue;
                }
                let mut captures = self.captures.clone();
                match fits(&unit.kind, &mut captures) {
                    Ok(()) => {
                        found = Some((section, number, captures));
                        break;
                    }
                    Err(_) if hidden => {}
                    Err(miss) => {
                        let got = show(&unit.kind, miss.offset);
                        let wrong = Wrong {
                            part: name.clone(),
                            section,
                            piece: Piece::Unit(number),
                        };
                        first_miss.get_or_insert((miss, got, wrong));
                        break;
                    }
                }
            }
            let Some((number, unit, captures)) = found else {
                continue;
            };
            if let Some(fault) = wrong_head(&part.sections[number], span) {
                return mismatch(fault);
            }
            return self.hit(part, name, number, unit, captures);
        }
        if let Some((miss, got, wrong)) = first_miss
            && open <= 1
        {
            let fault = Fault::new(miss.span, format!("{what} does not match"), labelled(&miss)).got(got);
            return Attempt::Mismatch(Box::new(fault), Some(wrong));
        }
        self.blocked(inbox, &names, span)
    }

    fn hit(&self, part: &mut Part, name: &str, number: usize, unit: usize, captures: Captures) -> Attempt {
        for earlier in &mut part.sections[..number] {
            pass_over(earlier, self.generation);
        }
        let section = &mut part.sections[number];
        section.head_taken = true;
        for _ in 0..unit {
            section.take_unit(0);
        }
        let Some(unit) = section.take_unit(0) else {
            return Attempt::NotYet;
        };
        let place = section.place(unit.range.clone(), unit.slot);
        let consumed = match unit.kind {
            UnitKind::Packet(text) => {
                if ends_session(self.generation, &text) {
                    part.said.push(text.clone());
                }
                Consumed::Packet {
                    place,
                    framing: section.framing,
                    text,
                }
            }
            UnitKind::Binary(bytes) | UnitKind::Encoded(_, bytes) => Consumed::Binary {
                place,
                framing: section.framing,
                bytes,
            },
            other => Consumed::Packet {
                place,
                framing: section.framing,
                text: describe(&other),
            },
        };
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures,
            at: unit.at,
            part: name.to_owned(),
        }))
    }

    /// Nothing to take: is that final, or will it come?
    fn blocked(&self, inbox: &mut Inbox, names: &[String], span: Span) -> Attempt {
        for name in names {
            let Some(part) = inbox.parts.get_mut(name) else {
                continue;
            };
            if let Some(reason) = part.trouble.front() {
                return mismatch(Fault::new(span, "the connection failed", reason.clone()));
            }
            if let Some(refused) = part.refused.as_ref().filter(|_| self.polling) {
                let label = "the server has ended the session: it refused the next poll";
                return mismatch(Fault::new(span, "the session has ended", label).got(refused.answer.clone()));
            }
            let Some(section) = part.sections.last_mut() else {
                continue;
            };
            if section.framing == Framing::Raw || !section.ended || section.body_taken {
                continue;
            }
            if let Some(fault) = wrong_head(section, span) {
                return mismatch(fault);
            }
            let empty = section.units.iter().all(|unit| self.hides(unit)) && !section.units.is_empty();
            if empty && self.repoll && !section.managed {
                section.units.clear();
                section.head_taken = true;
                section.body_taken = true;
                return Attempt::Repoll(name.clone());
            }
        }
        Attempt::NotYet
    }
}

/// The packets of a part that were not taken, in the order in which they came.
fn candidates(part: &Part) -> impl Iterator<Item = (usize, usize, &Unit)> {
    part.sections.iter().enumerate().flat_map(|(section, it)| {
        let units = it.units.iter().enumerate();
        units
            .filter(|(_, unit)| !matches!(unit.kind, UnitKind::Prelude(_) | UnitKind::Digest(_)))
            .map(move |(number, unit)| (section, number, unit))
    })
}

/// What is left in a section that the lane has gone beyond: heartbeats, and what stands before the first packet.
fn pass_over(section: &mut Section, generation: Generation) {
    section.units.retain(|unit| match &unit.kind {
        UnitKind::Packet(packet) => !is_hidden(generation, packet),
        UnitKind::Ping(_) | UnitKind::Prelude(_) | UnitKind::Digest(_) => false,
        _ => true,
    });
}

/// A section with nothing to take: an empty body whose head was looked at.
fn passed(section: &Section) -> bool {
    section.head_taken && section.ended && section.data.is_empty() && section.head.is_some()
}

fn mismatch(fault: Fault) -> Attempt {
    Attempt::Mismatch(Box::new(fault), None)
}

fn labelled(miss: &Mismatch) -> String {
    miss.to_string()
}
