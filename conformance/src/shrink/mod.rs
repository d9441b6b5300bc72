//! Makes a failing case small: the smallest one that is found and still fails in the same way.
//!
//! | module | what |
//! |---|---|
//! | `draft` | a case in the making: its lines, each with the line of the case that it came from |
//! | `signature` | how a case failed, in terms that outlive a change of the case |
//! | `trial` | runs drafts, several at a time where each has a server of its own |
//! | `steps` | delta debugging: which lines can go |
//! | `lines` | what a line can do without: lanes, headers, windows |
//! | `payload` | smaller arguments, shorter strings, fewer bytes, the same everywhere in the case |
//!
//! A draft counts only if it fails in the same way twice, and the first of those that do is taken, however many run at a
//! time: against a server that answers the same the result is always the same.

use std::time::Duration;

use tokio::time::Instant;

use crate::run::boot::{BootError, Target};
use crate::run::case::Timings;
use crate::scenario::ast::Scenario;

mod draft;
mod lines;
mod payload;
mod signature;
mod steps;
#[cfg(test)]
mod tests;
mod trial;
mod values;

use draft::Draft;
use trial::Trial;

/// How to shrink.
#[derive(Clone, Debug)]
pub struct Options {
    /// Drafts that are tried at the most.
    pub tries: usize,
    /// How long they are.
    pub within: Duration,
    /// Drafts at a time, where each has a server of its own.
    pub jobs: usize,
    /// Factor on every time limit.
    pub patience: f64,
    /// What no handshake announces.
    pub timings: Timings,
    /// Lines of the file, from 1, that stay.
    pub keep: Vec<usize>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps of the case.
    pub from: usize,
    /// Steps of the smallest one so far.
    pub to: usize,
    /// Drafts that were tried.
    pub tries: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest case that was found.
    pub text: String,
    /// In numbers.
    pub progress: Progress,
    /// What it fails with, in one line.
    pub failure: String,
    /// Why it ended before nothing more could go.
    pub unfinished: Option<&'static str>,
}

/// Why nothing was shrunk.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// There is no failure.
    #[error("nothing to shrink: the case passes")]
    Passes,
    /// It was not run.
    #[error("nothing to shrink: the case does not run here ({0})")]
    Skipped(String),
    /// It fails in different ways.
    #[error(
        "the case fails, but not the same way each time: first {first:?}, then {then:?}; make it fail reliably first"
    )]
    Flaky {
        /// One way.
        first: String,
        /// Another one, or that it passed.
        then: String,
    },
    /// There is no server.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A folder for traces cannot be had.
    #[error("cannot make a folder for traces: {0}")]
    Folder(#[from] std::io::Error),
}

/// Shrinks a case. Of one with `over:`, `transport` is the one that it fails on.
///
/// # Errors
///
/// It does not fail, or not always the same way; there is no server.
pub async fn shrink(
    scenario: &Scenario,
    transport: Option<&str>,
    target: &Target,
    options: &Options,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Shrunk, ShrinkError> {
    let mut trial = Trial::start(target, options, Instant::now() + options.within).await?;
    let result = search(scenario, transport, options, &mut trial, &mut progress).await;
    trial.stop().await;
    result
}

async fn search(
    scenario: &Scenario,
    transport: Option<&str>,
    options: &Options,
    trial: &mut Trial<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Shrunk, ShrinkError> {
    let mut best = Draft::of(scenario, transport);
    trial.aim(&best).await?;
    best.fix(&trial.fixed(&best), scenario, &options.keep);
    let whole = best.clone();
    let mut search = Search {
        trial,
        from: whole.steps(),
        progress,
    };
    let hurried = search.trial.hurry().await?;
    search.all(&mut best).await?;
    if hurried && !search.trial.take_time(&best).await? {
        // The time limits played a part.
        best = whole;
        search.all(&mut best).await?;
    }
    Ok(Shrunk {
        text: best.text(),
        progress: search.now(&best),
        failure: search.trial.failure(),
        unfinished: search.trial.is_over(),
    })
}

/// What every part of the search has in hand.
struct Search<'a, 't> {
    trial: &'a mut Trial<'t>,
    from: usize,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl Search<'_, '_> {
    /// Leaves out and makes smaller whatever can be.
    async fn all(&mut self, best: &mut Draft) -> Result<(), ShrinkError> {
        loop {
            let before = best.clone();
            self.improve(best, Draft::without_references).await?;
            self.improve(best, Draft::cut_behind).await?;
            for client in best.clients() {
                self.improve(best, |draft| draft.without_client(&client)).await?;
            }
            steps::minimise(best, self).await?;
            lines::minimise(best, self).await?;
            payload::minimise(best, self).await?;
            // What has become small may have made something else needless.
            if *best == before || self.trial.is_over().is_some() {
                return Ok(());
            }
        }
    }

    /// Takes the first of these drafts that fails in the same way; whether there is one.
    async fn first(&mut self, best: &mut Draft, drafts: Vec<Draft>) -> Result<Option<usize>, ShrinkError> {
        let found = self.trial.first(&drafts).await?;
        if let Some(draft) = found.and_then(|found| drafts.into_iter().nth(found)) {
            *best = draft;
        }
        let now = self.now(best);
        (self.progress)(now);
        Ok(found)
    }

    async fn improve(&mut self, best: &mut Draft, change: impl Fn(&Draft) -> Draft) -> Result<(), ShrinkError> {
        let changed = change(best);
        if changed != *best {
            self.first(best, vec![changed]).await?;
        }
        Ok(())
    }

    fn now(&self, best: &Draft) -> Progress {
        Progress {
            from: self.from,
            to: best.steps(),
            tries: self.trial.tries(),
        }
    }
}
