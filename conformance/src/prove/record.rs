//! Recording a case, and playing it again from its recording.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::Replay;
use crate::client::Connect;
use crate::client::tape::{Progress, Tape};
use crate::run::case::{Fault, Patterns, Played, Setting, Timings, play};
use crate::run::engine;
use crate::scenario::catalogue::Case;

/// Longest a replay takes, on its own clock, in which an hour passes at once.
const LIMIT: Duration = Duration::from_secs(3600);

/// What a case was played with.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Factor on every upper bound.
    pub patience: f64,
    /// Durations that no handshake announces.
    pub timings: Timings,
}

impl Pace {
    /// The contract's, stretched as the embedded server stretches its own.
    #[must_use]
    pub fn contract(patience: f64) -> Pace {
        let contract = Timings::default();
        let timings = Timings {
            interval: contract.interval.mul_f64(patience),
            polling: contract.polling.mul_f64(patience),
            connect: contract.connect.mul_f64(patience),
        };
        Pace { patience, timings }
    }
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::contract(1.0)
    }
}

/// A case that was played, with all it takes to play it again.
pub struct Recording {
    /// The case.
    pub case: Case,
    /// What was consumed, and the tape.
    pub played: Played,
    /// The clock of the tape's moments.
    pub progress: Arc<Progress>,
    /// `host:port` of the recorded server.
    pub authority: String,
    pace: Pace,
    fresh: String,
    /// Those of the case, for every play of the recording.
    pub(super) patterns: Arc<Patterns>,
}

/// Why a case cannot be proved.
#[derive(Clone, Debug, Error)]
pub enum RecordError {
    /// The case fails against the server it was recorded with.
    #[error("fails before anything was changed: {}", shown(.0))]
    Failed(Box<Fault>),
    /// The recording, played back as it is, does not pass: a fault of the harness.
    #[error("cannot be replayed: {}", shown(.0))]
    Replay(Box<Fault>),
    /// The player waits without end, on a clock on which nothing takes long.
    #[error("cannot be replayed: does not end")]
    Endless,
    /// No runtime could be made, or no server started.
    #[error("{0}")]
    Setup(String),
}

fn shown(fault: &Fault) -> String {
    let got = fault.got.as_ref().map_or(String::new(), |got| format!(" (got {got})"));
    format!("{}: {}{got}", fault.title, fault.label)
}

/// Plays a case over real connections, and keeps what came. `shared` is whether the server is not the case's own.
///
/// # Errors
///
/// The case fails.
pub async fn record(
    case: &Case,
    connect: Arc<dyn Connect>,
    pace: &Pace,
    shared: bool,
) -> Result<Recording, RecordError> {
    let progress = Arc::new(Progress::start());
    let authority = connect.authority();
    let fresh = if shared { engine::fresh() } else { fresh(&case.id) };
    let setting = setting(case, pace, connect, progress.clone(), &fresh);
    let mut played = play(&case.scenario, setting).await;
    match played.failure.take() {
        Some(fault) => Err(RecordError::Failed(Box::new(fault))),
        None => Ok(Recording {
            case: case.clone(),
            played,
            progress,
            authority,
            pace: pace.clone(),
            fresh,
            patterns: Arc::default(),
        }),
    }
}

/// Plays a recorded case against a scripted server that does what `tape` says, on a clock that passes at once.
///
/// # Errors
///
/// [`RecordError::Endless`] or [`RecordError::Setup`]; a failed case is in the result.
pub fn replay(recording: &Recording, tape: Arc<Tape>) -> Result<Played, RecordError> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| RecordError::Setup(error.to_string()))?;
    runtime.block_on(async {
        let progress = Arc::new(Progress::start());
        let connect = Replay::new(tape, progress.clone(), recording.authority.as_str());
        let case = &recording.case;
        let setting = Setting {
            patterns: recording.patterns.clone(),
            ..setting(case, &recording.pace, Arc::new(connect), progress, &recording.fresh)
        };
        timeout(LIMIT, play(&case.scenario, setting))
            .await
            .map_err(|_| RecordError::Endless)
    })
}

fn setting(case: &Case, pace: &Pace, connect: Arc<dyn Connect>, progress: Arc<Progress>, fresh: &str) -> Setting {
    Setting {
        connect,
        progress,
        patterns: Arc::default(),
        transport: case.transport.clone(),
        patience: pace.patience,
        timings: pace.timings.clone(),
        fresh: fresh.to_owned(),
        recorded: true,
        pages: None,
    }
}

/// A word of the case's own; the server that it is recorded with is the case's own as well.
fn fresh(id: &str) -> String {
    id.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}
