//! One look at what a lane has received: does it satisfy an expectation, break it, or is it too early to tell?
//!
//! Synchronous on purpose. What waits is in `expect`; what is decided here depends on the inbox alone.

use tokio::time::Instant;

use super::fault::Fault;
use super::op::literal;
use crate::client::http::ResponseHead;
use crate::client::tape::{ConnId, Framing, Place};
use crate::client::{Inbox, Part, Section, Unit, UnitKind, ends_session};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, HeaderLine, Span, Text};
use crate::scenario::capture::Captures;
use crate::scenario::packet::PacketPattern;
use crate::scenario::pattern::{Mismatch, Prefix, match_bytes, match_prefix, show_bytes};

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
}

/// What a look has found.
pub(super) enum Attempt {
    /// Too early to tell.
    NotYet,
    /// It is there, and was taken.
    Matched(Box<Hit>),
    /// Something else is there. With the place of the packet that a failing `should` takes away.
    Mismatch(Box<Fault>, Option<(String, usize, usize)>),
    /// The poll held nothing for a scenario's eyes: poll again.
    Repoll(String),
}

/// What was taken.
pub(super) struct Hit {
    pub(super) consumed: Consumed,
    pub(super) captures: Captures,
    pub(super) at: Instant,
    pub(super) part: String,
}

