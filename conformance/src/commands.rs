//! What the subcommands do.

pub mod accept;
mod browser;
pub mod codec;
pub mod copy;
mod init;
pub mod manual;
mod probe;
pub mod record;
mod report;
pub mod reports;
mod settings;
pub mod shrink;

use std::ffi::OsString;
use std::fmt;
use std::fmt::Write as _;
use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::{ListArgs, ProveArgs, RunArgs};
use crate::exit::Exit;
use crate::expect::{Baseline, Keep};
use crate::glob::Glob;
use crate::probe::{offered, unclaimed_features};
use crate::prove::{self, Known};
use crate::report::Reporter;
use crate::run::boot::{self, BaseUrl, Target};
use crate::run::browsers::Browsers;
use crate::run::clock;
use crate::run::engine::{Engine, Options};
use crate::run::event::{Event, FORMAT_VERSION, Start, Summary};
use crate::run::offer::served;
use crate::run::plan::{Offer, Selection};
use crate::scenario::Generation;
use crate::scenario::catalogue::{Case, Catalogue, CatalogueError};
use crate::scenario::coverage::coverage;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::requirements::Requirements;
use crate::suite::{self, Renamed};

pub use accept::accept;
pub use browser::browser;
pub use init::{InitArgs, init};
pub use manual::{completions, man};
pub use probe::{ProbeArgs, probe};
pub use report::{ReportArgs, report};
pub use settings::ConfigArgs;

pub use record::record;
use reports::{ReportFiles, reporters};
use settings::Settings;
pub use shrink::shrink;

/// Why a command ends without a result: for a person, with the exit code.
#[derive(Debug)]
pub struct CommandError {
    /// How the process ends.
    pub exit: Exit,
    /// What, where, and what to do.
    pub message: String,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl CommandError {
    fn new(exit: Exit, message: impl Into<String>) -> CommandError {
        CommandError {
            exit,
            message: format!("error: {}", message.into()),
        }
    }
}

/// `run`
///
/// # Errors
///
/// When nothing can be run: see the exit codes.
pub fn run(args: &RunArgs) -> Result<Exit, CommandError> {
    let settings = Settings::of(&args.judged.config)?;
    let catalogue = catalogue(&args.files)?;
    let all = catalogue.cases();
    let selection = args.selection.selection();
    let cases: Vec<Case> = all.iter().filter(|case| selection.takes(case)).cloned().collect();
    let cases = args.judged.part(cases);
    // Only of a person's own files: those that come with the program are no part of `run`.
    let for_browsers = match args.files.as_slice() {
        [] => None,
        files => for_browsers(&catalogue, files),
    };
    if cases.is_empty() {
        return Err(for_browsers.map_or_else(no_case, |hint| CommandError::new(Exit::Usage, hint)));
    }
    let ids: Vec<&str> = all.iter().map(|case| case.id.as_str()).collect();
    let partial = args.judged.partial(&args.files, selection.is_everything());
    let known = settings.baseline(args.judged.baseline.as_deref()).map(Path::to_owned);
    let judging = Judging {
        target: settings.target(args.judged.url.as_deref(), args.policy_port, &args.judged.server)?,
        baseline: baseline(known.as_deref(), &ids)?,
        known,
        reports: settings.reports(&args.judged.reports)?,
        requirements: catalogue.requirements.clone(),
        generations: selection.generations.clone(),
        options: Options {
            jobs: settings.jobs(args.jobs),
            patience: settings.patience(args.judged.patience),
            timings: args.timings(settings.timings()),
            traces: settings.traces(args.judged.traces.as_deref()),
            suite: settings.suite(args.judged.suite),
        },
        browsers: None,
        name: settings.name(args.judged.name.as_deref()),
        notes: for_browsers.into_iter().collect(),
        own_files: !args.files.is_empty(),
        settings,
        probing: partial.is_none().then(|| catalogue.clone()),
        partial,
    };
    judging.run(cases, &ids)
}

/// What a run needs besides its cases.
struct Judging {
    target: Target,
    baseline: Baseline,
    /// The baseline's file.
    known: Option<PathBuf>,
    reports: ReportFiles,
    requirements: Requirements,
    /// Those asked for by name.
    generations: Vec<Generation>,
    options: Options,
    browsers: Option<Arc<Browsers>>,
    /// What reports call the server, if not by its target.
    name: Option<String>,
    /// Said before the first case.
    notes: Vec<String>,
    /// Whether the cases are not those that come with the program.
    own_files: bool,
    /// Why some cases do not run, if any.
    partial: Option<String>,
    /// What a file says.
    settings: Settings,
    /// In a full run, the cases that probe what the file does not claim.
    probing: Option<Catalogue>,
}

impl Judging {
    /// Runs cases and reports. `ids` are those of every case. Where none is left out, a baseline's line that fits none is
    /// an error.
    fn run(&self, cases: Vec<Case>, ids: &[&str]) -> Result<Exit, CommandError> {
        let mut reporter = reporters(&self.reports)?;
        // Of files of one's own there is nothing to accept.
        if !self.own_files {
            let keep = Keep::new(&self.options.traces, self.known.as_deref(), self.partial.clone());
            reporter = reporter.with(keep);
        }
        let (summary, interrupted) = block_on(self.judge(cases, &mut reporter))??;
        let stale = if self.partial.is_none() && !interrupted {
            self.baseline.stale(ids)
        } else {
            Vec::new()
        };
        for error in &stale {
            reporter.event(&Event::Note {
                message: error.to_string(),
            });
        }
        if !interrupted {
            reporter.event(&Event::Summary(summary.clone()));
        }
        reporter
            .finish()
            .map_err(|error| CommandError::new(Exit::Usage, error.to_string()))?;
        if interrupted {
            return Err(CommandError::new(Exit::Fault, "interrupted"));
        }
        Ok(if summary.fail > 0 || !stale.is_empty() {
            Exit::Unexpected
        } else {
            Exit::AsExpected
        })
    }

