//! The report a person reads: from events to text, and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::paint::{Paint, harmless};
use crate::exit::Exit;
use crate::run::engine::NEWER;
use crate::run::event::{CaseReport, Event, Failure, Outcome, Summary};

/// How many features that are not there the last line names.
const FEATURES: usize = 8;

/// Turns events into text: failures at once, everything else at the end, sorted by id.
pub struct Text {
    paint: Paint,
    /// Every case that did not simply pass.
    remarkable: Vec<CaseReport>,
    notes: Vec<String>,
    summary: Option<Summary>,
}

impl Text {
    /// A report that has not begun.
    #[must_use]
    pub fn new(paint: Paint) -> Text {
        Text {
            paint,
            remarkable: Vec::new(),
            notes: Vec::new(),
            summary: None,
        }
    }

    /// Takes one event and returns what is to be shown at once, whole lines or nothing.
    pub fn event(&mut self, event: &Event) -> String {
        match event {
            Event::Start(start) => {
                let target = harmless(&start.target);
                let named = match &start.name {
                    Some(name) => format!("{} ({target})", harmless(name)),
                    None => target,
                };
                let by = start.config.as_deref().map(|file| format!(", by {}", harmless(file)));
                return format!(
                    "{} {} on {}{} ({})\n\n",
                    self.paint.head("judging"),
                    named,
                    count(start.cases, "case"),
                    by.unwrap_or_default(),
                    harmless(&start.versions())
                );
            }
            Event::CaseStart { .. } => {}
            Event::Case(case) => {
                if case.outcome != Outcome::Pass {
                    self.remarkable.push(case.clone());
                }
                if case.outcome == Outcome::Fail {
                    return failed(case, self.paint);
                }
            }
            Event::Note { message } => self.notes.push(harmless(message)),
            Event::Summary(summary) => self.summary = Some(summary.clone()),
        }
        String::new()
    }

    /// What is to be shown at the end: the lists, then the counts in the last line.
    #[must_use]
    pub fn closing(&self) -> String {
        let mut cases: Vec<&CaseReport> = self.remarkable.iter().collect();
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        let of = |outcome| {
            cases
                .iter()
                .copied()
                .filter(move |case: &&CaseReport| case.outcome == outcome)
        };

        let mut text = String::new();
        let paint = self.paint;
        self.list(&mut text, &paint.odd("lenient"), of(Outcome::Lenient).flat_map(remarks));
        let newer = |case: &&CaseReport| case.reason.as_deref().is_some_and(|it| it.starts_with(NEWER));
        let warnings = of(Outcome::Expected).filter(newer);
        self.list(
            &mut text,
            &paint.odd("warnings"),
            warnings.map(|case| {
                format!(
                    "{}  ({})",
                    in_one_line(case),
                    case.reason.as_deref().unwrap_or_default()
                )
            }),
        );
        let skips = reasons(of(Outcome::Skip));
        self.list(
            &mut text,
            &paint.head("not run"),
            skips.iter().map(|(reason, n)| format!("{n:4}  {reason}")),
        );
        self.list(&mut text, &paint.head("notes"), self.notes.iter().cloned());
        self.list(&mut text, &paint.bad("failed"), of(Outcome::Fail).map(in_one_line));
        let Some(summary) = &self.summary else {
            return text + &paint.bad("the run was cut short: no summary") + "\n";
        };
        if summary.fail > 0 {
            let exit = Exit::Unexpected;
            let _ = writeln!(
                text,
                "exit code {}: {}. `sio-conformance show CASE` shows a case; known failures go into a --baseline, \
                 which `sio-conformance accept` writes\n",
                exit.code(),
                exit.meaning()
            );
        }
        text + &self.counts(summary, &skips) + "\n"
    }

