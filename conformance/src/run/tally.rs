//! What a run has come to so far, and who is told.

use super::boot::Running;
use super::event::{CaseReport, Event, Outcome, Summary};
use super::judge;
use super::late::Lateness;
use crate::report::Reporter;
use crate::scenario::catalogue::Case;

/// What a run has come to so far, and who is told.
pub(super) struct Tally<'a> {
    pub(super) summary: Summary,
    pub(super) lateness: Lateness,
    pub(super) reporter: &'a mut dyn Reporter,
    /// The target was found gone.
    pub(super) dead: bool,
}

impl Tally<'_> {
    pub(super) fn report(&mut self, case: CaseReport) {
        *match case.outcome {
            Outcome::Pass => &mut self.summary.pass,
            Outcome::Lenient => &mut self.summary.lenient,
            Outcome::Expected => &mut self.summary.expected,
            Outcome::Fail => &mut self.summary.fail,
            Outcome::Skip => &mut self.summary.skip,
        } += 1;
        let passed = matches!(case.outcome, Outcome::Pass | Outcome::Lenient);
        self.summary.flaky += usize::from(passed && case.tries > 1);
        self.reporter.event(&Event::Case(case));
    }

    /// Says once that the target is gone: it explains whatever fails from there on.
    pub(super) async fn look_after(&mut self, target: &Running) {
        if let Err(death) = target.alive().await {
            self.dead = true;
            self.reporter.event(&Event::Note {
                message: death.to_string(),
            });
        }
    }
}

pub(super) fn skipped(case: &Case, reason: String) -> CaseReport {
    CaseReport {
        requirements: judge::concerns(&case.scenario),
        ..CaseReport::skipped(case.id.clone(), title(case), reason)
    }
}

pub(super) fn title(case: &Case) -> String {
    case.scenario
        .headers
        .title
        .as_ref()
        .map(|title| title.node.clone())
        .unwrap_or_default()
}
