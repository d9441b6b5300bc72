//! The baseline: the known failures of one server, each with its reason, in a file that cannot go stale.
//!
//! ```text
//! # socket.io 0.9.19
//! rev1/ack/data[xhr-polling]   fail   # acknowledges with an empty array
//! rev1/htmlfile/*              skip   # the release has no htmlfile
//! ```
//!
//! A line is a [`Glob`] over case ids, `fail` or `skip`, and `#` with a reason. Where two lines match a case, the first one
//! counts.

use thiserror::Error;

use crate::glob::Glob;
use crate::run::event::Outcome;

/// A glob that matches more cases than this hides more than it says.
const WIDEST: usize = 20;

/// A parsed baseline file. The empty one (`Baseline::default()`) lists nothing.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    file: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    glob: Glob,
    verdict: Verdict,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fail,
    Skip,
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
                let cases = ids.iter().filter(|id| line.glob.matches(id.as_ref())).count();
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

    /// What a result counts as, and why if not as what it is. A lenient case has passed.
    ///
    /// A listed failure is [`Outcome::Expected`]; a pass that is listed as a failure is a failure, of the baseline.
    #[must_use]
    pub fn judge(&self, id: &str, outcome: Outcome) -> (Outcome, Option<String>) {
        let Some(line) = self.line(id).filter(|line| line.verdict == Verdict::Fail) else {
            return (outcome, None);
        };
        match outcome {
            Outcome::Fail => (Outcome::Expected, Some(self.reason(line))),
            Outcome::Pass | Outcome::Lenient => {
                let (file, number) = (&self.file, line.number);
                let reason = format!("passes, but {file}:{number} lists it as failing: remove the line");
                (Outcome::Fail, Some(reason))
            }
            Outcome::Expected | Outcome::Skip => (outcome, None),
        }
    }

    /// The lines that decide about none of `ids`. Only after a full run is that an error.
    #[must_use]
    pub fn stale(&self, ids: &[impl AsRef<str>]) -> Vec<BaselineError> {
        (self.lines.iter())
            .filter(|line| {
                !ids.iter()
                    .any(|id| self.line(id.as_ref()).is_some_and(|first| first.number == line.number))
            })
            .map(|line| {
                let glob = line.glob.to_string();
                let every_transport = Glob::new(&format!("{glob}[*]"));
                let hint = ids.iter().any(|id| every_transport.matches(id.as_ref()));
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

    fn line(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.glob.matches(id))
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

/// See [`BaselineError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Nothing after the glob.
    #[error("no verdict: write `{glob}  fail  # why` or `{glob}  skip  # why`")]
    NoVerdict {
        /// The glob.
        glob: String,
    },
    /// Another word than the two.
    #[error("`{0}` is no verdict: write `fail` or `skip`")]
    Verdict(String),
    /// More words before the `#`.
    #[error("`{0}` after the verdict: write the reason behind a `#`")]
    Extra(String),
    /// No `#`, or nothing behind it.
    #[error("no reason: write why behind a `#`")]
    NoReason,
    /// The same glob again.
    #[error("line {0} has the same glob: keep one of the two")]
    Twice(usize),
    /// More than 20 cases.
    #[error("matches {cases} cases, more than {WIDEST}: use narrower globs, one for each defect")]
    Wide {
        /// How many.
        cases: usize,
    },
    /// No case, or none that an earlier line does not decide.
    #[error("`{glob}` decides about no case: {}", stale_advice(hint.as_deref()))]
    Stale {
        /// The glob.
        glob: String,
        /// A glob that would match.
        hint: Option<String>,
    },
}

fn stale_advice(hint: Option<&str>) -> String {
    match hint {
        Some(glob) => format!("write `{glob}` for every transport, or name one in the brackets"),
        None => "remove the line (`sio-conformance list` shows the ids)".to_owned(),
    }
}

fn parse_line(text: &str, number: usize) -> Result<Option<Line>, Problem> {
    let (words, reason) = match text.split_once('#') {
        Some((words, reason)) => (words, reason.trim()),
        None => (text, ""),
    };
    let mut words = words.split_whitespace();
    let Some(glob) = words.next() else { return Ok(None) };
    let verdict = match words.next() {
        Some("fail") => Verdict::Fail,
        Some("skip") => Verdict::Skip,
        Some(other) => return Err(Problem::Verdict(other.to_owned())),
        None => return Err(Problem::NoVerdict { glob: glob.to_owned() }),
    };
    if let Some(extra) = words.next() {
        return Err(Problem::Extra(extra.to_owned()));
    }
    if reason.is_empty() {
        return Err(Problem::NoReason);
    }
    Ok(Some(Line {
        number,
        glob: Glob::new(glob),
        verdict,
        reason: reason.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a server

rev1/ack/data[websocket]  fail  # empty array, see #12
rev1/htmlfile/*           skip  # has none
rev1/ack/*                fail  # never
";

    fn baseline() -> Baseline {
        Baseline::parse("peers/x/baseline", TEXT).unwrap()
    }

    #[test]
    fn judges() {
        let listed = "rev1/ack/data[websocket]";
        let passes = "passes, but peers/x/baseline:3 lists it as failing: remove the line";
        assert_eq!(
            baseline().judge(listed, Outcome::Fail),
            (
                Outcome::Expected,
                Some("peers/x/baseline:3: empty array, see #12".into())
            )
        );
        assert_eq!(
            baseline().judge(listed, Outcome::Pass),
            (Outcome::Fail, Some(passes.into()))
        );
        assert_eq!(
            baseline().judge(listed, Outcome::Lenient),
            (Outcome::Fail, Some(passes.into()))
        );
        assert_eq!(baseline().judge(listed, Outcome::Skip), (Outcome::Skip, None));
        assert_eq!(baseline().judge("rev1/room/in", Outcome::Fail), (Outcome::Fail, None));
        assert_eq!(
            baseline().judge("rev1/room/in", Outcome::Lenient),
            (Outcome::Lenient, None)
        );
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
    fn reports_every_error() {
        let text = "a\nb maybe # x\nc fail because # x\nd fail\ne skip #\nf fail # x\nf skip # y\n";
        let errors = Baseline::parse("b", text).unwrap_err();
        insta::assert_snapshot!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
        b:1: no verdict: write `a  fail  # why` or `a  skip  # why`
        b:2: `maybe` is no verdict: write `fail` or `skip`
        b:3: `because` after the verdict: write the reason behind a `#`
        b:4: no reason: write why behind a `#`
        b:5: no reason: write why behind a `#`
        b:7: line 6 has the same glob: keep one of the two
        ");
    }

    #[test]
    fn refuses_a_glob_over_more_than_twenty_cases() {
        let ids: Vec<String> = (0..=WIDEST).map(|n| format!("rev1/ack/case-{n}")).collect();
        let errors = baseline().check(&ids).unwrap_err();
        assert_eq!(
            errors[0].to_string(),
            "peers/x/baseline:5: matches 21 cases, more than 20: use narrower globs, one for each defect"
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
