//! Proving absence: the greeting of `open`, fences, and the end of a case, when nothing may be left over.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::attempt::{Attempt, Consumed, show};
use super::expect::{Wanted, decide};
use super::fault::Fault;
use super::send::cannot;
use super::{Consumption, Failed, Play};
use crate::client::protocol::{ends_session, is_hidden};
use crate::client::tape::{Framing, Place};
use crate::client::{Inbox, Message, Unit, UnitKind};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Auto, Lane, Span, Text};
use crate::scenario::diagnostic::excerpt;
use crate::scenario::pattern::show_bytes;
use crate::scenario::text;

/// What a client that cannot be fenced is watched for at the end, before `--patience`.
const GRACE: Duration = Duration::from_millis(50);

/// Ack ids of fences begin here; scenarios keep below.
const FENCES: u64 = 900_000;

/// The packets that a connection to the contract application begins with, in this order.
const GREETING_REV1: [&str; 2] = ["1::", r#"5:::{"name":"news","args":[{"hello":"world"}]}"#];

/// The same in Engine.IO 3, in either order: the server joins by itself.
const GREETING_EIO3: [&str; 2] = ["40", r#"42["auth",...]"#];

/// The same since Engine.IO 4, in either order.
const GREETING_EIO4: [&str; 2] = [r#"40{"sid":$(str),...}"#, r#"42["auth",...]"#];

impl Play<'_> {
    /// Joins the main namespace where that takes a packet, and consumes what `open` consumes, polling as far as needed.
    pub(super) async fn greeting(&mut self, lane: &Lane, manual: bool, span: Span) -> Result<(), Failed> {
        let wait = self.wait();
        let rev1 = self.generation == Generation::Rev1;
        if let Some(session) = &self.actor(lane).client.session {
            let client = &self.actor(lane).client;
            if !manual {
                session.keep_polling(client);
            }
            if self.generation == Generation::Eio4 {
                let join = session.send(client, &[Message::Text("40".to_owned())]);
                join.map_err(|error| cannot(span, &error))?;
            }
        }
        let greeting = match self.generation {
            Generation::Rev1 => GREETING_REV1,
            Generation::Eio3 => GREETING_EIO3,
            Generation::Eio4 => GREETING_EIO4,
        };
        let mut left: Vec<(&str, Action)> = greeting
            .map(|packet| (packet, Action::ExpectPacket(pattern(packet))))
            .into();
        while let Some((next, _)) = left.first() {
            let choices = if rev1 { 1 } else { left.len() };
            let wanted: Vec<Wanted<'_>> = left[..choices]
                .iter()
                .map(|(_, action)| Wanted {
                    action,
                    span,
                    line: None,
                })
                .collect();
            let captures = self.captures(lane);
            let actor = self.actor(lane);
            let view = self.view(actor, lane, &captures);
            let session = actor.client.session.as_ref();
            let polled = |inbox: &Inbox| manual && session.is_some_and(|session| session.has_run_dry(inbox));
            let found = actor.client.wait(|inbox| match decide(&view, inbox, &wanted) {
                None if polled(inbox) => Some((0, Attempt::Repoll(String::new()))),
                found => found,
            });
            match timeout(wait, found).await {
                Ok((number, Attempt::Matched(hit))) => {
                    let text = consumed_text(&hit.consumed);
                    self.note(hit.at, lane, format!("< {text}"));
                    left.remove(number);
                    if let Some(actor) = self.actor_mut(lane) {
                        actor.offsets |= text.starts_with("40") && text.contains("\"pid\"");
                    }
                }
                Ok((_, Attempt::Mismatch(fault, _))) => {
                    let label = format!("a session begins with {next}");
                    return Err(Box::new(Fault {
                        label,
                        title: "wrong greeting".to_owned(),
                        span,
                        ..*fault
                    }));
                }
                Ok((_, Attempt::Repoll(_))) => {
                    if let Some(actor) = self.actor_mut(lane)
                        && let Some(mut session) = actor.client.session.take()
                    {
                        let polled = session.poll(&actor.client).await;
                        actor.client.session = Some(session);
                        polled.map_err(|error| cannot(span, &error))?;
                    }
                }
                Ok((_, Attempt::NotYet)) | Err(_) => {
                    let label = format!("a session begins with {next}; it did not come within {wait:.1?}");
                    return Err(Box::new(Fault::new(span, "no greeting", label)));
                }
            }
        }
        if let Some(actor) = self.actor_mut(lane) {
            actor.joined = true;
        }
        Ok(())
    }

    /// An acknowledged round trip on each lane; whatever comes before its answer was not expected.
    pub(super) async fn fence(&mut self, lanes: &[Lane], span: Span) -> Result<(), Failed> {
        let mut sent = Vec::new();
        for lane in lanes {
            let Some(actor) = self.clients.get_mut(&lane.client) else {
                continue;
            };
            let Some(session) = actor.fenced_by().filter(|_| lane.part.is_none()) else {
                let label = "a fence needs a client that the runner has opened and polls for, in the main namespace; \
                             `silent` is for others";
                return Err(Box::new(Fault::new(span, "cannot be fenced", label)));
            };
            let id = FENCES + actor.fences + 1;
            let (packet, answer) = match self.generation {
                Generation::Rev1 => (
                    format!(r#"5:{id}+::{{"name":"message-with-ack","args":[]}}"#),
                    format!("6:::{id}"),
                ),
                _ if session.is_raw() => (format!("4fence-{id}"), format!("4fence-{id}")),
                _ => (format!(r#"42{id}["message-with-ack"]"#), format!("43{id}[]")),
            };
            session
                .send(&actor.client, &[Message::Text(packet)])
                .map_err(|error| cannot(span, &error))?;
            actor.fences += 1;
            sent.push((lane, answer));
        }
        for (lane, answer) in sent {
            self.fenced(lane, &answer, span).await?;
        }
        Ok(())
    }

    async fn fenced(&mut self, lane: &Lane, answer: &str, span: Span) -> Result<(), Failed> {
        let captures = self.captures(lane);
        let actor = self.actor(lane);
        let view = self.view(actor, lane, &captures);
        let rev1 = self.generation == Generation::Rev1;
        let found = actor.client.wait(|inbox| {
            let Some((name, number, unit)) = view.visible(inbox) else {
                let lost = inbox.parts.iter().find_map(|(_, part)| part.trouble.front().cloned());
                let ended = inbox.parts.get(view.session?).is_some_and(|part| part.end.is_some()) && !view.polling;
                let refused = view.session.and_then(|name| inbox.parts.get(name)?.refused.as_ref());
                let refused = refused.filter(|_| view.polling && !rev1);
                let lost = lost.or_else(|| refused.map(|it| format!("the poll was answered {}", it.answer)));
                let lost = lost.or_else(|| ended.then(|| "the server has closed the connection".to_owned()));
                return lost.map(Err);
            };
            let section = inbox.parts.get_mut(&name)?.sections.get_mut(number)?;
            match &section.units[unit].kind {
                UnitKind::Packet(packet) if packet == answer || (rev1 && is_answer(packet, answer)) => {
                    let unit = section.take_unit(unit)?;
                    Some(Ok((
                        section.place(unit.range.clone(), unit.slot),
                        section.framing,
                        unit,
                    )))
                }
                other => Some(Err(show(other, None))),
            }
        });
        let title = "not expected";
        match timeout(self.wait(), found).await {
            Ok(Ok((place, framing, unit))) => {
                self.took_fence(lane, place, framing, &unit, captures.clone());
                Ok(())
            }
            Ok(Err(got)) => Err(Box::new(
                Fault::new(span, title, "came although no step expects it").got(got),
            )),
            Err(_) => {
                let label =
                    "what the fence sent was not answered: the event message-with-ack, on raw Engine.IO a message";
                Err(Box::new(Fault::new(span, "fence not answered", label)))
            }
        }
    }

    fn took_fence(
        &mut self,
        lane: &Lane,
        place: Place,
        framing: Framing,
        unit: &Unit,
        before: crate::scenario::capture::Captures,
    ) {
        let UnitKind::Packet(text) = &unit.kind else { return };
        self.consumed.push(Consumption {
            op: self.op,
            line: None,
            lane: lane.clone(),
            consumed: Consumed::Fence {
                place,
                framing,
                text: text.clone(),
            },
            before,
            at: unit.at,
            window: (None, None),
            since: None,
            gate: self.wire.progress.now().gate,
        });
        if let Some(actor) = self.actor_mut(lane) {
            actor.events.insert(lane.part.clone(), unit.at);
        }
    }

    /// The end of the case: every open client is fenced, the others are given a moment, and nothing may be left.
    pub(super) async fn finish(&mut self) -> Result<(), Failed> {
        self.wire.progress.advance();
        self.block = Instant::now();
        let last = self.ops.last().map_or(Span::default(), |op| op.step.span);
        let auto = self.scenario.headers.auto == Auto::Heartbeats;
        let open = |name: &String| {
            let actor = &self.clients[name];
            auto && actor.fenced_by().is_some() && !actor.gone
        };
        let lanes: Vec<Lane> = self
            .clients
            .keys()
            .filter(|name| open(name))
            .map(|name| Lane {
                client: name.clone(),
                part: None,
            })
            .collect();
        let pages: Vec<Lane> = self.pages_of_case();
        let open = self.clients.values().filter(|actor| !actor.gone).count();
        let others = open > lanes.len() + pages.len();
        self.fence(&lanes, last).await?;
        for page in &pages {
            self.fence_page(page, last).await?;
        }
        if others {
            tokio::time::sleep(GRACE.mul_f64(self.setting.patience)).await;
        }
        for (name, actor) in &self.clients {
            let left = actor
                .client
                .inbox(|inbox| leftover(inbox, self.generation, actor.gone, auto));
            if let Some(got) = left {
                let label = format!("something came on {name} that no step expects");
                return Err(Box::new(Fault::new(last, "not expected", label).got(got)));
            }
        }
        Ok(())
    }

    fn pages_of_case(&self) -> Vec<Lane> {
        let names = self.clients.keys().map(|name| Lane {
            client: name.clone(),
            part: None,
        });
        names.filter(Lane::is_page).collect()
    }
}

/// The first thing that nobody has taken.
fn leftover(inbox: &Inbox, generation: Generation, gone: bool, auto: bool) -> Option<String> {
    for (name, part) in &inbox.parts {
        let managed = name.starts_with('(');
        if let Some(reason) = part.trouble.front().filter(|_| !gone) {
            return Some(reason.clone());
        }
        let refused = part
            .refused
            .as_ref()
            .filter(|_| !gone && generation != Generation::Rev1);
        if let Some(refused) = refused {
            return Some(format!("the poll was answered {}", refused.answer));
        }
        for section in part.sections.iter().filter(|_| !managed) {
            // A poll by hand is repeated where it brought only heartbeats and noops, and the last one may have, too.
            let hidden = |unit: &Unit| matches!(&unit.kind, UnitKind::Packet(it) if auto && is_hidden(generation, it));
            let idle = !section.units.is_empty() && section.units.iter().all(hidden);
            if let Some(head) = section.head.as_ref().filter(|_| !section.head_taken && !idle) {
                return Some(format!("{} was answered {}", section.request, head.to_text()));
            }
            let unit = section.units.iter().find(|unit| match &unit.kind {
                UnitKind::Packet(packet) => {
                    let hidden = auto && is_hidden(generation, packet);
                    let goodbye = gone && ends_session(generation, packet);
                    !hidden && !goodbye
                }
                UnitKind::Ping(_) => !auto,
                UnitKind::Prelude(_) | UnitKind::Digest(_) => false,
                UnitKind::Close(..) => !gone,
                _ => true,
            });
            if let Some(unit) = unit {
                return Some(show(&unit.kind, None));
            }
            let due = section.framing == Framing::Raw && !section.body_taken && !section.is_error();
            if due && section.taken < section.data.len() {
                return Some(excerpt(&section.data[section.taken..], None));
            }
        }
    }
    None
}

/// `6:::900001`, with or without data: servers differ in how they acknowledge without arguments.
fn is_answer(packet: &str, answer: &str) -> bool {
    packet
        .strip_prefix(answer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
}

/// A packet of the greeting, as a case would write it.
fn pattern(packet: &str) -> Text {
    let span = Span {
        start: 0,
        end: packet.len(),
    };
    text::parse(packet, span, &mut Vec::new())
}

fn consumed_text(consumed: &Consumed) -> String {
    match consumed {
        Consumed::Packet { text, .. } => show_bytes(text.as_bytes()),
        _ => String::new(),
    }
}
