//! What the server gave and a later run will give otherwise: session ids, ids and private ids of sockets, offsets, and ids
//! that a client says again. They are known by their place, never by their looks alone. What is used again is a capture, and
//! what is not a typed hole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::echoes::Echoes;
use super::moments::{Body, Moment, What};
use super::places::{
    build, connect, enclosing, hole, is_id, json_start, of_type, offset, overlap, quoted, stands_alone, strings,
};
use super::sessions::Session;
use crate::client::Message;
use crate::scenario::Generation;
use crate::scenario::ast::{BaseType, Hole, Text};
use crate::scenario::json::{JsString, Value};

/// Values of this length and longer are found within other text, too; shorter ones only where they stand alone.
const LONG: usize = 8;
/// A string that a client repeats is an id from this length on, where it looks like one.
const ID: usize = 12;
/// Values that are followed at the most: a server that gives every message an id gives many.
const VALUES: usize = 2000;

/// How the session ids of sessions are called that are written request by request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sids {
    /// There is one session, so it can be `$sid`.
    pub(super) plain: bool,
}

/// A value and its name.
#[derive(Clone, Debug)]
struct Known {
    value: String,
    name: String,
    /// The client whose `open` binds it as `$sid`.
    owner: Option<String>,
    /// How often it is seen, its first place included.
    seen: usize,
}

/// What is known of a recording's values.
pub(super) struct Values {
    known: Vec<Known>,
    /// Into `known`, by the first byte, the longest first.
    by_first: BTreeMap<u8, Vec<usize>>,
    bound: BTreeSet<String>,
    /// Events whose last argument is an offset, by moment, with the name where a client repeats it.
    offsets: BTreeMap<usize, Option<String>>,
    /// Where a client repeats an offset: by moment, the value and its name.
    repeats: BTreeMap<usize, (String, String)>,
    echoes: Echoes,
    generation: Generation,
    /// What could only be written as it was, and why that will not do.
    pub(super) lost: Vec<String>,
}

/// Which way a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Sent: only captures that are bound can stand in it.
    Sent,
    /// Expected at that moment, by its number.
    Expected(usize),
}

