//! From the vectors to what a parser is asked.

use std::fmt;

use thiserror::Error;

use super::FOLDER;
use crate::scenario::fixtures;
use crate::scenario::json::{self, JsString, Value};
use crate::scenario::pattern;

/// One question to a parser, and what the answer has to be.
#[derive(Clone, Debug)]
pub struct Check {
    /// `codec/sio5/packet/an-ack[decode]`
    pub id: String,
    /// The vector's name.
    pub title: String,
    /// `sio5/packet`
    pub layer: String,
    /// The direction.
    pub operation: Operation,
    /// The vector's file.
    pub file: String,
    /// Where it stands there, from 1.
    pub line: usize,
    /// What the request has besides `id`, `op` and `layer`.
    pub(super) question: Vec<(&'static str, Value)>,
    pub(super) expected: Expected,
}

/// The direction of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// From what stands on the wire to what it means.
    Decode,
    /// The other way round.
    Encode,
}

/// The right answer.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    Decoded(Value),
    Encoded(Encoded),
    /// An error; the category says why.
    Reject(String),
}

/// What stands on the wire, and the binary messages behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) attachments: Vec<Vec<u8>>,
}

/// A file of vectors that cannot be read, which is a fault of the program.
#[derive(Debug, Error)]
#[error("{file}: {problem}")]
pub struct ChecksError {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}

impl Operation {
    /// `decode`, `encode`
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Operation::Decode => "decode",
            Operation::Encode => "encode",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Check {
    /// The line that asks.
    pub(super) fn request(&self, id: u64) -> String {
        let mut members = vec![
            ("id".into(), Value::integer(i64::try_from(id).unwrap_or(i64::MAX))),
            ("op".into(), Value::string(self.operation.word())),
            ("layer".into(), Value::string(&self.layer)),
        ];
        members.extend(
            self.question
                .iter()
                .map(|(name, value)| ((*name).into(), value.clone())),
        );
        Value::Object(members).to_string()
    }
}

/// Where it stands, what is asked, and the answer.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}: {}", self.id, self.title)?;
        writeln!(f, "# {}:{}", self.file, self.line)?;
        writeln!(f, "{}", self.request(1))?;
        writeln!(f, "{}", self.expected.answer(1))
    }
}

impl Expected {
    /// The line that is right.
    fn answer(&self, id: i64) -> Value {
        let mut members = vec![("id".into(), Value::integer(id))];
        let hexadecimal = |bytes: &[u8]| Value::string(&pattern::hex(bytes));
        match self {
            Expected::Decoded(value) => members.push(("decoded".into(), value.clone())),
            Expected::Reject(category) => members.push(("error".into(), Value::string(category))),
            Expected::Encoded(Encoded { bytes, attachments }) => {
                members.push(match std::str::from_utf8(bytes) {
                    Ok(text) => ("encoded".into(), Value::string(text)),
                    Err(_) => ("encodedHex".into(), hexadecimal(bytes)),
                });
                if !attachments.is_empty() {
                    let attachments = attachments.iter().map(|bytes| hexadecimal(bytes)).collect();
                    members.push(("attachmentsHex".into(), Value::Array(attachments)));
                }
            }
        }
        Value::Object(members)
    }
}

/// Every check of the vectors that come with the program, by file and in the order of the vectors.
///
/// # Errors
///
/// When a file is malformed.
pub fn checks() -> Result<Vec<Check>, ChecksError> {
    let mut checks = Vec::new();
    for file in fixtures::embedded(FOLDER, "json") {
        if file.path.ends_with("/schema.json") {
            continue;
        }
        let of_file = of_file(&file.path, &file.text).map_err(|problem| ChecksError {
            file: file.path.clone(),
            problem,
        })?;
        checks.extend(of_file);
    }
    Ok(checks)
}

