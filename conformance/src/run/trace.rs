//! The trace of a case: the conversation as it was, written as a scenario that can be run again.

use std::fmt::Write as _;

use super::case::Played;
use crate::scenario::ast::Scenario;

/// Writes the conversation in the wire language. Session ids stand as `$sid`, for another run has others.
#[must_use]
pub fn trace(id: &str, scenario: &Scenario, played: &Played) -> String {
    let case = id.split('[').next().unwrap_or(id);
    let mut text = format!("case:  {case}\n");
    let _ = writeln!(text, "title: trace of {id}");
    if scenario.headers.alone.is_some() {
        text.push_str("alone: so does the case it was taken from\n");
    }
    text.push('\n');
    for line in &played.trace {
        let body = played
            .sids
            .iter()
            .fold(line.text.clone(), |body, sid| body.replace(sid.as_str(), "$sid"));
        let _ = writeln!(text, "{} {body}  # +{:.1}ms", line.lane, line.at.as_secs_f64() * 1000.0);
    }
    if let Some(fault) = &played.failure {
        let _ = writeln!(text, "\n# {}: {}", fault.title, one_line(&fault.label));
        if let Some(got) = &fault.got {
            let _ = writeln!(text, "# got {}", one_line(got));
        }
    }
    text
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
