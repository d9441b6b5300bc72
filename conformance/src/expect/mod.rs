//! The baseline: the known failures of one server, each with its reason, in a file that cannot go stale.
//!
//! ```text
//! # socket.io 0.9.19
//! rev1/ack/data[xhr-polling]  fail   "packet does not match"  # acknowledges with an empty array
//! rev1/heartbeat/late         flaky                           # its timer is coarse
//! rev1/htmlfile/*             skip                            # the release has no htmlfile
//! ```
//!
//! A line is a [`Glob`] over case ids, what is known of them, how the failure's message begins where that is to
//! be held fast, and `#` with a reason. Where two lines match a case, the first one counts.

mod accept;
mod last;
mod line;

use std::collections::BTreeSet;

use thiserror::Error;

pub use self::accept::{Accepted, accept};
pub use self::last::{CaseResult, Keep, LastRun, LastRunError, RunResult};
pub use self::line::Problem;
use self::line::{Line, Verdict, WIDEST, parse_line};
use crate::glob::Glob;
use crate::run::event::Outcome;
use crate::suite::Renamed;

/// How often a case that is listed as flaky is tried before its failure is one.
pub const TRIES: u32 = 5;

/// A parsed baseline file. The empty one (`Baseline::default()`) lists nothing.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    file: String,
    lines: Vec<Line>,
}

