//! What the clients of a run note together, and what is made of it.

use std::cell::{Cell, RefCell};
use std::io::{self, Error};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::server::Server;

/// How long the clients run before it counts, and how long the last answers may take.
const WARM_UP: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);

/// Shared by the clients of a run.
#[derive(Default)]
pub struct Meter {
    /// Send no more.
    pub stop: Cell<bool>,
    counting: Cell<bool>,
    messages: Cell<u64>,
    misplaced: Cell<u64>,
    /// In microseconds.
    latencies: RefCell<Vec<u32>>,
}

/// What one run found.
pub struct Figures {
    /// Messages that reached a client, for each second of CPU that the server used.
    pub per_cpu_second: f64,
    /// The same for each second.
    pub per_second: f64,
    /// What the slowest hundredth took at least, in milliseconds; NaN where nothing is sent back.
    pub p99: f64,
    /// Messages that came before one that was sent earlier.
    pub misplaced: u64,
}

impl Meter {
    /// Messages have come, of which each was under way that long.
    pub fn count(&self, messages: u64, took: Option<Duration>) {
        if self.counting.get() {
            self.messages.set(self.messages.get() + messages);
            if let Some(took) = took {
                let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
                self.latencies.borrow_mut().push(micros);
            }
        }
    }

    /// A message has come out of its turn.
    pub fn misplaced(&self) {
        self.misplaced.set(self.misplaced.get() + 1);
    }
}

/// Lets the clients run for the duration, then has them come to an end: each has to get all its answers.
pub async fn measure(
    server: &Server,
    meter: &Rc<Meter>,
    mut clients: JoinSet<io::Result<()>>,
    duration: Duration,
) -> io::Result<Figures> {
    let running = async {
        sleep(WARM_UP).await;
        let (start, cpu) = (Instant::now(), server.cpu()?);
        meter.counting.set(true);
        sleep(duration).await;
        meter.counting.set(false);
        io::Result::Ok((start.elapsed().as_secs_f64(), server.cpu()? - cpu))
    };
    let (elapsed, cpu) = tokio::select! {
        result = running => result?,
        Some(result) = clients.join_next() => {
            result.map_err(Error::other)??;
            return Err(Error::other("a client ended early"));
        }
    };
    meter.stop.set(true);
    let ending = async {
        while let Some(result) = clients.join_next().await {
            result.map_err(Error::other)??;
        }
        io::Result::Ok(())
    };
    timeout(PATIENCE, ending)
        .await
        .map_err(|_| Error::other("answers are missing"))??;
    let mut latencies = meter.latencies.take();
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len() * 99 / 100);
    let messages = meter.messages.get() as f64;
    Ok(Figures {
        per_cpu_second: messages / cpu,
        per_second: messages / elapsed,
        p99: p99.map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0),
        misplaced: meter.misplaced.get(),
    })
}
