//! What a step takes from the steps above it: captures, connections, marks, the packet of an attachment.

use std::collections::BTreeSet;

use super::super::ast::{Action, Lane, PageAction, Scenario, Step, Sum, TermBase, Text};
use super::super::words::nearest;
use super::super::{Generation, SpannedError};
use super::{clients, texts};

/// What the runner knows once a session is open: timings of the handshake or the contract; and a word unique to the run of
/// the case.
fn known(generation: Generation) -> &'static [&'static str] {
    match generation {
        Generation::Rev1 => &["interval", "timeout", "close", "polling", "fresh"],
        Generation::Eio3 => &["interval", "timeout", "maxPayload", "fresh"],
        Generation::Eio4 => &["interval", "timeout", "connect", "maxPayload", "fresh"],
    }
}

pub(super) fn errors(scenario: &Scenario, generation: Generation, problems: &mut Vec<SpannedError>) {
    let mut state = State {
        bound: known(generation).iter().copied().collect(),
        binary: generation != Generation::Rev1,
        ..State::default()
    };
    for (step, _) in scenario.steps() {
        state.connections(step, problems);
        state.captures(step, problems);
        state.marks(step, problems);
        state.attachments(step, problems);
    }
}

#[derive(Default)]
struct State<'a> {
    bound: BTreeSet<&'a str>,
    open: BTreeSet<&'a str>,
    marks: BTreeSet<&'a str>,
    /// Whether there are binary messages that belong to no packet.
    binary: bool,
    /// The step that came last on each lane.
    last: Vec<&'a Step>,
}

impl<'a> State<'a> {
    fn connections(&mut self, step: &'a Step, problems: &mut Vec<SpannedError>) {
        match &step.action {
            Action::Request { .. }
            | Action::Open { .. }
            | Action::Ws { .. }
            | Action::Wt(_)
            | Action::Tcp(_)
            | Action::Page(PageAction::Goto { .. } | PageAction::Network { .. }) => {
                self.open.extend(clients(step));
            }
            Action::Mark(_) | Action::Wait(_) | Action::Silent(_) => {}
            _ => {
                if let Some(client) = clients(step).find(|client| !self.open.contains(client)) {
                    let error = SpannedError::new(step.span, format!("nothing above connects `{client}`"));
                    let help = if step.lanes.iter().all(Lane::is_page) {
                        format!("begin with `{client} goto`")
                    } else {
                        format!("begin with `{client} open websocket`, a request, `ws` or `tcp`")
                    };
                    problems.push(error.help(help));
                    self.open.extend(clients(step));
                }
            }
        }
    }

    fn captures(&mut self, step: &'a Step, problems: &mut Vec<SpannedError>) {
        for text in texts::sent(step) {
            for (hole, span) in text.holes() {
                if let Some(name) = hole.name.as_deref().filter(|name| !self.bound.contains(name)) {
                    problems.push(self.unbound(name, span));
                }
            }
        }
        if let Some(window) = &step.window {
            let names = [&window.lo, &window.hi].into_iter().flatten().flat_map(names_of);
            problems.extend(
                names
                    .filter(|name| !self.bound.contains(name))
                    .map(|name| self.unbound(name, window.span)),
            );
        }
        if let Action::Open { .. } = step.action {
            self.bound.insert("sid");
        }
        for text in texts::expected(step) {
            self.bound.extend(bound_by(text));
        }
    }

    fn unbound(&self, name: &str, span: super::super::ast::Span) -> SpannedError {
        let error = SpannedError::new(span, format!("nothing above binds `${name}`"));
        match nearest(name, self.bound.iter().copied()) {
            Some(near) => error.help(format!("did you mean `${near}`?")),
            None => error.help(format!("bind it in an expectation above: ${name} or ${name}(str)")),
        }
    }

    fn marks(&mut self, step: &'a Step, problems: &mut Vec<SpannedError>) {
        if let Action::Mark(name) = &step.action
            && !self.marks.insert(name)
        {
            let error = SpannedError::new(step.span, format!("the mark `{name}` is set a second time"));
            problems.push(error.help("give each mark a name of its own"));
        }
        let since = step
            .window
            .as_ref()
            .and_then(|window| window.since.as_deref().map(|mark| (mark, window.span)));
        if let Some((mark, span)) = since.filter(|(mark, _)| !self.marks.contains(mark)) {
            let error = SpannedError::new(span, format!("nothing above sets the mark `{mark}`"));
            problems.push(match nearest(mark, self.marks.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("set it with a step `a mark {mark}`")),
            });
        }
    }

    /// `<b` belongs to the `<` above it on the same lane, and `>b` to the `>`; since Engine.IO 3 it may be a message of its own.
    fn attachments(&mut self, step: &'a Step, problems: &mut Vec<SpannedError>) {
        let last = self
            .last
            .iter()
            .rev()
            .find(|last| last.lanes == step.lanes)
            .map(|last| &last.action);
        let orphan = match &step.action {
            Action::ExpectAttachment(_) => !matches!(last, Some(Action::ExpectPacket(_) | Action::ExpectAttachment(_))),
            Action::SendAttachment(_) => !matches!(last, Some(Action::SendPacket(_) | Action::SendAttachment(_))),
            _ => false,
        };
        if orphan && !self.binary {
            let help = "put it below the packet it belongs to, on the same lanes";
            problems.push(SpannedError::new(step.span, "an attachment without a packet").help(help));
        }
        self.last.retain(|last| last.lanes != step.lanes);
        self.last.push(step);
    }
}

fn names_of(sum: &Sum) -> impl Iterator<Item = &str> {
    sum.terms.iter().filter_map(|term| match &term.base {
        TermBase::Capture(name) => Some(name.as_str()),
        TermBase::Duration(_) => None,
    })
}

fn bound_by(text: &Text) -> impl Iterator<Item = &str> {
    text.holes().filter_map(|(hole, _)| hole.name.as_deref())
}
