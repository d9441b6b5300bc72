//! `probe`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::init::{create, there};
use super::settings::{ConfigArgs, Settings};
use super::{CommandError, block_on, embedded_catalogue, print_out};
use crate::cli::patience;
use crate::config::NAME;
use crate::exit::Exit;
use crate::expect::Baseline;
use crate::probe::{Difference, Door, Findings, differences, offered, write};
use crate::run::boot::{self, BootError, Target};
use crate::run::engine::{Engine, Options};
use crate::scenario::catalogue::Catalogue;

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// A server that runs already: http://127.0.0.1:3000
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    pub url: Option<String>,
    /// Flash policy port of the server at --url
    #[arg(long, value_name = "PORT", requires = "url")]
    pub policy_port: Option<u16>,
    /// Where to write; standard output where nothing is said
    #[arg(long, short, value_name = "FILE", conflicts_with = "check")]
    pub output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Write nothing: compare what the file claims with what the server does
    #[arg(long, conflicts_with = "no_config")]
    pub check: bool,
    /// Factor on every time limit, for a slow machine [default: 1]
    #[arg(long, value_name = "X", value_parser = patience)]
    pub patience: Option<f64>,
    /// The file whose server and time limits hold, and whose claims --check compares
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Command that starts the server; PORT in its environment is the port to listen on
    #[arg(last = true, value_name = "COMMAND")]
    pub server: Vec<std::ffi::OsString>,
}

/// `probe`
///
/// # Errors
///
/// When there is nobody to ask, or nowhere to write.
pub fn probe(args: &ProbeArgs) -> Result<Exit, CommandError> {
    let settings = Settings::of(&args.config)?;
    if args.check && settings.config.claims.is_empty() {
        let file = settings.file.as_deref().unwrap_or(NAME);
        let what = match settings.file {
            Some(_) => format!("{file} claims nothing"),
            None => format!("there is no {file}"),
        };
        return Err(CommandError::new(
            Exit::Usage,
            format!("{what}; write one: sio-conformance probe -o {NAME}"),
        ));
    }
    if let Some(path) = args.output.as_deref().filter(|path| path.exists() && !args.force) {
        return Err(there(path));
    }
    let target = settings.target(args.url.as_deref(), args.policy_port, &args.server)?;
    let catalogue = embedded_catalogue()?;
    let findings = block_on(ask(&target, &catalogue, &settings, settings.patience(args.patience)))?
        .map_err(|error| CommandError::new(error.exit(), error.to_string()))?;
    if findings.generations.is_empty() {
        return Err(CommandError::new(
            Exit::Unexpected,
            format!("{target} answers to no handshake of any generation"),
        ));
    }
    if args.check {
        let differences = differences(&settings.config.claims, &findings);
        print_out(&compared(&differences, settings.file.as_deref().unwrap_or(NAME)));
        return Ok(if differences.iter().any(|it| it.is_false) {
            Exit::Unexpected
        } else {
            Exit::AsExpected
        });
    }
    let text = write(&findings, &door(&target, args.output.as_deref()));
    match &args.output {
        None => print_out(&text),
        Some(path) => {
            create(path, &text, args.force)?;
            print_out(&told(&findings, path));
        }
    }
    Ok(Exit::AsExpected)
}

async fn ask(
    target: &Target,
    catalogue: &Catalogue,
    settings: &Settings,
    patience: f64,
) -> Result<Findings, BootError> {
    let running = boot::start(target, patience).await?;
    let found = async {
        let offer = offered(target, &running, &[], patience).await?;
        let baseline = Baseline::default();
        let engine = Engine {
            options: Options {
                jobs: settings.jobs(None),
                patience,
                timings: settings.timings(),
                traces: PathBuf::new(),
                suite: None,
            },
            running: &running,
            target,
            requirements: Arc::new(catalogue.requirements.clone()),
            baseline: &baseline,
            browsers: None,
        };
        crate::probe::probe(&engine, catalogue, &offer).await
    };
    let found = found.await;
    running.stop().await;
    found
}

/// How `[server]` names the target in a file at this place; standard output will become a file of this folder.
fn door(target: &Target, output: Option<&Path>) -> Door {
    let here = output
        .and_then(Path::parent)
        .is_none_or(|folder| folder.as_os_str().is_empty() || folder == Path::new("."));
    match target {
        Target::Embedded => Door::Embedded,
        Target::Url(url) => Door::Url(url.to_string(), url.address().policy_port),
        Target::Command(launch) if here && launch.said.is_none() => Door::Here(launch.words.clone()),
        Target::Command(launch) => Door::Elsewhere(launch.words.clone()),
    }
}

/// One line a generation.
fn told(findings: &Findings, path: &Path) -> String {
    let mut text = format!("wrote {}\n", path.display());
    for (generation, found) in &findings.generations {
        let _ = writeln!(
            text,
            "  {generation}  over {}; {} of {} features",
            found.transports.join(", "),
            found.present().count(),
            found.features.len()
        );
    }
    text
}

fn compared(differences: &[Difference], file: &str) -> String {
    if differences.is_empty() {
        return format!("{file} claims what the server does\n");
    }
    let mut text = String::new();
    for (title, is_false) in [("false claims", true), ("not claimed, and there", false)] {
        let lines: Vec<String> = differences
            .iter()
            .filter(|it| it.is_false == is_false)
            .map(|it| format!("  {it}\n"))
            .collect();
        if !lines.is_empty() {
            let _ = write!(text, "{title}\n{}", lines.concat());
        }
    }
    text
}
