//! Plays a recorded case with each change, and keeps the changes that it does not notice.

use std::sync::Arc;

use super::mutants::{self, Mutant};
use super::{RecordError, Recording, replay};
use crate::run::case::{Fault, Played, ops};
use crate::scenario::ast::Level;

/// What the changes of one case came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// How many changes were tried.
    pub mutants: usize,
    /// Those that the case did not notice.
    pub survivors: Vec<Survivor>,
}

/// A change that a case does not notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The case.
    pub case: String,
    /// The scenario's file.
    pub file: String,
    /// The line that should have noticed, from 1.
    pub line: usize,
    /// What was changed: `"6:::1" sent twice`.
    pub words: String,
}

impl std::fmt::Display for Survivor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if let Some((_, transport)) = self.case.split_once('[') {
            write!(f, " [{transport}")?;
        }
        write!(f, ": {}", self.words)
    }
}

/// Tries every change.
///
/// # Errors
///
/// When the recording does not pass as it is.
pub fn examine(recording: &Recording) -> Result<Proof, RecordError> {
    let scenario = &recording.case.scenario;
    let ops = ops(scenario);
    let unchanged = replay(recording, Arc::new(recording.played.tape.clone()))?;
    if let Some(fault) = unchanged.failure {
        return Err(RecordError::Replay(Box::new(fault)));
    }
    let mut proof = Proof::default();
    let mut tried = |mutants: Vec<Mutant>| -> Result<(), RecordError> {
        for mutant in mutants {
            proof.mutants += 1;
            let played = replay(recording, Arc::new(mutant.tape))?;
            let level = ops.get(mutant.op).map_or(Level::Must, |op| op.level);
            if !noticed(&played, &unchanged, mutant.op, level) {
                proof.survivors.push(Survivor {
                    case: recording.case.id.clone(),
                    file: scenario.source.path.clone(),
                    line: scenario.source.line_column(mutant.span.start).0,
                    words: mutant.words,
                });
            }
        }
        Ok(())
    };
    for number in 0..recording.played.consumed.len() {
        tried(mutants::of_consumption(recording, &ops, number))?;
    }
    tried(mutants::of_end(recording, &ops))?;
    Ok(proof)
}

/// Red; or lenient where the unchanged recording is not: at the changed step, or behind it where the step is none of `must`
/// itself, for what comes twice is in the way of the next step.
fn noticed(played: &Played, unchanged: &Played, op: usize, level: Level) -> bool {
    let faults = |played: &Played| -> Vec<(usize, String, String)> {
        let counts = |fault: &&Fault| fault.op == op || (level != Level::Must && fault.op > op);
        let here = played.lenient.iter().filter(counts);
        here.map(|fault| (fault.op, fault.title.clone(), fault.label.clone()))
            .collect()
    };
    played.failure.is_some() || faults(played) != faults(unchanged)
}
