//! `--tap`: the Test Anything Protocol, version 14.

use std::fmt::Write;
use std::path::Path;

use super::paint::harmless;
use super::recorded::{Document, Recorded, step, why};
use super::{ReportError, Reporter};
use crate::run::event::{CaseReport, Failure, Outcome};

/// The report in this file.
///
/// # Errors
///
/// When the file cannot be created.
pub fn tap(path: &Path) -> Result<impl Reporter + use<>, ReportError> {
    Document::create(path, render)
}

/// The document: the plan, and a test point for each case, by id.
fn render(run: &Recorded) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", run.planned());
    comment(&mut text, &run.versions());
    comment(&mut text, &format!("target {}", run.target()));
    for note in &run.notes {
        comment(&mut text, note);
    }
    for (index, case) in run.cases().into_iter().enumerate() {
        let ok = match case.outcome {
            Outcome::Pass | Outcome::Lenient | Outcome::Skip => "ok",
            Outcome::Expected | Outcome::Fail => "not ok",
        };
        let directive = match case.outcome {
            Outcome::Skip => format!(" # SKIP {}", words(why(case))),
            Outcome::Expected => format!(" # TODO {}", words(why(case))),
            Outcome::Pass | Outcome::Lenient | Outcome::Fail => String::new(),
        };
        let _ = writeln!(text, "{ok} {} - {}{directive}", index + 1, words(&case.id));
        diagnostics(&mut text, case);
    }
    if run.is_cut_short() {
        text.push_str("Bail out! the run was cut short\n");
    }
    text
}

/// The YAML block of a case that has something to say: its failure, or its remarks.
fn diagnostics(text: &mut String, case: &CaseReport) {
    let mut lines: Vec<(&str, String)> = Vec::new();
    match (step(case), case.outcome) {
        (Some(failure), _) => of_step(&mut lines, failure),
        (None, Outcome::Fail) => lines.push(("message", scalar(why(case)))),
        (None, _) => return,
    }
    if case.failures.is_empty() && case.lenient.len() > 1 {
        let others = case.lenient.iter().skip(1).map(|remark| scalar(&remark.message));
        lines.push(("also", format!("[{}]", others.collect::<Vec<_>>().join(", "))));
    }
    if let Some(trace) = &case.trace {
        lines.push(("trace", scalar(trace)));
    }
    text.push_str("  ---\n");
    for (name, value) in lines {
        let _ = writeln!(text, "  {name}: {value}");
    }
    text.push_str("  ...\n");
}

fn of_step(lines: &mut Vec<(&str, String)>, failure: &Failure) {
    lines.push(("message", scalar(&failure.message)));
    lines.push(("level", failure.level.word().to_owned()));
    let ids: Vec<String> = failure.requirements.iter().map(|id| scalar(id)).collect();
    lines.push(("requirements", format!("[{}]", ids.join(", "))));
    for (name, value) in [("expected", &failure.expected), ("got", &failure.got)] {
        lines.extend(value.as_ref().map(|value| (name, scalar(value))));
    }
    lines.push(("file", scalar(&failure.file)));
    lines.push(("line", failure.line.to_string()));
    lines.push(("column", failure.column.to_string()));
}

/// A description or reason: one line, in which `\` and `#` are no syntax.
fn words(text: &str) -> String {
    let text = harmless(text).replace('\\', "\\\\").replace('#', "\\#");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines that say nothing to a reader of results.
fn comment(text: &mut String, said: &str) {
    for line in harmless(said).lines() {
        let _ = writeln!(text, "# {line}");
    }
}

/// A YAML scalar in double quotes, on one line, whatever it says.
fn scalar(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = match u32::from(c) {
                    code @ 0..=0xff => write!(out, "\\x{code:02x}"),
                    code => write!(out, "\\u{code:04x}"),
                };
            }
        }
    }
    out + "\""
}

/// YAML's own list, without what it counts as the end of a line and what reorders one.
fn is_printable(c: char) -> bool {
    let breaks = matches!(
        c,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    );
    !c.is_control() && !breaks && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::recorded::tests::recorded;
    use super::super::samples;
    use super::*;
    use crate::run::event::Event;

    #[test]
    fn a_run_with_every_outcome() {
        insta::assert_snapshot!(render(&recorded(&samples::run())));
    }

    #[test]
    fn hostile_texts_stay_where_they_belong() {
        let text = render(&recorded(&samples::hostile()));
        // A line of the document is one of these, whatever a server said.
        for line in text.lines() {
            let known = ["TAP version 14", "1..", "# ", "ok ", "not ok ", "  "];
            assert!(known.iter().any(|start| line.starts_with(start)), "{line:?}");
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_run_that_was_cut_short_says_so() {
        assert!(render(&Recorded::default()).ends_with("Bail out! the run was cut short\n"));
        let mut events = samples::run();
        events.retain(|event| !matches!(event, Event::Case(case) if case.outcome == Outcome::Pass));
        let text = render(&recorded(&events));
        assert!(
            text.contains("\n1..9\n") && text.contains("\nok 8 ") && !text.contains("\nok 9 "),
            "{text}"
        );
        assert!(text.ends_with("Bail out! the run was cut short\n"));
    }

    #[rstest]
    #[case("a # TODO b", "a \\# TODO b")]
    #[case("a\\b", "a\\\\b")]
    #[case("a\nok 2 - b", "a ok 2 - b")]
    #[case("a\u{1b}b", "a\\\\u{1b}b")]
    fn descriptions(#[case] text: &str, #[case] escaped: &str) {
        assert_eq!(words(text), escaped);
    }

    #[rstest]
    #[case("a \"b\" \\c", r#""a \"b\" \\c""#)]
    #[case("a\r\n...\u{1b}\u{85}\u{2028}\u{202e}é", r#""a\r\n...\x1b\x85\u2028\u202eé""#)]
    fn scalars(#[case] text: &str, #[case] escaped: &str) {
        assert_eq!(scalar(text), escaped);
    }
}
