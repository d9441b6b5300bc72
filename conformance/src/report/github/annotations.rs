//! Commands to GitHub's runner that mark lines: `::error file=…,line=…::message`.

use std::fmt::Write;

use super::super::paint::harmless;
use super::super::recorded::{Recorded, why};
use crate::run::event::{CaseReport, Failure, Outcome};

/// How many of each kind GitHub shows of one step.
const SHOWN: usize = 10;
/// Characters of one text of a message.
const TEXT: usize = 500;

/// An error for each failure, and a warning for each remark, as many as are shown; by id.
pub(super) fn render(run: &Recorded) -> String {
    let failed = run.of(Outcome::Fail);
    let errors = failed.iter().map(|case| match case.failures.first() {
        Some(failure) => at_step("error", case, failure),
        None => command("error", &[("title", &case.id)], why(case)),
    });
    let lenient = run.of(Outcome::Lenient);
    let remarks = lenient.iter().flat_map(|case| {
        let remarks = case.lenient.iter();
        remarks.map(|remark| at_step("warning", case, remark))
    });
    errors.take(SHOWN).chain(remarks.take(SHOWN)).collect()
}

fn at_step(kind: &str, case: &CaseReport, failure: &Failure) -> String {
    let (line, column) = (failure.line.to_string(), failure.column.to_string());
    let properties = [
        ("file", failure.file.as_str()),
        ("line", &line),
        ("col", &column),
        ("title", &case.id),
    ];
    let mut message = clipped(&failure.message);
    if !failure.requirements.is_empty() {
        let _ = write!(message, "\n{}", failure.requirements.join(" "));
    }
    for (name, text) in [("expected", &failure.expected), ("got", &failure.got)] {
        if let Some(text) = text {
            let _ = write!(message, "\n{name} {}", clipped(text));
        }
    }
    command(kind, &properties, &message)
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// One line, whatever is in the texts.
fn command(kind: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{name}={}", property(value)))
        .collect();
    format!("::{kind} {}::{}\n", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    let text = harmless(text).replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::super::recorded::tests::recorded;
    use super::super::super::samples;
    use super::*;
    use crate::run::event::Event;

    #[test]
    fn a_run_with_every_outcome() {
        insta::assert_snapshot!(render(&recorded(&samples::run())));
    }

    #[test]
    fn hostile_texts_stay_on_their_line() {
        let text = render(&recorded(&samples::hostile()));
        assert!(
            text.lines()
                .all(|line| line.starts_with("::error ") || line.starts_with("::warning "))
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_more_than_are_shown() {
        let mut events = Vec::new();
        for round in 0..30 {
            for event in samples::run() {
                if let Event::Case(mut case) = event {
                    case.id = format!("{} {round:02}", case.id);
                    events.push(Event::Case(case));
                }
            }
        }
        let text = render(&recorded(&events));
        let of = |kind: &str| text.lines().filter(|line| line.starts_with(kind)).count();
        assert_eq!((of("::error "), of("::warning ")), (SHOWN, SHOWN));
        assert!(text.contains("rev1/ack/data[xhr-polling] 00"));
    }
}
