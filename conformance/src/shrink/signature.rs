//! How a case failed, in terms that outlive a change of the case: at which line, with which title, and on what kind of thing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::draft::{Draft, Fixed, Unit};
use crate::run::event::Failure;
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Item, Scenario};
use crate::scenario::capture::Captures;
use crate::scenario::packet::PacketPattern;

/// Where a case failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the unit with that number in the case that is shrunk.
    Unit(usize),
    /// When it was over: something was left.
    End,
}

/// How a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) place: Place,
    title: String,
    /// What is said at the line, without the values that it names.
    label: String,
    /// What came: type, namespace and name of a packet, or the first line of anything else.
    got: Option<String>,
    /// What is said besides: that the connection was closed.
    note: Option<String>,
}

/// Titles of what may also be found at the end of a case.
const AT_END: [&str; 3] = ["not expected", "fence not answered", "cannot be fenced"];
/// The title where nothing that fits was there. What came is a list then, of what does not.
const NOTHING: &str = "nothing came";

impl Signature {
    /// Of a failure of this draft, which was run as `scenario`.
    pub(super) fn of(draft: &Draft, scenario: &Scenario, failure: &Failure) -> Signature {
        let (title, label) = failure.message.split_once(": ").unwrap_or((&failure.message, ""));
        let got = match (failure.got.as_deref(), title) {
            (Some(waiting), NOTHING) => {
                let kinds: Vec<String> = waiting.split("  ").filter(|it| !is_heartbeat(it)).map(kind).collect();
                (!kinds.is_empty()).then(|| kinds.join("  "))
            }
            (got, _) => got.map(kind),
        };
        let note = failure
            .rendered
            .lines()
            .find_map(|line| line.trim().strip_prefix("= note"));
        Signature {
            place: place(draft, scenario, failure.line, title),
            title: title.to_owned(),
            label: skeleton(label),
            got,
            note: note.map(|note| skeleton(note.trim())),
        }
    }

    /// What has to stay: the line, and where nothing came the lines by which something should have.
    pub(super) fn fixed(&self, draft: &Draft) -> Fixed {
        let mut fixed = Fixed::default();
        let Place::Unit(origin) = self.place else { return fixed };
        fixed.stays.insert(origin);
        let Some(at) = draft.units.iter().position(|unit| unit.origin == origin) else {
            return fixed;
        };
        if self.got.is_some() {
            return fixed;
        }
        let before = &draft.units[..at];
        let lanes = draft.units[at].step().map_or(&[][..], |step| step.lanes.as_slice());
        let speaks = |unit: &&Unit| unit.step().is_some_and(|step| is_said(&step.action));
        let own = |unit: &&Unit| {
            let step = unit.step();
            step.is_some_and(|step| {
                step.lanes
                    .iter()
                    .any(|it| lanes.iter().any(|lane| lane.client == it.client))
            })
        };
        let newest = before.iter().rev().find(speaks);
        let newest_own = before.iter().rev().filter(speaks).find(own);
        let causes: BTreeSet<usize> = [newest, newest_own]
            .into_iter()
            .flatten()
            .map(|unit| unit.origin)
            .collect();
        fixed.stays.extend(&causes);
        fixed.sealed.extend(causes);
        fixed
    }
}

/// Heartbeats come when they come.
fn is_heartbeat(packet: &str) -> bool {
    matches!(packet, "2" | "3" | "6" | "2::" | "8::")
}

/// Whether a step asks the server for something, as against being there.
fn is_said(action: &Action) -> bool {
    matches!(
        action,
        Action::SendPacket(_)
            | Action::SendBytes(_)
            | Action::SendRaw(_)
            | Action::SendAttachment(_)
            | Action::Request { .. }
    )
}

fn place(draft: &Draft, scenario: &Scenario, line: usize, title: &str) -> Place {
    let starts = scenario.items.iter().filter_map(|item| match item {
        Item::Step(step) => Some(scenario.source.line_column(step.span.start).0),
        Item::Reference(reference) => Some(scenario.source.line_column(reference.span.start).0),
        Item::Blank | Item::Comment(_) => None,
    });
    let origins = draft
        .units
        .iter()
        .flat_map(|unit| unit.items.iter().map(|_| unit.origin));
    let found = starts.zip(origins).take_while(|(start, _)| *start <= line).last();
    // A fence at the end finds whatever the end of the case would.
    let fenced = |unit: &&Unit| unit.step().is_some_and(|step| step.action == Action::Fence);
    let last = draft.units.last().filter(|unit| !fenced(unit)).map(|unit| unit.origin);
    match found {
        Some((_, origin)) if Some(origin) == last && AT_END.contains(&title) => Place::End,
        Some((_, origin)) => Place::Unit(origin),
        None => Place::End,
    }
}

