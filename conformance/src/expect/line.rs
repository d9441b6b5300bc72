//! One line of a baseline.

use thiserror::Error;

use crate::glob::Glob;

/// A glob that matches more cases than this hides more than it says.
pub(super) const WIDEST: usize = 20;

/// A line that says something.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// 1-based.
    pub(super) number: usize,
    pub(super) glob: Glob,
    pub(super) verdict: Verdict,
    /// How the message of the failure has to begin.
    pub(super) message: Option<String>,
    pub(super) reason: String,
}

/// What is known of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It fails.
    Fail,
    /// It fails now and then.
    Flaky,
    /// It is not to be run.
    Skip,
}

impl Line {
    /// Whether a failure with this message is the one that is listed.
    pub(super) fn speaks_of(&self, message: &str) -> bool {
        self.message.as_deref().is_none_or(|prefix| message.starts_with(prefix))
    }
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Nothing after the glob.
    #[error("no verdict: write `{glob}  fail  # why`, or `flaky` or `skip` for `fail`")]
    NoVerdict {
        /// The glob.
        glob: String,
    },
    /// Another word than the three.
    #[error("`{0}` is no verdict: write `fail`, `flaky` or `skip`")]
    Verdict(String),
    /// A message whose quotation mark has no partner, or that is no JSON string.
    #[error("the message does not end: write it as \"packet does not match\", with \\\" for a quotation mark in it")]
    Message,
    /// A message of what is not run.
    #[error("a case that is skipped has no message: remove it")]
    MessageOfSkip,
    /// More words before the `#`.
    #[error("`{0}` before the `#`: write the reason behind it, and a message in quotation marks")]
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
    /// An old name, which goes on to work.
    #[error("`{glob}` is now called `{now}`: write that")]
    Renamed {
        /// The glob.
        glob: String,
        /// The name it has now.
        now: String,
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

/// Parses a line; `None` where it is empty or a comment.
pub(super) fn parse_line(text: &str, number: usize) -> Result<Option<Line>, Problem> {
    let (glob, rest) = word(text);
    if glob.is_empty() || glob.starts_with('#') {
        return Ok(None);
    }
    let (verdict, rest) = word(rest);
    let verdict = match verdict {
        "fail" => Verdict::Fail,
        "flaky" => Verdict::Flaky,
        "skip" => Verdict::Skip,
        "" => return Err(Problem::NoVerdict { glob: glob.to_owned() }),
        other if other.starts_with('#') => return Err(Problem::NoVerdict { glob: glob.to_owned() }),
        other => return Err(Problem::Verdict(other.to_owned())),
    };
    let (message, rest) = message(rest.trim_start())?;
    if message.is_some() && verdict == Verdict::Skip {
        return Err(Problem::MessageOfSkip);
    }
    let (extra, reason) = rest.split_once('#').unwrap_or((rest, ""));
    if let Some(extra) = extra.split_whitespace().next() {
        return Err(Problem::Extra(extra.to_owned()));
    }
    if reason.trim().is_empty() {
        return Err(Problem::NoReason);
    }
    Ok(Some(Line {
        number,
        glob: Glob::new(glob),
        verdict,
        message,
        reason: reason.trim().to_owned(),
    }))
}

/// The first word and what is behind it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// A JSON string at the start of `text`, if there is one, and what is behind it.
fn message(text: &str) -> Result<(Option<String>, &str), Problem> {
    if !text.starts_with('"') {
        return Ok((None, text));
    }
    let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match strings.next() {
        Some(Ok(message)) => Ok((Some(message), &text[strings.byte_offset()..])),
        _ => Err(Problem::Message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_to_do() {
        let lines = [
            "a",
            "a # x",
            "b maybe # x",
            "c fail because # x",
            "d fail",
            "e skip #",
            "f fail \"not ended # x",
            "g skip \"x\" # x",
            "h fail \"x\" y # x",
        ];
        let errors = lines.map(|line| parse_line(line, 1).unwrap_err().to_string());
        insta::assert_snapshot!(errors.join("\n"), @r#"
        no verdict: write `a  fail  # why`, or `flaky` or `skip` for `fail`
        no verdict: write `a  fail  # why`, or `flaky` or `skip` for `fail`
        `maybe` is no verdict: write `fail`, `flaky` or `skip`
        `because` before the `#`: write the reason behind it, and a message in quotation marks
        no reason: write why behind a `#`
        no reason: write why behind a `#`
        the message does not end: write it as "packet does not match", with \" for a quotation mark in it
        a case that is skipped has no message: remove it
        `y` before the `#`: write the reason behind it, and a message in quotation marks
        "#);
    }

    #[test]
    fn a_message_may_hold_what_ends_lines_elsewhere() {
        let line = parse_line(r##"a/b[c]  flaky  "got \"#\" é"  # see #12"##, 7)
            .unwrap()
            .unwrap();
        assert_eq!((line.number, line.verdict), (7, Verdict::Flaky));
        assert_eq!(line.message.as_deref(), Some("got \"#\" é"));
        assert_eq!(line.reason, "see #12");
        assert!(line.speaks_of("got \"#\" é and more"));
        assert!(!line.speaks_of("nothing"));
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        for text in ["", "   ", "# a fail # b", "  # x"] {
            assert!(parse_line(text, 1).unwrap().is_none(), "{text:?}");
        }
    }
}
