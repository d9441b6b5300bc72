//! Targets: how the server that is judged is found, started and ended.
//!
//! One contract, three doors: nothing at all (the embedded reference server, a fresh one for each case), a URL (somebody
//! else started it), or a command (we start it, wait until it is ready, and leave nothing of it behind).

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::plan::Extras;
use crate::exit::Exit;

mod command;
mod embedded;
pub mod guard;
mod launch;
mod output;
mod talk;
mod url;

pub use embedded::{EmbeddedServer, embedded};
pub use launch::Launch;
pub use talk::{Talk, TalkError};
pub use url::{Address, BaseUrl, UrlError, UrlProblem};

/// How long a server we start may take until it is ready, times the patience.
pub const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long one connection may take, times the patience.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How many of its last lines a report about a broken server shows.
const LINES_SHOWN: usize = 20;

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The reference server, in this process.
    Embedded,
    /// A server that runs already.
    Url(BaseUrl),
    /// A program that we start.
    Command(Launch),
}

impl std::fmt::Display for Target {
    /// As the first line of a report names it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Embedded => f.write_str("embedded"),
            Target::Url(url) => url.fmt(f),
            Target::Command(launch) => f.write_str(&command::shown(&launch.words)),
        }
    }
}

/// A command as a person would type it.
#[must_use]
pub fn shown(command: &[OsString]) -> String {
    command::shown(command)
}

impl Target {
    /// What makes `sio-conformance run` judge this target, with a space in front of each argument.
    #[must_use]
    pub fn arguments(&self) -> String {
        match self {
            Target::Embedded => String::new(),
            Target::Url(url) => format!(" --url {url}"),
            Target::Command(launch) => match &launch.said {
                Some(said) => said.clone(),
                None => format!(" -- {}", command::shown(&launch.words)),
            },
        }
    }
}

/// Reaches or starts the target, as [`Boot::start`] does with its defaults.
///
/// # Errors
///
/// See [`BootError`].
pub async fn start(target: &Target, patience: f64) -> Result<Running, BootError> {
    Boot::new(patience).start(target).await
}

/// How to start a target.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Stretches every wait, and the timings of an embedded server.
    pub patience: f64,
    /// How long a command may take until it is ready, before patience; [`READY_WITHIN`].
    pub ready_within: Duration,
    /// The program that has [`guard::main`] as its hidden subcommand; `None` means this one.
    pub guard: Option<PathBuf>,
    /// A folder of the command's own, which the guard removes when everything has ended.
    pub remove: Option<PathBuf>,
}

impl Boot {
    /// The defaults.
    #[must_use]
    pub fn new(patience: f64) -> Boot {
        Boot {
            patience,
            ready_within: READY_WITHIN,
            guard: None,
            remove: None,
        }
    }

    /// Reaches a URL with one connection, starts a command and waits until it is ready, or starts the reference server.
    ///
    /// A command is ready when it prints a line `{"listening":"http://127.0.0.1:41007"}` (with `"flashPolicyPort":N`
    /// where it has one) and that URL accepts a connection, or when the port in its `PORT` accepts one.
    ///
    /// # Errors
    ///
    /// See [`BootError`].
    pub async fn start(&self, target: &Target) -> Result<Running, BootError> {
        match target {
            Target::Embedded => {
                let server = embedded(self.patience, Extras::default()).await?;
                Ok(Running {
                    address: server.address(),
                    door: Door::Embedded(server),
                })
            }
            Target::Url(url) => {
                let within = scaled(CONNECT_WITHIN, self.patience);
                reach(url.address(), within)
                    .await
                    .map_err(|source| BootError::Unreachable {
                        url: url.to_string(),
                        source,
                    })?;
                Ok(Running {
                    address: url.address().clone(),
                    door: Door::Url {
                        url: url.clone(),
                        within,
                    },
                })
            }
            Target::Command(launch) => {
                let (address, process) = command::start(launch, self).await?;
                Ok(Running {
                    address,
                    door: Door::Command(process),
                })
            }
        }
    }
}

/// A target that accepted a connection. Dropping it ends what was started, without waiting for the end.
pub struct Running {
    address: Address,
    door: Door,
}

enum Door {
    Embedded(EmbeddedServer),
    Url { url: BaseUrl, within: Duration },
    Command(command::Process),
}

