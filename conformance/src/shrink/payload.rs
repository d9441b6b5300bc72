//! Smaller payloads: arguments that go, strings and bytes that become short. A value is changed everywhere in the case at
//! once, in what is sent and in what is expected, so that a server which hands it on is still right to do so. What only the
//! failing line says is never changed: it is what the case is about.

use serde_json::Value;

use super::draft::{Draft, Unit};
use super::values::{AS_VALUE, Change, IN_STRING, MORE, collect, less, rewrite, size};
use super::{Search, ShrinkError};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Atom, AtomKind, Expectation, Hole, Item, Span, Text};

/// Values that are looked at in one round, the largest first.
const VALUES: usize = 200;

/// Makes payloads small.
pub(super) async fn minimise(best: &mut Draft, search: &mut Search<'_, '_>) -> Result<(), ShrinkError> {
    loop {
        let drafts = smaller(best);
        if search.first(best, drafts).await?.is_none() {
            return Ok(());
        }
    }
}

/// The case with one value less, or a smaller one; the greatest gain first.
fn smaller(best: &Draft) -> Vec<Draft> {
    let mut values: Vec<Value> = Vec::new();
    let mut lengths: Vec<Vec<u8>> = Vec::new();
    for unit in best.units.iter().filter(|unit| unit.sends() && !unit.sealed) {
        for item in &unit.items {
            let Item::Step(step) = item else { continue };
            for text in texts(&step.action) {
                if let Some(payload) = Payload::of(text, best) {
                    collect(&payload.value, payload.named(), 0, &mut values);
                }
            }
            if let Action::SendAttachment(bytes) = &step.action
                && !lengths.contains(bytes)
            {
                lengths.push(bytes.clone());
            }
        }
    }
    values.sort_by_key(|value| std::cmp::Reverse(size(value)));
    values.truncate(VALUES);
    let mut drafts = Vec::new();
    let mut push = |draft: Draft| {
        if draft != *best && !drafts.contains(&draft) {
            drafts.push(draft);
        }
    };
    for value in &values {
        push(changed(best, &Change::Gone(value)));
        for to in less(value) {
            push(changed(best, &Change::Becomes(value, &to)));
        }
    }
    for bytes in &lengths {
        for length in [0, 1, bytes.len() / 2] {
            if length < bytes.len() {
                push(changed(best, &Change::Bytes(bytes, &bytes[..length])));
            }
        }
    }
    drafts
}

/// The draft with the change, in every unit that is not sealed.
fn changed(draft: &Draft, change: &Change<'_>) -> Draft {
    let mut changed = draft.clone();
    let sealed: Vec<&Unit> = draft.units.iter().filter(|unit| unit.sealed).collect();
    for unit in changed.units.iter_mut().filter(|unit| !unit.sealed) {
        for item in &mut unit.items {
            if let Item::Step(step) = item {
                apply(&mut step.action, draft, change);
            }
        }
    }
    debug_assert!(sealed.iter().all(|unit| changed.units.contains(unit)));
    changed
}

fn apply(action: &mut Action, draft: &Draft, change: &Change<'_>) {
    match action {
        Action::SendPacket(text) | Action::ExpectPacket(text) | Action::SendBytes(text) | Action::ExpectBytes(text) => {
            if let Some(mut payload) = Payload::of(text, draft) {
                let named = payload.named();
                rewrite(&mut payload.value, named, 0, change);
                if let Some(smaller) = payload.text() {
                    *text = smaller;
                }
            }
        }
        Action::SendAttachment(bytes) | Action::ExpectAttachment(bytes) => attachment(bytes, change),
        Action::AnyOrder(lines) | Action::OneOf(lines) => {
            for Expectation {
                action, attachments, ..
            } in lines
            {
                apply(action, draft, change);
                attachments.iter_mut().for_each(|bytes| attachment(bytes, change));
            }
        }
        _ => {}
    }
}

