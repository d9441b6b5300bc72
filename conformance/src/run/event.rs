//! What happens during a run, as one typed stream; every reporter and `--json` consume it.

use serde::{Deserialize, Serialize};

use crate::scenario::ast::{Authority, Level};

/// The version of the JSON lines; raised when a field changes its meaning or goes away.
pub const FORMAT_VERSION: u32 = 1;

/// One line of `--json`. It is read again by [`Event::read`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line.
    Start(Start),
    /// A case began.
    CaseStart {
        /// The case's id, transport included.
        id: String,
    },
    /// A case ended.
    Case(CaseReport),
    /// Something a person should know that is no case's result.
    Note {
        /// One sentence.
        message: String,
    },
    /// The last line.
    Summary(Summary),
}

impl Event {
    /// Reads a line that [`Event`] was written to; `None` for an event that this version does not know.
    ///
    /// # Errors
    ///
    /// When the line is no JSON object with `event`, or lacks a field of that event.
    pub fn read(line: &str) -> serde_json::Result<Option<Event>> {
        // Not serde's own tags: with numbers of any precision, what is buffered for a tag loses its numbers.
        Ok(Some(match serde_json::from_str::<Tag>(line)?.event.as_str() {
            "start" => Event::Start(serde_json::from_str(line)?),
            "case-start" => {
                let Begun { id } = serde_json::from_str(line)?;
                Event::CaseStart { id }
            }
            "case" => Event::Case(serde_json::from_str(line)?),
            "note" => {
                let Noted { message } = serde_json::from_str(line)?;
                Event::Note { message }
            }
            "summary" => Event::Summary(serde_json::from_str(line)?),
            _ => return Ok(None),
        }))
    }
}

#[derive(Deserialize)]
struct Tag {
    event: String,
}

#[derive(Deserialize)]
struct Begun {
    id: String,
}

#[derive(Deserialize)]
struct Noted {
    message: String,
}

/// What is about to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// This tool's version.
    pub tool: String,
    /// What is judged: a URL, a command line, or `embedded`.
    pub target: String,
    /// How many cases were selected, skipped ones included.
    pub cases: usize,
    /// What the server is called: `--name`, or as the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The file that says what it claims, and how it is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The date of the suite: [`crate::suite::DATE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// When the run began, in UTC: `2026-11-28T09:58:31Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

impl Start {
    /// What judged, for a person: `sio-conformance 0.1.0, suite 2026-11-28`.
    #[must_use]
    pub fn versions(&self) -> String {
        let suite = self.suite.as_ref().map(|date| format!(", suite {date}"));
        format!("sio-conformance {}{}", self.tool, suite.unwrap_or_default())
    }
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// The case's id, transport included: `rev1/ack/data[xhr-polling]`.
    pub id: String,
    /// The scenario's title.
    pub title: String,
    /// The verdict.
    pub outcome: Outcome,
    /// Wall time.
    pub duration_ms: u64,
    /// What the case is concerned with, in the order in which it names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Concern>,
    /// Failed `must` steps (at most one: a failing `must` ends the case).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// Failed `should` and `may` steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lenient: Vec<Failure>,
    /// Why it was skipped, or why it was expected to fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often the case was run again because the harness itself was late, or the server's heartbeats, or its browser failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reruns: u32,
    /// How often the case was tried because the baseline lists it as flaky; 1 where nothing is said.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub tries: u32,
    /// Where the trace was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The text of the trace, of every case that ran: shortened by [`crate::run::trace::shortened`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
}

impl CaseReport {
    /// A case that did not run, and why.
    #[must_use]
    pub fn skipped(id: String, title: String, reason: String) -> CaseReport {
        CaseReport {
            id,
            title,
            outcome: Outcome::Skip,
            duration_ms: 0,
            requirements: Vec::new(),
            failures: Vec::new(),
            lenient: Vec::new(),
            reason: Some(reason),
            reruns: 0,
            tries: 1,
            trace: None,
            wire: None,
        }
    }
}

/// A requirement that a case names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// `rev1#ack/data`
    pub id: String,
    /// How binding it is for the case: the most binding of its steps.
    pub level: Level,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A case's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every step as written.
    Pass,
    /// Conformant, but a `should` step failed.
    Lenient,
    /// Failed, and the baseline lists it.
    Expected,
    /// Failed, or passed although the baseline lists it as failing (`reason` says so).
    Fail,
    /// Not run; `reason` says why.
    Skip,
}

/// A step that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// How binding the step is.
    pub level: Level,
    /// Who says so.
    pub authority: Authority,
    /// The requirements the step belongs to.
    pub requirements: Vec<String>,
    /// What is wrong, in one line: `packet does not match`.
    pub message: String,
    /// The scenario's path.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What the step asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// The whole diagnostic, without colour.
    pub rendered: String,
}

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Passed.
    pub pass: usize,
    /// Conformant with remarks.
    pub lenient: usize,
    /// Failed as the baseline says.
    pub expected: usize,
    /// Failed.
    pub fail: usize,
    /// Skipped.
    pub skip: usize,
    /// The sum of the cases' reruns.
    pub reruns: usize,
    /// Of the cases that passed, those that needed more than one try, as the baseline allows.
    #[serde(default, skip_serializing_if = "none")]
    pub flaky: usize,
    /// Wall time of the run.
    pub duration_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn none(n: &usize) -> bool {
    *n == 0
}
