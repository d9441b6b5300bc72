//! Writes a baseline anew from what a run came to. Comments, order and untouched lines stay as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::last::{LastRun, RunResult};
use super::line::{Line, Verdict, WIDEST};
use super::{Baseline, BaselineError};
use crate::glob::Glob;

/// The longest message that is written down, in characters.
const MESSAGE: usize = 100;

/// A new baseline, and how it differs from the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The whole text.
    pub text: String,
    /// Lines that are new, or say something else than before.
    pub added: Vec<String>,
    /// Lines that are gone.
    pub removed: Vec<String>,
}

impl Accepted {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// What the baseline has to be for the run to be as expected: new failures are listed with `reason`; what passes, or is no
/// case any more, is not. `only` restricts this to the cases that it fits.
///
/// # Errors
///
/// Every line of the old text that does not parse.
pub fn accept(
    file: &str,
    old: &str,
    run: &LastRun,
    only: Option<&Glob>,
    reason: &str,
) -> Result<Accepted, Vec<BaselineError>> {
    let baseline = Baseline::parse(file, old)?;
    let asked = |id: &str| only.is_none_or(|glob| glob.names(id));
    let mut accepted = Accepted::default();
    let mut unlisted: Vec<(&str, &str)> = Vec::new();
    for (index, text) in old.lines().enumerate() {
        let Some(line) = baseline.lines.iter().find(|line| line.number == index + 1) else {
            let _ = writeln!(accepted.text, "{text}");
            continue;
        };
        let mine: Vec<(&str, &RunResult)> = (run.cases.iter())
            .filter(|case| baseline.line(&case.id).is_some_and(|first| first.number == line.number))
            .map(|case| (case.id.as_str(), &case.result))
            .collect();
        let concerned = match only {
            None => true,
            Some(_) => mine.iter().any(|(id, _)| asked(id)),
        };
        let (stays, others) = if concerned {
            sort_out(line, &mine, asked)
        } else {
            (Stays::Whole, Vec::new())
        };
        match stays {
            Stays::Whole => {
                let _ = writeln!(accepted.text, "{text}");
            }
            Stays::Only(ids) => {
                accepted.removed.push(text.to_owned());
                for id in ids {
                    let kept = render(id, line.verdict, line.message.as_deref(), &line.reason);
                    let _ = writeln!(accepted.text, "{kept}");
                    accepted.added.push(kept);
                }
            }
        }
        unlisted.extend(others);
    }
    for case in &run.cases {
        if let RunResult::Fail(message) = &case.result
            && asked(&case.id)
            && baseline.line(&case.id).is_none()
        {
            unlisted.push((&case.id, message));
        }
    }
    for (glob, message) in gathered(&unlisted, run, &baseline) {
        let line = render(&glob, Verdict::Fail, Some(&message), reason);
        let _ = writeln!(accepted.text, "{line}");
        accepted.added.push(line);
    }
    Ok(accepted)
}

/// What becomes of a line.
enum Stays<'a> {
    /// As it is.
    Whole,
    /// Only for these cases.
    Only(Vec<&'a str>),
}

/// For which of its cases a line still holds, and those that fail otherwise than it says.
fn sort_out<'a>(
    line: &Line,
    cases: &[(&'a str, &'a RunResult)],
    asked: impl Fn(&str) -> bool,
) -> (Stays<'a>, Vec<(&'a str, &'a str)>) {
    let (mut holds, mut otherwise) = (Vec::new(), Vec::new());
    for (id, result) in cases {
        match (line.verdict, *result) {
            _ if !asked(id) => holds.push(*id),
            (Verdict::Fail, RunResult::Pass) => {}
            (Verdict::Fail, RunResult::Fail(message)) if line.speaks_of(message) => holds.push(*id),
            // It failed each time it was tried, or with another message.
            (Verdict::Fail | Verdict::Flaky, RunResult::Fail(message)) => otherwise.push((*id, message.as_str())),
            (Verdict::Skip | Verdict::Flaky, _) | (_, RunResult::Skip) => holds.push(*id),
        }
    }
    if holds.len() == cases.len() && !cases.is_empty() {
        (Stays::Whole, otherwise)
    } else {
        (Stays::Only(holds), otherwise)
    }
}

