//! How late the harness itself was: a verdict about time is worth nothing while the machine is busy elsewhere.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::client::tape::lock;

const TICK: Duration = Duration::from_millis(20);

/// Lateness that is worth a note.
const NOTABLE: Duration = Duration::from_millis(50);

/// Watches the runtime's own timers.
#[derive(Debug)]
pub struct Lateness {
    seen: Arc<Mutex<Vec<(Instant, Duration)>>>,
    task: AbortHandle,
}

impl Lateness {
    /// Begins to watch.
    #[must_use]
    pub fn watch() -> Lateness {
        let seen: Arc<Mutex<Vec<(Instant, Duration)>>> = Arc::default();
        let noted = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                let due = Instant::now() + TICK;
                sleep(TICK).await;
                let late = due.elapsed();
                if late >= NOTABLE {
                    lock(&noted).push((Instant::now(), late));
                }
            }
        });
        Lateness {
            seen,
            task: task.abort_handle(),
        }
    }

    /// The worst since then.
    #[must_use]
    pub fn since(&self, start: Instant) -> Duration {
        lock(&self.seen)
            .iter()
            .filter(|(at, _)| *at >= start)
            .map(|(_, late)| *late)
            .max()
            .unwrap_or_default()
    }
}

impl Drop for Lateness {
    fn drop(&mut self) {
        self.task.abort();
    }
}
