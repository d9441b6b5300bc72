//! `conformance.toml`: what a server is, what it claims, and how it is judged.
//!
//! Described for users in `docs/config.md`. The command line stands above the file, option by option.

mod keys;
mod parse;
mod reader;
mod template;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::boot::{BaseUrl, Launch};
use crate::run::claims::Claims;
use crate::scenario::diagnostic::Diagnostic;

pub use keys::{GENERATION, KEYS, Key, TABLES};
pub(crate) use template::list;
pub use template::template;

/// The name of the file that is read without being named.
pub const NAME: &str = "conformance.toml";

/// The longest file that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// What a file says. Paths in it are relative to the file, and are so no more here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// What reports call the server.
    pub name: Option<String>,
    /// The day of the suite that the server is held to: `2026-11-28`.
    pub suite: Option<String>,
    /// The server.
    pub server: Option<Server>,
    /// What the server is said to do.
    pub claims: Claims,
    /// What no handshake announces.
    pub timing: Timing,
    /// How it is judged.
    pub run: Run,
    /// What becomes of the results.
    pub reports: Reports,
}

/// A server that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// One that runs already.
    Url(BaseUrl),
    /// One that is started.
    Command(Launch),
}

/// `[timing]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// eio4: how long a client may be in no namespace.
    pub connect: Option<Duration>,
    /// rev1: the time between two heartbeats.
    pub interval: Option<Duration>,
    /// rev1: how long an idle poll is held.
    pub polling: Option<Duration>,
}

/// `[run]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Factor on every time limit.
    pub patience: Option<f64>,
    /// Cases at a time.
    pub jobs: Option<usize>,
    /// Known failures.
    pub baseline: Option<PathBuf>,
    /// Where traces go.
    pub traces: Option<PathBuf>,
}

/// `[reports]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// JSON lines.
    pub json: Option<PathBuf>,
    /// JUnit's XML.
    pub junit: Option<PathBuf>,
    /// A page.
    pub html: Option<PathBuf>,
    /// Test Anything Protocol.
    pub tap: Option<PathBuf>,
    /// A badge.
    pub badge: Option<PathBuf>,
    /// Annotations and a summary of GitHub Actions.
    pub github: bool,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is longer than any such file.
    #[error("{} is longer than {LIMIT} bytes: that is no configuration", path.display())]
    Long {
        /// The file.
        path: PathBuf,
    },
    /// It is malformed; every fault of it.
    #[error("{} error(s) in {}; docs/config.md describes every key", faults.len(), path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        faults: Vec<Diagnostic>,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// See [`ConfigError`].
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let cannot = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(cannot)?.len() > LIMIT {
            return Err(ConfigError::Long { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        Config::parse(path, &text).map_err(|faults| ConfigError::Malformed {
            path: path.to_owned(),
            faults,
        })
    }

    /// What a text says that stands, or could stand, in a file at `path`.
    ///
    /// # Errors
    ///
    /// Every fault of it, in the order of the text.
    pub fn parse(path: &Path, text: &str) -> Result<Config, Vec<Diagnostic>> {
        parse::parse(path, text)
    }
}
