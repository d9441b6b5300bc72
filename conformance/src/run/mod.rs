//! From a selection of cases to a stream of events.

pub mod boot;
pub mod browsers;
pub mod case;
pub mod claims;
pub mod clock;
pub mod engine;
pub mod event;
pub mod judge;
pub mod late;
pub mod offer;
pub mod plan;
pub(crate) mod queue;
mod tally;
pub mod trace;
