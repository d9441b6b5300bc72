//! `codec`

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::reports::{ReportFiles, reporters};
use super::{CommandError, baseline, block_on, no_case, print_out};
use crate::codec_check::{Check, Options, checks, run};
use crate::exit::Exit;
use crate::glob::Glob;
use crate::report::Reporter as _;
use crate::run::boot::Boot;
use crate::run::event::Event;

/// Arguments of `codec`.
#[derive(Debug, Args)]
pub struct CodecArgs {
    /// Only vectors of this layer, sio5/packet, or generation, sio5 (may be repeated)
    #[arg(long, value_name = "LAYER")]
    pub layer: Vec<String>,
    /// Only cases whose id matches: `*` is anything, brackets are literal (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
    /// Factor on every time limit, for a slow machine
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = crate::cli::patience)]
    pub patience: f64,
    /// Known failures: lines of `case-glob  fail|skip  # reason`
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Reports
    #[command(flatten)]
    pub reports: ReportFiles,
    /// The parser: reads requests and writes answers, a line of JSON each (docs/codec.md)
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `codec`
///
/// # Errors
///
/// When nothing can be judged: see the exit codes.
pub fn codec(args: &CodecArgs) -> Result<Exit, CommandError> {
    let all = checks().map_err(|error| CommandError::new(Exit::Fault, error.to_string()))?;
    let selected = selected(&all, args)?;
    let ids: Vec<&str> = all.iter().map(|check| check.id.as_str()).collect();
    let options = Options {
        command: args.command.clone(),
        boot: Boot::new(args.patience),
        baseline: baseline(args.baseline.as_deref(), &ids)?,
    };
    let mut reporter = reporters(&args.reports)?;
    let ended = block_on(async {
        tokio::select! {
            run = run(&selected, &options, &mut reporter) => Some(run),
            _ = tokio::signal::ctrl_c() => None,
        }
    })?;
    let interrupted = ended.is_none();
    let ended = ended.transpose();
    let ended = ended.map_err(|error| CommandError::new(error.exit(), error.to_string()))?;
    let ended = ended.unwrap_or_default();
    let complete = args.layer.is_empty() && args.filter.is_empty() && !interrupted;
    let stale = if complete {
        options.baseline.stale(&ids)
    } else {
        Vec::new()
    };
    for error in &stale {
        let message = error.to_string();
        reporter.event(&Event::Note { message });
    }
    let summary = ended.summary;
    reporter.event(&Event::Summary(summary.clone()));
    let finished = reporter.finish();
    finished.map_err(|error| CommandError::new(Exit::Usage, error.to_string()))?;
    if interrupted {
        return Err(CommandError::new(Exit::Fault, "interrupted"));
    }
    if summary.pass + summary.lenient + summary.expected + summary.fail == 0 {
        let message = "the command was asked nothing that it supports";
        return Err(CommandError::new(Exit::NoCase, message));
    }
    Ok(if summary.fail > 0 || !stale.is_empty() || ended.given_up {
        Exit::Unexpected
    } else {
        Exit::AsExpected
    })
}

/// `show` of a vector: what is asked, and the answer.
pub(super) fn show(id: &str) -> Result<Exit, CommandError> {
    let all = checks().map_err(|error| CommandError::new(Exit::Fault, error.to_string()))?;
    let bare = |id: &str| id.split('[').next().unwrap_or_default().to_owned();
    let fits = |check: &&Check| check.id == id || bare(&check.id) == id;
    let shown: Vec<String> = all.iter().filter(fits).map(ToString::to_string).collect();
    if shown.is_empty() {
        let message = format!("no vector {id:?}; `sio-conformance codec --layer LAYER -- COMMAND` names them");
        return Err(CommandError::new(Exit::NoCase, message));
    }
    print_out(&shown.join("\n"));
    Ok(Exit::AsExpected)
}

fn selected(all: &[Check], args: &CodecArgs) -> Result<Vec<Check>, CommandError> {
    let is_of = |layer: &str, wanted: &str| layer == wanted || layer.split('/').next() == Some(wanted);
    let layers: BTreeSet<&str> = all.iter().map(|check| check.layer.as_str()).collect();
    for wanted in &args.layer {
        if !layers.iter().any(|layer| is_of(layer, wanted)) {
            let known: Vec<&str> = layers.into_iter().collect();
            let message = format!("no layer is called {wanted:?}; known are {}", known.join(", "));
            return Err(CommandError::new(Exit::Usage, message));
        }
    }
    let filters: Vec<Glob> = args.filter.iter().map(|glob| Glob::new(glob)).collect();
    let takes = |check: &&Check| {
        (args.layer.is_empty() || args.layer.iter().any(|wanted| is_of(&check.layer, wanted)))
            && (filters.is_empty() || filters.iter().any(|glob| glob.matches(&check.id)))
    };
    let selected: Vec<Check> = all.iter().filter(takes).cloned().collect();
    if selected.is_empty() {
        return Err(no_case());
    }
    Ok(selected)
}