impl Baseline {
    /// Parses the text of a baseline file; `file` is its path as messages show it.
    ///
    /// # Errors
    ///
    /// Every line that does not parse.
    pub fn parse(file: &str, text: &str) -> Result<Baseline, Vec<BaselineError>> {
        let mut lines: Vec<Line> = Vec::new();
        let mut errors = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let number = index + 1;
            let parsed = parse_line(text, number).and_then(|line| match line {
                Some(line) => match lines.iter().find(|earlier| earlier.glob == line.glob) {
                    Some(earlier) => Err(Problem::Twice(earlier.number)),
                    None => Ok(Some(line)),
                },
                None => Ok(None),
            });
            match parsed {
                Ok(line) => lines.extend(line),
                Err(problem) => errors.push(BaselineError {
                    file: file.to_owned(),
                    line: number,
                    problem,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Baseline {
                file: file.to_owned(),
                lines,
            })
        } else {
            Err(errors)
        }
    }

    /// Refuses globs that are too wide; `ids` are all cases there are, whatever the run selects.
    ///
    /// # Errors
    ///
    /// Every such line.
    pub fn check(&self, ids: &[impl AsRef<str>]) -> Result<(), Vec<BaselineError>> {
        let errors: Vec<BaselineError> = (self.lines.iter())
            .filter_map(|line| {
                let cases = ids.iter().filter(|id| line.glob.names(id.as_ref())).count();
                (cases > WIDEST).then(|| self.error(line, Problem::Wide { cases }))
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Why the case is not to be run, if a `skip` line says so: `FILE:LINE: reason`.
    #[must_use]
    pub fn skips(&self, id: &str) -> Option<String> {
        self.line(id)
            .filter(|line| line.verdict == Verdict::Skip)
            .map(|line| self.reason(line))
    }

    /// Whether a case that failed with this message is to be tried again.
    #[must_use]
    pub fn tries_again(&self, id: &str, message: &str, tries: u32) -> bool {
        let line = self.line(id).filter(|line| line.verdict == Verdict::Flaky);
        line.is_some_and(|line| tries < TRIES && line.speaks_of(message))
    }

    /// What a result counts as, and why if not as what it is. A lenient case has passed. `message` is that of the failure,
    /// empty where there is none; `tries` how often the case was run.
    ///
    /// A listed failure is [`Outcome::Expected`]; a pass that is listed as a failure is a failure, of the baseline, and so
    /// is a failure with another message than the listed one.
    #[must_use]
    pub fn judge(&self, id: &str, outcome: Outcome, message: &str, tries: u32) -> (Outcome, Option<String>) {
        let Some(line) = self.line(id) else {
            return (outcome, None);
        };
        let place = format!("{}:{}", self.file, line.number);
        match (line.verdict, outcome) {
            (Verdict::Fail | Verdict::Flaky, Outcome::Fail) if !line.speaks_of(message) => {
                let listed = line.message.as_deref().unwrap_or_default();
                let reason = format!(
                    "fails with another message than {place} lists: listed {listed:?}, came {message:?}; look at it, and \
                     write the new one if it is the same defect"
                );
                (Outcome::Fail, Some(reason))
            }
            (Verdict::Fail, Outcome::Fail) => (Outcome::Expected, Some(self.reason(line))),
            (Verdict::Fail, Outcome::Pass | Outcome::Lenient) => {
                let reason = format!("passes, but {place} lists it as failing: remove the line");
                (Outcome::Fail, Some(reason))
            }
            (Verdict::Flaky, Outcome::Fail) => {
                let reason = format!("failed {tries} times of {tries}, but {place} lists it as flaky: write `fail`");
                (Outcome::Fail, Some(reason))
            }
            (Verdict::Flaky, Outcome::Pass | Outcome::Lenient) if tries > 1 => (outcome, Some(self.reason(line))),
            _ => (outcome, None),
        }
    }

    /// The lines that decide about none of `ids`. Only after a full run is that an error.
    #[must_use]
    pub fn stale(&self, ids: &[impl AsRef<str>]) -> Vec<BaselineError> {
        let deciding = ids.iter().filter_map(|id| self.line(id.as_ref()));
        let deciding: BTreeSet<usize> = deciding.map(|line| line.number).collect();
        (self.lines.iter())
            .filter(|line| !deciding.contains(&line.number))
            .map(|line| {
                let glob = line.glob.to_string();
                let every_transport = Glob::new(&format!("{glob}[*]"));
                let hint = ids.iter().any(|id| every_transport.names(id.as_ref()));
                self.error(
                    line,
                    Problem::Stale {
                        hint: hint.then(|| every_transport.to_string()),
                        glob,
                    },
                )
            })
            .collect()
    }

    /// The lines that call a case by an earlier name.
    #[must_use]
    pub fn renamed(&self) -> Vec<BaselineError> {
        let renamed = self.lines.iter().filter_map(|line| {
            let glob = line.glob.to_string();
            let now = Renamed::embedded().now(&glob)?;
            Some(self.error(line, Problem::Renamed { glob, now }))
        });
        renamed.collect()
    }

    fn line(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.glob.names(id))
    }

    fn reason(&self, line: &Line) -> String {
        format!("{}:{}: {}", self.file, line.number, line.reason)
    }

    fn error(&self, line: &Line, problem: Problem) -> BaselineError {
        BaselineError {
            file: self.file.clone(),
            line: line.number,
            problem,
        }
    }
}

/// A line of a baseline that cannot stand: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {problem}")]
pub struct BaselineError {
    /// The file.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a server

rev1/ack/data[websocket]  fail  # empty array, see #12
rev1/htmlfile/*           skip  # has none
rev1/ack/id  fail \"packet does not\" # wrong id
rev1/late/*  flaky \"came too\" # coarse timer
rev1/ack/*                fail  # never
";

    fn baseline() -> Baseline {
        Baseline::parse("peers/x/baseline", TEXT).unwrap()
    }

    #[rstest::rstest]
    #[case::listed(
        "ack/data[websocket]",
        Outcome::Fail,
        "x",
        1,
        Outcome::Expected,
        "peers/x/baseline:3: empty array, see #12"
    )]
    #[case::passes(
        "ack/data[websocket]",
        Outcome::Pass,
        "",
        1,
        Outcome::Fail,
        "passes, but peers/x/baseline:3 lists it as failing: remove the line"
    )]
    #[case::lenient(
        "ack/data[websocket]",
        Outcome::Lenient,
        "",
        1,
        Outcome::Fail,
        "passes, but peers/x/baseline:3 lists it as failing: remove the line"
    )]
    #[case::skipped("ack/data[websocket]", Outcome::Skip, "", 1, Outcome::Skip, "")]
    #[case::unlisted("room/in", Outcome::Fail, "x", 1, Outcome::Fail, "")]
    #[case::unlisted_lenient("room/in", Outcome::Lenient, "", 1, Outcome::Lenient, "")]
    #[case::same_message(
        "ack/id",
        Outcome::Fail,
        "packet does not match: $[0]",
        1,
        Outcome::Expected,
        "peers/x/baseline:5: wrong id"
    )]
    #[case::other_message(
        "ack/id",
        Outcome::Fail,
        "closed",
        1,
        Outcome::Fail,
        "fails with another message than peers/x/baseline:5 lists: listed \"packet does not\", came \"closed\"; look at it, and write the new one if it is the same defect"
    )]
    #[case::flaky_at_once("late/x", Outcome::Pass, "", 1, Outcome::Pass, "")]
    #[case::flaky_later("late/x", Outcome::Pass, "", 3, Outcome::Pass, "peers/x/baseline:6: coarse timer")]
    #[case::flaky_never(
        "late/x",
        Outcome::Fail,
        "came too late",
        5,
        Outcome::Fail,
        "failed 5 times of 5, but peers/x/baseline:6 lists it as flaky: write `fail`"
    )]
    #[case::flaky_otherwise(
        "late/x",
        Outcome::Fail,
        "closed",
        1,
        Outcome::Fail,
        "fails with another message than peers/x/baseline:6 lists: listed \"came too\", came \"closed\"; look at it, and write the new one if it is the same defect"
    )]
    fn judges(
        #[case] id: &str,
        #[case] outcome: Outcome,
        #[case] message: &str,
        #[case] tries: u32,
        #[case] counts_as: Outcome,
        #[case] reason: &str,
    ) {
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        assert_eq!(
            baseline().judge(&format!("rev1/{id}"), outcome, message, tries),
            (counts_as, reason)
        );
    }

    #[test]
    fn only_what_is_flaky_is_tried_again_and_not_for_ever() {
        assert!(baseline().tries_again("rev1/late/x", "came too late", TRIES - 1));
        assert!(!baseline().tries_again("rev1/late/x", "came too late", TRIES));
        assert!(!baseline().tries_again("rev1/late/x", "closed", 1));
        assert!(!baseline().tries_again("rev1/ack/id", "packet does not match", 1));
        assert!(!Baseline::default().tries_again("rev1/late/x", "came too late", 1));
    }

    #[test]
    fn skips() {
        assert_eq!(
            baseline().skips("rev1/htmlfile/open").as_deref(),
            Some("peers/x/baseline:4: has none")
        );
        assert_eq!(baseline().skips("rev1/ack/data[websocket]"), None);
        assert_eq!(Baseline::default().skips("rev1/htmlfile/open"), None);
    }

    #[test]
    fn refuses_a_glob_over_more_than_twenty_cases() {
        let ids: Vec<String> = (0..=WIDEST).map(|n| format!("rev1/ack/case-{n}")).collect();
        let errors = baseline().check(&ids).unwrap_err();
        assert_eq!(
            errors[0].to_string(),
            "peers/x/baseline:7: matches 21 cases, more than 20: use narrower globs, one for each defect"
        );
        assert_eq!(baseline().check(&ids[1..]), Ok(()));
    }

    #[test]
    fn finds_lines_that_decide_nothing() {
        let text = "a/b fail # x\na/* fail # y\na/?[c] skip # shadowed\nz fail # z\n";
        let baseline = Baseline::parse("b", text).unwrap();
        let stale = baseline.stale(&["a/b[c]"]);
        insta::assert_snapshot!(stale.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
        b:1: `a/b` decides about no case: write `a/b[*]` for every transport, or name one in the brackets
        b:3: `a/?[c]` decides about no case: remove the line (`sio-conformance list` shows the ids)
        b:4: `z` decides about no case: remove the line (`sio-conformance list` shows the ids)
        ");
    }
}
