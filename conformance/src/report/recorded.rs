//! Reports that are written at the end, from everything that happened.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{ReportError, Reporter};
use crate::run::event::{CaseReport, Event, Failure, Outcome, Start, Summary};

/// A run as it was told, without the order in which cases happened to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    /// What was about to run; none where nothing could.
    pub(super) start: Option<Start>,
    cases: Vec<CaseReport>,
    /// What is no case's result.
    pub(super) notes: Vec<String>,
    /// None where the run was cut short.
    pub(super) summary: Option<Summary>,
}

impl Recorded {
    /// Takes one event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Start(start) => self.start = Some(start.clone()),
            Event::CaseStart { .. } => {}
            Event::Case(case) => self.cases.push(case.clone()),
            Event::Note { message } => self.notes.push(message.clone()),
            Event::Summary(summary) => self.summary = Some(summary.clone()),
        }
    }

    /// Every case, by id.
    pub(super) fn cases(&self) -> Vec<&CaseReport> {
        let mut cases: Vec<&CaseReport> = self.cases.iter().collect();
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        cases
    }

    /// The cases that ended so, by id.
    pub(super) fn of(&self, outcome: Outcome) -> Vec<&CaseReport> {
        let mut cases = self.cases();
        cases.retain(|case| case.outcome == outcome);
        cases
    }

    /// Whether cases are missing: the run was interrupted, or could not go on.
    pub(super) fn is_cut_short(&self) -> bool {
        self.summary.is_none() || self.cases.len() < self.planned()
    }

    /// How many cases there should be.
    pub(super) fn planned(&self) -> usize {
        let planned = self.start.as_ref().map_or(0, |start| start.cases);
        planned.max(self.cases.len())
    }

    /// What was judged, or that nothing was.
    pub(super) fn target(&self) -> &str {
        self.start.as_ref().map_or("nothing", |start| start.target.as_str())
    }

    /// This tool's version.
    pub(super) fn tool(&self) -> &str {
        let own = env!("CARGO_PKG_VERSION");
        self.start.as_ref().map_or(own, |start| start.tool.as_str())
    }

    /// The date of the suite; none where nothing ran, and in runs of before it was told.
    pub(super) fn suite(&self) -> Option<&str> {
        self.start.as_ref().and_then(|start| start.suite.as_deref())
    }

    /// Both, for a person.
    pub(super) fn versions(&self) -> String {
        let own = || format!("sio-conformance {}", self.tool());
        self.start.as_ref().map_or_else(own, Start::versions)
    }
}

/// Why a case is not simply green, in one line: the baseline's word, or the failed step's.
pub(super) fn why(case: &CaseReport) -> &str {
    let of_step = || case.failures.first().map(|failure| failure.message.as_str());
    case.reason.as_deref().or_else(of_step).unwrap_or("no reason given")
}

/// The step that the report of a case points at.
pub(super) fn step(case: &CaseReport) -> Option<&Failure> {
    case.failures.first().or(case.lenient.first())
}

/// A file that holds what `render` makes of a whole run.
pub(super) struct Document<F> {
    path: PathBuf,
    file: File,
    recorded: Recorded,
    render: F,
}

impl<F: Fn(&Recorded) -> String> Document<F> {
    /// Creates the file, or empties it: what an earlier run left is not taken for this one's. Its directory must exist.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub(super) fn create(path: &Path, render: F) -> Result<Self, ReportError> {
        let file = File::create(path).map_err(|source| ReportError {
            path: path.to_owned(),
            source,
        })?;
        Ok(Document {
            path: path.to_owned(),
            file,
            recorded: Recorded::default(),
            render,
        })
    }
}

impl<F: Fn(&Recorded) -> String + Send> Reporter for Document<F> {
    fn event(&mut self, event: &Event) {
        self.recorded.take(event);
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        let text = (self.render)(&self.recorded);
        self.file.write_all(text.as_bytes()).map_err(|source| ReportError {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::samples;
    use super::*;

    /// What a format makes of these events.
    pub(in super::super) fn recorded(events: &[Event]) -> Recorded {
        let mut recorded = Recorded::default();
        events.iter().for_each(|event| recorded.take(event));
        recorded
    }

    #[test]
    fn a_file_holds_what_was_rendered_and_nothing_of_an_earlier_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        std::fs::write(&path, "an earlier run, which was longer").unwrap();
        let mut document = Document::create(&path, |it: &Recorded| format!("{} cases", it.cases().len())).unwrap();
        samples::run().iter().for_each(|event| document.event(event));
        document.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "9 cases");
    }

    #[test]
    fn a_directory_is_no_file() {
        let error = Document::create(Path::new("."), |_: &Recorded| String::new())
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "cannot write .");
    }

    #[test]
    fn cases_come_by_id_whoever_was_first() {
        let mut events = samples::run();
        let ids = |events: &[Event]| {
            let recorded = recorded(events);
            recorded.cases().iter().map(|case| case.id.clone()).collect::<Vec<_>>()
        };
        let forth = ids(&events);
        events.reverse();
        assert_eq!((forth.len(), &forth), (9, &ids(&events)));
        assert!(forth.is_sorted());
    }
}