    async fn judge(&self, cases: Vec<Case>, reporter: &mut dyn Reporter) -> Result<(Summary, bool), CommandError> {
        let booted = |error: boot::BootError| CommandError::new(error.exit(), error.to_string());
        let patience = self.options.patience;
        let running = boot::start(&self.target, patience).await.map_err(booted)?;
        let mut offer = match self.target {
            Target::Embedded if self.settings.config.claims.is_empty() => Offer {
                policy: true,
                ..Offer::default()
            },
            _ => offered(&self.target, &running, &self.generations, patience)
                .await
                .map_err(booted)?,
        };
        offer.claims = self.settings.config.claims.clone();
        let file = self.settings.file.as_deref().unwrap_or_default();
        if self.browsers.is_some() && offer.transports.contains_key(&Generation::Rev1) {
            offer.served = served(running.address(), patience).await;
        }
        reporter.event(&Event::Start(Start {
            format: FORMAT_VERSION,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            target: self.target.to_string(),
            cases: cases.len(),
            name: self.name.clone(),
            config: self.settings.file.clone(),
            suite: Some(suite::DATE.to_owned()),
            time: Some(clock::now()),
        }));
        let renamed = self.baseline.renamed();
        let notes = self.notes.iter().cloned();
        let notes = notes.chain(renamed.iter().map(ToString::to_string));
        for message in notes.chain(offer.claims.unclaimed(&offer, file)) {
            reporter.event(&Event::Note { message });
        }
        let engine = Engine {
            options: self.options.clone(),
            running: &running,
            target: &self.target,
            requirements: Arc::new(self.requirements.clone()),
            baseline: &self.baseline,
            browsers: self.browsers.clone(),
        };
        let run = async {
            let summary = engine.run(cases, &offer, reporter).await?;
            if let Some(catalogue) = &self.probing {
                for message in unclaimed_features(&engine, catalogue, &offer, file).await? {
                    reporter.event(&Event::Note { message });
                }
            }
            Ok(summary)
        };
        let result = tokio::select! {
            summary = run => summary.map(|summary| (summary, false)).map_err(booted),
            _ = tokio::signal::ctrl_c() => Ok((Summary::default(), true)),
        };
        if let Some(browsers) = &self.browsers {
            browsers.pool.stop().await;
        }
        running.stop().await;
        result
    }
}

/// `list`
///
/// # Errors
///
/// When the catalogue that comes with the program is malformed.
pub fn list(args: &ListArgs) -> Result<Exit, CommandError> {
    let catalogue = embedded_catalogue()?;
    if args.coverage {
        let coverage = coverage(&catalogue);
        print_out(&coverage.render());
        return Ok(if coverage.is_clean() {
            Exit::AsExpected
        } else {
            Exit::Unexpected
        });
    }
    let selection = args.selection.selection();
    let cases = catalogue.all_cases();
    let mut text = String::new();
    for case in cases.iter().filter(|case| selection.takes(case)) {
        let title = case
            .scenario
            .headers
            .title
            .as_ref()
            .map_or("", |title| title.node.as_str());
        let _ = writeln!(text, "{:<56} {title}", case.id);
    }
    if text.is_empty() {
        return Err(no_case());
    }
    print_out(&text);
    Ok(Exit::AsExpected)
}

/// `show`
///
/// # Errors
///
/// When there is no such case.
pub fn show(id: &str) -> Result<Exit, CommandError> {
    if id.starts_with("codec/") {
        return codec::show(id);
    }
    let catalogue = embedded_catalogue()?;
    let now = Renamed::embedded().now(id);
    let id = now.as_deref().unwrap_or(id);
    let bare = id.split('[').next().unwrap_or(id);
    let Some(scenario) = catalogue.scenario(bare) else {
        return Err(CommandError::new(
            Exit::NoCase,
            format!("no case {id:?}; `sio-conformance list` names them all"),
        ));
    };
    print_out(&scenario.source.text);
    let mut text = String::new();
    let ids: std::collections::BTreeSet<&str> = scenario
        .steps()
        .filter_map(|(_, reference)| reference)
        .flat_map(|reference| reference.requirements.iter().map(|id| id.node.as_str()))
        .collect();
    for requirement in ids.iter().filter_map(|id| catalogue.requirements.get(id)) {
        let _ = writeln!(text, "# {}: {}", requirement.id, requirement.text);
    }
    print_out(&text);
    Ok(Exit::AsExpected)
}

/// `prove`
///
/// # Errors
///
/// When nothing can be proven.
pub fn prove(args: &ProveArgs) -> Result<Exit, CommandError> {
    let catalogue = embedded_catalogue()?;
    let selection = Selection {
        filters: args.filter.iter().map(|glob| Glob::new(glob)).collect(),
        ..Selection::default()
    };
    let cases: Vec<Case> = catalogue
        .cases()
        .into_iter()
        .filter(|case| selection.takes(case))
        .collect();
    if cases.is_empty() {
        return Err(no_case());
    }
    let known = Known::embedded().map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CommandError::new(Exit::Fault, lines.join("\n"))
    })?;
    let target = target(args.url.as_deref(), None, &args.server)?;
    let options = prove::Options {
        jobs: args.jobs.and_then(NonZero::new),
        pace: prove::Pace::contract(args.patience),
        known,
        everything: args.filter.is_empty() && target == Target::Embedded,
        target,
    };
    let report = prove::prove(cases, &options).map_err(|error| CommandError::new(error.exit(), error.to_string()))?;
    if let Some(path) = &args.json {
        write_proofs(path, &report)?;
    }
    print_out(&report.to_string());
    Ok(report.exit())
}

