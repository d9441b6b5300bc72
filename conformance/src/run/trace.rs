//! The trace of a case: the case as far as it came, with the time of every step and what really went over the wire, as a
//! scenario that can be run again.

use std::time::Duration;

use super::case::{Played, TraceLine, ops};
use crate::scenario::ast::{Action, Item, Scenario, Span, Spanned, Step};
use crate::scenario::print::{print, print_step};

/// Writes the trace. Steps stand as the case has them, so that another run can bind its own session ids; below each, as
/// comments, stands what differs from its text.
#[must_use]
pub fn trace(id: &str, scenario: &Scenario, transport: Option<&str>, played: &Played) -> String {
    let mut traced = scenario.clone();
    traced.headers.over.clear();
    traced.headers.title = Some(Spanned {
        node: format!("trace of {id}"),
        span: Span::default(),
    });
    let ops = ops(scenario);
    let last = played.failure.as_ref().map_or(ops.len(), |fault| fault.op);
    traced.items.clear();
    let mut op = None;
    for item in &scenario.items {
        let Item::Step(step) = item else {
            traced.items.push(item.clone());
            continue;
        };
        if let Some(number) = ops.iter().position(|op| std::ptr::eq(op.step, step)) {
            close_step(&mut traced, played, op);
            if number > last {
                op = None;
                break;
            }
            op = Some(number);
        }
        traced
            .items
            .push(Item::Step(timed(step, transport, op.and_then(|op| begun(played, op)))));
    }
    close_step(&mut traced, played, op);
    for line in played.trace.iter().filter(|line| line.op == ops.len()) {
        traced.items.push(comment(line));
    }
    if let Some(fault) = &played.failure {
        traced
            .items
            .push(Item::Comment(one_line(&format!("{}: {}", fault.title, fault.label))));
        if let Some(got) = &fault.got {
            traced.items.push(Item::Comment(one_line(&format!("got {got}"))));
        }
    }
    print(&traced)
}

/// What was seen at a step, where its own text does not say it already.
fn close_step(traced: &mut Scenario, played: &Played, op: Option<usize>) {
    let Some(Item::Step(step)) = traced.items.last() else {
        return;
    };
    let text = print_step(&Step {
        at: None,
        ..step.clone()
    });
    let seen = played
        .trace
        .iter()
        .filter(|line| Some(line.op) == op && line.text != text);
    traced.items.extend(seen.map(comment));
}

fn begun(played: &Played, op: usize) -> Option<Duration> {
    let at = played.trace.iter().find(|line| line.op == op)?.at;
    // Tenths of a millisecond are as fine as a shared machine can tell.
    u64::try_from(at.as_micros() / 100)
        .ok()
        .map(|tenths| Duration::from_micros(tenths * 100))
}

fn timed(step: &Step, transport: Option<&str>, at: Option<Duration>) -> Step {
    let mut step = Step { at, ..step.clone() };
    if let (
        Action::Open {
            transport: open @ None, ..
        },
        Some(transport),
    ) = (&mut step.action, transport)
    {
        *open = Some(Spanned {
            node: transport.to_owned(),
            span: Span::default(),
        });
    }
    step
}

fn comment(line: &TraceLine) -> Item {
    Item::Comment(one_line(&format!(
        "+{:.1}ms  {}",
        line.at.as_secs_f64() * 1000.0,
        line.text
    )))
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").trim().to_owned()
}
