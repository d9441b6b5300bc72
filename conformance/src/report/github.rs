//! `--github`: a summary on the page of a workflow's run, and annotations at the lines of the cases.
//!
//! GitHub's runner takes lines of standard output for commands: those that begin with `::`, and any with `##[` in it. The
//! terminal report quotes what a server sent, so the runner is told to take none until the report is over.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::recorded::Recorded;
use super::{ReportError, Reporter};
use crate::run::event::Event;

mod annotations;
mod summary;

/// Bytes of one step's summary; GitHub shows none at all that is longer than a mebibyte.
const SUMMARY_BYTES: usize = 1024 * 1024 - 1024;

/// The reporter. It has to end after the one that writes to standard output.
pub struct GitHub<W> {
    out: W,
    token: String,
    /// Annotations are wanted.
    annotates: bool,
    summary: Option<(PathBuf, File)>,
    recorded: Recorded,
    result: io::Result<()>,
}

impl<W: Write> GitHub<W> {
    /// Tells the runner, on `out`, to take no commands from here on. `token` must be a word that no server can guess.
    pub fn begin(mut out: W, token: String) -> GitHub<W> {
        let result = writeln!(out, "::stop-commands::{token}").and_then(|()| out.flush());
        GitHub {
            out,
            token,
            annotates: false,
            summary: None,
            recorded: Recorded::default(),
            result,
        }
    }

    /// Writes annotations at the end.
    pub fn annotate(&mut self) {
        self.annotates = true;
    }

    /// Appends the summary to this file at the end.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn summarise(&mut self, path: &Path) -> Result<(), ReportError> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|source| ReportError {
            path: path.to_owned(),
            source,
        })?;
        self.summary = Some((path.to_owned(), file));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let annotations = if self.annotates {
            annotations::render(&self.recorded)
        } else {
            String::new()
        };
        write!(self.out, "::{}::\n{annotations}", self.token)?;
        self.out.flush()
    }
}

impl<W: Write + Send> Reporter for GitHub<W> {
    fn event(&mut self, event: &Event) {
        self.recorded.take(event);
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        let annotated = std::mem::replace(&mut self.result, Ok(())).and_then(|()| self.end());
        if let Some((path, file)) = &mut self.summary {
            // Other runs of the same step may have written to it.
            let used = file
                .metadata()
                .map_or(0, |it| usize::try_from(it.len()).unwrap_or(usize::MAX));
            let text = summary::render(&self.recorded, SUMMARY_BYTES.saturating_sub(used));
            file.write_all(text.as_bytes()).map_err(|source| ReportError {
                path: path.clone(),
                source,
            })?;
        }
        match annotated {
            // Whoever read it has seen enough: `| head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|source| ReportError {
                path: PathBuf::from("standard output"),
                source,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FanOut, Paint, Terminal, samples};
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Standard output, shared as it is in a run.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_runner_takes_no_command_from_what_a_server_said() {
        let out = Shared::default();
        let mut github = GitHub::begin(out.clone(), "t0ken".to_owned());
        github.annotate();
        let terminal = Terminal::new(out.clone(), Paint::OFF);
        let mut reporters = FanOut::default().with(terminal).with(github);
        samples::hostile().iter().for_each(|event| reporters.event(event));
        reporters.finish().unwrap();

        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "::stop-commands::t0ken");
        let release = lines.iter().position(|line| *line == "::t0ken::").unwrap();
        let is_command = |line: &&&str| line.trim_start().starts_with("::") || line.contains("##[");
        // The samples do contain some, or this would show nothing.
        assert!(lines[1..release].iter().filter(is_command).count() > 1, "{text}");
        let after = &lines[release + 1..];
        assert!(after.len() > 1);
        for line in after {
            assert!(line.starts_with("::error ") || line.starts_with("::warning "), "{line}");
        }
    }

    #[test]
    fn commands_are_taken_again_where_annotations_are_not_wanted() {
        let out = Shared::default();
        let mut github = GitHub::begin(out.clone(), "t0ken".to_owned());
        samples::run().iter().for_each(|event| github.event(event));
        github.finish().unwrap();
        let text = out.0.lock().unwrap().clone();
        assert_eq!(String::from_utf8(text).unwrap(), "::stop-commands::t0ken\n::t0ken::\n");
    }

    #[test]
    fn a_summary_is_added_to_what_is_there_within_the_limit_of_the_step() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary");
        let run = |before: usize| {
            std::fs::write(&path, "x".repeat(before)).unwrap();
            let mut github = GitHub::begin(Vec::new(), String::new());
            github.summarise(&path).unwrap();
            samples::run().iter().for_each(|event| github.event(event));
            github.finish().unwrap();
            std::fs::read_to_string(&path).unwrap()
        };
        let short = run(3);
        assert!(short.starts_with("xxx") && short.contains("rev1/ack/data"), "{short}");
        assert!(run(SUMMARY_BYTES - 900).len() <= SUMMARY_BYTES);
        assert_eq!(run(SUMMARY_BYTES + 5).len(), SUMMARY_BYTES + 5);
    }
}
