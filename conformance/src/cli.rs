//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::browser::engine::Engine;
use crate::commands::accept::AcceptArgs;
use crate::commands::codec::CodecArgs;
use crate::commands::copy::CopyArgs;
use crate::commands::manual::{CompletionsArgs, ManArgs};
use crate::commands::record::RecordArgs;
use crate::commands::reports::ReportFiles;
use crate::commands::shrink::ShrinkArgs;
use crate::commands::{ConfigArgs, InitArgs, ProbeArgs, ReportArgs};
use crate::glob::Glob;
use crate::run::case::Timings;
use crate::run::plan::{Selection, Shard};
use crate::scenario::Generation;
use crate::suite::Date;

/// Judges a Socket.IO server: any generation, every transport.
#[derive(Debug, Parser)]
#[command(name = "sio-conformance", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a server: the one at --url, the one that COMMAND starts, or the embedded reference server
    Run(Box<RunArgs>),
    /// Judge a server with real browsers: pages that load the official clients
    Browser(Box<BrowserArgs>),
    /// Judge a parser: put the packet vectors to COMMAND, as lines of JSON
    Codec(Box<CodecArgs>),
    /// Write the cases, requirements and packet vectors into a folder, or the cases as JSON for other runners
    Copy(CopyArgs),
    /// List the cases, or the requirements with the cases that cover them
    List(ListArgs),
    /// Ask a server what it does, and write that as conformance.toml
    Probe(ProbeArgs),
    /// Write a conformance.toml to begin with
    Init(InitArgs),
    /// Print a case
    Show {
        /// Id, with or without its transport: rev1/ack/data[xhr-polling]
        case: String,
    },
    /// Write the baseline anew from what the last run of all cases came to
    Accept(AcceptArgs),
    /// Make reports of saved runs, one or several
    Report(ReportArgs),
    /// Record what clients and a server say to each other, as a case that can be run again
    Record(RecordArgs),
    /// Make a failing case small: the smallest one that still fails the same way
    Shrink(ShrinkArgs),
    /// Show that every expectation can fail: replay each case with each thing the server said made wrong
    Prove(ProveArgs),
    /// Print what a shell needs to complete the words of this program
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands to a folder
    Man(ManArgs),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Case files to run instead of the cases that come with the program: a trace, a case of your own
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Flash policy port of the server at --url
    #[arg(long, value_name = "PORT", requires = "url")]
    pub policy_port: Option<u16>,
    /// Which cases
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Cases at a time [default: 48]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// What no handshake announces: interval=1s (rev1 heartbeats), polling=1s (rev1, how long
    /// an idle poll is held), connect=1s (eio4, how long a client may be in no namespace); eio3 announces all
    #[arg(long, value_name = "NAME=VALUE", value_parser = timing)]
    pub timing: Vec<(TimingName, Duration)>,
    /// The server, and what becomes of the results
    #[command(flatten)]
    pub judged: JudgedArgs,
}

/// Arguments of `browser`.
#[derive(Debug, Args)]
pub struct BrowserArgs {
    /// Case files to run instead of the cases that come with the program
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Browsers: chromium, firefox, webkit; chromium and firefox where nothing is said
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub browser: Vec<Engine>,
    /// Only cases whose id matches: `*` is anything, brackets are literal (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
    /// Show the browsers, one case at a time
    #[arg(long)]
    pub headed: bool,
    /// Folder in which npm has installed the official clients
    #[arg(long, value_name = "DIR", default_value = crate::browser::clients::FOLDER)]
    pub clients: PathBuf,
    /// Give pages Flash, from the folder in which npm has installed @ruffle-rs/ruffle: client 0.9 has flashsocket then
    #[arg(long, value_name = "DIR")]
    pub flash: Option<PathBuf>,
    /// A script to load in place of a client: 0.9=my/socket.io.js (may be repeated)
    #[arg(long, value_name = "NAME=FILE", value_parser = client)]
    pub client: Vec<(String, PathBuf)>,
    /// The server, and what becomes of the results
    #[command(flatten)]
    pub judged: JudgedArgs,
}

/// What `run` and `browser` share: the server, and what becomes of the results.
#[derive(Debug, Args)]
pub struct JudgedArgs {
    /// A server that runs already: http://127.0.0.1:3000
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    pub url: Option<String>,
    /// Factor on every time limit, for a slow machine [default: 1]
    #[arg(long, value_name = "X", value_parser = patience)]
    pub patience: Option<f64>,
    /// Known failures: lines of `case-glob  fail|flaky|skip  "message"  # reason`
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Only a part of the cases, for several machines: 2/5 is the second of five
    #[arg(long, value_name = "PART/PARTS")]
    pub shard: Option<Shard>,
    /// Date of the suite that the server is held to: a failure of a newer case is a warning
    #[arg(long, value_name = "DATE")]
    pub suite: Option<Date>,
    /// Reports
    #[command(flatten)]
    pub reports: ReportFiles,
    /// What reports call the server: my-server 1.2
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Where traces of failing cases go, with screenshots and consoles where there is a browser [default: target/conformance]
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// The file that says the rest
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Command that starts the server; PORT in its environment is the port to listen on
    #[arg(last = true, value_name = "COMMAND")]
    pub server: Vec<OsString>,
}

