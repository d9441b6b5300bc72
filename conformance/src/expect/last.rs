//! What the last run came to, kept for `accept`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::report::{ReportError, Reporter};
use crate::run::event::{Event, Outcome};

/// Below the folder of the traces.
const FILE: &str = "last-run.json";

/// The most bytes of such a file that are read.
const LARGEST: u64 = 64 << 20;

/// The last run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The baseline it was judged by.
    pub baseline: Option<PathBuf>,
    /// What was judged.
    pub target: String,
    /// Why it does not say everything: it was interrupted, or cases were left out. `None` where it does.
    pub partial: Option<String>,
    /// Every case.
    pub cases: Vec<CaseResult>,
}

/// How a case ended, whatever the baseline says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResult {
    /// Its id.
    pub id: String,
    /// How it ended.
    pub result: RunResult,
}

/// See [`CaseResult`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    /// It passed, or was lenient.
    Pass,
    /// It failed, with this message.
    Fail(String),
    /// It did not run.
    Skip,
}

/// Why there is no last run to accept.
#[derive(Debug, Error)]
pub enum LastRunError {
    /// There is no file.
    #[error("no run is kept in {}: run all cases first, with the same --traces", .0.display())]
    None(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {}: {reason}; run all cases again", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl LastRun {
    /// The one that was kept below `traces`.
    ///
    /// # Errors
    ///
    /// There is none, or it is no longer whole.
    pub fn read(traces: &Path) -> Result<LastRun, LastRunError> {
        let path = traces.join(FILE);
        let unreadable = |reason: String| LastRunError::Unreadable {
            path: path.clone(),
            reason,
        };
        let size = match fs::metadata(&path) {
            Ok(data) => data.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LastRunError::None(traces.to_owned())),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        if size > LARGEST {
            return Err(unreadable(format!("{size} bytes are too many")));
        }
        let text = fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// How a case ended; `None` where there is no such case.
    #[must_use]
    pub fn result(&self, id: &str) -> Option<&RunResult> {
        self.cases.iter().find(|case| case.id == id).map(|case| &case.result)
    }
}

/// Keeps the run that it is told of. A run without a summary is partial, whatever else it is.
#[derive(Debug)]
pub struct Keep {
    traces: PathBuf,
    run: LastRun,
    whole: bool,
}

impl Keep {
    /// `partial` is why the run does not say everything.
    #[must_use]
    pub fn new(traces: &Path, baseline: Option<&Path>, partial: Option<String>) -> Keep {
        Keep {
            traces: traces.to_owned(),
            run: LastRun {
                baseline: baseline.map(Path::to_owned),
                partial,
                ..LastRun::default()
            },
            whole: false,
        }
    }
}

impl Reporter for Keep {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Start(start) => self.run.target.clone_from(&start.target),
            Event::Case(case) => {
                let result = match (case.failures.first(), case.outcome) {
                    (Some(failure), _) => RunResult::Fail(failure.message.clone()),
                    (None, Outcome::Skip) => RunResult::Skip,
                    (None, _) => RunResult::Pass,
                };
                self.run.cases.push(CaseResult {
                    id: case.id.clone(),
                    result,
                });
            }
            Event::Summary(_) => self.whole = true,
            Event::CaseStart { .. } | Event::Note { .. } => {}
        }
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        if !self.whole {
            self.run.partial = Some("it was interrupted".to_owned());
        }
        self.run.cases.sort_by(|one, other| one.id.cmp(&other.id));
        let path = self.traces.join(FILE);
        let write = || {
            fs::create_dir_all(&self.traces)?;
            fs::write(&path, serde_json::to_vec(&self.run)?)
        };
        write().map_err(|source| ReportError {
            path: path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn kept(events: &[Event], partial: Option<String>) -> LastRun {
        let folder = tempfile::tempdir().unwrap();
        let mut keep = Keep::new(folder.path(), Some(Path::new("known")), partial);
        events.iter().for_each(|event| keep.event(event));
        keep.finish().unwrap();
        LastRun::read(folder.path()).unwrap()
    }

    #[test]
    fn keeps_what_came_whatever_the_baseline_says() {
        let run = kept(&samples::run(), None);
        assert_eq!(run.partial, None);
        assert_eq!(run.baseline.as_deref(), Some(Path::new("known")));
        assert_eq!(run.cases.len(), 9);
        let failed = RunResult::Fail("packet does not match".to_owned());
        assert_eq!(run.result("rev1/ack/data[xhr-polling]"), Some(&failed));
        // Listed as failing, and passed.
        assert_eq!(run.result("rev1/ack/id"), Some(&RunResult::Pass));
        assert_eq!(run.result("rev1/volatile/all"), Some(&RunResult::Skip));
        assert_eq!(run.result("rev1/x"), None);
    }

    #[test]
    fn a_run_that_was_cut_short_is_partial() {
        let events = samples::run();
        let run = kept(&events[..events.len() - 1], None);
        assert_eq!(run.partial.as_deref(), Some("it was interrupted"));
        let run = kept(&events, Some("cases were left out".to_owned()));
        assert_eq!(run.partial.as_deref(), Some("cases were left out"));
    }

    #[test]
    fn says_that_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let error = LastRun::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("run all cases first"), "{error}");
        fs::write(folder.path().join(FILE), "{").unwrap();
        let error = LastRun::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("run all cases again"), "{error}");
    }
}