/// Whether a draft only fails because a line is gone that took what came, while the line that made it come is still there.
pub(super) fn is_self_made(whole: &Draft, draft: &Draft, failure: &Failure, generation: Generation) -> bool {
    let Some(got) = &failure.got else { return false };
    let here = |unit: &Unit| draft.units.iter().any(|it| it.origin == unit.origin);
    let mut cause: Option<&Unit> = None;
    for unit in &whole.units {
        if unit.sends() {
            cause = Some(unit);
        } else if !here(unit) && cause.is_none_or(here) && takes(unit, got, generation) {
            return true;
        }
    }
    false
}

fn takes(unit: &Unit, got: &str, generation: Generation) -> bool {
    let Some(step) = unit.step() else { return false };
    let fits = |action: &Action| match action {
        Action::ExpectPacket(text) => PacketPattern::compile(generation, text)
            .is_ok_and(|pattern| pattern.matches(got, &mut Captures::new()).is_ok()),
        Action::Status { code, .. } => got.split(' ').nth(1) == Some(code.to_string().as_str()),
        _ => false,
    };
    match &step.action {
        Action::AnyOrder(lines) | Action::OneOf(lines) => lines.iter().any(|line| fits(&line.action)),
        action => fits(action),
    }
}

/// A pattern that is known to be one.
fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static STRINGS: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r#""(?:[^"\\]|\\.)*""#));
static PATHS: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"\$(?:\[[^\]]*\]|\.[A-Za-z0-9_]+)+"));
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"[A-Za-z0-9_-]{16,}"));
static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"\d+(?:\.\d+)?(?:ms|s|µs)?\b"));

/// What a label says without the values in it.
fn skeleton(label: &str) -> String {
    let rules = [(&PATHS, "$"), (&STRINGS, "\"\""), (&WORDS, "x"), (&NUMBERS, "0")];
    rules
        .iter()
        .fold(label.to_owned(), |text, (rule, by)| match rule.as_ref() {
            Some(rule) => rule.replace_all(&text, regex::NoExpand(by)).into_owned(),
            None => text,
        })
}

/// Type, namespace and name of a packet; of anything else the first line.
fn kind(got: &str) -> String {
    let line = got.lines().next().unwrap_or_default();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || line.starts_with("HTTP/") {
        return skeleton_of_head(line);
    }
    let json = line.find(['[', '{']);
    let head = &line[..json.unwrap_or(line.len())];
    let data = json.and_then(|at| serde_json::from_str::<serde_json::Value>(&line[at..]).ok());
    let name = data
        .as_ref()
        .and_then(|data| data.get(0).or(data.get("name"))?.as_str().map(str::to_owned));
    // The type of an event or an ack is two digits, and what follows is the id; revision 1 has colons.
    let head = match head.split_once(':') {
        Some((kind, rest)) => {
            let endpoint = rest.split(':').nth(1).unwrap_or_default();
            format!("{kind}:{endpoint}")
        }
        None => {
            let namespace = head.find('/').map_or("", |at| &head[at..]);
            format!("{}{namespace}", &head[..digits.min(2)])
        }
    };
    let named = name.filter(|_| head.starts_with("42") || head.starts_with("45") || head.starts_with("5:"));
    format!("{head} {}", named.unwrap_or_default())
}

fn skeleton_of_head(line: &str) -> String {
    match line.strip_prefix("HTTP/1.1 ") {
        Some(status) => status.chars().take(3).collect(),
        None => skeleton(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("$[1]: expected \"hello\", got \"hullo\"", "$: expected \"\", got \"\"")]
    #[case("nothing that fits came within 800.0ms", "nothing that fits came within 0")]
    #[case("$.args[0].x: expected 5, got 4", "$: expected 0, got 0")]
    #[case(
        "GET /socket.io/?sid=lv_VI97HAXpY6yYWAAAC was answered 400",
        "GET /socket.io/?sid=x was answered 0"
    )]
    fn labels(#[case] label: &str, #[case] expected: &str) {
        assert_eq!(skeleton(label), expected);
    }

    #[rstest::rstest]
    #[case("42[\"news\",1]", "42 news")]
    #[case("42/custom,[\"news\",1]", "42/custom, news")]
    #[case("4317[\"a\"]", "43 ")]
    #[case("5:1+:/x:{\"name\":\"to\",\"args\":[]}", "5:/x to")]
    #[case("6:::1+[\"a\"]", "6: ")]
    #[case("HTTP/1.1 400 Bad Request\nServer: x", "400")]
    #[case("the end of the connection", "the end of the connection")]
    fn kinds(#[case] got: &str, #[case] expected: &str) {
        assert_eq!(kind(got), expected);
    }
}
