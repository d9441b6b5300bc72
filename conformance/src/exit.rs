//! The exit codes: an interface, described for users in `docs/exit-codes.md`.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Every case ended as expected: passed, lenient, skipped, or failed as the baseline says.
    AsExpected = 0,
    /// A case failed, or a line of the baseline no longer holds. A target that answers garbage, hangs or streams
    /// without end was judged, so it ends here.
    Unexpected = 1,
    /// The command line, a configuration, or a user's own case file is wrong.
    Usage = 2,
    /// The server cannot be started or reached.
    NoServer = 3,
    /// A fault of the harness itself; a case it ships that does not parse, too.
    Fault = 4,
    /// No case was selected.
    NoCase = 5,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [Exit; 6] = [
        Exit::AsExpected,
        Exit::Unexpected,
        Exit::Usage,
        Exit::NoServer,
        Exit::Fault,
        Exit::NoCase,
    ];

    /// The number the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// In a few words, as the terminal report and `docs/exit-codes.md` say it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::AsExpected => "as expected",
            Exit::Unexpected => "unexpected results",
            Exit::Usage => "wrong usage, configuration or case file",
            Exit::NoServer => "the server cannot be started or reached",
            Exit::Fault => "a fault of the harness",
            Exit::NoCase => "no case selected",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_every_code_and_no_other() {
        let document = include_str!("../../docs/exit-codes.md");
        let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = Exit::ALL
            .iter()
            .map(|exit| format!("| `{}` | {} |", exit.code(), exit.meaning()))
            .collect();
        assert_eq!(rows.len(), expected.len(), "{rows:?}");
        for (row, expected) in rows.iter().zip(&expected) {
            assert!(row.starts_with(expected), "{row} does not begin with {expected}");
        }
    }
}
