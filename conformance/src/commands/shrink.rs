//! `shrink`

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::record::{duration, keep, print_error};
use super::{CommandError, block_on, catalogue, print_out, target};
use crate::exit::Exit;
use crate::run::case::Timings;
use crate::shrink::{Options, Progress, ShrinkError, Shrunk, shrink as smallest};

/// Arguments of `shrink`.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// The file of a case that fails
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A server that runs already: http://127.0.0.1:3000
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    pub url: Option<String>,
    /// Where the smallest case goes; standard output where nothing is said
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The transport that the case fails on, of those that its `over:` names; the first one where nothing is said
    #[arg(long, value_name = "TRANSPORT")]
    pub transport: Option<String>,
    /// Smaller cases that are tried at the most
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub tries: usize,
    /// End after so long, with the smallest one so far
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub within: Duration,
    /// A line of the file that has to stay (may be repeated)
    #[arg(long, value_name = "LINE")]
    pub keep: Vec<usize>,
    /// Cases at a time, where each has a server of its own
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub jobs: usize,
    /// Factor on every time limit, for a slow machine
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = crate::cli::patience)]
    pub patience: f64,
    /// Command that starts the server; PORT in its environment is the port to listen on
    #[arg(last = true, value_name = "COMMAND")]
    pub server: Vec<OsString>,
}

/// `shrink`
///
/// # Errors
///
/// When there is nothing to shrink: see the exit codes.
pub fn shrink(args: &ShrinkArgs) -> Result<Exit, CommandError> {
    let catalogue = catalogue(std::slice::from_ref(&args.file))?;
    let name = args.file.display();
    let [scenario] = catalogue.scenarios.as_slice() else {
        return Err(CommandError::new(
            Exit::Usage,
            format!("{name} is not the file of one case"),
        ));
    };
    if scenario.has_pages() {
        return Err(CommandError::new(
            Exit::Usage,
            format!("{name} has pages, and those are not shrunk"),
        ));
    }
    let over = scenario.headers.over.iter().map(|transport| transport.node.as_str());
    let transport = match &args.transport {
        Some(wanted) if over.clone().any(|it| it == wanted) => Some(wanted.as_str()),
        Some(wanted) => {
            let message = format!("{name} does not run over {wanted}: its header `over:` does not name it");
            return Err(CommandError::new(Exit::Usage, message));
        }
        None => over.clone().next(),
    };
    let target = target(args.url.as_deref(), None, &args.server)?;
    let options = Options {
        tries: args.tries,
        within: args.within,
        jobs: args.jobs,
        patience: args.patience,
        timings: Timings::default(),
        keep: args.keep.clone(),
    };
    let shown = std::io::stderr().is_terminal();
    let progress = |progress: Progress| {
        if shown {
            let line = format!("\r{} steps → {}, {} tries ", progress.from, progress.to, progress.tries);
            print_error(&line);
        }
    };
    let shrunk = block_on(smallest(scenario, transport, &target, &options, progress))?;
    if shown {
        print_error("\r\x1b[K");
    }
    let shrunk = shrunk.map_err(|error| refused(&error))?;
    match &args.output {
        Some(path) => {
            keep(path, &shrunk.text)?;
            print_out(&summary(&shrunk));
            print_out(&format!(
                "next  sio-conformance run {}{}\n",
                path.display(),
                target.arguments()
            ));
        }
        None => {
            print_out(&shrunk.text);
            let _ = std::io::stdout().flush();
            print_error(&summary(&shrunk));
        }
    }
    Ok(Exit::AsExpected)
}

fn summary(shrunk: &Shrunk) -> String {
    let Progress { from, to, tries } = shrunk.progress;
    let unfinished = shrunk
        .unfinished
        .map(|why| format!("; it may get smaller still: {why}"));
    format!(
        "{from} steps → {to} steps, {tries} tries{}\nstill {}\n",
        unfinished.unwrap_or_default(),
        shrunk.failure
    )
}

fn refused(error: &ShrinkError) -> CommandError {
    let exit = match error {
        ShrinkError::Passes | ShrinkError::Skipped(_) | ShrinkError::Flaky { .. } => Exit::Usage,
        ShrinkError::Boot(error) => error.exit(),
        ShrinkError::Folder(_) => Exit::Fault,
    };
    CommandError::new(exit, error.to_string())
}
