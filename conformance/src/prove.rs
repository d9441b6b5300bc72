//! Shows that the cases notice what they are there to notice.
//!
//! A case is recorded once against the reference server. Then a scripted server replays the recording in memory, on a
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
mod survivors;

use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use self::examine::{Proof, Survivor, examine};
pub use self::record::{Pace, RecordError, Recording, record, replay};
pub use self::replay::Replay;
pub use self::report::{Outcome, ProveReport};
pub use self::survivors::{Known, KnownError, KnownProblem};
use crate::client::TcpConnect;
use crate::client::tape::lock;
use crate::run::boot::{BootError, embedded};
use crate::run::plan::Extras;
use crate::scenario::catalogue::Case;

/// How many cases are recorded at a time: they wait more than they work.
const RECORDED_AT_A_TIME: usize = 48;

/// How often a case that fails, or cannot be replayed, when many were recorded is recorded again, by itself.
const RETRIES: usize = 5;

/// How a proof is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads; one for each core where none is given.
    pub jobs: Option<NonZero<usize>>,
    /// Patience and timings of the recordings.
    pub pace: Pace,
    /// Survivors that are known, with a reason.
    pub known: Known,
    /// Whether `cases` are all there are: a line that explains none of their survivors is stale then.
    pub everything: bool,
}

/// Records the cases against embedded reference servers, one for each, and proves every one.
///
/// # Errors
///
/// When no server or no runtime can be started.
pub fn prove(cases: Vec<Case>, options: &Options) -> Result<ProveReport, BootError> {
    let jobs = options
        .jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let begun = Instant::now();
    let runtime = Builder::new_multi_thread().worker_threads(jobs).enable_all().build();
    let runtime = runtime.map_err(|source| BootError::Embedded { source })?;
    let recorded = runtime.block_on(record_all(cases, &options.pace))?;
    let recording = begun.elapsed();
    let mut examined = examine_all(recorded, jobs);
    for (case, proof) in &mut examined {
        // While many are recorded, an answer may be seen later than its step would have waited.
        for _ in 0..RETRIES {
            if matches!(proof, Err(RecordError::Replay(_))) {
                let again = runtime.block_on(record_embedded(case, &options.pace))?;
                *proof = again.and_then(|recording| examine(&recording));
            }
        }
    }
    let outcome = |(case, proof): Examined| Outcome { case: case.id, proof };
    let outcomes = examined.into_iter().map(outcome).collect();
    Ok(ProveReport::new(outcomes, options, recording, begun.elapsed()))
}

type Recorded = (Case, Result<Recording, RecordError>);
type Examined = (Case, Result<Proof, RecordError>);

async fn record_all(cases: Vec<Case>, pace: &Pace) -> Result<Vec<Recorded>, BootError> {
    let room = Arc::new(Semaphore::new(RECORDED_AT_A_TIME));
    let (mut running, mut by_task) = (JoinSet::new(), HashMap::new());
    for case in cases {
        let (room, pace, owned) = (room.clone(), pace.clone(), case.detached());
        let task = running.spawn(async move {
            let _place = room.acquire_owned().await;
            record_embedded(&owned, &pace).await
        });
        by_task.insert(task.id(), case);
    }
    let mut recorded = Vec::new();
    while let Some(ended) = running.join_next_with_id().await {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result?),
            Err(error) => (
                error.id(),
                Err(RecordError::Setup(format!("the player broke down: {error}"))),
            ),
        };
        recorded.extend(by_task.remove(&id).map(|case| (case, result)));
    }
    for (case, result) in &mut recorded {
        for _ in 0..RETRIES {
            if matches!(result, Err(RecordError::Failed(_))) {
                *result = record_embedded(case, pace).await?;
            }
        }
    }
    Ok(recorded)
}

async fn record_embedded(case: &Case, pace: &Pace) -> Result<Result<Recording, RecordError>, BootError> {
    let server = embedded(pace.patience, Extras::of(case)).await?;
    let address = server.address();
    let connect = TcpConnect {
        host: address.host,
        port: address.port,
        policy_port: address.policy_port,
    };
    let result = record(case, Arc::new(connect), pace).await;
    server.stop().await;
    Ok(result)
}

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
