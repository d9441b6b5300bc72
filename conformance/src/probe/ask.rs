//! Asking: the probes are cases, and run as all cases do.

use std::path::PathBuf;

use super::findings::{Findings, Verdict, verdict};
use super::table::probes;
use crate::expect::Baseline;
use crate::report::{ReportError, Reporter};
use crate::run::boot::{BootError, Running, Target, embedded};
use crate::run::claims::unclaimed_of;
use crate::run::engine::Engine;
use crate::run::event::{CaseReport, Event};
use crate::run::offer::offer;
use crate::run::plan::{Extras, Offer};
use crate::scenario::Generation;
use crate::scenario::catalogue::{Case, Catalogue};

/// What a target offers. Of the embedded server, which has some of it only for the cases that ask for it, all of it.
///
/// # Errors
///
/// When the embedded server cannot be started.
pub async fn offered(
    target: &Target,
    running: &Running,
    wanted: &[Generation],
    patience: f64,
) -> Result<Offer, BootError> {
    if !matches!(target, Target::Embedded) {
        return Ok(offer(running.address(), wanted, patience).await);
    }
    let everything = Extras {
        recovery: true,
        webtransport: true,
        pages: false,
    };
    let server = embedded(patience, everything).await?;
    let offer = offer(&server.address(), wanted, patience).await;
    server.stop().await;
    Ok(offer)
}

/// Runs every probe that the offer allows.
///
/// # Errors
///
/// When the embedded server cannot be started.
pub async fn probe(engine: &Engine<'_>, catalogue: &Catalogue, offer: &Offer) -> Result<Findings, BootError> {
    let offer = Offer {
        claims: offer.claims.of_any_feature(),
        ..offer.clone()
    };
    let generations: Vec<Generation> = offer.transports.keys().copied().collect();
    let reports = run(engine, cases(catalogue, &generations, |_, _| true), &offer).await?;
    Ok(Findings::new(&offer, &reports))
}

/// Features that nobody claims, and that are there all the same: one note a generation.
///
/// # Errors
///
/// When the embedded server cannot be started.
pub async fn unclaimed_features(
    engine: &Engine<'_>,
    catalogue: &Catalogue,
    offer: &Offer,
    file: &str,
) -> Result<Vec<String>, BootError> {
    let claims = &offer.claims.generations;
    let is_open = |generation: Generation, feature: &str| claims.get(&generation).is_some_and(|it| !it.has(feature));
    let generations: Vec<Generation> = claims.keys().copied().collect();
    let cases = cases(catalogue, &generations, is_open);
    let offer = Offer {
        claims: offer.claims.of_any_feature(),
        ..offer.clone()
    };
    let reports = run(engine, cases, &offer).await?;
    let notes = generations.iter().filter_map(|generation| {
        let present = probes(*generation)
            .iter()
            .map(|probe| probe.feature)
            .filter(|feature| is_open(*generation, feature))
            .filter(|feature| verdict(*generation, feature, &reports) == Verdict::Present);
        unclaimed_of(*generation, present, file)
    });
    Ok(notes.collect())
}

/// The probes of these generations' features.
fn cases(catalogue: &Catalogue, generations: &[Generation], takes: impl Fn(Generation, &str) -> bool) -> Vec<Case> {
    let all = catalogue.cases();
    let ids: Vec<&str> = generations
        .iter()
        .flat_map(|generation| probes(*generation).iter().filter(|it| takes(*generation, it.feature)))
        .flat_map(|probe| probe.cases)
        .copied()
        .collect();
    all.into_iter()
        .filter(|case| ids.contains(&case.scenario.headers.case.node.as_str()))
        .collect()
}

/// Runs cases whose results nobody else is told; their traces go nowhere.
async fn run(engine: &Engine<'_>, cases: Vec<Case>, offer: &Offer) -> Result<Vec<CaseReport>, BootError> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir().ok();
    let mut options = engine.options.clone();
    options.traces = folder.as_ref().map_or_else(PathBuf::new, |it| it.path().to_owned());
    let order: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
    let baseline = Baseline::default();
    let mut kept = Kept::default();
    let probing = Engine {
        options,
        running: engine.running,
        target: engine.target,
        requirements: engine.requirements.clone(),
        baseline: &baseline,
        browsers: None,
    };
    probing.run(cases, offer, &mut kept).await?;
    // As they stand in the catalogue, and not as they ended.
    kept.0
        .sort_by_key(|report| order.iter().position(|id| *id == report.id));
    Ok(kept.0)
}

/// Keeps what became of each case.
#[derive(Default)]
struct Kept(Vec<CaseReport>);

impl Reporter for Kept {
    fn event(&mut self, event: &Event) {
        if let Event::Case(case) = event {
            self.0.push(case.clone());
        }
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        Ok(())
    }
}
