//! What a proof came to, as a person reads it.

use std::fmt;
use std::time::Duration;

use super::{KnownError, Options, Proof, RecordError, Survivor};
use crate::exit::Exit;
use crate::run::boot::Target;

/// One case.
#[derive(Debug)]
pub struct Outcome {
    /// Its id.
    pub case: String,
    /// What its changes came to, or why it could not be proved.
    pub proof: Result<Proof, RecordError>,
}

/// What the changes of one case came to, a line of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename = "proof")]
pub struct CaseProof {
    /// Its id.
    pub case: String,
    /// Changes that the case noticed.
    pub killed: usize,
    /// Changes that it did not notice, those that have a reason included.
    pub survived: usize,
}

/// What a proof came to.
#[derive(Debug)]
pub struct ProveReport {
    /// How many cases were proved.
    pub cases: usize,
    /// How many changes were tried.
    pub mutants: usize,
    /// How many survivors have a reason.
    pub explained: usize,
    /// Each case, with how many of its changes were noticed and how many were not.
    pub by_case: Vec<CaseProof>,
    /// Cases that the server cannot be asked.
    pub not_applicable: usize,
    /// Cases that fail at a server that is not ours: there is nothing to change.
    pub failing: usize,
    /// Those that have none.
    pub survivors: Vec<Survivor>,
    /// Cases that could not be proved, and why.
    pub unproved: Vec<(String, RecordError)>,
    /// Reasons for nothing.
    pub stale: Vec<KnownError>,
    /// How long the recordings took.
    pub recording: Duration,
    /// How long everything took.
    pub duration: Duration,
}

impl ProveReport {
    pub(super) fn new(
        outcomes: Vec<Outcome>,
        options: &Options,
        recording: Duration,
        duration: Duration,
    ) -> ProveReport {
        let (mut mutants, mut failing) = (0, 0);
        let (mut by_case, mut survivors, mut unproved) = (Vec::new(), Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome.proof {
                Ok(proof) => {
                    mutants += proof.mutants;
                    by_case.push(CaseProof {
                        killed: proof.mutants - proof.survivors.len(),
                        survived: proof.survivors.len(),
                        case: outcome.case,
                    });
                    survivors.extend(proof.survivors);
                }
                Err(RecordError::Failed(_)) if options.target != Target::Embedded => failing += 1,
                Err(error) => unproved.push((outcome.case, error)),
            }
        }
        let stale = if options.everything && unproved.is_empty() {
            options.known.stale(&survivors)
        } else {
            Vec::new()
        };
        let unexplained: Vec<Survivor> = options.known.unexplained(&survivors).into_iter().cloned().collect();
        ProveReport {
            cases: by_case.len(),
            by_case,
            not_applicable: 0,
            failing,
            mutants,
            explained: survivors.len() - unexplained.len(),
            survivors: unexplained,
            unproved,
            stale,
            recording,
            duration,
        }
    }

    /// Whether every case was proved, and nothing survived without a reason.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.survivors.is_empty() && self.unproved.is_empty() && self.stale.is_empty()
    }

    /// [`Exit::Fault`] where a recording cannot be replayed, [`Exit::Unexpected`] for anything else that is not clean.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let harness = |error: &RecordError| !matches!(error, RecordError::Failed(_));
        if self.unproved.iter().any(|(_, error)| harness(error)) {
            Exit::Fault
        } else if self.is_clean() {
            Exit::AsExpected
        } else {
            Exit::Unexpected
        }
    }
}

impl fmt::Display for ProveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for survivor in &self.survivors {
            writeln!(f, "survives  {survivor}")?;
        }
        for (case, error) in &self.unproved {
            writeln!(f, "unproved  {case}: {error}")?;
        }
        for error in &self.stale {
            writeln!(f, "stale     {error}")?;
        }
        if !self.is_clean() {
            writeln!(f)?;
        }
        writeln!(
            f,
            "{} cases{}, {} changes: {} survive{}; {} cases unproved; {:.1}s, {:.1}s of them recording",
            self.cases,
            match (self.failing, self.not_applicable) {
                (0, 0) => String::new(),
                (failing, lacking) => format!(" ({failing} more fail there, {lacking} are not applicable)"),
            },
            self.mutants,
            self.survivors.len(),
            if self.explained > 0 {
                format!(", {} more with a reason", self.explained)
            } else {
                String::new()
            },
            self.unproved.len(),
            self.duration.as_secs_f64(),
            self.recording.as_secs_f64(),
        )
    }
}
