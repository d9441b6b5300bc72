//! Runs cases against a target and tells what happens.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::boot::{Address, BootError, Running, Target, embedded};
use super::browsers::{Browser, Browsers};
use super::case::{Fault, Played, Setting, Timings, play};
use super::event::{CaseReport, Event, Outcome, Summary};
use super::judge;
use super::late::Lateness;
use super::plan::{Extras, Offer};
use super::queue::{Ended, Queued, is_remarkable, waits};
use super::tally::{Tally, skipped, title};
use super::trace::{shortened, trace};
use crate::browser::matrix::Seat;
use crate::client::TcpConnect;
use crate::client::tape::Progress;
use crate::expect::Baseline;
use crate::report::{Reporter, trace_folder, write_trace};
use crate::scenario::catalogue::Case;
use crate::scenario::requirements::Requirements;
use crate::suite::Date;

/// How often a case is run again because the harness was late.
const RERUNS: u32 = 2;

/// The part of the jobs that run at a time when cases run again.
const FEW: usize = 8;

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cases at a time.
    pub jobs: usize,
    /// Factor on every upper bound, and on the timings of the embedded server.
    pub patience: f64,
    /// Durations that no handshake announces.
    pub timings: Timings,
    /// Where traces of failing cases go.
    pub traces: PathBuf,
    /// The suite that the user has pinned: a case that is newer warns, and does not fail.
    pub suite: Option<Date>,
}

/// How the reason begins where a case is newer than the suite that the user has pinned.
pub const NEWER: &str = "newer than suite";

/// A run: cases against one target.
pub struct Engine<'a> {
    /// How.
    pub options: Options,
    /// The target; the embedded server is started anew for every case.
    pub running: &'a Running,
    /// What it is.
    pub target: &'a Target,
    /// For the words of a failure.
    pub requirements: Arc<Requirements>,
    /// Known failures.
    pub baseline: &'a Baseline,
    /// For cases with pages.
    pub browsers: Option<Arc<Browsers>>,
}

