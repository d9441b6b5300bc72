//! Shows that the cases notice what they are there to notice.
//!
//! A case is recorded once, against the reference server or another. Then a scripted server replays the recording in memory, on a
//! paused clock, with one small change at a time to something that a step consumed: a literal, a packet that is missing or
//! comes twice, a status, a time outside of its window. A case that still passes does not look at that: the change
//! *survives*. `docs/prove.md` tells how to read and answer a survivor.

mod edit;
mod examine;
mod mutants;
mod record;
mod replay;
mod report;
mod request;
mod source;
mod survivors;

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use tokio::runtime::Builder;

pub use self::examine::{Proof, Survivor, examine};
pub use self::record::{Pace, RecordError, Recording, record, replay};
pub use self::replay::Replay;
pub use self::report::{CaseProof, Outcome, ProveReport};
use self::source::{Recorded, Source};
pub use self::survivors::{Known, KnownError, KnownProblem};
use crate::client::tape::lock;
use crate::run::boot::{BootError, Target};
use crate::scenario::catalogue::Case;

/// How a proof is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server whose answers are changed.
    pub target: Target,
    /// Threads; one for each core where none is given.
    pub jobs: Option<NonZero<usize>>,
    /// Patience and timings of the recordings.
    pub pace: Pace,
    /// Survivors that are known, with a reason.
    pub known: Known,
    /// Whether `cases` are all there are: a line that explains none of their survivors is stale then.
    pub everything: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            target: Target::Embedded,
            jobs: None,
            pace: Pace::default(),
            known: Known::default(),
            everything: false,
        }
    }
}

/// Records the cases, and proves every one.
///
/// # Errors
///
/// When no server can be started or reached, or no runtime started.
pub fn prove(cases: Vec<Case>, options: &Options) -> Result<ProveReport, BootError> {
    let jobs = options
        .jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let begun = Instant::now();
    let runtime = Builder::new_multi_thread().worker_threads(jobs).enable_all().build();
    let runtime = runtime.map_err(|source| BootError::Embedded { source })?;
    let pace = &options.pace;
    let source = runtime.block_on(Source::open(&options.target, pace.patience))?;
    let all = cases.len();
    let recorded = runtime.block_on(async {
        let cases = source.applicable(cases, pace.patience).await;
        source.record_all(cases, pace).await
    })?;
    let not_applicable = all - recorded.len();
    let recording = begun.elapsed();
    let mut examined = examine_all(recorded, jobs);
    for (case, proof) in &mut examined {
        // While many are recorded, an answer may be seen later than its step would have waited.
        for _ in 0..source.retries() {
            if matches!(proof, Err(RecordError::Replay(_))) {
                let again = runtime.block_on(source.record(case, pace))?;
                *proof = again.and_then(|recording| examine(&recording));
            }
        }
    }
    runtime.block_on(source.close());
    let outcome = |(case, proof): Examined| Outcome { case: case.id, proof };
    let outcomes = examined.into_iter().map(outcome).collect();
    Ok(ProveReport {
        not_applicable,
        ..ProveReport::new(outcomes, options, recording, begun.elapsed())
    })
}

type Examined = (Case, Result<Proof, RecordError>);

/// Spreads the cases over threads; each replay has a runtime of its own.
fn examine_all(mut recorded: Vec<Recorded>, jobs: usize) -> Vec<Examined> {
    // Those with much to change, first: none of them is left when the others are through.
    let much = |(_, result): &Recorded| result.as_ref().map_or(0, |it| it.played.consumed.len());
    recorded.sort_by_key(|it| std::cmp::Reverse(much(it)));
    let queue = Mutex::new(VecDeque::from(recorded));
    let examined = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let Some((case, recorded)) = lock(&queue).pop_front() else {
                        return;
                    };
                    let proof = recorded.and_then(|recording| examine(&recording));
                    lock(&examined).push((case, proof));
                }
            });
        }
    });
    let mut examined = examined.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    examined.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    examined
}