/// A line of JSON for each case.
fn write_proofs(path: &Path, report: &prove::ProveReport) -> Result<(), CommandError> {
    let mut lines = String::new();
    for proof in &report.by_case {
        let line = serde_json::to_string(proof).map_err(|error| CommandError::new(Exit::Fault, error.to_string()))?;
        let _ = writeln!(lines, "{line}");
    }
    std::fs::write(path, lines)
        .map_err(|error| CommandError::new(Exit::Usage, format!("cannot write {}: {error}", path.display())))
}

/// What to do with files whose cases have pages, if there are any.
fn for_browsers(catalogue: &Catalogue, files: &[PathBuf]) -> Option<String> {
    let first = catalogue.scenarios.iter().find(|scenario| scenario.has_pages())?;
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let id = &first.headers.case.node;
    Some(format!(
        "{id} needs a browser: sio-conformance browser {}",
        files.join(" ")
    ))
}

fn no_case() -> CommandError {
    CommandError::new(
        Exit::NoCase,
        "no case is selected; `sio-conformance list` names them all",
    )
}

fn target(url: Option<&str>, policy_port: Option<u16>, server: &[OsString]) -> Result<Target, CommandError> {
    if let Some(url) = url {
        let url = BaseUrl::parse(url).map_err(|error| CommandError::new(Exit::Usage, error.to_string()))?;
        return Ok(Target::Url(url.with_policy_port(policy_port)));
    }
    Ok(if server.is_empty() {
        Target::Embedded
    } else {
        Target::Command(server.to_vec().into())
    })
}

fn baseline(path: Option<&Path>, ids: &[&str]) -> Result<Baseline, CommandError> {
    let Some(path) = path else {
        return Ok(Baseline::default());
    };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::new(Exit::Usage, format!("cannot read {name}: {error}")))?;
    let lines = |errors: Vec<crate::expect::BaselineError>| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CommandError::new(Exit::Usage, lines.join("\n"))
    };
    let baseline = Baseline::parse(&name, &text).map_err(lines)?;
    baseline.check(ids).map_err(lines)?;
    Ok(baseline)
}

/// The cases that come with the program, or those of these files.
fn catalogue(files: &[PathBuf]) -> Result<Catalogue, CommandError> {
    let embedded = embedded_catalogue()?;
    if files.is_empty() {
        return Ok(embedded);
    }
    let own = Catalogue {
        scenarios: Vec::new(),
        requirements: embedded.requirements,
    };
    own.with_paths(files).map_err(|error| malformed(&error, Exit::Usage))
}

fn embedded_catalogue() -> Result<Catalogue, CommandError> {
    Catalogue::embedded().map_err(|error| malformed(&error, Exit::Fault))
}

fn malformed(error: &CatalogueError, exit: Exit) -> CommandError {
    let diagnostics = match error {
        CatalogueError::Malformed(diagnostics) => diagnostics.as_slice(),
        CatalogueError::Read(_) => &[],
    };
    let colour = std::io::stderr().is_terminal();
    let shown: Vec<String> = diagnostics.iter().map(|it: &Diagnostic| it.render(colour)).collect();
    CommandError {
        exit,
        message: [shown, vec![error.to_string()]].concat().join("\n\n"),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CommandError::new(Exit::Fault, format!("cannot start the runtime: {error}")))?;
    Ok(runtime.block_on(future))
}

/// A reader that has gone away (`| head`) is no error.
fn print_out(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
