//! Runs drafts with the engine that runs every case, and says which fail as the case did.

use std::collections::HashMap;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::time::Instant;

use super::draft::{Draft, Fixed};
use super::signature::{Signature, is_self_made};
use super::{Options, ShrinkError};
use crate::expect::Baseline;
use crate::report::{ReportError, Reporter};
use crate::run::boot::{self, Running, Target};
use crate::run::engine::{self, Engine};
use crate::run::event::{CaseReport, Event, Outcome};
use crate::run::offer::offer;
use crate::run::plan::Offer;
use crate::scenario::Generation;
use crate::scenario::ast::Scenario;
use crate::scenario::catalogue::Case;
use crate::scenario::parse::parse;
use crate::scenario::requirements::Requirements;

/// The part of the time limits that drafts get: most of them wait in full for something that does not come any more.
const HURRY: f64 = 0.5;

/// How often a draft has to fail in the same way.
const TWICE: usize = 2;

/// A server, and what the case fails with.
pub(super) struct Trial<'a> {
    target: &'a Target,
    running: Running,
    offer: Offer,
    options: &'a Options,
    deadline: Instant,
    traces: TempDir,
    baseline: Baseline,
    aim: Option<Aim>,
    /// What came of a text that was tried before.
    known: HashMap<String, bool>,
    tries: usize,
    /// Factor on every time limit.
    patience: f64,
}

/// What a draft has to do.
struct Aim {
    whole: Draft,
    generation: Generation,
    signature: Signature,
    message: String,
}

impl<'a> Trial<'a> {
    pub(super) async fn start(
        target: &'a Target,
        options: &'a Options,
        deadline: Instant,
    ) -> Result<Trial<'a>, ShrinkError> {
        let running = boot::start(target, options.patience).await?;
        let offer = match target {
            Target::Embedded => Offer {
                policy: true,
                ..Offer::default()
            },
            _ => offer(running.address(), &Generation::ALL, options.patience).await,
        };
        Ok(Trial {
            target,
            running,
            offer,
            options,
            deadline,
            traces: TempDir::new()?,
            baseline: Baseline::default(),
            aim: None,
            known: HashMap::new(),
            tries: 0,
            patience: options.patience,
        })
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    /// Runs the whole case, twice, and takes its failure for what is looked for.
    pub(super) async fn aim(&mut self, whole: &Draft) -> Result<(), ShrinkError> {
        let Some(case) = case(whole, 0) else {
            return Err(ShrinkError::Skipped("it is no case without its comments".to_owned()));
        };
        let mut first: Option<(Signature, String)> = None;
        for _ in 0..TWICE {
            let report = self.run(vec![case.clone()]).await?.pop().flatten();
            let report = report.ok_or_else(|| ShrinkError::Skipped("it was not run".to_owned()))?;
            if report.outcome == Outcome::Skip {
                return Err(ShrinkError::Skipped(report.reason.unwrap_or_default()));
            }
            let failed = report.failures.first();
            let found = failed.map(|it| (Signature::of(whole, &case.scenario, it), it.message.clone()));
            first = match (first, found) {
                (None, None) => return Err(ShrinkError::Passes),
                (None, found) => found,
                (Some((signature, message)), found) => match found {
                    Some((again, _)) if again == signature => Some((signature, message)),
                    found => {
                        return Err(ShrinkError::Flaky {
                            first: message,
                            then: found.map_or_else(|| "it passed".to_owned(), |(_, message)| message),
                        });
                    }
                },
            };
        }
        let generation = whole.headers.generation().parse().unwrap_or(Generation::Eio4);
        self.aim = first.map(|(signature, message)| Aim {
            whole: whole.clone(),
            generation,
            signature,
            message,
        });
        Ok(())
    }

    /// Waits less from now on, if the whole case fails in the same way then; whether it does.
    pub(super) async fn hurry(&mut self) -> Result<bool, ShrinkError> {
        let Some(whole) = self.aim.as_ref().map(|aim| aim.whole.clone()) else {
            return Ok(false);
        };
        self.patience = self.options.patience * HURRY;
        let hurries = self.confirms(&whole).await?;
        if !hurries {
            self.patience = self.options.patience;
        }
        Ok(hurries)
    }

    /// Takes all the time again; whether the draft fails in the same way then.
    pub(super) async fn take_time(&mut self, draft: &Draft) -> Result<bool, ShrinkError> {
        self.patience = self.options.patience;
        self.known.clear();
        self.confirms(draft).await
    }

    /// Runs one draft, however many were tried.
    async fn confirms(&mut self, draft: &Draft) -> Result<bool, ShrinkError> {
        let Some(case) = case(draft, 0) else { return Ok(false) };
        let reports = self.run(vec![case.clone()]).await?;
        let mut reports = reports.iter().flatten();
        Ok(reports.any(|report| self.is_same(draft, &case.scenario, report)))
    }

    pub(super) fn fixed(&self, draft: &Draft) -> Fixed {
        self.aim
            .as_ref()
            .map(|aim| aim.signature.fixed(draft))
            .unwrap_or_default()
    }