impl Values {
    pub(super) fn find(generation: Generation, sessions: &[&Session<'_>], moments: &[Moment], sids: Sids) -> Values {
        let mut values = Values {
            known: Vec::new(),
            by_first: BTreeMap::new(),
            bound: BTreeSet::new(),
            offsets: BTreeMap::new(),
            repeats: BTreeMap::new(),
            echoes: Echoes::find(sessions),
            generation,
            lost: Vec::new(),
        };
        values.session_ids(sessions, moments, sids);
        if generation != Generation::Rev1 {
            values.socket_ids(moments);
            values.find_offsets(moments);
        }
        values.repeated(moments);
        values.count(moments);
        values
    }

    fn session_ids(&mut self, sessions: &[&Session<'_>], moments: &[Moment], sids: Sids) {
        for (number, session) in sessions.iter().enumerate() {
            let Some(sid) = &session.sid else { continue };
            let client = super::lane(number);
            let mut own = moments.iter().filter(|moment| moment.client == client);
            let opens = own.any(|moment| matches!(moment.what, What::Open { .. }));
            let name = match sids.plain && !opens {
                true => "sid".to_owned(),
                false => format!("{client}Sid"),
            };
            self.add(sid, name, opens.then_some(client));
        }
    }

    /// The ids in the answers to CONNECT: `40/custom,{"sid":"…","pid":"…"}`.
    fn socket_ids(&mut self, moments: &[Moment]) {
        for (moment, text) in expected(moments) {
            let Some(data) = connect(text) else { continue };
            for (key, name) in [("sid", "Id"), ("pid", "Pid")] {
                if let Some(Value::String(id)) = data.member(&JsString::from(key)) {
                    let name = self.free(&format!("{}{name}", moment.client));
                    self.add(&id.to_string_lossy(), name, None);
                }
            }
        }
    }

    /// Events of a client whose CONNECT was answered with a `pid` end with an offset, and a client that comes back names the
    /// last one that it has seen.
    fn find_offsets(&mut self, moments: &[Moment]) {
        let mut remembered: BTreeMap<&str, String> = BTreeMap::new();
        let mut newest: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
        for (number, moment) in moments.iter().enumerate() {
            let texts = texts(moment);
            match &moment.what {
                What::Expect(_) => {
                    let Some(text) = texts.first() else { continue };
                    if let Some(Value::String(pid)) =
                        connect(text).and_then(|it| it.member(&JsString::from("pid")).cloned())
                    {
                        remembered.insert(&moment.client, pid.to_string_lossy());
                    } else if let Some(pid) = remembered.get(moment.client.as_str())
                        && let Some(range) = offset(text)
                    {
                        newest
                            .entry(pid.clone())
                            .or_default()
                            .push((number, text[range].to_owned()));
                        self.offsets.insert(number, None);
                    }
                }
                What::Send(_) => {
                    let Some(claim) = texts.first().and_then(|text| connect(text)) else {
                        continue;
                    };
                    let member = |name: &str| match claim.member(&JsString::from(name)) {
                        Some(Value::String(text)) => Some(text.to_string_lossy()),
                        _ => None,
                    };
                    let (Some(pid), Some(offset)) = (member("pid"), member("offset")) else {
                        continue;
                    };
                    let seen = newest.get(&pid).into_iter().flatten().rev();
                    let mut seen = seen.filter(|(_, value)| *value == offset);
                    if let Some((at, _)) = seen.next() {
                        let given = moments.get(*at).map_or("a", |it| it.client.as_str());
                        let name = self.free(&format!("{given}Offset"));
                        self.offsets.insert(*at, Some(name.clone()));
                        self.repeats.insert(number, (offset, name));
                    }
                }
                _ => {}
            }
        }
    }

    /// Ids that the server said first, and a client later.
    fn repeated(&mut self, moments: &[Moment]) {
        let mut said: BTreeSet<String> = BTreeSet::new();
        let mut given: BTreeMap<String, String> = BTreeMap::new();
        for moment in moments {
            for text in texts(moment) {
                for (range, key) in strings(text) {
                    let value = &text[range];
                    if key || value.len() < ID || !is_id(value) {
                        continue;
                    }
                    if moment.expects() {
                        if !said.contains(value) && given.len() < VALUES {
                            given.entry(value.to_owned()).or_insert_with(|| moment.client.clone());
                        }
                    } else if let Some(client) = given.remove(value) {
                        let name = self.free(&format!("{client}Value"));
                        self.add(value, name, None);
                    } else {
                        said.insert(value.to_owned());
                    }
                }
            }
        }
    }

    fn count(&mut self, moments: &[Moment]) {
        let mut seen = vec![0; self.known.len()];
        for moment in moments {
            let targets = match &moment.what {
                What::Request { target, .. } | What::Ws { target, .. } => Some(target.as_str()),
                _ => None,
            };
            for text in texts(moment).into_iter().chain(targets) {
                for (_, number) in self.places(text) {
                    if let Some(seen) = seen.get_mut(number) {
                        *seen += 1;
                    }
                }
            }
        }
        for (known, seen) in self.known.iter_mut().zip(seen) {
            known.seen = seen;
        }
    }

    fn free(&self, name: &str) -> String {
        let taken = |name: &String| {
            self.known.iter().any(|known| known.name == *name)
                || self.offsets.values().flatten().any(|known| known == name)
        };
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    fn add(&mut self, value: &str, name: String, owner: Option<String>) {
        if value.is_empty() || self.known.len() >= VALUES || self.known.iter().any(|known| known.value == value) {
            return;
        }
        let number = self.known.len();
        let known = &mut self.known;
        known.push(Known {
            value: value.to_owned(),
            name,
            owner,
            seen: 0,
        });
        let first = self.by_first.entry(value.as_bytes()[0]).or_default();
        first.push(number);
        first.sort_by_key(|number| std::cmp::Reverse(known[*number].value.len()));
    }

    /// The client's `open` has bound its session id.
    pub(super) fn opened(&mut self, client: &str) {
        self.bound.insert(format!("{client} sid"));
    }

    /// Where known values stand in a text.
    fn places(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let candidates = self.by_first.get(&bytes[at]).map_or(&[][..], Vec::as_slice);
            let fits = candidates.iter().find(|number| {
                let value = &self.known[**number].value;
                let end = at + value.len();
                bytes[at..].starts_with(value.as_bytes()) && (value.len() >= LONG || stands_alone(bytes, at..end))
            });
            match fits {
                Some(number) => {
                    let end = at + self.known[*number].value.len();
                    found.push((at..end, *number));
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    /// The text with captures and holes in it. `number` is the moment.
    pub(super) fn text(&mut self, client: &str, text: &str, number: usize, way: Use) -> Text {
        let mut edits: Vec<(Range<usize>, Hole)> = Vec::new();
        if let Use::Expected(_) = way
            && let Some(name) = self.offsets.get(&number).cloned()
            && let Some(range) = offset(text)
        {
            if let Some(name) = &name {
                self.bound.insert(name.clone());
            }
            edits.push((quoted(&range), hole(name, true)));
        }
        let strings = strings(text);
        if let Use::Expected(_) = way {
            edits.extend(self.echoes.edits(text, &strings));
        }
        // Where a client names one, and where the server says so again.
        let repeats = self.repeats.range(..=number).map(|(_, repeat)| repeat);
        for (value, name) in repeats.filter(|(_, name)| self.bound.contains(name)) {
            if let Some(at) = text.find(&format!("\"offset\":\"{value}\"")) {
                let start = at + "\"offset\":\"".len();
                edits.push((start..start + value.len(), hole(Some(name.clone()), false)));
                break;
            }
        }
        let keys: Vec<Range<usize>> = strings.into_iter().filter(|it| it.1).map(|it| it.0).collect();
        for (range, known) in self.places(text) {
            if edits.iter().any(|(taken, _)| overlap(taken, &range)) {
                continue;
            }
            if keys.iter().any(|key| overlap(key, &range)) {
                self.keyed(text, &range, client, way, &mut edits);
                continue;
            }
            if let Some(edit) = self.edit(text, range, known, client, way) {
                edits.push(edit);
            }
        }
        edits.sort_by_key(|(range, _)| range.start);
        build(text, &edits)
    }

    /// A value as a hole, if it can be one here.
    fn edit(
        &mut self,
        text: &str,
        range: Range<usize>,
        number: usize,
        client: &str,
        way: Use,
    ) -> Option<(Range<usize>, Hole)> {
        let known = self.known[number].clone();
        if known.owner.as_deref() == Some(client) && self.bound.contains(&format!("{client} sid")) {
            return Some((range, hole(Some("sid".to_owned()), false)));
        }
        if self.bound.contains(&known.name) {
            return Some((range, hole(Some(known.name), false)));
        }
        if way == Use::Sent {
            self.lost.push(format!(
                "{client} sends {:?}, an id of the server's that no line above shows: it stands as it was recorded",
                known.value
            ));
            return None;
        }
        let whole = text
            .as_bytes()
            .get(..range.start)
            .is_some_and(|before| before.ends_with(b"\""))
            && text.as_bytes().get(range.end) == Some(&b'"')
            && json_start(text).is_some_and(|start| start < range.start);
        let name = (known.seen > 1).then_some(known.name);
        if let Some(name) = &name {
            self.bound.insert(name.clone());
        }
        Some(match (whole, name) {
            (true, name) => (quoted(&range), hole(name, true)),
            (false, None) => (range, hole(None, true)),
            (false, Some(name)) => (range, hole(Some(name), false)),
        })
    }

    /// A key cannot be a hole, so the object as a whole is one.
    fn keyed(&mut self, text: &str, key: &Range<usize>, client: &str, way: Use, edits: &mut Vec<(Range<usize>, Hole)>) {
        let Some(object) = enclosing(text, key.start).filter(|_| way != Use::Sent) else {
            self.lost.push(format!(
                "{client} sends an id of the server's as a key: it stands as it was recorded"
            ));
            return;
        };
        edits.retain(|(range, _)| !overlap(range, &object));
        edits.push((object, of_type(BaseType::Obj, false)));
        self.lost.push(format!(
            "{client}: what is in an object whose keys are ids of the server's"
        ));
    }

    /// Whether the server remembers sockets: it gave one a private id.
    pub(super) fn remembers(moments: &[Moment]) -> bool {
        expected(moments).any(|(_, text)| connect(text).is_some_and(|it| it.member(&JsString::from("pid")).is_some()))
    }

    /// The generation whose packets these are.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }
}

/// The texts of what went by at a moment, packets and bodies.
fn texts(moment: &Moment) -> Vec<&str> {
    match &moment.what {
        What::Send(messages)
        | What::Expect(messages)
        | What::Request {
            body: Body::Packets(messages),
            ..
        } => messages
            .iter()
            .filter_map(|message| match message {
                Message::Text(text) => Some(text.as_str()),
                Message::Binary(_) => None,
            })
            .collect(),
        What::ExpectBytes(bytes)
        | What::Request {
            body: Body::Bytes(bytes),
            ..
        } => std::str::from_utf8(bytes).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn expected(moments: &[Moment]) -> impl Iterator<Item = (&Moment, &str)> {
    let expected = moments.iter().filter(|moment| matches!(moment.what, What::Expect(_)));
    expected.flat_map(|moment| texts(moment).into_iter().map(move |text| (moment, text)))
}