/// What a look needs to know.
pub(super) struct View<'a> {
    pub(super) generation: Generation,
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
            UnitKind::Packet(packet) => is_hidden(packet),
            UnitKind::Ping(_) => true,
            _ => false,
        };
        self.auto && hidden
    }

    fn packet(&self, inbox: &mut Inbox, text: &Text) -> Attempt {
        let pattern = match PacketPattern::compile(self.generation, text) {
            Ok(pattern) => pattern,
            Err(error) => return mismatch(Fault::new(error.span, "malformed packet", error.message)),
        };
        let wants_hidden = matches!(literal(text).first(), Some(b'2' | b'8'));
        self.take_unit(inbox, text.span, wants_hidden, "packet", |kind, captures| match kind {
            UnitKind::Packet(got) => pattern.matches(got, captures),
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
            UnitKind::Binary(got) if got == bytes => Ok(()),
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
                        let got = show(&unit.kind);
                        first_miss.get_or_insert((miss, got, (name.clone(), section, number)));
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
        if let Some((miss, got, place)) = first_miss
            && open <= 1
        {
            let fault = Fault::new(miss.span, format!("{what} does not match"), labelled(&miss)).got(got);
            return Attempt::Mismatch(Box::new(fault), Some(place));
        }
        self.blocked(inbox, &names, span)
    }

    fn hit(&self, part: &mut Part, name: &str, number: usize, unit: usize, captures: Captures) -> Attempt {
        for earlier in &mut part.sections[..number] {
            pass_over(earlier);
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
                if ends_session(&text) {
                    part.said.push(text.clone());
                }
                Consumed::Packet {
                    place,
                    framing: section.framing,
                    text,
                }
            }
            UnitKind::Binary(bytes) => Consumed::Bytes {
                place,
                bytes,
                whole: false,
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
            if empty && self.repoll && self.session != Some(name.as_str()) {
                section.units.clear();
                section.body_taken = true;
                return Attempt::Repoll(name.clone());
            }
        }
        Attempt::NotYet
    }

    fn bytes(&self, inbox: &mut Inbox, text: &Text, whole: bool) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let current = part
            .sections
            .iter()
            .position(|section| !section.body_taken && !passed(section));
        let Some(number) = current else {
            return match part.trouble.front() {
                Some(reason) => mismatch(Fault::new(text.span, "the connection failed", reason.clone())),
                None => Attempt::NotYet,
            };
        };
        if matches!(part.sections[number].framing, Framing::WebSocket | Framing::Hixie) {
            return self.frame(inbox, text);
        }
        let section = &part.sections[number];
        if let Some(fault) = wrong_head(section, text.span) {
            return mismatch(fault);
        }
        let rest = &section.data[section.taken..];
        let mut captures = self.captures.clone();
        let result = if whole {
            if !section.ended {
                // The beginning may be wrong already; a stream without end is not waited for.
                return match match_prefix(text, rest, false, &mut captures) {
                    Prefix::Mismatch(miss) => mismatch(bytes_fault(&miss, rest)),
                    _ => Attempt::NotYet,
                };
            }
            match_bytes(text, rest, &mut captures).map(|()| rest.len())
        } else {
            match match_prefix(text, rest, section.ended, &mut captures) {
                Prefix::NeedMore => return Attempt::NotYet,
                Prefix::Matched(length) => Ok(length),
                Prefix::Mismatch(miss) => Err(miss),
            }
        };
        let repoll = self.repoll && self.auto && !section.units.is_empty();
        match result {
            Ok(length) => {
                for earlier in &mut part.sections[..number] {
                    pass_over(earlier);
                }
                let section = &mut part.sections[number];
                section.head_taken = true;
                let range = section.take_bytes(length);
                section.body_taken |= whole;
                let at = section.arrived(range.end);
                let bytes = section.data[range.clone()].to_vec();
                let consumed = Consumed::Bytes {
                    place: section.place(range, 0),
                    bytes,
                    whole,
                };
                Attempt::Matched(Box::new(Hit {
                    consumed,
                    captures,
                    at,
                    part: name,
                }))
            }
            Err(_) if repoll && section.ended && section.units.iter().all(|unit| self.hides(unit)) => {
                let section = &mut part.sections[number];
                section.units.clear();
                section.body_taken = true;
                Attempt::Repoll(name)
            }
            Err(miss) => {
                let fault = bytes_fault(&miss, rest);
                mismatch(fault)
            }
        }
    }

    /// `<<` on a WebSocket: the text of the next frame.
    fn frame(&self, inbox: &mut Inbox, text: &Text) -> Attempt {
        let wants_hidden = matches!(literal(text).first(), Some(b'2' | b'8'));
        self.take_unit(inbox, text.span, wants_hidden, "frame", |kind, captures| match kind {
            UnitKind::Packet(got) => match_bytes(text, got.as_bytes(), captures),
            other => Err(Mismatch {
                span: text.span,
                path: String::new(),
                message: format!("expected a text frame, got {}", describe(other)),
                offset: None,
            }),
        })
    }

    /// `<x`: the next bytes below the WebSocket framing.
    fn raw(&self, inbox: &mut Inbox, bytes: &[u8], span: Span) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let Some(section) = part.sections.last_mut() else {
            return Attempt::NotYet;
        };
        if section.taken == 0 && !section.head_taken {
            if let Some(fault) = wrong_head(section, span) {
                return mismatch(fault);
            }
            section.head_taken = true;
        }
        let rest = &section.data[section.taken..];
        let known = rest.len().min(bytes.len());
        if rest[..known] != bytes[..known] {
            let fault = Fault::new(span, "bytes do not match", format!("got {}", hex(&rest[..known])));
            return mismatch(fault.got(hex(rest)));
        }
        if known < bytes.len() {
            return Attempt::NotYet;
        }
        let range = section.take_bytes(bytes.len());
        let at = section.arrived(range.end);
        let consumed = Consumed::Bytes {
            place: section.place(range, 0),
            bytes: bytes.to_vec(),
            whole: false,
        };
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures: self.captures.clone(),
            at,
            part: name,
        }))
    }

    fn status(&self, inbox: &mut Inbox, code: u16, headers: &[HeaderLine], span: Span) -> Attempt {
        let name = self.part.unwrap_or(MAIN).to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let Some(section) = part.sections.iter_mut().find(|section| !section.head_taken) else {
            return match part.trouble.front() {
                Some(reason) => mismatch(Fault::new(span, "no response", reason.clone())),
                None => Attempt::NotYet,
            };
        };
        let Some(head) = section.head.clone() else {
            return Attempt::NotYet;
        };
        let mut captures = self.captures.clone();
        if let Some(fault) = wrong_status(section, &head, code, headers, span, &mut captures) {
            section.head_taken = true;
            return mismatch(fault);
        }
        section.head_taken = true;
        let (conn, number, at) = (section.conn.clone(), section.index, section.head_at);
        let consumed = Consumed::Status {
            conn,
            section: number,
            head,
        };
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures,
            at,
            part: name,
        }))
    }

    fn closed(&self, inbox: &mut Inbox, code: Option<u16>, span: Span) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let end = stream_end(part);
        let mut seen = Vec::new();
        let mut told = None;
        for (section, number, unit) in candidates(part) {
            let says_so = match &unit.kind {
                UnitKind::Packet(packet) => {
                    self.generation == Generation::Rev1 && ends_session(packet) && !part.said.contains(packet)
                }
                UnitKind::Close(got, _) => {
                    if let Some(code) = code
                        && *got != Some(code)
                    {
                        let label = format!("expected close code {code}, got {}", show(&unit.kind));
                        return mismatch(Fault::new(span, "closed with another code", label));
                    }
                    told = Some(unit.at);
                    true
                }
                _ => false,
            };
            if says_so {
                if self.polling {
                    told = Some(unit.at);
                }
                seen.push((section, number));
            } else if !self.hides(unit) {
                let fault = Fault::new(span, "not closed", "expected the end, got a packet").got(show(&unit.kind));
                return Attempt::Mismatch(Box::new(fault), Some((name, section, number)));
            }
        }
        let over = end.filter(|_| !self.polling);
        let Some(at) = told.or(over) else {
            return Attempt::NotYet;
        };
        if code.is_some() && !matches!(told, Some(_)) {
            return mismatch(Fault::new(
                span,
                "closed without a code",
                "the connection ended without a close frame",
            ));
        }
        let mut words = Vec::new();
        for (number, unit) in seen.into_iter().rev() {
            let section = &mut part.sections[number];
            let framing = section.framing;
            if let Some(unit) = section.take_unit(unit) {
                words.push((section.place(unit.range, unit.slot), framing));
            }
        }
        for section in &mut part.sections {
            pass_over(section);
        }
        part.trouble.clear();
        let Some(conn) = part.sections.last().map(|section| section.conn.clone()) else {
            return Attempt::NotYet;
        };
        let consumed = Consumed::End(Ending {
            conn,
            words,
            eof: end.is_some(),
        });
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures: self.captures.clone(),
            at,
            part: name,
        }))
    }

    fn eof(&self, inbox: &mut Inbox, span: Span) -> Attempt {
        let name = self.part_name().to_owned();
        let Some(part) = inbox.parts.get_mut(&name) else {
            return Attempt::NotYet;
        };
        let visible = candidates(part).find(|(_, _, unit)| !self.hides(unit));
        if let Some((section, number, unit)) = visible {
            let fault = Fault::new(span, "no end of the stream", "a packet came before it").got(show(&unit.kind));
            return Attempt::Mismatch(Box::new(fault), Some((name, section, number)));
        }
        let raw = part
            .sections
            .last()
            .filter(|section| section.framing == Framing::Raw && section.head.is_none());
        if let Some(rest) = raw
            .map(|section| &section.data[section.taken..])
            .filter(|rest| !rest.is_empty())
        {
            let fault = Fault::new(span, "no end of the stream", "bytes came before it").got(show_bytes(rest));
            return mismatch(fault);
        }
        let Some(at) = stream_end(part) else {
            return Attempt::NotYet;
        };
        part.trouble.clear();
        let conn = match part.sections.last() {
            Some(section) => section.conn.clone(),
            None => ConnId {
                client: String::new(),
                part: name.clone(),
                ordinal: 0,
            },
        };
        let consumed = Consumed::End(Ending {
            conn,
            words: Vec::new(),
            eof: true,
        });
        Attempt::Matched(Box::new(Hit {
            consumed,
            captures: self.captures.clone(),
            at,
            part: name,
        }))
    }
}

