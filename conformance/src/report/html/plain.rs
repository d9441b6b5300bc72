//! What a reader without scripts sees: the counts of each run and its failures.

use std::fmt::Write as _;

use super::Run;
use crate::run::event::{CaseReport, Outcome};

/// The most failures of a run in the table.
const ROWS: usize = 500;

/// Text as HTML shows it. Characters that end lines or turn the direction of text are shown as what they are.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A section for each run.
pub(super) fn plain(runs: &[Run]) -> String {
    let mut out = String::from("<p>Everything else on this page needs scripts.</p>\n");
    for run in runs {
        let counts = [
            (Outcome::Fail, "fail"),
            (Outcome::Expected, "expected failures"),
            (Outcome::Lenient, "lenient"),
            (Outcome::Pass, "pass"),
            (Outcome::Skip, "not run"),
        ];
        let counts: Vec<String> = counts
            .iter()
            .map(|(outcome, word)| format!("{} {word}", run.count(*outcome)))
            .collect();
        let cut = if run.is_cut() { " · the run was cut short" } else { "" };
        let _ = writeln!(
            out,
            "<h1>{}</h1>\n<p>{}{cut}</p>",
            escaped(run.name()),
            counts.join(" · ")
        );
        let failed: Vec<&CaseReport> = run
            .cases
            .values()
            .filter(|case| case.outcome == Outcome::Fail)
            .collect();
        if failed.is_empty() {
            continue;
        }
        out.push_str("<table>\n<tr><th>case</th><th>what is wrong</th><th>expected</th><th>came</th></tr>\n");
        failed.iter().take(ROWS).for_each(|case| row(case, &mut out));
        out.push_str("</table>\n");
        if failed.len() > ROWS {
            let _ = writeln!(out, "<p>and {} more</p>", failed.len() - ROWS);
        }
    }
    out
}

fn row(case: &CaseReport, out: &mut String) {
    let failure = case.failures.first();
    let message = failure.map(|it| it.message.as_str()).or(case.reason.as_deref());
    let code = |text: Option<&String>| text.map_or(String::new(), |text| format!("<code>{}</code>", escaped(text)));
    let _ = writeln!(
        out,
        "<tr><td><b>{}</b><br>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escaped(&case.id),
        escaped(&case.title),
        escaped(message.unwrap_or_default()),
        code(failure.and_then(|it| it.expected.as_ref())),
        code(failure.and_then(|it| it.got.as_ref())),
    );
}