fn of_file(path: &str, text: &str) -> Result<Vec<Check>, String> {
    let whole = json::parse(text).map_err(|error| format!("byte {}: {}", error.offset, error.message))?;
    let layer = string(&whole, "layer").ok_or("no layer")?;
    let Some(Value::Array(vectors)) = member(&whole, "vectors") else {
        return Err("no vectors".to_owned());
    };
    let boundary = member(&whole, "boundary");
    let mut checks = Vec::new();
    for vector in vectors {
        let name = string(vector, "name").ok_or("a vector without a name")?;
        // Each stands on a line of its own.
        let head = format!("{{\"name\": {},", Value::string(&name));
        let line = text.lines().position(|line| line.trim_start().starts_with(&head));
        let line = line.map_or(1, |index| index + 1);
        for operation in [Operation::Decode, Operation::Encode] {
            let asked = asked(vector, operation).map_err(|problem| format!("{name}: {problem}"))?;
            let Some((mut question, expected)) = asked else {
                continue;
            };
            question.extend(boundary.map(|boundary| ("boundary", boundary.clone())));
            checks.push(Check {
                id: format!("codec/{layer}/{}[{operation}]", slug(&name)),
                title: name.clone(),
                layer: layer.clone(),
                operation,
                file: path.to_owned(),
                line,
                question,
                expected,
            });
        }
    }
    Ok(checks)
}

type Question = (Vec<(&'static str, Value)>, Expected);

/// What a vector asks in a direction; nothing where it is not meant for it.
fn asked(vector: &Value, operation: Operation) -> Result<Option<Question>, String> {
    let only = string(vector, "direction").filter(|direction| direction != "both");
    if only.is_some_and(|direction| direction != operation.word()) {
        return Ok(None);
    }
    let wire: Vec<_> = ["encoded", "encodedHex", "attachmentsHex"]
        .into_iter()
        .filter_map(|name| Some((name, member(vector, name)?.clone())))
        .collect();
    let decoded = member(vector, "decoded");
    let reject = string(vector, "error").map(Expected::Reject);
    Ok(match operation {
        Operation::Decode => match (reject, decoded) {
            (Some(reject), _) => Some((wire, reject)),
            (None, Some(value)) => Some((wire, Expected::Decoded(value.clone()))),
            (None, None) => return Err("neither `decoded` nor `error`".to_owned()),
        },
        Operation::Encode => match (decoded, reject) {
            // A reject that is read has nothing to write.
            (None, _) => None,
            (Some(value), Some(reject)) => Some((vec![("decoded", value.clone())], reject)),
            (Some(value), None) => {
                let encoded = Encoded::of(vector)?.ok_or("nothing that stands on the wire")?;
                Some((vec![("decoded", value.clone())], Expected::Encoded(encoded)))
            }
        },
    })
}

impl Encoded {
    /// As a vector has it, or an answer: `encoded` or `encodedHex`, and `attachmentsHex`. None where there is neither.
    pub(super) fn of(object: &Value) -> Result<Option<Encoded>, String> {
        let bytes = match (member(object, "encoded"), member(object, "encodedHex")) {
            (None, None) => return Ok(None),
            (Some(Value::String(text)), None) => text.to_wtf8(),
            (None, Some(Value::String(text))) => hex(text).ok_or("`encodedHex` is not hexadecimal")?,
            (Some(_), Some(_)) => return Err("both `encoded` and `encodedHex`".to_owned()),
            _ => return Err("what stands on the wire is no string".to_owned()),
        };
        let attachments = match member(object, "attachmentsHex") {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let items = items.iter().map(|item| match item {
                    Value::String(text) => hex(text),
                    _ => None,
                });
                let items: Option<Vec<_>> = items.collect();
                items.ok_or("`attachmentsHex` is not a list of hexadecimal strings")?
            }
            Some(_) => return Err("`attachmentsHex` is no list".to_owned()),
        };
        Ok(Some(Encoded { bytes, attachments }))
    }
}

pub(super) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.member(&JsString::from(name))
}