/// When the newest connection of a part ended. The end of a stream's response counts: HTTP may keep the connection.
fn stream_end(part: &Part) -> Option<Instant> {
    let stream = part
        .sections
        .last()
        .filter(|it| matches!(it.framing, Framing::HtmlFile | Framing::Multipart));
    part.end.map(|(_, at)| at).or_else(|| stream?.ended_at)
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

/// Heartbeats and noops of revision 1.
fn is_hidden(packet: &str) -> bool {
    matches!(packet.trim_end_matches(':'), "2" | "8")
}

/// What is left in a section that the lane has gone beyond: heartbeats, and what stands before the first packet.
fn pass_over(section: &mut Section) {
    section.units.retain(|unit| match &unit.kind {
        UnitKind::Packet(packet) => !is_hidden(packet),
        UnitKind::Ping(_) | UnitKind::Prelude(_) | UnitKind::Digest(_) => false,
        _ => true,
    });
}

/// A section with nothing to take: an empty body whose head was looked at.
fn passed(section: &Section) -> bool {
    section.head_taken && section.ended && section.data.is_empty() && section.head.is_some()
}

/// A response nobody asked the status of must be a good one.
fn wrong_head(section: &Section, span: Span) -> Option<Fault> {
    let head = section.head.as_ref().filter(|_| !section.head_taken)?;
    let due = if matches!(section.framing, Framing::WebSocket | Framing::Hixie) {
        101
    } else {
        200
    };
    let fault = Fault::new(
        span,
        "unexpected status",
        format!("{} was answered {}", section.request, head.status),
    );
    (head.status != due).then(|| fault.got(head.to_text()))
}

fn wrong_status(
    section: &Section,
    head: &ResponseHead,
    code: u16,
    headers: &[HeaderLine],
    span: Span,
    captures: &mut Captures,
) -> Option<Fault> {
    if head.status != code {
        let label = format!("{} was answered {}", section.request, head.status);
        return Some(Fault::new(span, "unexpected status", label).got(head.to_text()));
    }
    let accept = section.accept.as_ref().filter(|_| code == 101);
    if let Some(accept) = accept
        && head.header("sec-websocket-accept").as_ref() != Some(accept)
    {
        let label = format!("the key asks for Sec-WebSocket-Accept: {accept}");
        return Some(Fault::new(span, "wrong opening handshake", label).got(head.to_text()));
    }
    for line in headers {
        let got = head.header(&line.name);
        let label = match (&line.value, &got) {
            (None, None) => continue,
            (None, Some(value)) => format!("expected no {}, got {value:?}", line.name),
            (Some(_), None) => format!("no header {}", line.name),
            (Some(pattern), Some(value)) => match match_bytes(pattern, value.as_bytes(), captures) {
                Ok(()) => continue,
                Err(miss) => labelled(&miss),
            },
        };
        return Some(Fault::new(line.span, "header does not match", label).got(head.to_text()));
    }
    None
}

fn bytes_fault(miss: &Mismatch, got: &[u8]) -> Fault {
    Fault::new(miss.span, "bytes do not match", labelled(miss)).got(show_bytes(got))
}

fn mismatch(fault: Fault) -> Attempt {
    Attempt::Mismatch(Box::new(fault), None)
}

fn labelled(miss: &Mismatch) -> String {
    miss.to_string()
}

/// A unit as the language writes it.
pub(super) fn show(kind: &UnitKind) -> String {
    match kind {
        UnitKind::Packet(packet) => show_bytes(packet.as_bytes()),
        other => describe(other),
    }
}

fn describe(kind: &UnitKind) -> String {
    match kind {
        UnitKind::Packet(packet) => format!("the packet {}", show_bytes(packet.as_bytes())),
        UnitKind::Binary(bytes) => format!("a binary message of {} bytes: {}", bytes.len(), hex(bytes)),
        UnitKind::Ping(_) => "a websocket ping".to_owned(),
        UnitKind::Pong(_) => "a websocket pong".to_owned(),
        UnitKind::Close(Some(code), reason) if reason.is_empty() => format!("a close frame with code {code}"),
        UnitKind::Close(Some(code), reason) => format!("a close frame with code {code} ({reason})"),
        UnitKind::Close(None, _) => "a close frame without a code".to_owned(),
        UnitKind::Prelude(_) | UnitKind::Digest(_) => "the start of the stream".to_owned(),
        UnitKind::Bad(reason) => format!("malformed framing: {reason}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let text: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > SHOWN { text + "…" } else { text }
}
