//! From a fault of the player to what a reader sees: the requirement, the place in the scenario, and what came.

use super::case::{Fault, ops};
use super::event::{Concern, Failure};
use crate::scenario::ast::{Authority, Item, Scenario};
use crate::scenario::diagnostic::{Diagnostic, Severity};
use crate::scenario::requirements::Requirements;

/// The longest requirement text that is shown beside a scenario, in characters.
const TEXT: usize = 160;

/// Dresses a fault. `trace` is where the conversation was written, `door` the end of the command that runs it again.
#[must_use]
pub fn failure(
    id: &str,
    scenario: &Scenario,
    requirements: &Requirements,
    fault: &Fault,
    trace: Option<&str>,
    door: &str,
) -> Failure {
    let ops = ops(scenario);
    let op = ops.get(fault.op).or(ops.last());
    let reference = op.and_then(|op| op.reference);
    let ids: Vec<String> = reference
        .iter()
        .flat_map(|it| &it.requirements)
        .map(|id| id.node.clone())
        .collect();
    let known = ids.iter().find_map(|id| requirements.get(id));
    let authority = reference
        .and_then(|it| it.authority)
        .or(known.map(|it| it.authority))
        .unwrap_or(Authority::Spec);

    let mut diagnostic = Diagnostic::new(Severity::Error, fault.title.clone(), scenario.source.clone());
    diagnostic.level = Some(fault.level);
    diagnostic.origin = Some(id.to_owned());
    diagnostic = diagnostic.primary(fault.span, fault.label.clone());
    if let (Some(reference), Some(known)) = (reference, known) {
        diagnostic = diagnostic.context(reference.span, clipped(&known.text));
    }
    if let Some(got) = &fault.got {
        diagnostic = diagnostic.note("got", got.clone());
    }
    for (name, text) in &fault.notes {
        diagnostic = diagnostic.note(name, text.clone());
    }
    if let Some(trace) = trace {
        diagnostic = diagnostic.note("trace", trace);
        let next = if scenario.has_pages() {
            match scenario.source.path.starts_with("fixtures/scenarios/") {
                true => format!("sio-conformance browser --filter '{id}'{door}"),
                false => format!("sio-conformance browser {}{door}", scenario.source.path),
            }
        } else {
            format!("sio-conformance run {trace}{door}")
        };
        diagnostic = diagnostic.note("next", next);
    }
    let (line, column) = diagnostic.line_column();
    let expected = scenario
        .source
        .text
        .lines()
        .nth(line.saturating_sub(1))
        .map(|line| line.trim().to_owned());
    Failure {
        level: fault.level,
        authority,
        requirements: ids,
        message: fault.message(),
        file: scenario.source.path.clone(),
        line,
        column,
        expected,
        got: fault.got.clone(),
        rendered: diagnostic.render(false),
    }
}

/// The requirements that a scenario names, each once.
#[must_use]
pub fn concerns(scenario: &Scenario) -> Vec<Concern> {
    let mut concerns: Vec<Concern> = Vec::new();
    let references = scenario.items.iter().filter_map(|item| match item {
        Item::Reference(reference) => Some(reference),
        Item::Step(_) | Item::Blank | Item::Comment(_) => None,
    });
    for reference in references {
        let level = reference.level.unwrap_or(scenario.headers.level);
        for id in &reference.requirements {
            match concerns.iter_mut().find(|known| known.id == id.node) {
                Some(known) => known.level = known.level.min(level),
                None => concerns.push(Concern {
                    id: id.node.clone(),
                    level,
                }),
            }
        }
    }
    concerns
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
