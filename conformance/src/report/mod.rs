//! Reports: one event stream, many readers.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::run::event::Event;

mod badge;
mod github;
pub mod html;
mod json;
mod junit;
mod paint;
mod progress;
mod recorded;
#[cfg(test)]
pub(crate) mod samples;
pub mod saved;
mod tap;
mod terminal;
mod text;
mod trace;

pub use badge::{BadgeFile, badge};
pub use github::GitHub;
pub use html::Html;
pub use json::JsonLines;
pub use junit::junit;
pub use paint::Paint;
pub use tap::tap;
pub use terminal::Terminal;
pub use text::Text;
pub use trace::{TRACE_DIR, trace_folder, write_trace};

/// Something that is told everything that happens during a run.
pub trait Reporter: Send {
    /// Whether it keeps the trace of cases that simply passed, too: to write one takes as long as to play a case.
    fn wants_traces(&self) -> bool {
        false
    }

    /// Takes one event. What goes wrong is kept for [`finish`](Reporter::finish): a run does not end for its report.
    fn event(&mut self, event: &Event);

    /// Ends the report.
    ///
    /// # Errors
    ///
    /// The first thing that went wrong since the start.
    fn finish(&mut self) -> Result<(), ReportError>;
}

/// Every reporter in turn.
#[derive(Default)]
pub struct FanOut(Vec<Box<dyn Reporter>>);

impl FanOut {
    /// Adds one.
    #[must_use]
    pub fn with(mut self, reporter: impl Reporter + 'static) -> FanOut {
        self.0.push(Box::new(reporter));
        self
    }
}

impl Reporter for FanOut {
    fn wants_traces(&self) -> bool {
        self.0.iter().any(|reporter| reporter.wants_traces())
    }

    fn event(&mut self, event: &Event) {
        for reporter in &mut self.0 {
            reporter.event(event);
        }
    }

    /// Ends all of them, whatever becomes of the first.
    fn finish(&mut self) -> Result<(), ReportError> {
        self.0
            .iter_mut()
            .map(|reporter| reporter.finish())
            .fold(Ok(()), Result::and)
    }
}

/// A report or trace that could not be written.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct ReportError {
    /// The file, or `standard output`.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}
