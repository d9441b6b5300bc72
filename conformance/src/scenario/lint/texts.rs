//! What stands in bodies, packets and headers.

use super::super::ast::{Action, AtomKind, Expectation, PageAction, Scenario, Step, Text};
use super::super::json_pattern::JsonPattern;
use super::super::packet::PacketPattern;
use super::super::{Generation, SpannedError};

pub(super) fn errors(scenario: &Scenario, generation: Generation, problems: &mut Vec<SpannedError>) {
    for (step, _) in scenario.steps() {
        for text in sent(step) {
            templates(text, problems);
        }
        for text in expected_packets(step) {
            problems.extend(PacketPattern::compile(generation, &text.outline()).err());
        }
        if let Action::Page(PageAction::Until { value: Some(text), .. } | PageAction::Tried(text)) = &step.action {
            problems.extend(JsonPattern::parse(&text.atoms.written_out(), text.span).err());
        }
        if let Action::ExpectMore(text) = &step.action {
            open_end(&text.outline(), problems);
        }
    }
}

pub(super) fn warnings(scenario: &Scenario, generation: Generation, problems: &mut Vec<SpannedError>) {
    let id = &scenario.headers.case.node;
    let topic = id.split('/').nth(1).unwrap_or_default();
    let about_bytes = id.contains("/framing") || generation.transports().contains(&topic);
    for (step, _) in scenario.steps() {
        match &step.action {
            Action::ExpectBytes(text) if !about_bytes && carries_json(generation, text) => {
                let help =
                    "servers order keys as they like; expect the packet with `<`, unless the case is about framing";
                problems.push(SpannedError::new(text.span, "JSON is compared byte by byte").help(help));
            }
            Action::SendPacket(text) if !id.contains("malformed") => {
                if let Err(error) = PacketPattern::compile(generation, &text.outline()) {
                    let message = format!("this is sent as it stands, and is no packet: {}", error.message);
                    let help = "where that is meant, say `malformed` in the case id";
                    problems.push(SpannedError { message, ..error }.help(help));
                }
            }
            _ => {}
        }
    }
}

/// Every text that goes out, in which holes are templates.
pub(super) fn sent(step: &Step) -> Vec<&Text> {
    match &step.action {
        Action::Request { target, headers, .. } | Action::Ws { target, headers } => [target]
            .into_iter()
            .chain(headers.iter().filter_map(|header| header.value.as_ref()))
            .collect(),
        Action::SendBytes(text) | Action::SendPacket(text) | Action::Wt(text) => vec![text],
        Action::Open {
            target: Some(target), ..
        } => vec![target],
        Action::Page(PageAction::Goto { path: Some(text), .. } | PageAction::Until { script: text, .. }) => vec![text],
        Action::Page(PageAction::Eval(lines)) => lines.iter().collect(),
        _ => Vec::new(),
    }
}

/// Every text that is compared with what comes in, in which holes are patterns.
pub(super) fn expected(step: &Step) -> Vec<&Text> {
    match &step.action {
        Action::Status { headers, .. } => headers.iter().filter_map(|header| header.value.as_ref()).collect(),
        Action::ExpectBytes(text) | Action::ExpectMore(text) => vec![text],
        Action::Page(
            PageAction::Until { value: Some(text), .. }
            | PageAction::Tried(text)
            | PageAction::Console(text)
            | PageAction::Sent { target: text, .. },
        ) => vec![text],
        _ => expected_packets(step),
    }
}

fn expected_packets(step: &Step) -> Vec<&Text> {
    match &step.action {
        Action::ExpectPacket(text) => vec![text],
        Action::AnyOrder(expectations) | Action::OneOf(expectations) => {
            expectations.iter().filter_map(packet_of).collect()
        }
        _ => Vec::new(),
    }
}

fn packet_of(expectation: &Expectation) -> Option<&Text> {
    match &expectation.action {
        Action::ExpectPacket(text) => Some(text),
        _ => None,
    }
}

fn templates(text: &Text, problems: &mut Vec<SpannedError>) {
    for (hole, span) in text.holes() {
        if hole.name.is_none() || hole.kind.is_some() {
            let error = SpannedError::new(span, format!("`{hole}` cannot be sent"));
            problems.push(error.help("what is sent takes plain captures: $name"));
        }
    }
}

/// A stream goes on, so nothing says where a hole at the end of the text would end.
fn open_end(text: &Text, problems: &mut Vec<SpannedError>) {
    if let Some(atom) = text
        .atoms
        .iter()
        .last()
        .filter(|atom| matches!(atom.kind, AtomKind::Hole(_)))
    {
        let error = SpannedError::new(atom.span, "the text ends in a hole, and the stream goes on behind it");
        problems.push(error.help("write what follows the hole, or expect all of it with `<<`"));
    }
}

fn carries_json(generation: Generation, text: &Text) -> bool {
    let Ok(pattern) = PacketPattern::compile(generation, &text.outline()) else {
        return false;
    };
    pattern.carries_json()
}