pub(super) fn string(object: &Value, name: &str) -> Option<String> {
    match member(object, name)? {
        Value::String(text) => Some(text.to_string_lossy()),
        _ => None,
    }
}

fn hex(text: &JsString) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .to_string_lossy()
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A name as a part of an id: no spaces, which part the words of a baseline, and no `#`.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn checks_of(vectors: &str) -> Result<Vec<Check>, String> {
        let text = format!("{{\"version\": 1, \"layer\": \"a/b\", \"vectors\": [\n{vectors}\n]}}");
        of_file("fixtures/packets/a/b.json", &text)
    }

    #[test]
    fn every_vector_is_asked_for_and_every_id_is_another() {
        let checks = checks().unwrap();
        assert!(checks.len() > 1000, "{}", checks.len());
        let ids: BTreeSet<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(ids.len(), checks.len());
        for check in &checks {
            assert!(!check.id.contains([' ', '#', '\t']), "{}", check.id);
            assert!(check.line > 1, "{} is on no line of its own", check.id);
        }
    }

    #[test]
    fn directions() {
        let checks = checks_of(
            r#"{"name": "Two ways, or 2", "encoded": "x", "decoded": 1},
{"name": "one", "encodedHex": "ff", "attachmentsHex": ["01"], "decoded": 1, "direction": "decode"},
{"name": "other", "encoded": "x", "decoded": {"a": "é"}, "direction": "encode"},
{"name": "reject", "encoded": "x\n", "error": "type"},
{"name": "not to be written", "decoded": 2, "error": "key", "direction": "encode"}"#,
        );
        let shown: Vec<String> = checks
            .unwrap()
            .iter()
            .zip(1..)
            .map(|(check, id)| format!("{} line {} {}", check.id, check.line, check.request(id)))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        codec/a/b/two-ways-or-2[decode] line 2 {"id":1,"op":"decode","layer":"a/b","encoded":"x"}
        codec/a/b/two-ways-or-2[encode] line 2 {"id":2,"op":"encode","layer":"a/b","decoded":1}
        codec/a/b/one[decode] line 3 {"id":3,"op":"decode","layer":"a/b","encodedHex":"ff","attachmentsHex":["01"]}
        codec/a/b/other[encode] line 4 {"id":4,"op":"encode","layer":"a/b","decoded":{"a":"é"}}
        codec/a/b/reject[decode] line 5 {"id":5,"op":"decode","layer":"a/b","encoded":"x\n"}
        codec/a/b/not-to-be-written[encode] line 6 {"id":6,"op":"encode","layer":"a/b","decoded":2}
        "#);
    }

    #[test]
    fn the_document_shows_requests_as_they_are_sent_and_their_answers() {
        let document = include_str!("../../../docs/codec.md");
        let lines = document.lines().filter_map(|line| line.strip_prefix("    "));
        let lines: Vec<&str> = lines.filter(|line| line.starts_with('{')).collect();
        let checks = checks().unwrap();
        let ids = [
            "codec/sio5/packet/event-with-an-id[decode]",
            "codec/sio5/binary/one-attachment[encode]",
        ];
        for (index, id) in ids.into_iter().enumerate() {
            let check = checks.iter().find(|check| check.id == id).unwrap();
            let number = index + 1;
            assert_eq!(lines[index], check.request(number as u64));
            assert_eq!(
                lines[index + ids.len()],
                check.expected.answer(number as i64).to_string()
            );
        }
        assert_eq!(lines.len(), 2 * ids.len());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let error = |vectors| checks_of(vectors).unwrap_err();
        assert_eq!(error(r#"{"name": "a"}"#), "a: neither `decoded` nor `error`");
        assert_eq!(
            error(r#"{"name": "a", "encodedHex": "f", "decoded": 1}"#),
            "a: `encodedHex` is not hexadecimal"
        );
        assert_eq!(error("{}"), "a vector without a name");
    }
}
