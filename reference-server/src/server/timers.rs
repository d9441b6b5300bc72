//! When which session has to be looked at: one heap and one task for all of them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::sleep_until;

use super::client::{Client, lock, now};

/// The deadlines of all sessions.
#[derive(Default)]
pub(crate) struct Timers {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    earlier: Notify,
}

struct Entry {
    at: Instant,
    client: Weak<Client>,
}

impl Timers {
    /// Has [`next`](Self::next) return the client at that time.
    pub(super) fn schedule(&self, at: Instant, client: &Arc<Client>) {
        let mut heap = lock(&self.heap);
        let earliest = heap.peek().is_none_or(|Reverse(entry)| at < entry.at);
        heap.push(Reverse(Entry {
            at,
            client: Arc::downgrade(client),
        }));
        if earliest {
            self.earlier.notify_one();
        }
    }

    /// Waits for the next client whose time has come.
    pub(super) async fn next(&self) -> (Instant, Arc<Client>) {
        loop {
            let next = self.due();
            match next {
                Ok((at, client)) => {
                    if let Some(client) = client.upgrade() {
                        return (at, client);
                    }
                }
                Err(Some(at)) => {
                    tokio::select! {
                        () = sleep_until(at.into()) => {}
                        () = self.earlier.notified() => {}
                    }
                }
                Err(None) => self.earlier.notified().await,
            }
        }
    }

    /// The entry whose time has come, or when the next one's will.
    fn due(&self) -> Result<(Instant, Weak<Client>), Option<Instant>> {
        let mut heap = lock(&self.heap);
        match heap.peek() {
            Some(Reverse(entry)) if entry.at > now() => Err(Some(entry.at)),
            _ => heap.pop().map(|Reverse(entry)| (entry.at, entry.client)).ok_or(None),
        }
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}
