//! What a server is started with.

use std::ffi::OsString;
use std::path::PathBuf;

/// A program with its arguments, and where they come from. It gets `PORT` and `HOST` in its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// The program, then its arguments.
    pub words: Vec<OsString>,
    /// What its environment has besides ours.
    pub env: Vec<(String, String)>,
    /// The folder it runs in; none for ours.
    pub folder: Option<PathBuf>,
    /// What stands on the command line in the place of the command, with a space in front, where a file names it:
    /// ` --config ci/conformance.toml`, or nothing where that file is found without being named.
    pub said: Option<String>,
}

impl From<Vec<OsString>> for Launch {
    /// A command as it stands behind `--`.
    fn from(words: Vec<OsString>) -> Launch {
        Launch {
            words,
            ..Launch::default()
        }
    }
}
