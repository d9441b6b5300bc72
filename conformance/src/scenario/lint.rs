//! The rules a file can break although every line of it parses.

mod alone;
mod flow;
mod texts;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ast::{Action, Lane, Scenario, Step};
use super::diagnostic::{Diagnostic, Severity};
use super::words::did_you_mean;
use super::{Generation, SpannedError};

/// What `needs:` may name besides transports: the features of the contract application.
pub const FEATURES: [&str; 21] = [
    "namespaces",
    "refusal",
    "refusal-data",
    "dynamic",
    "authorization",
    "cors",
    "namespace-query",
    "rooms",
    "broadcast",
    "except",
    "volatile",
    "server-acks",
    "binary",
    "order",
    "disconnect",
    "close",
    "lifecycle",
    "handshake",
    "engine",
    "recovery",
    "cluster",
];

/// Everything that makes the file unusable. `flow` asks for the rules, too, that make sense only where every line was
/// read: what was bound, opened or marked before.
pub(crate) fn errors(scenario: &Scenario, flow: bool) -> Vec<SpannedError> {
    let mut problems = Vec::new();
    let Ok(generation) = scenario.headers.generation().parse::<Generation>() else {
        return problems;
    };
    vocabulary(scenario, generation, &mut problems);
    governed_clients(scenario, &mut problems);
    for (step, _) in scenario.steps() {
        if step.window.is_some() && (step.action.sends() || matches!(step.action, Action::Silent(_))) {
            let span = step.window.as_ref().map_or(step.span, |window| window.span);
            let help = "put it on the step that waits for the server's answer";
            problems.push(SpannedError::new(span, "a window on a step that expects nothing").help(help));
        }
    }
    texts::errors(scenario, generation, &mut problems);
    if flow {
        alone::errors(scenario, generation, &mut problems);
        flow::errors(scenario, generation, &mut problems);
    }
    problems
}

/// What is legal, and probably not what was meant.
#[must_use]
pub fn warnings(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if let Ok(generation) = scenario.headers.generation().parse() {
        texts::warnings(scenario, generation, &mut problems);
    }
    problems
        .iter()
        .map(|it| Diagnostic::of(it, Severity::Warning, &Arc::clone(&scenario.source)))
        .collect()
}

fn vocabulary(scenario: &Scenario, generation: Generation, problems: &mut Vec<SpannedError>) {
    let transports = generation.transports().iter().copied();
    let needs: Vec<&str> = FEATURES.into_iter().chain(transports.clone()).collect();
    for need in scenario
        .headers
        .needs
        .iter()
        .filter(|it| !needs.contains(&it.node.as_str()))
    {
        let message = format!("unknown feature `{}`", need.node);
        problems.push(SpannedError::new(need.span, message).help(did_you_mean(&need.node, needs.iter().copied())));
    }
    for over in scenario
        .headers
        .over
        .iter()
        .filter(|it| !transports.clone().any(|known| known == it.node))
    {
        let message = format!("unknown transport `{}` of {generation}", over.node);
        problems.push(SpannedError::new(over.span, message).help(did_you_mean(&over.node, transports.clone())));
    }
}

/// Clients whose `open` names no transport run on each transport of `over:`, so their steps cannot be those of one.
fn governed_clients(scenario: &Scenario, problems: &mut Vec<SpannedError>) {
    let over = !scenario.headers.over.is_empty();
    let mut governed: BTreeSet<&str> = BTreeSet::new();
    for (step, _) in scenario.steps() {
        if let Action::Open { transport: None, .. } = step.action {
            if !over {
                let error = SpannedError::new(step.span, "`open` names no transport, and neither does the file");
                problems
                    .push(error.help("write `open websocket`, or add a header `over:` with the transports to run on"));
            }
            governed.extend(clients(step));
        }
    }
    for (step, _) in scenario
        .steps()
        .filter(|(step, _)| over && of_one_transport(&step.action))
    {
        if let Some(client) = clients(step).find(|client| governed.contains(client)) {
            let message = format!("`{client}` runs on every transport of `over:`, and this is a step of one");
            let help = "use packets (> and <), or open the client on a transport of its own";
            problems.push(SpannedError::new(step.span, message).help(help));
        }
    }
}

fn of_one_transport(action: &Action) -> bool {
    matches!(
        action,
        Action::Request { .. }
            | Action::Status { .. }
            | Action::SendBytes(_)
            | Action::ExpectBytes(_)
            | Action::ExpectMore(_)
            | Action::SendRaw(_)
            | Action::ExpectRaw(_)
            | Action::Ws { .. }
            | Action::Wt(_)
            | Action::Tcp(_)
    )
}

fn clients(step: &Step) -> impl Iterator<Item = &str> {
    step.lanes.iter().map(|Lane { client, .. }| client.as_str())
}