/// Which cases.
#[derive(Debug, Default, Args)]
pub struct SelectionArgs {
    /// Only cases of this generation: rev1, eio3, eio4 (may be repeated)
    #[arg(long, value_name = "GENERATION")]
    pub generation: Vec<Generation>,
    /// Only cases that speak this transport (may be repeated)
    #[arg(long, value_name = "TRANSPORT", value_parser = transport)]
    pub transport: Vec<String>,
    /// Only cases whose id matches: `*` is anything, brackets are literal (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Requirements × cases; a requirement without a case, or a case without a requirement, is an error
    #[arg(long)]
    pub coverage: bool,
    /// Which cases
    #[command(flatten)]
    pub selection: SelectionArgs,
}

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Change what the server at this address says, and not the reference server: http://127.0.0.1:3000
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    pub url: Option<String>,
    /// Write a line of JSON for each case: how many changes it noticed, and how many not
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Only cases whose id matches (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
    /// Threads; one for each core where none is given
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Factor on every time limit of the recordings, for a slow machine
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = patience)]
    pub patience: f64,
    /// Command that starts the server whose answers are changed
    #[arg(last = true, value_name = "COMMAND")]
    pub server: Vec<OsString>,
}

/// What `--timing` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingName {
    /// rev1 heartbeat interval.
    Interval,
    /// eio4 connect timeout.
    Connect,
    /// rev1 polling duration.
    Polling,
}

impl SelectionArgs {
    /// As the plan takes it.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            generations: self.generation.clone(),
            transports: self.transport.clone(),
            filters: self.filter.iter().map(|glob| Glob::new(glob)).collect(),
        }
    }
}

impl JudgedArgs {
    /// What `--shard` leaves of the cases.
    #[must_use]
    pub fn part<T>(&self, cases: Vec<T>) -> Vec<T> {
        match self.shard {
            Some(shard) => shard.of(cases),
            None => cases,
        }
    }

    /// Why some cases do not run, if any: `everything` is whether none was left out by name.
    #[must_use]
    pub fn partial(&self, files: &[PathBuf], everything: bool) -> Option<String> {
        if !files.is_empty() {
            Some("it ran files of its own".to_owned())
        } else if !everything {
            Some("options left cases out".to_owned())
        } else {
            self.shard.map(|shard| format!("it was part {shard}"))
        }
    }
}

impl RunArgs {
    /// These timings, and over them what `--timing` says.
    #[must_use]
    pub fn timings(&self, mut timings: Timings) -> Timings {
        for (name, duration) in &self.timing {
            match name {
                TimingName::Interval => timings.interval = *duration,
                TimingName::Connect => timings.connect = *duration,
                TimingName::Polling => timings.polling = *duration,
            }
        }
        timings
    }
}

pub(crate) fn patience(text: &str) -> Result<f64, String> {
    let patience: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    patient(patience)
}

/// A patience that makes sense.
pub(crate) fn patient(patience: f64) -> Result<f64, String> {
    if (0.1..=100.0).contains(&patience) {
        Ok(patience)
    } else {
        Err("must be between 0.1 and 100".to_owned())
    }
}

fn client(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text
        .split_once('=')
        .ok_or("write it as name=file: 0.9=my/socket.io.js")?;
    let known = crate::browser::clients::CLIENTS.iter().map(|client| client.name);
    if known.clone().any(|it| it == name) {
        Ok((name.to_owned(), path.into()))
    } else {
        let known: Vec<&str> = known.collect();
        Err(format!("unknown client {name:?}; known are {}", known.join(", ")))
    }
}

fn transport(text: &str) -> Result<String, String> {
    let known: Vec<&str> = Generation::ALL
        .iter()
        .flat_map(|generation| generation.transports())
        .copied()
        .collect();
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("known are {}", known.join(", ")))
    }
}

fn timing(text: &str) -> Result<(TimingName, Duration), String> {
    let (name, value) = text.split_once('=').ok_or("write it as name=value: interval=1s")?;
    let name = match name {
        "interval" => TimingName::Interval,
        "connect" => TimingName::Connect,
        "polling" => TimingName::Polling,
        _ => return Err(format!("unknown timing {name:?}; known are interval, connect, polling")),
    };
    Ok((name, duration(value)?))
}

/// `1s`, `250ms`
pub(crate) fn duration(value: &str) -> Result<Duration, String> {
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (value.strip_suffix('s').ok_or("give a unit: 1s, 250ms")?, 1.0),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("{value:?} is no duration; write 1s or 250ms"))?;
    let seconds = number * unit;
    if (0.0..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must be at most an hour".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[rstest::rstest]
    #[case("interval=250ms", Ok((TimingName::Interval, Duration::from_millis(250))))]
    #[case("polling=2s", Ok((TimingName::Polling, Duration::from_secs(2))))]
    #[case("polling=2", Err("give a unit: 1s, 250ms".to_owned()))]
    #[case("x=2s", Err("unknown timing \"x\"; known are interval, connect, polling".to_owned()))]
    fn timings_are_parsed(#[case] text: &str, #[case] expected: Result<(TimingName, Duration), String>) {
        assert_eq!(timing(text), expected);
    }
}
