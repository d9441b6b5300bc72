//! The summary of a step, in GitHub's Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::paint::harmless;
use super::super::recorded::{Recorded, why};
use super::super::text::{count, time};
use crate::run::event::{CaseReport, Failure, Outcome};

/// How many reasons not to run a case are listed.
const REASONS: usize = 40;
/// Characters of a sentence, and of a text in a block of code.
const SENTENCE: usize = 300;
const CODE: usize = 2000;
/// Bytes for the sentence that says what was left out.
const NOTE: usize = 200;

/// The summary, in `room` bytes at most; nothing where not even the counts fit.
pub(super) fn render(run: &Recorded, room: usize) -> String {
    let head = head(run);
    let tail = not_run(run) + &notes(run);
    let Some(mut room) = room.checked_sub(head.len() + NOTE) else {
        return String::new();
    };
    // What was not run is worth less than what failed, and is short.
    let tail = if tail.len() <= room / 4 { tail } else { String::new() };
    room -= tail.len();

    let mut text = head;
    let mut left_out = Vec::new();
    let failed = run.of(Outcome::Fail);
    let lenient = run.of(Outcome::Lenient);
    let sections = [
        ("Failed", "failure", failed.iter().map(|case| failure(case)).collect()),
        (
            "Lenient",
            "lenient case",
            lenient.iter().map(|case| remarks(case)).collect::<Vec<_>>(),
        ),
    ];
    for (title, noun, items) in sections {
        let title = format!("### {title}\n\n");
        let (shown, missing) = fitting(&items, room.saturating_sub(title.len()));
        if !shown.is_empty() {
            room -= title.len() + shown.len();
            text += &title;
            text += &shown;
        }
        if missing > 0 {
            left_out.push(count(missing, noun));
        }
    }
    if !left_out.is_empty() {
        let _ = writeln!(
            text,
            "There is no room here for {}: the log has them all.\n",
            left_out.join(" and ")
        );
    }
    text + &tail
}

/// As many items as fit, in their order, and how many do not.
fn fitting(items: &[String], room: usize) -> (String, usize) {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        if text.len() + item.len() > room {
            return (text, items.len() - index);
        }
        text += item;
    }
    (text, 0)
}

/// The title, and a table of counts.
fn head(run: &Recorded) -> String {
    let target = code(run.target(), SENTENCE);
    let mut text = format!("## Socket.IO conformance of {target}\n\n");
    if run.is_cut_short() {
        text += "The run was cut short: cases are missing.\n\n";
    }
    let Some(summary) = &run.summary else { return text };
    text += "| pass | lenient | expected failure | not run | fail | time |\n|--:|--:|--:|--:|--:|--:|\n";
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} |\n",
        summary.pass,
        summary.lenient,
        summary.expected,
        summary.skip,
        summary.fail,
        time(summary.duration_ms)
    );
    let _ = writeln!(text, "{}\n", prose(&run.versions()));
    text
}

fn failure(case: &CaseReport) -> String {
    let mut text = format!("#### {}\n\n", code(&case.id, SENTENCE));
    if let Some(reason) = &case.reason {
        let _ = writeln!(text, "{}\n", prose(reason));
    }
    for failure in &case.failures {
        step(&mut text, failure);
    }
    text
}

fn remarks(case: &CaseReport) -> String {
    case.lenient.iter().fold(String::new(), |mut text, remark| {
        let ids: Vec<String> = remark.requirements.iter().map(|id| code(id, SENTENCE)).collect();
        let (id, message) = (code(&case.id, SENTENCE), prose(&remark.message));
        let _ = writeln!(text, "- {id} {}: {message}\n", ids.join(" "));
        text
    })
}

fn step(text: &mut String, failure: &Failure) {
    let ids: Vec<String> = failure.requirements.iter().map(|id| code(id, SENTENCE)).collect();
    let place = code(&format!("{}:{}", failure.file, failure.line), SENTENCE);
    let _ = writeln!(
        text,
        "{}: {} ({}, {place})\n",
        failure.level.word(),
        prose(&failure.message),
        ids.join(" ")
    );
    let sides = [("expected", &failure.expected), ("got", &failure.got)];
    let lines: Vec<String> = sides
        .iter()
        .filter_map(|(name, side)| Some(format!("{name:<8}  {}", one_line(side.as_deref()?, CODE))))
        .collect();
    if !lines.is_empty() {
        let lines = lines.join("\n");
        let fence = "`".repeat(longest_run(&lines).max(2) + 1);
        let _ = writeln!(text, "{fence}text\n{lines}\n{fence}\n");
    }
}

