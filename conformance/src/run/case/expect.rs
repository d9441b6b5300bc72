//! Waiting for what a step expects: deadlines, windows, `any order`, `one of`, `silent`.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::attempt::{Attempt, Consumed, Hit, MAIN, View, show};
use super::fault::Fault;
use super::op::Op;
use super::traced::Traced;
use super::{Actor, Consumption, Failed, Play};
use crate::client::{Inbox, Session};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Auto, Expectation, Lane, Level, Span, Sum, TermBase, Window};
use crate::scenario::capture::Captures;

/// How much longer than its window an expectation waits, to tell "late" from "never".
const LATE: Duration = Duration::from_secs(1);

/// The times between which something has to come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    lo: Option<Instant>,
    hi: Option<Instant>,
    /// What the upper bound counts from.
    since: Option<Instant>,
}

impl Play<'_> {
    pub(super) async fn expect(&mut self, op: &Op<'_>) -> Result<(), Failed> {
        let mut actions = vec![&op.step.action];
        actions.extend(op.tail.iter().map(|step| &step.action));
        for lane in &op.step.lanes {
            match &op.step.action {
                Action::Page(action) => self.observe(op, lane, action).await?,
                Action::Silent(duration) => self.silent(lane, *duration, op.step.span).await?,
                Action::AnyOrder(lines) => self.any_order(op, lane, lines).await?,
                Action::OneOf(lines) => self.one_of(op, lane, lines).await?,
                _ => {
                    for action in &actions {
                        let what = Wanted {
                            action,
                            span: op.step.span,
                            line: None,
                        };
                        self.one(op, lane, &[what]).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Every line once, whatever their order.
    async fn any_order(&mut self, op: &Op<'_>, lane: &Lane, lines: &[Expectation]) -> Result<(), Failed> {
        let mut left: Vec<Wanted<'_>> = wanted(lines);
        while !left.is_empty() {
            let met = self.one(op, lane, &left).await?;
            let met = left.remove(met);
            self.attachments(op, lane, &met, lines).await?;
        }
        Ok(())
    }

    /// The first line that fits; any but the first is lenient, unless the step is a `may`, which prefers none.
    async fn one_of(&mut self, op: &Op<'_>, lane: &Lane, lines: &[Expectation]) -> Result<(), Failed> {
        let lines_wanted = wanted(lines);
        let met = self.one(op, lane, &lines_wanted).await?;
        self.attachments(op, lane, &lines_wanted[met], lines).await?;
        if met > 0
            && op.level != Level::May
            && let (Some(best), Some(took)) = (lines.first(), lines.get(met))
        {
            let label = "the server does what is allowed, but not what is preferred";
            let fault = Fault::new(best.span, "second choice", label).note("took", self.source(took.span));
            self.fail(Level::Should, Box::new(fault))?;
        }
        Ok(())
    }

    /// The `<b` lines below a line that was met.
    async fn attachments(
        &mut self,
        op: &Op<'_>,
        lane: &Lane,
        met: &Wanted<'_>,
        lines: &[Expectation],
    ) -> Result<(), Failed> {
        let line = met.line.and_then(|line| lines.get(line));
        for bytes in line.iter().flat_map(|line| &line.attachments) {
            let action = Action::ExpectAttachment(bytes.clone());
            let what = Wanted {
                action: &action,
                ..*met
            };
            self.one(op, lane, &[what]).await?;
        }
        Ok(())
    }

    /// Waits until one of the alternatives is met; gives its number.
    async fn one(&mut self, op: &Op<'_>, lane: &Lane, wanted: &[Wanted<'_>]) -> Result<usize, Failed> {
        let (bounds, deadline) = self.deadline(op, lane, self.wait())?;
        let from = self.waits_from(lane);
        loop {
            let captures = self.captures(lane);
            let actor = self.actor(lane);
            let view = self.view(actor, lane, &captures);
            let found = timeout_at(deadline, actor.client.wait(|inbox| decide(&view, inbox, wanted))).await;
            match found {
                Ok((number, Attempt::Matched(hit))) => {
                    self.took(op, lane, &wanted[number], *hit, bounds)?;
                    return Ok(number);
                }
                Ok((_, Attempt::Repoll(part))) => self.repoll(lane, &part).await?,
                Ok((_, Attempt::Mismatch(fault, wrong))) => {
                    if op.level != Level::Must
                        && let Some(wrong) = wrong
                    {
                        self.actor(lane).client.inbox(|inbox| wrong.take(inbox));
                    }
                    return Err(fault);
                }
                Ok((_, Attempt::NotYet)) | Err(_) => {
                    let waited = deadline.saturating_duration_since(from);
                    return Err(self.nothing_came(lane, wanted, waited));
                }
            }
        }
    }

    /// From when on a lane waits for its next event.
    fn waits_from(&self, lane: &Lane) -> Instant {
        let since = self.actor(lane).events.get(&lane.part).copied();
        since.map_or(self.block, |since| since.max(self.block))
    }

    /// The step's window, and how long something is waited for.
    pub(super) fn deadline(&self, op: &Op<'_>, lane: &Lane, wait: Duration) -> Result<(Bounds, Instant), Failed> {
        let bounds = self.bounds(op.step.window.as_ref(), lane)?;
        let from = self.waits_from(lane);
        let deadline = match bounds.hi {
            Some(hi) => hi.max(Instant::now()) + LATE.mul_f64(self.setting.patience),
            None => bounds.lo.map_or(from, |lo| lo.max(from)) + wait,
        };
        Ok((bounds, deadline))
    }

    fn took(&mut self, op: &Op<'_>, lane: &Lane, what: &Wanted<'_>, hit: Hit, bounds: Bounds) -> Result<(), Failed> {
        let before = self.captures(lane);
        self.bind(lane, &hit.captures);
        let at = hit.at;
        self.note(at, lane, Traced(what.action, &hit.consumed));
        let ends = matches!(hit.consumed, Consumed::End(_));
        let main_packet = main_packet(self.generation, &hit.consumed).filter(|_| lane.part.is_none());
        let recoverable = is_recoverable(self.generation, &hit.consumed);
        self.consumed.push(Consumption {
            op: self.op,
            line: what.line,
            lane: Lane {
                client: lane.client.clone(),
                part: lane.part.clone().or(Some(hit.part)),
            },
            consumed: hit.consumed,
            before,
            at,
            window: (bounds.lo, bounds.hi),
            since: bounds.since,
            gate: self.wire.progress.now().gate,
        });
        let previous = self.actor(lane).events.get(&lane.part).copied();
        if let Some(actor) = self.actor_mut(lane) {
            actor.events.insert(lane.part.clone(), at);
            actor.gone |= ends && lane.part.is_none();
            actor.offsets |= recoverable;
            if let Some(packet) = main_packet {
                actor.joined = packet.starts_with("40");
            }
            actor.offsets |= recoverable;
        }
        self.in_time(op, lane, bounds, at, previous)
    }

    /// Whether what came at that moment came inside of the step's window.
    pub(super) fn in_time(
        &self,
        op: &Op<'_>,
        lane: &Lane,
        bounds: Bounds,
        at: Instant,
        previous: Option<Instant>,
    ) -> Result<(), Failed> {
        let span = op.step.window.as_ref().map_or(op.step.span, |window| window.span);
        let since = op.step.window.as_ref().and_then(|window| window.since.clone());
        let measured = |base: Option<Instant>| base.map_or(Duration::ZERO, |base| at.saturating_duration_since(base));
        if let Some(lo) = bounds.lo
            && at < lo
        {
            let label = format!("{:.0?} too early", lo - at);
            let base = self.base_of_lower(lane, since.as_deref(), at);
            return Err(Box::new(
                Fault::new(span, "too early", label).got(format!("after {:.1?}", measured(base))),
            ));
        }
        if let Some(hi) = bounds.hi
            && at > hi
        {
            let label = format!("{:.0?} too late", at - hi);
            let base = since.and_then(|name| self.marks.get(&name).copied()).or(previous);
            return Err(Box::new(
                Fault::new(span, "too late", label).got(format!("after {:.1?}", measured(base))),
            ));
        }
        Ok(())
    }

    /// Nothing may come for that long.
    async fn silent(&mut self, lane: &Lane, duration: Duration, span: Span) -> Result<(), Failed> {
        let captures = self.captures(lane);
        let actor = self.actor(lane);
        let view = self.view(actor, lane, &captures);
        let ended = |inbox: &Inbox| inbox.parts.values().filter(|part| part.end.is_some()).count();
        let closed = actor.client.inbox(|inbox| ended(inbox));
        let disturbed = actor.client.wait(|inbox| {
            if let Some((part, section, unit)) = view.visible(inbox) {
                let unit = &inbox.parts[&part].sections[section].units[unit];
                return Some(show(&unit.kind, None));
            }
            (ended(inbox) > closed).then(|| "the end of the connection".to_owned())
        });
        if let Ok(got) = timeout(duration, disturbed).await {
            return Err(Box::new(
                Fault::new(span, "not silent", "something came where nothing may").got(got),
            ));
        }
        let part = lane
            .part
            .clone()
            .or_else(|| actor.client.session.as_ref().map(|it| it.part().to_owned()));
        let client = lane.client.clone();
        self.consumed.push(Consumption {
            op: self.op,
            line: None,
            lane: lane.clone(),
            consumed: Consumed::Silence {
                client,
                part: part.unwrap_or_else(|| MAIN.to_owned()),
            },
            before: captures,
            at: Instant::now(),
            window: (None, None),
            since: None,
            gate: self.wire.progress.now().gate,
        });
        let now = Instant::now();
        self.note(now, lane, format!("silent {}ms", duration.as_millis()));
        if let Some(actor) = self.actor_mut(lane) {
            actor.events.insert(lane.part.clone(), now);
        }
        Ok(())
    }

    pub(super) fn view<'v>(&'v self, actor: &'v Actor, lane: &'v Lane, captures: &'v Captures) -> View<'v> {
        let session = actor.client.session.as_ref();
        View {
            generation: self.generation,
            patterns: &self.setting.patterns,
            captures,
            auto: self.scenario.headers.auto == Auto::Heartbeats,
            part: lane.part.as_deref(),
            session: session.map(Session::part).filter(|_| lane.part.is_none()),
            polling: session.is_some_and(Session::is_polling) && lane.part.as_deref().is_none_or(|part| part == "poll"),
            offsets: actor.offsets,
            since: actor.events.get(&lane.part).copied(),
            repoll: true,
        }
    }

    fn nothing_came(&self, lane: &Lane, wanted: &[Wanted<'_>], waited: Duration) -> Failed {
        let span = wanted.first().map_or(Span::default(), |what| what.span);
        let actor = self.actor(lane);
        let (waiting, trouble) = actor.client.inbox(|inbox| {
            let parts = inbox.parts.iter().filter(|(name, _)| !name.starts_with('('));
            let units = parts
                .clone()
                .flat_map(|(_, part)| &part.sections)
                .flat_map(|section| &section.units);
            let waiting: Vec<String> = units.take(3).map(|unit| show(&unit.kind, None)).collect();
            (
                waiting,
                inbox.parts.values().find_map(|part| part.trouble.front().cloned()),
            )
        });
        let ended = actor
            .client
            .inbox(|inbox| inbox.parts.values().any(|part| part.end.is_some()));
        let mut fault = Fault::new(
            span,
            "nothing came",
            format!("nothing that fits came within {waited:.1?}"),
        );
        if !waiting.is_empty() {
            fault = fault.got(waiting.join("  "));
        }
        if let Some(reason) = trouble {
            fault = fault.note("note", reason);
        } else if ended {
            fault = fault.note("note", "the server has closed the connection");
        }
        Box::new(fault)
    }

    fn bounds(&self, window: Option<&Window>, lane: &Lane) -> Result<Bounds, Failed> {
        let Some(window) = window else {
            return Ok(Bounds::default());
        };
        let now = Instant::now();
        let mark = match &window.since {
            Some(name) => Some(self.marks.get(name).copied().ok_or_else(|| {
                Box::new(Fault::new(
                    window.span,
                    "unknown mark",
                    format!("nothing above marks {name:?}"),
                ))
            })?),
            None => None,
        };
        let lower = mark
            .or_else(|| self.base_of_lower(lane, None, now))
            .unwrap_or(self.begun);
        let upper = mark
            .or_else(|| self.actor(lane).events.get(&lane.part).copied())
            .unwrap_or(self.block);
        let length = |sum: &Option<Sum>| match sum {
            Some(sum) => self.length(sum, lane, window.span).map(Some),
            None => Ok(None),
        };
        let patience = self.setting.patience.max(1.0);
        Ok(Bounds {
            lo: length(&window.lo)?.map(|length| lower + length),
            hi: length(&window.hi)?.map(|length| upper + length.mul_f64(patience)),
            since: Some(upper),
        })
    }

    /// Lower bounds count from the last thing the harness sent on the client, or from the mark.
    fn base_of_lower(&self, lane: &Lane, since: Option<&str>, at: Instant) -> Option<Instant> {
        match since {
            Some(name) => self.marks.get(name).copied(),
            None => self.actor(lane).client.sent_before(at),
        }
    }

    fn length(&self, sum: &Sum, lane: &Lane, span: Span) -> Result<Duration, Failed> {
        let captures = self.captures(lane);
        let mut milliseconds = 0.0;
        for term in &sum.terms {
            milliseconds += term.factor
                * match &term.base {
                    TermBase::Duration(duration) => duration.as_secs_f64() * 1000.0,
                    TermBase::Capture(name) => captures
                        .get(name)
                        .and_then(crate::scenario::json::Value::as_f64)
                        .ok_or_else(|| {
                            let label = format!("${name} is no number of milliseconds here");
                            Box::new(Fault::new(span, "window cannot be computed", label))
                        })?,
                };
        }
        Ok(Duration::from_secs_f64((milliseconds / 1000.0).clamp(0.0, 86_400.0)))
    }

    pub(super) fn source(&self, span: Span) -> String {
        self.scenario
            .source
            .text
            .get(span.range())
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

/// A packet by which the client has come into the main namespace or out of it.
fn main_packet(generation: Generation, consumed: &Consumed) -> Option<String> {
    match consumed {
        Consumed::Packet { text, .. } if generation != Generation::Rev1 => {
            let joins = match generation {
                Generation::Eio3 => text == "40",
                _ => text.starts_with("40{"),
            };
            (joins || text == "41").then(|| text.clone())
        }
        _ => None,
    }
}

/// A CONNECT to any namespace that says the server remembers sockets: from there on its events end with an offset.
fn is_recoverable(generation: Generation, consumed: &Consumed) -> bool {
    match consumed {
        Consumed::Packet { text, .. } => {
            generation != Generation::Rev1 && text.starts_with("40") && text.contains("\"pid\"")
        }
        _ => false,
    }
}

/// An expectation among alternatives.
pub(super) struct Wanted<'a> {
    pub(super) action: &'a Action,
    pub(super) span: Span,
    pub(super) line: Option<usize>,
}

fn wanted(lines: &[Expectation]) -> Vec<Wanted<'_>> {
    let numbered = lines.iter().enumerate();
    numbered
        .map(|(number, line)| Wanted {
            action: &line.action,
            span: line.span,
            line: Some(number),
        })
        .collect()
}

/// The first alternative that is met. When none can be met any more, the first one's complaint.
pub(super) fn decide(view: &View<'_>, inbox: &mut Inbox, wanted: &[Wanted<'_>]) -> Option<(usize, Attempt)> {
    let mut complaint = None;
    let mut open = false;
    for (number, what) in wanted.iter().enumerate() {
        match view.attempt(inbox, what.action, what.span) {
            Attempt::NotYet => open = true,
            found @ Attempt::Mismatch(..) => {
                complaint.get_or_insert((number, found));
            }
            found => return Some((number, found)),
        }
    }
    complaint.filter(|_| !open)
}