impl Running {
    /// What to connect to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether the target is still there, so that a report can say that it is not.
    ///
    /// # Errors
    ///
    /// A command that ended says how, with its last lines; a URL is connected to once more.
    pub async fn alive(&self) -> Result<(), Death> {
        match &self.door {
            Door::Embedded(_) => Ok(()),
            Door::Url { url, within } => reach(url.address(), *within)
                .await
                .map_err(|source| Death::Unreachable {
                    url: url.to_string(),
                    source,
                }),
            Door::Command(process) => process.alive(),
        }
    }

    /// Ends what was started and waits for its end: SIGTERM to the process group, SIGKILL two seconds later.
    pub async fn stop(self) {
        match self.door {
            Door::Embedded(server) => server.stop().await,
            Door::Url { .. } => {}
            Door::Command(process) => process.stop().await,
        }
    }
}

/// How a target went away during a run.
#[derive(Debug, Error)]
pub enum Death {
    /// The command ended.
    #[error("the server ended during the run ({status}){}", last_lines(output))]
    Ended {
        /// `exit status: 3`, `signal: 11 (SIGSEGV)`.
        status: String,
        /// The last lines it printed.
        output: Vec<String>,
    },
    /// The URL no longer accepts connections.
    #[error("{url} accepts no connection any more")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        source: io::Error,
    },
}

/// Why there is no target to judge.
#[derive(Debug, Error)]
pub enum BootError {
    /// Nothing accepts connections at the URL.
    #[error("nobody listens at {url}: start your server first, or give its command after `--`")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// The command is empty, or the system cannot run it.
    #[error("cannot run `{command}`: {reason}")]
    Spawn {
        /// The command.
        command: String,
        /// What the system says.
        reason: String,
    },
    /// The command ended before it was ready.
    #[error("`{command}` ended before it was ready ({status}){}", last_lines(output))]
    Exited {
        /// The command.
        command: String,
        /// `exit status: 3`, `signal: 11 (SIGSEGV)`.
        status: String,
        /// The last lines it printed.
        output: Vec<String>,
    },
    /// The command runs and never got ready.
    #[error(
        "`{command}` was not ready after {waited:.1?}: it must listen on the port in PORT (here {port}), or print \
         {{\"listening\":\"http://127.0.0.1:PORT\"}}; raise --patience if it only needs longer{}",
        last_lines(output)
    )]
    NotReady {
        /// The command.
        command: String,
        /// How long we waited.
        waited: Duration,
        /// What `PORT` said.
        port: u16,
        /// The last lines it printed.
        output: Vec<String>,
    },
    /// The command says where it listens, and nothing can be reached there.
    #[error("`{command}` says that it listens at {announced}, which cannot be used")]
    Announced {
        /// The command.
        command: String,
        /// What it printed.
        announced: String,
        /// Why.
        source: UrlError,
    },
    /// The embedded server cannot listen.
    #[error("the embedded server cannot listen")]
    Embedded {
        /// Why.
        source: io::Error,
    },
    /// The process that watches over the server cannot be started.
    #[error("cannot start the guard of the server")]
    Guard {
        /// Why.
        source: io::Error,
    },
}

impl BootError {
    /// The code to end with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            BootError::Guard { .. } => Exit::Fault,
            _ => Exit::NoServer,
        }
    }
}

/// Connects once and hangs up.
async fn reach(address: &Address, within: Duration) -> io::Result<()> {
    match timeout(within, TcpStream::connect((address.host.as_str(), address.port))).await {
        Ok(connected) => connected.map(drop),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no connection within {within:.1?}"),
        )),
    }
}

/// A wait under patience. A patience that makes no sense (zero, negative, not a number) counts as 1.
fn scaled(wait: Duration, patience: f64) -> Duration {
    let patience = if patience.is_finite() && patience > 0.0 {
        patience
    } else {
        1.0
    };
    Duration::try_from_secs_f64(wait.as_secs_f64() * patience).unwrap_or(Duration::MAX / 4)
}

fn last_lines(output: &[String]) -> String {
    if output.is_empty() {
        return "; it printed nothing".to_owned();
    }
    output
        .iter()
        .fold("; its last lines:".to_owned(), |text, line| text + "\n    | " + line)
}
