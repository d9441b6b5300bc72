//! `codec`: the packet vectors, put to anybody's parser.
//!
//! A command reads requests as lines of JSON and answers each with a line; `docs/codec.md` describes both for users. A check
//! is a vector and a direction, and a case as any other for the reports and the baseline: `codec/sio5/packet/an-ack[decode]`.

mod answer;
mod checks;
mod judge;
mod run;

pub use checks::{Check, ChecksError, Operation, checks};
pub use run::{Options, Run, run};

/// The folder of the embedded vectors, below `fixtures/`.
const FOLDER: &str = "packets";
