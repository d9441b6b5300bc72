//! From a selection of cases to a stream of events.

pub mod boot;
pub mod case;
pub mod event;
