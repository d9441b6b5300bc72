//! `--html`: one page that shows one run or several. It holds everything it needs: styles, scripts, and the runs as JSON, of
//! which its script makes what is looked at.
//!
//! | module | what |
//! |---|---|
//! | [`run`](self) | a run, put together of its events |
//! | `data` | runs to the JSON in the page |
//! | `lines` | the lines of all traces, each once |
//! | `left` | what a case with pages left behind |
//! | `proof` | what `prove` found |
//! | `plain` | the table for readers without scripts |
//! | `page` | the file itself |

mod data;
mod left;
mod lines;
mod page;
mod plain;
mod proof;
mod run;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use left::Left;
pub use proof::Proof;
pub use run::Run;

use super::{ReportError, Reporter};
use crate::run::event::{Concern, Event};
use crate::run::judge;
use crate::scenario::catalogue::Catalogue;
use crate::scenario::requirements::Requirements;

/// What is known without a run: the requirements, and which scenario is concerned with which.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// Every requirement.
    pub requirements: Requirements,
    /// By the scenario's id, without a transport.
    pub concerns: BTreeMap<String, Vec<Concern>>,
}

impl Knowledge {
    /// Of these scenarios.
    #[must_use]
    pub fn of(catalogue: &Catalogue) -> Knowledge {
        let scenarios = catalogue.scenarios.iter();
        Knowledge {
            requirements: catalogue.requirements.clone(),
            concerns: scenarios
                .map(|scenario| (scenario.headers.case.node.clone(), judge::concerns(scenario)))
                .collect(),
        }
    }
}

/// The page of these runs, in the order given. The same runs make the same bytes. `left` is asked for what a case with pages
/// left in the folder of its trace.
#[must_use]
pub fn html(runs: &[Run], knowledge: &Knowledge, proof: &Proof, left: &mut dyn FnMut(&str) -> Left) -> String {
    let data = data::data(runs, knowledge, proof, left);
    page::page(&page::title(runs), &data::embedded(&data), &plain::plain(runs))
}

/// Collects what happens, and writes the page at the end. Each `start` begins another run.
pub struct Html {
    path: PathBuf,
    file: File,
    knowledge: Knowledge,
    proof: Proof,
    runs: Vec<Run>,
}

impl Html {
    /// Creates the file, or empties it. Its directory must exist.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub fn create(path: &Path, knowledge: Knowledge, proof: Proof) -> Result<Html, ReportError> {
        let file = File::create(path).map_err(|source| ReportError {
            path: path.to_owned(),
            source,
        })?;
        Ok(Html {
            path: path.to_owned(),
            file,
            knowledge,
            proof,
            runs: Vec::new(),
        })
    }
}

impl Reporter for Html {
    fn wants_traces(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Start(start) => self.runs.push(Run::begun(start)),
            event => {
                if let Some(run) = self.runs.last_mut() {
                    run.take(event);
                }
            }
        }
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        let page = html(&self.runs, &self.knowledge, &self.proof, &mut left::reader());
        let written = self.file.write_all(page.as_bytes()).and_then(|()| self.file.flush());
        written.map_err(|source| ReportError {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests;
