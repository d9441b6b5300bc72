//! Cases that see each other on a shared server: they need `alone:`.

use super::super::ast::{Action, AtomKind, PageAction, Scenario, Text};
use super::super::json::{self, JsString, Value};
use super::super::{Generation, SpannedError};

/// Events of the contract application that reach every client of a namespace.
const TO_EVERYBODY: [&str; 4] = ["broadcast", "all", "except", "volatile-all"];

pub(super) fn errors(scenario: &Scenario, generation: Generation, problems: &mut Vec<SpannedError>) {
    if scenario.headers.alone.is_some() {
        return;
    }
    let scripts = scenario.steps().flat_map(|(step, _)| match &step.action {
        Action::Page(PageAction::Eval(lines)) => lines.iter().map(|line| (step, line)).collect(),
        _ => Vec::new(),
    });
    for (step, script) in scripts {
        if let Some(name) = TO_EVERYBODY.into_iter().find(|name| emits(script, name)) {
            let message = format!("`{name}` reaches everybody in the namespace, so the case cannot share a server");
            let error = SpannedError::new(step.span, message);
            problems.push(error.help("add a header `alone:` that says why the case runs by itself"));
            return;
        }
    }
    let packets = scenario.steps().filter_map(|(step, _)| match &step.action {
        Action::SendPacket(text) | Action::SendBytes(text) => Some((step, text)),
        _ => None,
    });
    for (step, text) in packets {
        if let Some(why) = reason(generation, text) {
            let error = SpannedError::new(step.span, format!("{why}, so the case cannot share a server"));
            problems.push(error.help("add a header `alone:` that says why the case runs by itself"));
            return;
        }
    }
}

/// Whether a page's script names the event.
fn emits(script: &Text, event: &str) -> bool {
    String::from_utf8_lossy(&script.literals().collect::<Vec<_>>()).contains(&format!("\"{event}\""))
}

fn reason(generation: Generation, text: &Text) -> Option<String> {
    let (name, args) = event(generation, text)?;
    if TO_EVERYBODY.contains(&name.as_str()) {
        return Some(format!("`{name}` reaches everybody in the namespace"));
    }
    let departed = name == "count" && args.first() == Some(&Value::string("departed"));
    departed.then(|| "`departed` counts the clients of other cases, too".to_owned())
}

/// Name and arguments of the event that a packet carries into a namespace that cases share.
fn event(generation: Generation, text: &Text) -> Option<(String, Vec<Value>)> {
    // What a hole holds does not matter here; it only must not be in the way.
    let text = text.outline();
    let bytes = text.atoms.iter().map(|atom| match &atom.kind {
        AtomKind::Byte(byte) => *byte,
        AtomKind::Hole(_) => b'0',
    });
    let packet = String::from_utf8(bytes.collect()).ok()?;
    let value = match generation {
        Generation::Rev1 => {
            let mut parts = packet.strip_prefix("5:")?.splitn(3, ':').skip(1);
            parts.next()?;
            json::parse(parts.next()?).ok()?
        }
        Generation::Eio3 | Generation::Eio4 => {
            let rest = packet.strip_prefix("42")?;
            if rest.starts_with("/dynamic-") {
                return None;
            }
            json::parse(&rest[rest.find('[')?..]).ok()?
        }
    };
    let (name, args) = match value {
        Value::Array(items) => (items.first()?.clone(), items.get(1..)?.to_vec()),
        object => {
            let args = match object.member(&JsString::from("args")) {
                Some(Value::Array(args)) => args.clone(),
                _ => Vec::new(),
            };
            (object.member(&JsString::from("name"))?.clone(), args)
        }
    };
    match name {
        Value::String(name) => Some((name.to_string_lossy(), args)),
        _ => None,
    }
}
