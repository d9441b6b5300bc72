//! `browser`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{CommandError, Judging, Settings, baseline, catalogue, no_case};
use crate::browser::engine::Engine;
use crate::browser::flash::Flash;
use crate::browser::matrix::{Means, Seated, matrix, size};
use crate::browser::pool::Pool;
use crate::cli::BrowserArgs;
use crate::exit::Exit;
use crate::glob::Glob;
use crate::run::boot::Target;
use crate::run::browsers::Browsers;
use crate::run::case::Timings;
use crate::run::engine::Options;

/// `browser`
///
/// # Errors
///
/// When nothing can be run: see the exit codes.
pub fn browser(args: &BrowserArgs) -> Result<Exit, CommandError> {
    let settings = Settings::of(&args.judged.config)?;
    let patience = settings.patience(args.judged.patience);
    let catalogue = catalogue(&args.files)?;
    let target = settings.target(args.judged.url.as_deref(), None, &args.judged.server)?;
    let replaced = args.client.iter().map(|(name, path)| match std::fs::read(path) {
        Ok(script) => Ok((name.clone(), script.into())),
        Err(error) => Err(CommandError::new(
            Exit::Usage,
            format!("cannot read {}: {error}", path.display()),
        )),
    });
    let replaced = replaced.collect::<Result<Vec<_>, _>>()?;
    let flash = args
        .flash
        .as_ref()
        .map(|folder| Flash::read(folder, &args.clients))
        .transpose();
    let flash = flash
        .map_err(|missing| CommandError::new(Exit::Usage, missing))?
        .map(Arc::new);
    let engines: &[Engine] = if args.browser.is_empty() {
        &[Engine::Chromium, Engine::Firefox]
    } else {
        &args.browser
    };
    let all = matrix(
        &catalogue.scenarios,
        &Means {
            engines,
            clients: &args.clients,
            replaced: &replaced,
            flash,
            restarts: !matches!(target, Target::Url(_)),
        },
    );
    let filters: Vec<Glob> = args.filter.iter().map(|glob| Glob::new(glob)).collect();
    let taken = |(case, _): &&Seated| filters.is_empty() || filters.iter().any(|glob| glob.names(&case.id));
    let cases: Vec<Seated> = all.iter().filter(taken).cloned().collect();
    let cases = args.judged.part(cases);
    if cases.is_empty() {
        return Err(no_case());
    }
    if cases.iter().all(|(_, seat)| seat.unable.is_some()) {
        let reasons: BTreeSet<&str> = cases.iter().filter_map(|(_, seat)| seat.unable.as_deref()).collect();
        let reasons: Vec<&str> = reasons.into_iter().collect();
        let message = format!("no case can run here\n  {}", reasons.join("\n  "));
        return Err(CommandError::new(Exit::NoCase, message));
    }
    let ids: Vec<&str> = all.iter().map(|(case, _)| case.id.as_str()).collect();
    let pool = Pool::new(engines, args.headed, patience);
    let everything = filters.is_empty() && args.browser.is_empty();
    let partial = args.judged.partial(&args.files, everything);
    let known = args.judged.baseline.clone();
    let judging = Judging {
        target,
        baseline: baseline(known.as_deref(), &ids)?,
        known,
        reports: args.judged.reports.clone(),
        partial,
        requirements: catalogue.requirements.clone(),
        generations: Vec::new(),
        options: Options {
            jobs: pool.size(),
            patience,
            timings: Timings::default(),
            traces: settings.traces(args.judged.traces.as_deref()),
            suite: settings.suite(args.judged.suite),
        },
        name: settings.name(args.judged.name.as_deref()),
        notes: vec![size(&cases)],
        own_files: !args.files.is_empty(),
        settings,
        probing: None,
        browsers: Some(Arc::new(Browsers {
            pool,
            seats: cases
                .iter()
                .map(|(case, seat)| (case.id.clone(), seat.clone()))
                .collect::<BTreeMap<_, _>>(),
        })),
    };
    let cases = cases.into_iter().map(|(case, _)| case).collect();
    judging.run(cases, &ids)
}