/// Cases as globs: one for all transports where all of them fail alike, and no other line decides about one of them.
fn gathered(unlisted: &[(&str, &str)], run: &LastRun, baseline: &Baseline) -> Vec<(String, String)> {
    let mut by_case: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for (id, message) in unlisted {
        let bare = id.split('[').next().unwrap_or(id);
        by_case.entry((bare, stable(message))).or_default().push(id);
    }
    let mut lines = Vec::new();
    for ((bare, message), ids) in by_case {
        let every = Glob::new(&format!("{bare}[*]"));
        let all = run.cases.iter().filter(|case| every.names(&case.id)).count();
        let free = ids.iter().all(|id| baseline.line(id).is_none());
        if ids.len() > 1 && ids.len() == all && all <= WIDEST && free {
            lines.push((every.to_string(), message));
        } else {
            lines.extend(ids.into_iter().map(|id| (id.to_owned(), message.clone())));
        }
    }
    lines
}

/// The beginning of a message that other runs have too: up to an id, a time, which patience stretches, a value that was
/// captured, or how much there is too much of.
fn stable(message: &str) -> String {
    let mut end = message.char_indices().nth(MESSAGE).map_or(message.len(), |(at, _)| at);
    if let Some(at) = message.find(" ($") {
        let expected = message[..at].rfind("expected ");
        end = end.min(expected.map_or(at, |before| before + "expected".len()));
    }
    if let Some(at) = message.find(" bytes too many") {
        end = end.min(message[..at].rfind(' ').unwrap_or(at));
    }
    let mut start = 0;
    for word in message.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_time(bare) || is_random(bare) {
            end = end.min(start);
            break;
        }
        start += word.len();
    }
    message[..end].trim_end().to_owned()
}

/// `2.0s`, `250ms`
fn is_time(word: &str) -> bool {
    let number = word.trim_end_matches('s').trim_end_matches('m');
    word.ends_with('s') && number.parse::<f64>().is_ok()
}

/// Whether a word looks like an id: with digits, or with capitals where no header has them.
fn is_random(word: &str) -> bool {
    let digits = || word.bytes().any(|byte| byte.is_ascii_digit());
    let capitals = || {
        let inside = |part: &str| part.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
        word.split('-')
            .any(|part| inside(part) && part.bytes().any(|byte| byte.is_ascii_lowercase()))
    };
    word.len() >= 9 && digits() || word.len() >= 16 && capitals()
}

fn render(glob: &str, verdict: Verdict, message: Option<&str>, reason: &str) -> String {
    let word = match verdict {
        Verdict::Fail => "fail",
        Verdict::Flaky => "flaky",
        Verdict::Skip => "skip",
    };
    let message = message
        .map(|it| format!("  {}", serde_json::Value::from(it)))
        .unwrap_or_default();
    format!("{glob}  {word}{message}  # {reason}")
}

#[cfg(test)]
mod tests {
    use super::super::last::CaseResult;
    use super::*;

    fn run(cases: &[(&str, &str)]) -> LastRun {
        let case = |(id, result): &(&str, &str)| CaseResult {
            id: (*id).to_owned(),
            result: match *result {
                "pass" => RunResult::Pass,
                "skip" => RunResult::Skip,
                message => RunResult::Fail(message.to_owned()),
            },
        };
        LastRun {
            cases: cases.iter().map(case).collect(),
            ..LastRun::default()
        }
    }

    /// The new text of a baseline is as expected by the run it came from.
    fn holds(accepted: &Accepted, run: &LastRun) {
        use crate::run::event::Outcome;
        let baseline = Baseline::parse("b", &accepted.text).unwrap();
        let ids: Vec<&str> = run.cases.iter().map(|case| case.id.as_str()).collect();
        baseline.check(&ids).unwrap();
        assert_eq!(baseline.stale(&ids), []);
        for case in &run.cases {
            let (outcome, message) = match &case.result {
                RunResult::Pass => (Outcome::Pass, ""),
                RunResult::Skip => (Outcome::Skip, ""),
                RunResult::Fail(message) => (Outcome::Fail, message.as_str()),
            };
            let judged = baseline.judge(&case.id, outcome, message, 1).0;
            assert_ne!(judged, Outcome::Fail, "{}", case.id);
        }
    }

