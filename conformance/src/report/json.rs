//! `--json`: one object per event, as `docs/json-lines.md` describes them for users.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{ReportError, Reporter};
use crate::run::event::Event;

/// Writes each event as one line, and each line at once, so that a run that was killed leaves whole lines.
pub struct JsonLines<W> {
    path: PathBuf,
    out: W,
    result: io::Result<()>,
}

impl JsonLines<BufWriter<File>> {
    /// Creates the file, or empties it. Its directory must exist.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let file = File::create(path).map_err(|source| ReportError {
            path: path.to_owned(),
            source,
        })?;
        Ok(JsonLines::new(path, BufWriter::new(file)))
    }
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`; `path` is its name in an error.
    pub fn new(path: &Path, out: W) -> Self {
        JsonLines {
            path: path.to_owned(),
            out,
            result: Ok(()),
        }
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn wants_traces(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        if self.result.is_ok() {
            self.result = self.write(event);
        }
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        let result = std::mem::replace(&mut self.result, Ok(()));
        result.map_err(|source| ReportError {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{FanOut, samples};
    use super::*;
    use crate::run::event::FORMAT_VERSION;

    const DOCUMENT: &str = include_str!("../../../docs/json-lines.md");

    fn lines(bytes: &[u8]) -> Vec<Value> {
        bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line.strip_suffix(b"\n").unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn one_line_per_event() {
        let mut reporter = JsonLines::new(Path::new("x"), Vec::new());
        let events = samples::run();
        events.iter().for_each(|event| reporter.event(event));
        reporter.finish().unwrap();
        let lines = lines(&reporter.out);
        assert_eq!(lines.len(), events.len());
        assert_eq!(lines[0]["event"], "start");
        assert_eq!(lines[lines.len() - 1]["event"], "summary");
    }

    #[test]
    fn the_document_shows_every_event_as_it_is_written() {
        let examples: Vec<Value> = DOCUMENT
            .split("```json\n")
            .skip(1)
            .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
            .collect();
        let written: Vec<Value> = samples::each()
            .iter()
            .map(|event| serde_json::to_value(event).unwrap())
            .collect();
        assert_eq!(examples, written);
        assert!(DOCUMENT.contains(&format!("version {FORMAT_VERSION} of the format")));
    }

    /// A disk that is full after the first line.
    struct Full(bool);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                Err(io::ErrorKind::StorageFull.into())
            } else {
                Ok(bytes.len())
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_is_kept_until_the_end() {
        let mut reporters = FanOut::default()
            .with(JsonLines::new(Path::new("full.json"), Full(false)))
            .with(JsonLines::new(Path::new("good.json"), Vec::new()));
        samples::run().iter().for_each(|event| reporters.event(event));
        assert_eq!(reporters.finish().unwrap_err().path, Path::new("full.json"));
    }

    #[test]
    fn a_directory_is_no_file() {
        let error = JsonLines::create(Path::new(".")).err().unwrap();
        assert_eq!(error.to_string(), "cannot write .");
    }
}