    /// `title:` and an indented line for each item; nothing where there is none.
    fn list(&self, text: &mut String, title: &str, items: impl Iterator<Item = String>) {
        let lines: Vec<String> = items.collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "{title}\n  {}\n", lines.join("\n  "));
        }
    }

    /// `311 pass · 2 lenient · 1 expected failure · 4 not applicable (no webtransport) · 0 fail · 8.3 s`
    fn counts(&self, summary: &Summary, skips: &BTreeMap<String, usize>) -> String {
        let paint = self.paint;
        let some = |n: usize, text: String| (n > 0).then_some(text);
        let (absent, other): (Vec<_>, Vec<_>) = skips.iter().partition(|(reason, _)| reason.starts_with("no "));
        let sum = |reasons: &[(&String, &usize)]| reasons.iter().map(|(_, n)| **n).sum::<usize>();
        let mut features: Vec<&str> = absent.iter().map(|(reason, _)| reason.as_str()).collect();
        let more = format!("{} more", features.len().saturating_sub(FEATURES));
        if features.len() > FEATURES {
            features.truncate(FEATURES);
            features.push(&more);
        }
        let parts = [
            Some(paint.good(&format!("{} pass", summary.pass))),
            some(summary.flaky, paint.odd(&format!("{} of them flaky", summary.flaky))),
            some(summary.lenient, paint.odd(&format!("{} lenient", summary.lenient))),
            some(summary.expected, count(summary.expected, "expected failure")),
            some(
                absent.len(),
                format!("{} not applicable ({})", sum(&absent), features.join(", ")),
            ),
            some(other.len(), format!("{} skipped", sum(&other))),
            some(summary.reruns, count(summary.reruns, "rerun")),
            Some(match summary.fail {
                0 => paint.good("0 fail"),
                fail => paint.bad(&format!("{fail} fail")),
            }),
            Some(time(summary.duration_ms)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// The whole diagnostics of a failed case.
fn failed(case: &CaseReport, paint: Paint) -> String {
    let mut text = String::new();
    for failure in &case.failures {
        let rendered = harmless(failure.rendered.trim_end());
        let (first, rest) = rendered.split_once('\n').unwrap_or((&rendered, ""));
        // The diagnostic names the case itself where it can.
        let id = if first.contains(&case.id) {
            String::new()
        } else {
            format!("  {}", case.id)
        };
        let _ = writeln!(text, "{}{}", paint.bad(first), paint.faint(&id));
        if !rest.is_empty() {
            let _ = writeln!(text, "{rest}");
        }
        text.push('\n');
    }
    if let Some(reason) = &case.reason {
        let _ = writeln!(text, "{} {}\n", paint.bad(&format!("{}:", case.id)), harmless(reason));
    } else if case.failures.is_empty() {
        let _ = writeln!(
            text,
            "{}\n",
            paint.bad(&format!("{}: failed, and nothing says why", case.id))
        );
    }
    text
}

/// `id  message  (file:line)`
fn in_one_line(case: &CaseReport) -> String {
    match case.failures.first() {
        Some(Failure {
            message, file, line, ..
        }) => format!("{}  {}  ({file}:{line})", case.id, one_line(message)),
        None => format!("{}  {}", case.id, one_line(case.reason.as_deref().unwrap_or("failed"))),
    }
}

/// `id  requirement  message`, for each remark.
fn remarks(case: &CaseReport) -> Vec<String> {
    let line = |remark: &Failure| {
        format!(
            "{}  {}  {}",
            case.id,
            remark.requirements.join(" "),
            one_line(&remark.message)
        )
    };
    case.lenient.iter().map(line).collect()
}

/// How many cases were not run, by reason.
fn reasons<'a>(skipped: impl Iterator<Item = &'a CaseReport>) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for case in skipped {
        let reason = case
            .reason
            .as_deref()
            .map_or_else(|| "no reason given".to_owned(), one_line);
        *reasons.entry(reason).or_default() += 1;
    }
    reasons
}

fn one_line(text: &str) -> String {
    harmless(text.lines().next().unwrap_or_default())
}

/// `1 case`, `2 cases`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// `8.3 s`, `2 min 5 s`.
pub(super) fn time(ms: u64) -> String {
    let tenths = ms.saturating_add(50) / 100;
    match tenths / 600 {
        0 => format!("{}.{} s", tenths / 10, tenths % 10),
        minutes => format!("{minutes} min {} s", tenths % 600 / 10),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::samples;
    use super::*;

    fn report(events: &[Event], paint: Paint) -> String {
        let mut text = Text::new(paint);
        let shown: String = events.iter().map(|event| text.event(event)).collect();
        shown + &text.closing()
    }

    #[test]
    fn a_run_with_every_outcome() {
        insta::assert_snapshot!(report(&samples::run(), Paint::OFF));
    }

    #[test]
    fn in_colour() {
        let text = report(&samples::run(), Paint::ON);
        insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
    }

    #[test]
    fn the_last_line_names_some_of_many_features() {
        let mut text = Text::new(Paint::OFF);
        for event in samples::run() {
            let Event::Case(case) = event else { continue };
            for number in 10..30 {
                let (reason, outcome) = (Some(format!("no layer-{number}")), Outcome::Skip);
                text.event(&Event::Case(CaseReport {
                    reason,
                    outcome,
                    ..case.clone()
                }));
            }
        }
        text.event(&Event::Summary(Summary::default()));
        let closing = text.closing();
        assert!(closing.contains("180 not applicable (no layer-10, "), "{closing}");
        assert!(closing.contains("no layer-17, 12 more)"), "{closing}");
    }

    #[test]
    fn the_order_of_the_lists_does_not_depend_on_the_order_of_the_cases() {
        let mut text = [Text::new(Paint::OFF), Text::new(Paint::OFF)];
        let events = samples::run();
        events.iter().for_each(|event| drop(text[0].event(event)));
        events.iter().rev().for_each(|event| drop(text[1].event(event)));
        assert_eq!(text[0].closing(), text[1].closing());
    }

    #[test]
    fn a_run_that_was_cut_short_says_so() {
        assert!(Text::new(Paint::OFF).closing().contains("cut short"));
    }

    #[rstest]
    #[case(49, "0.0 s")]
    #[case(8312, "8.3 s")]
    #[case(59_949, "59.9 s")]
    #[case(59_950, "1 min 0 s")]
    #[case(125_000, "2 min 5 s")]
    fn times(#[case] ms: u64, #[case] shown: &str) {
        assert_eq!(time(ms), shown);
    }
}