fn attachment(bytes: &mut Vec<u8>, change: &Change<'_>) {
    if let Change::Bytes(from, to) = change
        && bytes == from
    {
        *bytes = to.to_vec();
    }
}

fn texts(action: &Action) -> Vec<&Text> {
    match action {
        Action::SendPacket(text) | Action::SendBytes(text) => vec![text],
        _ => Vec::new(),
    }
}

/// A text with JSON, or with other text, behind what says what it is.
struct Payload {
    head: Vec<Atom>,
    value: Value,
    holes: Vec<Hole>,
    /// It is text, and the value a string that stands without its quotes.
    plain: bool,
    /// Its name is the first of an array, or a member called `name`.
    event: bool,
}

impl Payload {
    /// `None` where there is nothing that could be smaller.
    fn of(text: &Text, draft: &Draft) -> Option<Payload> {
        let generation: Generation = draft.headers.generation().parse().ok()?;
        let atoms: &[Atom] = &text.atoms.written_out();
        let literal: Vec<u8> = atoms.iter().map_while(byte).collect();
        let head = String::from_utf8_lossy(&literal).into_owned();
        let event = match generation {
            Generation::Rev1 => head.starts_with("5:"),
            Generation::Eio3 | Generation::Eio4 => head.starts_with("42") || head.starts_with("45"),
        };
        if let Some(plain) = plain_start(generation, &head) {
            let value = String::from_utf8(atoms.get(plain..)?.iter().map(byte).collect::<Option<_>>()?).ok()?;
            return Some(Payload {
                head: atoms[..plain].to_vec(),
                value: Value::String(value),
                holes: Vec::new(),
                plain: true,
                event: false,
            });
        }
        let at = atoms
            .iter()
            .position(|atom| matches!(atom.kind, AtomKind::Byte(b'[' | b'{')))?;
        let (json, holes) = marked(&atoms[at..])?;
        Some(Payload {
            head: atoms[..at].to_vec(),
            value: serde_json::from_str(&json).ok()?,
            holes,
            plain: false,
            event,
        })
    }

    /// Whether the payload is an event, whose name stays.
    fn named(&self) -> bool {
        self.event
    }

    /// Back to a text.
    fn text(&self) -> Option<Text> {
        let span = Span::default();
        let mut atoms = self.head.clone();
        let literal = |text: &str, atoms: &mut Vec<Atom>| {
            atoms.extend(text.bytes().map(|byte| Atom {
                kind: AtomKind::Byte(byte),
                span,
            }));
        };
        let written = match (&self.value, self.plain) {
            (Value::String(text), true) => text.clone(),
            (value, _) => serde_json::to_string(value).ok()?,
        };
        let written = written
            .replace(&format!("\"{MORE}\":0"), "...")
            .replace(&format!("\"{MORE}\""), "...");
        let written = written
            .replace(&format!("\"{AS_VALUE}"), &AS_VALUE.to_string())
            .replace(&format!("{AS_VALUE}\""), &AS_VALUE.to_string());
        for (place, part) in written.split([IN_STRING, AS_VALUE]).enumerate() {
            if place % 2 == 0 {
                literal(part, &mut atoms);
                continue;
            }
            let hole = self.holes.get(part.parse::<usize>().ok()?)?;
            atoms.push(Atom {
                kind: AtomKind::Hole(Box::new(hole.clone())),
                span,
            });
        }
        Some(Text {
            atoms: atoms.into(),
            span,
        })
    }
}

/// Where the text of a message begins that is no JSON: raw Engine.IO, and messages of revision 1.
fn plain_start(generation: Generation, head: &str) -> Option<usize> {
    match generation {
        Generation::Rev1 => {
            let rest = head.strip_prefix("3:")?;
            let mut colons = rest.match_indices(':').skip(1);
            colons.next().map(|(at, _)| at + 3)
        }
        Generation::Eio3 | Generation::Eio4 => {
            let second = head.strip_prefix('4')?.bytes().next()?;
            (!second.is_ascii_digit()).then_some(1)
        }
    }
}