    /// How many drafts run at a time.
    pub(super) fn jobs(&self) -> usize {
        match self.target {
            Target::Embedded => self.options.jobs.max(1),
            _ => 1,
        }
    }

    /// The first of these that fails as the case did, twice.
    pub(super) async fn first(&mut self, drafts: &[Draft]) -> Result<Option<usize>, ShrinkError> {
        let jobs = self.jobs();
        let mut at = 0;
        while at < drafts.len() && self.is_over().is_none() {
            let end = (at + jobs.min(self.options.tries - self.tries)).min(drafts.len());
            let texts: Vec<String> = drafts[at..end].iter().map(Draft::text).collect();
            let mut open: Vec<usize> = (at..end)
                .filter(|number| self.known.get(&texts[number - at]) != Some(&false))
                .collect();
            let mut cases: HashMap<usize, Case> = HashMap::new();
            for number in &open {
                cases.extend(case(&drafts[*number], *number).map(|case| (*number, case)));
            }
            open.retain(|number| cases.contains_key(number));
            self.tries += open.len();
            let mut messages: HashMap<usize, String> = HashMap::new();
            // With servers of their own both runs of a draft go at once, for what fails by waiting takes long.
            let at_once = if jobs > 1 { TWICE } else { 1 };
            for _ in 0..TWICE / at_once {
                let mut batch = Vec::new();
                for case in open.iter().filter_map(|number| cases.get(number)) {
                    batch.extend((0..at_once).map(|turn| Case {
                        id: format!("{}/{turn}", case.id),
                        ..case.clone()
                    }));
                }
                let reports = self.run(batch).await?;
                let same = open.iter().zip(reports.chunks(at_once)).filter(|(number, reports)| {
                    let failed = reports
                        .iter()
                        .flatten()
                        .flat_map(|report| report.failures.first())
                        .next();
                    messages.extend(failed.map(|failure| (**number, failure.message.clone())));
                    let scenario = cases.get(number).map(|case| &case.scenario);
                    reports.iter().all(|report| {
                        scenario
                            .zip(report.as_ref())
                            .is_some_and(|(scenario, report)| self.is_same(&drafts[**number], scenario, report))
                    })
                });
                open = same.map(|(number, _)| *number).collect();
            }
            for (place, text) in texts.into_iter().enumerate() {
                self.known.insert(text, open.contains(&(at + place)));
            }
            if let Some(found) = open.first() {
                if let (Some(aim), Some(message)) = (&mut self.aim, messages.remove(found)) {
                    aim.message = message;
                }
                return Ok(Some(*found));
            }
            at = end;
        }
        Ok(None)
    }

    fn is_same(&self, draft: &Draft, scenario: &Scenario, report: &CaseReport) -> bool {
        let (Some(aim), Some(failure)) = (&self.aim, report.failures.first()) else {
            return false;
        };
        Signature::of(draft, scenario, failure) == aim.signature
            && !is_self_made(&aim.whole, draft, failure, aim.generation)
    }

    /// Runs cases and gives their reports, in order.
    async fn run(&mut self, cases: Vec<Case>) -> Result<Vec<Option<CaseReport>>, ShrinkError> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        // A server that the last draft has ended is started again.
        if matches!(self.target, Target::Command(_)) && self.running.alive().await.is_err() {
            self.running = boot::start(self.target, self.options.patience).await?;
        }
        let ids: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
        let mut collected = Collected::default();
        let engine = Engine {
            options: engine::Options {
                jobs: TWICE * self.options.jobs.max(1),
                patience: self.patience,
                timings: self.options.timings.clone(),
                traces: self.traces.path().to_owned(),
                suite: None,
            },
            running: &self.running,
            target: self.target,
            requirements: Arc::new(Requirements::default()),
            baseline: &self.baseline,
            browsers: None,
        };
        engine.run(cases, &self.offer, &mut collected).await?;
        Ok(ids.iter().map(|id| collected.0.remove(id)).collect())
    }

    /// Why nothing more is tried, if that is so.
    pub(super) fn is_over(&self) -> Option<&'static str> {
        if self.tries >= self.options.tries {
            return Some("--tries is reached");
        }
        (Instant::now() >= self.deadline).then_some("the time of --for is over")
    }

    pub(super) fn tries(&self) -> usize {
        self.tries
    }

    /// What the smallest case so far fails with.
    pub(super) fn failure(&self) -> String {
        self.aim.as_ref().map(|aim| aim.message.clone()).unwrap_or_default()
    }
}

/// The draft as a case, if it is one.
fn case(draft: &Draft, number: usize) -> Option<Case> {
    let scenario = parse("draft.wire", &draft.text()).ok()?;
    Some(Case {
        id: format!("draft/{number}"),
        scenario: Arc::new(scenario),
        transport: None,
    })
}

/// The reports of a run, by case.
#[derive(Default)]
struct Collected(HashMap<String, CaseReport>);

impl Reporter for Collected {
    fn event(&mut self, event: &Event) {
        if let Event::Case(report) = event {
            self.0.insert(report.id.clone(), report.clone());
        }
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        Ok(())
    }
}
