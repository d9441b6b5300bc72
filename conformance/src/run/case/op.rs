//! The steps of a scenario as the player takes them: a request together with its body, each with its level.

use std::collections::BTreeSet;

use crate::scenario::ast::{Action, AtomKind, Item, Level, Reference, Scenario, Step, Text};

/// A step, with what belongs to it.
#[derive(Clone, Debug)]
pub struct Op<'a> {
    /// The step.
    pub step: &'a Step,
    /// The lines right below it that carry its body or its attachments.
    pub tail: Vec<&'a Step>,
    /// The reference that governs it.
    pub reference: Option<&'a Reference>,
    /// Its level.
    pub level: Level,
}

/// The steps of a scenario, in order.
#[must_use]
pub fn ops(scenario: &Scenario) -> Vec<Op<'_>> {
    let mut reference = None;
    let mut ops: Vec<Op<'_>> = Vec::new();
    for item in &scenario.items {
        match item {
            Item::Reference(found) => reference = Some(found),
            Item::Blank | Item::Comment(_) => {}
            Item::Step(step) => {
                if let Some(op) = ops.last_mut()
                    && belongs(op, step)
                {
                    op.tail.push(step);
                    continue;
                }
                let level = reference
                    .and_then(|reference| reference.level)
                    .unwrap_or(scenario.headers.level);
                ops.push(Op {
                    step,
                    tail: Vec::new(),
                    reference,
                    level,
                });
            }
        }
    }
    ops
}

/// Whether a line is part of the step above it: the body of a request, the attachments of a packet.
fn belongs(op: &Op<'_>, step: &Step) -> bool {
    let same = op.step.lanes == step.lanes && step.window.is_none();
    same && match (&op.step.action, &step.action) {
        (Action::Request { method, .. }, Action::SendBytes(_) | Action::SendPacket(_) | Action::SendAttachment(_)) => {
            method != "GET"
        }
        (Action::SendPacket(_), Action::SendAttachment(_)) | (Action::ExpectPacket(_), Action::ExpectAttachment(_)) => {
            true
        }
        _ => false,
    }
}

/// Clients whose packets the case fetches by hand: a GET, a WebSocket or a stream to their own session. The runner does not
/// poll for these.
pub(super) fn manual_clients(ops: &[Op<'_>]) -> BTreeSet<String> {
    let by_hand = |action: &Action| match action {
        Action::Request { method, target, .. } => method == "GET" && names_session(target) && !disconnects(target),
        Action::Ws { target, .. } => names_session(target),
        Action::Tcp(port) => port == "http",
        // Which session a stream is for stands in its first packet.
        Action::Wt(_) => true,
        _ => false,
    };
    let lanes = ops
        .iter()
        .filter(|op| by_hand(&op.step.action))
        .flat_map(|op| &op.step.lanes);
    lanes.map(|lane| lane.client.clone()).collect()
}

fn names_session(target: &Text) -> bool {
    let sid = |kind: &AtomKind| matches!(kind, AtomKind::Hole(hole) if hole.name.as_deref() == Some("sid"));
    target.atoms.iter().any(|atom| sid(&atom.kind))
}

fn disconnects(target: &Text) -> bool {
    let target: Vec<u8> = target.literals().collect();
    target.windows(10).any(|window| window == b"disconnect")
}