/// JSON with a mark for every hole, and for `...`.
fn marked(atoms: &[Atom]) -> Option<(String, Vec<Hole>)> {
    let (mut json, mut holes) = (Vec::new(), Vec::new());
    let (mut in_string, mut escaped) = (false, false);
    let mut open: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < atoms.len() {
        let byte = match &atoms[at].kind {
            AtomKind::Hole(hole) => {
                let number = holes.len();
                holes.push((**hole).clone());
                let mark = match in_string {
                    true => format!("{IN_STRING}{number}{IN_STRING}"),
                    false => format!("\"{AS_VALUE}{number}{AS_VALUE}\""),
                };
                json.extend(mark.bytes());
                escaped = false;
                at += 1;
                continue;
            }
            AtomKind::Byte(byte) => *byte,
        };
        let dots = atoms
            .get(at..at + 3)
            .is_some_and(|three| three.iter().all(|it| it.kind == AtomKind::Byte(b'.')));
        if !in_string && dots {
            let member = if open.last() == Some(&b'{') { ":0" } else { "" };
            json.extend(format!("\"{MORE}\"{member}").bytes());
            at += 3;
            continue;
        }
        match byte {
            _ if in_string && escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => open.push(byte),
            b']' | b'}' if !in_string => drop(open.pop()),
            _ => {}
        }
        json.push(byte);
        at += 1;
    }
    String::from_utf8(json).ok().map(|json| (json, holes))
}

fn byte(atom: &Atom) -> Option<u8> {
    match atom.kind {
        AtomKind::Byte(byte) => Some(byte),
        AtomKind::Hole(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse::parse;

    fn draft(lines: &str) -> Draft {
        let text = format!("case:  eio4/test/a\n\na open websocket\n{lines}");
        Draft::of(&parse("a.wire", &text).unwrap(), None)
    }

    fn lines(draft: &Draft) -> Vec<String> {
        draft.text().lines().skip(2).map(str::to_owned).collect()
    }

    #[test]
    fn a_value_changes_wherever_it_stands_and_names_never() {
        let before = draft(
            "a > 421[\"x\",\"x\",{\"k\":[\"x\",7]},{\"_placeholder\":true,\"num\":0}]\n\
             a < 431[\"x\",{\"id\":$(str),\"k\":[\"x\",7],...}]\n",
        );
        let x = Value::from("x");
        assert_eq!(
            lines(&changed(&before, &Change::Gone(&x))),
            [
                "a > 421[\"x\",{\"k\":[7]},{\"_placeholder\":true,\"num\":0}]",
                "a < 431[{\"id\":$(str),\"k\":[7],...}]"
            ]
        );
        let longer = Value::from("y$");
        assert_eq!(
            lines(&changed(&before, &Change::Becomes(&x, &longer)))[0],
            "a > 421[\"x\",\"y\\$\",{\"k\":[\"y\\$\",7]},{\"_placeholder\":true,\"num\":0}]"
        );
    }

    #[test]
    fn holes_and_escapes_come_back_as_they_were() {
        let text = "a > 42[\"e\",\"\\\\\"q\\\\\" \\$ $fresh!\",\"é\"]\na < 42[\"e\",\"$fresh\",$(int(1..)),...]\n";
        let before = draft(text);
        let same = changed(&before, &Change::Gone(&Value::from("nowhere")));
        assert_eq!(lines(&same), lines(&before));
    }

    #[test]
    fn plain_messages_and_bytes_become_short() {
        let before = draft("a > 4hello\na < 4hello\na >b 010203\na <b 010203\n");
        let shorter = Value::from("h");
        let after = changed(&before, &Change::Becomes(&Value::from("hello"), &shorter));
        assert_eq!(lines(&after)[..2], ["a > 4h", "a < 4h"]);
        let after = changed(&before, &Change::Bytes(&[1, 2, 3], &[1]));
        assert_eq!(lines(&after)[2..], ["a >b 01", "a <b 01"]);
    }
}
