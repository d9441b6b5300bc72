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

/// The step with this time; an `open` that leaves its transport to `over:` names it.
pub(crate) fn timed(step: &Step, transport: Option<&str>, at: Option<Duration>) -> Step {
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

/// The longest text of a trace in a report, in bytes, and the longest line of it.
const REPORTED: usize = 16 * 1024;
const REPORTED_LINE: usize = 2 * 1024;

/// A trace as reports carry it: long lines, and then the whole, lose their middle, and say so. A trace that was shortened may
/// not run again.
#[must_use]
pub fn shortened(trace: &str) -> String {
    if trace.len() <= REPORTED && trace.lines().all(|line| line.len() <= REPORTED_LINE) {
        return trace.to_owned();
    }
    let lines: Vec<String> = trace.lines().map(short_line).collect();
    let total: usize = lines.iter().map(|line| line.len() + 1).sum();
    if total <= REPORTED {
        return lines.join("\n") + "\n";
    }
    // Both ends matter: how it began, and where it broke.
    let fits = |lines: &mut dyn Iterator<Item = &String>| {
        lines
            .scan(0, |sum, line| {
                *sum += line.len() + 1;
                Some(*sum)
            })
            .take_while(|sum| *sum <= REPORTED / 2)
            .count()
    };
    let (head, tail) = (fits(&mut lines.iter()), fits(&mut lines.iter().rev()));
    let left_out = lines.len().saturating_sub(head + tail);
    let note = format!("# … {left_out} lines are left out here …");
    let parts = [&lines[..head], &[note], &lines[lines.len() - tail..]];
    parts.concat().join("\n") + "\n"
}

fn short_line(line: &str) -> String {
    if line.len() <= REPORTED_LINE {
        return line.to_owned();
    }
    let cut = |at: usize| (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let (start, end) = (cut(REPORTED_LINE / 2), cut(line.len() - REPORTED_LINE / 2));
    format!("{} …{} bytes… {}", &line[..start], end - start, &line[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_trace_is_as_it_was() {
        let trace = "case:  rev1/a/b\n\na open\n";
        assert_eq!(shortened(trace), trace);
    }

    #[test]
    fn a_long_trace_keeps_both_ends_and_says_what_is_missing() {
        let steps: String = (0..5000).map(|n| format!("a > 3:::{n}\n")).collect();
        let short = shortened(&format!("case:  rev1/a/b\n{steps}# got {}\n", "é".repeat(100_000)));
        assert!(short.len() <= REPORTED + 60, "{}", short.len());
        assert!(short.starts_with("case:  rev1/a/b\na > 3:::0\n"));
        assert!(short.contains("lines are left out here …\n"));
        assert!(short.lines().last().unwrap().contains("…197958 bytes…"), "{short}");
    }
}