/// How many cases were not run or failed as they were expected to, by reason.
fn not_run(run: &Recorded) -> String {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for case in run.of(Outcome::Skip) {
        *reasons.entry(code(why(case), SENTENCE)).or_default() += 1;
    }
    for case in run.of(Outcome::Expected) {
        *reasons
            .entry(format!("expected failure: {}", code(why(case), SENTENCE)))
            .or_default() += 1;
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = "### Not run, or expected to fail\n\n| cases | reason |\n|--:|:--|\n".to_owned();
    for (reason, cases) in reasons.iter().take(REASONS) {
        // A table takes a bar for its own even in code.
        let _ = writeln!(text, "| {cases} | {} |", reason.replace('|', "\\|"));
    }
    let more = reasons.len().saturating_sub(REASONS);
    if more > 0 {
        let _ = writeln!(text, "\n{} more.", count(more, "reason"));
    }
    text + "\n"
}

fn notes(run: &Recorded) -> String {
    run.notes.iter().fold(String::new(), |mut text, note| {
        let _ = writeln!(text, "- {}\n", prose(note));
        text
    })
}

/// One line of code, whatever is in it: its fence is longer than any in it.
fn code(text: &str, most: usize) -> String {
    let line = one_line(text, most);
    let fence = "`".repeat(longest_run(&line) + 1);
    // A space at both sides is not shown, and parts a fence from a backtick beside it.
    format!("{fence} {line} {fence}")
}

/// One line of plain words: no character of them is markup.
fn prose(text: &str) -> String {
    let line = one_line(text, SENTENCE);
    line.chars().fold(String::with_capacity(line.len()), |mut out, c| {
        // A colon is what makes a word an address.
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | ';' | '\'' | '"' | '(' | ')' | '/' | '=') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

fn one_line(text: &str, most: usize) -> String {
    let line = harmless(text).replace('\n', "\\n").replace('\t', "\\t");
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// The most backticks that stand beside each other.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::super::recorded::tests::recorded;
    use super::super::super::samples;
    use super::*;
    use crate::run::event::Event;

    #[test]
    fn a_run_with_every_outcome() {
        insta::assert_snapshot!(render(&recorded(&samples::run()), 100_000));
    }

    #[test]
    fn hostile_texts_are_no_markup() {
        let text = render(&recorded(&samples::hostile()), 100_000);
        for line in text.lines().filter(|line| line.starts_with('|')) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert!(bars == 3 || bars == 7, "{line}");
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut events = samples::run();
        for round in 0..500 {
            for event in samples::run() {
                if let Event::Case(mut case) = event {
                    case.id = format!("{} {round:03}", case.id);
                    events.push(Event::Case(case));
                }
            }
        }
        let run = recorded(&events);
        let whole = render(&run, usize::MAX / 2);
        assert!(!whole.contains("no room") && whole.contains(" 499"));
        for room in [2_000, 10_000, 50_000, whole.len() - 1] {
            let text = render(&run, room);
            assert!(text.len() <= room, "{} of {room}", text.len());
            assert!(text.contains("There is no room here for "), "{text}");
        }
        assert_eq!(render(&run, 100), "");
    }

    #[test]
    fn a_run_that_was_cut_short_says_so() {
        assert!(render(&Recorded::default(), 10_000).contains("cut short"));
    }

    #[test]
    fn code_and_prose() {
        assert_eq!(code("a", 9), "` a `");
        assert_eq!(code("a``b\n|", 9), "``` a``b\\n| ```");
        assert_eq!(
            prose("<b>*x*|`y` [z](u) a:b"),
            "\\<b\\>\\*x\\*\\|\\`y\\` \\[z\\](u) a\\:b"
        );
        assert_eq!(code("abcdef", 3), "` abc… `");
    }
}