impl Engine<'_> {
    /// Runs the cases, and reports each as it ends. Those that the harness was too late for run again, among few and then by
    /// themselves; so do, at the end, those that need the server for themselves.
    ///
    /// # Errors
    ///
    /// When the embedded server cannot be started.
    pub async fn run(
        &self,
        cases: Vec<Case>,
        offer: &Offer,
        reporter: &mut dyn Reporter,
    ) -> Result<Summary, BootError> {
        let mut tally = Tally {
            summary: Summary::default(),
            lateness: Lateness::watch(),
            reporter,
            dead: false,
        };
        let begun = Instant::now();
        let (mut crowd, mut alone) = (Vec::new(), Vec::new());
        for case in cases {
            let unable = || self.seat(&case.id).and_then(|seat| seat.unable.clone());
            let skip = self
                .baseline
                .skips(&case.id)
                .or_else(unable)
                .or_else(|| offer.lacks(&case))
                .or_else(|| self.seat(&case.id).and_then(|seat| seat.lacks(offer, &case)));
            if let Some(reason) = skip {
                tally.report(skipped(&case, reason));
            } else if case.scenario.headers.alone.is_some() && !matches!(self.target, Target::Embedded) {
                alone.push(Queued::new(case));
            } else {
                crowd.push(Queued::new(case));
            }
        }
        // Those that wait, first: the others run beside them.
        crowd.sort_by_key(|queued| !waits(&queued.case));
        // What the harness was too late for has a second chance among few, and a last one by itself.
        let jobs = self.options.jobs.max(1);
        let again = self.batch(crowd, jobs, &mut tally).await?;
        alone.extend(self.batch(again, jobs.div_ceil(FEW), &mut tally).await?);
        while !alone.is_empty() {
            alone = self.batch(std::mem::take(&mut alone), 1, &mut tally).await?;
        }
        tally.summary.duration_ms = milliseconds(begun.elapsed());
        Ok(tally.summary)
    }

    /// Runs cases, so many at a time. Gives those that have to run again.
    async fn batch(&self, cases: Vec<Queued>, jobs: usize, tally: &mut Tally<'_>) -> Result<Vec<Queued>, BootError> {
        let mut queue = cases.into_iter();
        let (mut running, mut again) = (JoinSet::new(), Vec::new());
        loop {
            while running.len() < jobs
                && let Some(queued) = queue.next()
            {
                if queued.is_new() {
                    let id = queued.case.id.clone();
                    tally.reporter.event(&Event::CaseStart { id });
                }
                running.spawn(self.one(queued.detached()));
            }
            let Some(ended) = running.join_next().await else {
                return Ok(again);
            };
            let Ok(ended) = ended else {
                tally.summary.fail += 1;
                let message = "a case ended the harness's own task; this is a fault of the harness".to_owned();
                tally.reporter.event(&Event::Note { message });
                continue;
            };
            let ended = ended?;
            let doubtful = ended.is_spoilt(&tally.lateness) || self.is_doubtful(&ended);
            if doubtful && ended.queued.reruns < RERUNS {
                tally.summary.reruns += 1;
                again.push(ended.queued.rerun());
                continue;
            }
            if self.is_to_be_tried_again(&ended) {
                again.push(ended.queued.another_try());
                continue;
            }
            tally.report(self.judge(&ended, tally.reporter.wants_traces()));
            if ended.played.failure.is_some() && !tally.dead {
                tally.look_after(self.running).await;
            }
        }
    }

    /// Whether a case failed in a browser that fails by itself at times.
    fn is_doubtful(&self, ended: &Ended) -> bool {
        let seat = self.seat(&ended.queued.case.id);
        ended.played.failure.is_some() && seat.is_some_and(|seat| seat.engine.is_frail())
    }

    /// Plays a case; the future owns what it needs.
    fn one(&self, queued: Queued) -> impl Future<Output = Result<Ended, BootError>> + Send + 'static {
        let (options, address) = (self.options.clone(), self.running.address().clone());
        let target = self.target.clone();
        let fresh_server = matches!(target, Target::Embedded);
        let browsers = self.browsers.clone();
        async move {
            let case = &queued.case;
            let browser = match &browsers {
                Some(browsers) => Some(Browser::borrow(browsers, case).await),
                None => None,
            };
            let begun = Instant::now();
            let extras = Extras::of(case);
            let server = if fresh_server {
                Some(embedded(options.patience, extras).await?)
            } else {
                None
            };
            let address = server.as_ref().map_or(address, super::boot::EmbeddedServer::address);
            let setting = Setting {
                connect: Arc::new(connect(&address)),
                progress: Arc::new(Progress::start()),
                patterns: Arc::default(),
                transport: case.transport.clone(),
                patience: options.patience,
                timings: if fresh_server {
                    scaled(&options.timings, options.patience)
                } else {
                    options.timings.clone()
                },
                fresh: fresh(),
                recorded: false,
                pages: None,
            };
            let played = match browser {
                Some(Ok(browser)) => browser.play(case, setting, &address, target, extras, &options).await,
                Some(Err(error)) => Played::without_browser(&error.to_string()),
                None => play(&case.scenario, setting).await,
            };
            let took = begun.elapsed();
            if let Some(server) = server {
                server.stop().await;
            }
            Ok(Ended {
                queued,
                played,
                begun,
                took,
            })
        }
    }

    /// Writes the trace. A trace that is being run is not written over.
    fn write(&self, case: &Case, text: &str) -> Option<String> {
        if Path::new(&case.scenario.source.path).starts_with(&self.options.traces) {
            return Some(case.scenario.source.path.clone());
        }
        let path = if self.seat(&case.id).is_some() {
            write_trace(&trace_folder(&self.options.traces, &case.id), "trace", text).ok()?
        } else {
            write_trace(&self.options.traces, &case.id, text).ok()?
        };
        Some(path.display().to_string())
    }

    fn seat(&self, id: &str) -> Option<&Seat> {
        self.browsers.as_ref()?.seats.get(id)
    }

    /// Why a case is not yet held against the server.
    fn newer(&self, case: &Case) -> Option<String> {
        let pinned = self.options.suite?;
        let since: Date = case.scenario.headers.since.as_ref()?.node.parse().ok()?;
        (since > pinned).then(|| format!("{NEWER} {pinned}: the case came with {since}"))
    }

    /// Whether it failed as the baseline says that it does now and then.
    fn is_to_be_tried_again(&self, ended: &Ended) -> bool {
        let Queued { case, tries, .. } = &ended.queued;
        let failed = |fault: &Fault| self.baseline.tries_again(&case.id, &fault.message(), *tries);
        ended.played.failure.as_ref().is_some_and(failed)
    }

    /// The trace of a case that simply passed is written only where it is `traced`.
    fn judge(&self, ended: &Ended, traced: bool) -> CaseReport {
        let Ended {
            queued: Queued { case, reruns, tries },
            played,
            took,
            ..
        } = ended;
        let remarkable = is_remarkable(played);
        let text = (remarkable || traced).then(|| trace(&case.id, &case.scenario, case.transport.as_deref(), played));
        let path = text.as_ref().filter(|_| remarkable);
        let path = path.and_then(|text| self.write(case, text));
        let door = self.target.arguments();
        let dress = |fault| {
            judge::failure(
                &case.id,
                &case.scenario,
                &self.requirements,
                fault,
                path.as_deref(),
                &door,
            )
        };
        let failures: Vec<_> = played.failure.iter().map(dress).collect();
        let lenient: Vec<_> = played.lenient.iter().map(dress).collect();
        let outcome = match (failures.is_empty(), lenient.is_empty()) {
            (false, _) => Outcome::Fail,
            (true, false) => Outcome::Lenient,
            (true, true) => Outcome::Pass,
        };
        let message = failures.first().map_or("", |failure| failure.message.as_str());
        let (outcome, reason) = self.baseline.judge(&case.id, outcome, message, *tries);
        let (outcome, reason) = match self.newer(case) {
            Some(newer) if outcome == Outcome::Fail && reason.is_none() => (Outcome::Expected, Some(newer)),
            _ => (outcome, reason),
        };
        CaseReport {
            id: case.id.clone(),
            title: title(case),
            outcome,
            duration_ms: milliseconds(*took),
            requirements: judge::concerns(&case.scenario),
            failures,
            lenient,
            reason,
            reruns: *reruns,
            tries: *tries,
            trace: path,
            wire: text.as_deref().map(shortened),
        }
    }
}

pub(super) fn connect(address: &Address) -> TcpConnect {
    TcpConnect {
        host: address.host.clone(),
        port: address.port,
        policy_port: address.policy_port,
    }
}

fn scaled(timings: &Timings, patience: f64) -> Timings {
    Timings {
        interval: timings.interval.mul_f64(patience),
        polling: timings.polling.mul_f64(patience),
        connect: timings.connect.mul_f64(patience),
    }
}

/// A word that no other case, and no other run against the same server, uses.
pub(crate) fn fresh() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut random = [0; 4];
    // Without randomness the count still keeps the cases of this run apart.
    let _ = getrandom::fill(&mut random);
    format!(
        "f{:08x}{}",
        u32::from_be_bytes(random),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
