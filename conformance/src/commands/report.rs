//! `report`: saved runs into reports.

use std::path::{Path, PathBuf};

use clap::Args;

use super::reports::{ReportFiles, When, files};
use super::{CommandError, embedded_catalogue};
use crate::exit::Exit;
use crate::report::html::{Html, Knowledge, Proof};
use crate::report::{FanOut, Reporter as _, saved};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Files that --json wrote; of several releases of a server, the oldest first
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// What to make of them
    #[command(flatten)]
    pub files: ReportFiles,
    /// How many changes each case catches: lines of {"event":"proof","case":"ID","killed":12,"survived":0}
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
}

/// `report`
///
/// # Errors
///
/// When a run cannot be read, or a report cannot be written.
pub fn report(args: &ReportArgs) -> Result<Exit, CommandError> {
    let ReportFiles {
        json,
        html,
        junit,
        tap,
        badge,
        github,
    } = &args.files;
    let of_one = junit.is_some() || tap.is_some() || !badge.is_empty();
    if json.is_some() || *github != When::Auto {
        return Err(usage("--json and --github are of `run`: a saved run is JSON already"));
    }
    if html.is_none() && !of_one {
        return Err(usage("nothing to make of the runs; --html FILE writes a page"));
    }
    if of_one && args.runs.len() > 1 {
        return Err(usage(
            "--junit, --tap and --badge tell of one run; name one, or make a page of several with --html",
        ));
    }
    // All are read before anything is written.
    let runs = args.runs.iter().map(|path| saved::read(path).map_err(usage));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    let mut reporter = files(FanOut::default(), &args.files, args.proof.as_deref())?;
    for events in &runs {
        saved::replay(events, &mut reporter);
    }
    reporter.finish().map_err(usage)?;
    Ok(Exit::AsExpected)
}

/// The page at `path`, with what `prove` found.
pub(super) fn html(path: &Path, proof: Option<&Path>) -> Result<Html, CommandError> {
    let proof = match proof {
        Some(path) => Proof::read(path).map_err(usage)?,
        None => Proof::default(),
    };
    let knowledge = Knowledge::of(&embedded_catalogue()?);
    Html::create(path, knowledge, proof).map_err(usage)
}

fn usage(error: impl std::fmt::Display) -> CommandError {
    CommandError::new(Exit::Usage, error.to_string())
}
