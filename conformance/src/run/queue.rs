//! Cases on their way: to run, to run again, ended.

use std::time::Duration;

use tokio::time::Instant;

use super::case::{Played, ops};
use super::late::Lateness;
use crate::scenario::ast::Action;
use crate::scenario::catalogue::Case;

/// A late harness spoils a verdict when it is late by more than this part of the heartbeat timeout.
const SPOILT: f64 = 0.25;

/// A case that is to run.
pub(super) struct Queued {
    pub(super) case: Case,
    /// How often it ran in vain: see [`Ended::is_spoilt`].
    pub(super) reruns: u32,
    /// Which try this is, of one that the baseline lists as flaky; 1 for any other.
    pub(super) tries: u32,
}

impl Queued {
    pub(super) fn new(case: Case) -> Queued {
        Queued {
            case,
            reruns: 0,
            tries: 1,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.reruns == 0 && self.tries == 1
    }

    pub(super) fn rerun(mut self) -> Queued {
        self.reruns += 1;
        self
    }

    pub(super) fn another_try(mut self) -> Queued {
        self.tries += 1;
        self
    }

    pub(super) fn detached(&self) -> Queued {
        Queued {
            case: self.case.detached(),
            ..*self
        }
    }
}

/// A case that has ended.
pub(super) struct Ended {
    pub(super) queued: Queued,
    pub(super) played: Played,
    pub(super) begun: Instant,
    pub(super) took: Duration,
}

impl Ended {
    /// Whether the harness was so late that its verdict is worth nothing: it found a fault, or it measures time. Or the
    /// server was, and a fault was found: its process had no time, and it may have given up clients that had done nothing.
    pub(super) fn is_spoilt(&self, lateness: &Lateness) -> bool {
        // A browser that failed says nothing about the server.
        if self.played.is_void() {
            return true;
        }
        let announced = self.played.announced.unwrap_or(Duration::from_secs(2));
        let timed = || {
            ops(&self.queued.case.scenario)
                .iter()
                .any(|op| op.step.window.is_some())
        };
        let remarkable = is_remarkable(&self.played);
        let bound = announced.mul_f64(SPOILT);
        let late = lateness.since(self.begun) > bound && (remarkable || timed());
        late || self.played.late > bound && self.played.failure.is_some()
    }
}

/// Whether a step did not hold.
pub(super) fn is_remarkable(played: &Played) -> bool {
    played.failure.is_some() || !played.lenient.is_empty()
}

/// Whether a case takes time by itself.
pub(crate) fn waits(case: &Case) -> bool {
    ops(&case.scenario).iter().any(|op| {
        let waits = matches!(op.step.action, Action::Wait(_) | Action::Silent(_) | Action::Closed(_));
        waits || op.step.window.is_some()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::case::Fault;
    use super::*;
    use crate::client::tape::Tape;
    use crate::scenario::ast::Span;
    use crate::scenario::parse::parse;

    #[rstest::rstest]
    #[case::punctual(40, true, false)]
    #[case::late(60, true, true)]
    #[case::late_and_fine(60, false, false)]
    #[tokio::test(start_paused = true)]
    async fn a_failure_with_a_late_heartbeat_does_not_count_yet(
        #[case] late: u64,
        #[case] failed: bool,
        #[case] spoilt: bool,
    ) {
        let scenario = Arc::new(parse("a.wire", "case:  eio4/test/a\n\na open websocket\n").unwrap());
        let case = Case {
            id: "eio4/test/a".to_owned(),
            scenario,
            transport: None,
        };
        let ended = Ended {
            queued: Queued::new(case),
            played: Played {
                failure: failed.then(|| Fault::new(Span::default(), "closed", "too early")),
                lenient: Vec::new(),
                consumed: Vec::new(),
                tape: Tape::default(),
                trace: Vec::new(),
                announced: Some(Duration::from_millis(200)),
                late: Duration::from_millis(late),
            },
            begun: Instant::now(),
            took: Duration::ZERO,
        };
        assert_eq!(ended.is_spoilt(&Lateness::watch()), spoilt);
    }
}
