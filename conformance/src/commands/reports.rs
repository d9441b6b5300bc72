//! The reports of a run besides the terminal's: which are wanted, and where they go.

use std::io::{Stdout, Write as _, stderr, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::CommandError;
use crate::exit::Exit;
use crate::report::{BadgeFile, FanOut, GitHub, JsonLines, ReportError, Terminal, badge, junit, tap};

/// Files that a run leaves.
#[derive(Clone, Debug, Default, Args)]
pub struct ReportFiles {
    /// Write every event as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a page to look at
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write JUnit's XML, which most CI systems read
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the Test Anything Protocol, version 14
    #[arg(long, value_name = "FILE")]
    pub tap: Option<PathBuf>,
    /// Write a badge: FILE.json for shields.io, FILE.svg for the picture itself (may be repeated)
    #[arg(long, value_name = "FILE", value_parser = BadgeFile::parse)]
    pub badge: Vec<BadgeFile>,
    /// Write a summary and annotations for GitHub Actions; `auto` where GITHUB_ACTIONS=true
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_value = "auto",
          default_missing_value = "always")]
    pub github: When,
}

/// When to write for GitHub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// In a workflow of GitHub.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In none.
    Never,
}

/// Every reporter that is asked for, that of the terminal first.
///
/// # Errors
///
/// When a file cannot be created.
pub(super) fn reporters(args: &ReportFiles) -> Result<FanOut, CommandError> {
    // First, for the runner has to be told before anything else is printed.
    let github = github(args.github).map_err(|error| failed(&error))?;
    let mut all = FanOut::default().with(Terminal::stdout());
    if let Some(path) = &args.json {
        all = all.with(JsonLines::create(path).map_err(|error| failed(&error))?);
    }
    all = files(all, args, None)?;
    // Last, for its annotations stand below the terminal's report.
    Ok(match github {
        Some(github) => all.with(github),
        None => all,
    })
}

/// Those that are files and say what a run came to; `proof` is what `prove` found, for the page.
///
/// # Errors
///
/// When a file cannot be created, or the proof not be read.
pub(super) fn files(mut all: FanOut, args: &ReportFiles, proof: Option<&Path>) -> Result<FanOut, CommandError> {
    if let Some(path) = &args.html {
        all = all.with(super::report::html(path, proof)?);
    }
    if let Some(path) = &args.junit {
        all = all.with(junit(path).map_err(|error| failed(&error))?);
    }
    if let Some(path) = &args.tap {
        all = all.with(tap(path).map_err(|error| failed(&error))?);
    }
    for file in &args.badge {
        all = all.with(badge(file).map_err(|error| failed(&error))?);
    }
    Ok(all)
}

fn failed(error: &ReportError) -> CommandError {
    let why = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    CommandError::new(Exit::Usage, format!("{error}{why}"))
}

fn github(when: When) -> Result<Option<GitHub<Stdout>>, ReportError> {
    let here = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    if !here && when != When::Always {
        return Ok(None);
    }
    // Even where no report is wanted, the runner reads along.
    let mut github = GitHub::begin(stdout(), token());
    if when == When::Never {
        return Ok(Some(github));
    }
    github.annotate();
    let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let opened = summary.map_or(Ok(()), |path| github.summarise(Path::new(&path)));
    match opened {
        // Nobody asked for it: a container has the variable and not the file.
        Err(error) if when == When::Auto => {
            let _ = writeln!(stderr(), "no summary for GitHub: {error}");
        }
        opened => opened?,
    }
    Ok(Some(github))
}

/// A word that no server can guess.
fn token() -> String {
    let mut random = [0; 16];
    // Without randomness, the address of the variable is still no secret of the server's.
    if getrandom::fill(&mut random).is_err() {
        return format!("sio{:p}", &raw const random);
    }
    random
        .iter()
        .fold("sio".to_owned(), |token, byte| token + &format!("{byte:02x}"))
}