    #[test]
    fn writes_what_is_new_and_keeps_what_is_written() {
        let old = "# my server\n\n# acks\nx/ack/a  fail  # old\nx/gone fail # old\nx/ack/b[*] fail # some\n\
                   x/other  fail  \"was\"  # another\nx/skip skip # long\n# the end\n";
        let run = run(&[
            ("x/ack/a", "packet does not match"),
            ("x/ack/b[polling]", "pass"),
            ("x/ack/b[websocket]", "closed"),
            ("x/fresh[polling]", "closed \"early\": a1b2c3d4e5f6"),
            ("x/fresh[websocket]", "closed \"early\": f6e5d4c3b2a1"),
            ("x/one[polling]", "pass"),
            ("x/one[websocket]", "came twice"),
            ("x/other", "is now this"),
            ("x/skip", "skip"),
        ]);
        let accepted = accept("b", old, &run, None, "see #7").unwrap();
        insta::assert_snapshot!(accepted.text, @r#"
        # my server

        # acks
        x/ack/a  fail  # old
        x/ack/b[websocket]  fail  # some
        x/skip skip # long
        # the end
        x/fresh[*]  fail  "closed \"early\":"  # see #7
        x/one[websocket]  fail  "came twice"  # see #7
        x/other  fail  "is now this"  # see #7
        "#);
        assert_eq!(accepted.removed.len(), 3);
        assert_eq!(accepted.added.len(), 4);
        holds(&accepted, &run);
        assert!(accept("b", &accepted.text, &run, None, "x").unwrap().is_empty());
    }

    #[test]
    fn one_case_alone() {
        let old = "x/gone fail # old\nx/a[*] fail # old\n";
        let run = run(&[("x/a[p]", "pass"), ("x/a[w]", "pass"), ("x/b", "no"), ("x/c", "no")]);
        let only = |glob| accept("b", old, &run, Some(&Glob::new(glob)), "why").unwrap();
        assert_eq!(only("x/b").text, format!("{old}x/b  fail  \"no\"  # why\n"));
        assert_eq!(only("x/a[p]").text, "x/gone fail # old\nx/a[w]  fail  # old\n");
        assert!(only("x/nothing").is_empty());
    }

    #[test]
    fn what_always_fails_is_not_flaky() {
        let run = run(&[("x/a", "late"), ("x/b", "pass")]);
        let accepted = accept("b", "x/a flaky # timer\nx/b flaky # timer\n", &run, None, "why").unwrap();
        assert_eq!(accepted.text, "x/b flaky # timer\nx/a  fail  \"late\"  # why\n");
    }

    #[test]
    fn a_baseline_that_does_not_parse_is_not_written_over() {
        assert_eq!(
            accept("b", "x maybe # y\n", &run(&[]), None, "why").unwrap_err().len(),
            1
        );
    }

    #[rstest::rstest]
    #[case(
        "packet does not match: $.sid: expected str, got 5",
        "packet does not match: $.sid: expected str, got 5"
    )]
    #[case("expected word-f0011aabb3 here", "expected")]
    #[case(
        "nothing came: nothing that fits came within 2.0s",
        "nothing came: nothing that fits came within"
    )]
    #[case("came after 250ms, too late", "came after")]
    #[case("no response: POST /x?sid=MOtjR-JlhGPGdBGuAAXX: closed", "no response: POST /x?sid=")]
    #[case(
        "no header Access-Control-Allow-Credentials",
        "no header Access-Control-Allow-Credentials"
    )]
    #[case(
        "packet does not match: $[0]: expected 644 ($before), got 645",
        "packet does not match: $[0]: expected"
    )]
    #[case(
        "packet does not match: ack id: 2 bytes too many: `85`",
        "packet does not match: ack id:"
    )]
    #[case("3 packets, not 2", "3 packets, not 2")]
    #[case("", "")]
    fn only_the_stable_part_of_a_message_is_written(#[case] message: &str, #[case] written: &str) {
        assert_eq!(stable(message), written);
    }
}
