//! Shows that the cases notice what they are there to notice.
//!
//! A case is recorded once against the reference server. Then a scripted server replays the recording in memory, on a
//! paused clock, with one small change at a time to something that a step consumed: a literal, a packet that is missing or
//! comes twice, a status, a time outside of its window. A case that still passes does not look at that: the change
//! *survives*. `docs/prove.md` tells how to read and answer a survivor.

mod record;
mod replay;
mod request;

use std::sync::Arc;

pub use self::record::{Pace, RecordError, Recording, record, replay};
pub use self::replay::Replay;

use crate::scenario::ast::Scenario;

/// A case on one transport.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `rev1/ack/data[websocket]`.
    pub id: String,
    /// What it says.
    pub scenario: Arc<Scenario>,
    /// What `over:` chose.
    pub transport: Option<String>,
}
