//! Proving absence: the greeting of `open`, fences, and the end of a case, when nothing may be left over.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::attempt::{Attempt, Consumed, is_hidden, show};
use super::fault::Fault;
use super::send::cannot;
use super::{Consumption, Failed, Play};
use crate::client::tape::{Framing, Place};
use crate::client::{Inbox, Unit, UnitKind};
use crate::scenario::ast::{Action, Auto, Lane, Span, Text};
use crate::scenario::diagnostic::excerpt;
use crate::scenario::pattern::show_bytes;

/// What a client that cannot be fenced is watched for at the end, before `--patience`.
const GRACE: Duration = Duration::from_millis(50);

/// Ack ids of fences begin here; scenarios keep below.
const FENCES: u64 = 900_000;

/// The packets that a connection to the contract application begins with.
const GREETING: [&str; 2] = ["1::", r#"5:::{"name":"news","args":[{"hello":"world"}]}"#];

impl Play<'_> {
    /// Consumes what `open` consumes, polling as far as needed.
    pub(super) async fn greeting(&mut self, lane: &Lane, manual: bool, span: Span) -> Result<(), Failed> {
        let wait = self.wait();
        if !manual
            && let Some(actor) = self.actor_mut(lane)
            && let Some(session) = &actor.client.session
        {
            session.keep_polling(&actor.client);
        }
        for packet in GREETING {
            let action = Action::ExpectPacket(Text::literal(packet, span));
            loop {
                let captures = self.captures(lane);
                let actor = self.actor(lane);
                let view = self.view(actor, lane, &captures);
                let session = actor.client.session.as_ref();
                let polled = |inbox: &Inbox| manual && session.is_some_and(|session| session.has_run_dry(inbox));
                let found = actor.client.wait(|inbox| match view.attempt(inbox, &action, span) {
                    Attempt::NotYet if polled(inbox) => Some(Attempt::Repoll(String::new())),
                    Attempt::NotYet => None,
                    found => Some(found),
                });
                match timeout(wait, found).await {
                    Ok(Attempt::Matched(hit)) => {
                        self.note(hit.at, lane, format!("< {}", consumed_text(&hit.consumed)));
                        break;
                    }
                    Ok(Attempt::Mismatch(fault, _)) => {
                        let label = format!("a session begins with {packet}");
                        return Err(Box::new(Fault {
                            label,
                            title: "wrong greeting".to_owned(),
                            ..*fault
                        }));
                    }
                    Ok(Attempt::Repoll(_)) => {
                        if let Some(actor) = self.actor_mut(lane)
                            && let Some(mut session) = actor.client.session.take()
                        {
                            let polled = session.poll(&actor.client).await;
                            actor.client.session = Some(session);
                            polled.map_err(|error| cannot(span, &error))?;
                        }
                    }
                    Ok(Attempt::NotYet) | Err(_) => {
                        let label = format!("a session begins with {packet}; it did not come within {wait:.1?}");
                        return Err(Box::new(Fault::new(span, "no greeting", label)));
                    }
                }
            }
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
            let Some(session) = actor
                .client
                .session
                .as_ref()
                .filter(|_| !actor.manual && lane.part.is_none())
            else {
                let label = "a fence needs a client that the runner has opened and polls for; `silent` is for others";
                return Err(Box::new(Fault::new(span, "cannot be fenced", label)));
            };
            actor.fences += 1;
            let id = FENCES + actor.fences;
            let packet = format!(r#"5:{id}+::{{"name":"message-with-ack","args":[]}}"#);
            session
                .send(&actor.client, &packet)
                .map_err(|error| cannot(span, &error))?;
            sent.push((lane, id));
        }
        for (lane, id) in sent {
            self.fenced(lane, id, span).await?;
        }
        Ok(())
    }

    async fn fenced(&mut self, lane: &Lane, id: u64, span: Span) -> Result<(), Failed> {
        let captures = self.captures(lane);
        let actor = self.actor(lane);
        let view = self.view(actor, lane, &captures);
        let answer = format!("6:::{id}");
        let found = actor.client.wait(|inbox| {
            let Some((name, number, unit)) = view.visible(inbox) else {
                let lost = inbox.parts.iter().find_map(|(_, part)| part.trouble.front().cloned());
                let ended = inbox.parts.get(view.session?).is_some_and(|part| part.end.is_some()) && !view.polling;
                let lost = lost.or_else(|| ended.then(|| "the server has closed the connection".to_owned()));
                return lost.map(Err);
            };
            let section = inbox.parts.get_mut(&name)?.sections.get_mut(number)?;
            match &section.units[unit].kind {
                UnitKind::Packet(packet) if is_answer(packet, &answer) => {
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
                let label = "the event message-with-ack was not acknowledged";
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
            auto && actor.client.session.is_some() && !actor.manual && !actor.gone
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
        let others = self.clients.values().filter(|actor| !actor.gone).count() > lanes.len();
        self.fence(&lanes, last).await?;
        if others {
            tokio::time::sleep(GRACE.mul_f64(self.setting.patience)).await;
        }
        for (name, actor) in &self.clients {
            let left = actor.client.inbox(|inbox| leftover(inbox, actor.gone, auto));
            if let Some(got) = left {
                let label = format!("something came on {name} that no step expects");
                return Err(Box::new(Fault::new(last, "not expected", label).got(got)));
            }
        }
        Ok(())
    }
}

/// The first thing that nobody has taken.
fn leftover(inbox: &Inbox, gone: bool, auto: bool) -> Option<String> {
    for (name, part) in &inbox.parts {
        let managed = name.starts_with('(');
        if let Some(reason) = part.trouble.front().filter(|_| !gone) {
            return Some(reason.clone());
        }
        for section in part.sections.iter().filter(|_| !managed) {
            if let Some(head) = section.head.as_ref().filter(|_| !section.head_taken) {
                return Some(format!("{} was answered {}", section.request, head.to_text()));
            }
            let unit = section.units.iter().find(|unit| match &unit.kind {
                UnitKind::Packet(packet) => {
                    let hidden = auto && is_hidden(packet);
                    let goodbye = gone && crate::client::ends_session(packet);
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
            if section.framing == Framing::Raw && !section.body_taken && section.taken < section.data.len() {
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

fn consumed_text(consumed: &Consumed) -> String {
    match consumed {
        Consumed::Packet { text, .. } => show_bytes(text.as_bytes()),
        _ => String::new(),
    }
}
