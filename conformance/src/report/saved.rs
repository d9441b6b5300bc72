//! Reads what `--json` wrote, so that a report can be made of it without a run.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Reporter;
use crate::run::event::{Event, FORMAT_VERSION};

/// The largest file that is read, in bytes.
const FILE: u64 = 512 * 1024 * 1024;

/// The longest line, in bytes. A case with its trace, and a diagnostic for each failure, is far below.
const LINE: u64 = 4 * 1024 * 1024;

/// The most events of one file.
const EVENTS: usize = 500_000;

/// A file of saved events that cannot be read: a run, or what `prove` found.
#[derive(Debug, Error)]
pub enum SavedError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no event.
    #[error("{}:{line}: {what}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// The events of a file that `--json` wrote. Events that this version does not know are left out; a last line that is cut, as
/// a run that was killed may leave it, is one.
///
/// # Errors
///
/// When the file cannot be read, is too large, or holds a line that is no event; when its first line is not `start`.
pub fn read(path: &Path) -> Result<Vec<Event>, SavedError> {
    let open = File::open(path).map_err(|source| SavedError::Read {
        path: path.to_owned(),
        source,
    });
    read_from(path, BufReader::new(open?))
}

/// Tells everything to a reporter, as if it happened now.
pub fn replay(events: &[Event], reporter: &mut dyn Reporter) {
    for event in events {
        reporter.event(event);
    }
}

fn read_from(path: &Path, mut input: impl BufRead) -> Result<Vec<Event>, SavedError> {
    let unreadable = |source| SavedError::Read {
        path: path.to_owned(),
        source,
    };
    let (mut events, mut total, mut number) = (Vec::new(), 0_u64, 0);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        number += 1;
        let wrong = |what: String| SavedError::Line {
            path: path.to_owned(),
            line: number,
            what,
        };
        let read = input.by_ref().take(LINE + 1).read_until(b'\n', &mut bytes);
        let read = read.map_err(unreadable)? as u64;
        total += read;
        if read == 0 {
            break;
        }
        if read > LINE {
            return Err(wrong(format!("the line is longer than {} MiB", LINE >> 20)));
        }
        if total > FILE || events.len() >= EVENTS {
            return Err(wrong(format!(
                "too much for one run: at most {} MiB and {EVENTS} events are read",
                FILE >> 20
            )));
        }
        let whole = bytes.last() == Some(&b'\n');
        let event = match event_of(&bytes) {
            Ok(Some(event)) => event,
            Ok(None) => continue,
            Err(_) if !whole && !events.is_empty() => break,
            Err(what) => return Err(wrong(what)),
        };
        match &event {
            Event::Start(start) if start.format > FORMAT_VERSION => {
                return Err(wrong(format!(
                    "the run is of format {}, this program reads format {FORMAT_VERSION}",
                    start.format
                )));
            }
            Event::Start(_) => {}
            _ if events.is_empty() => return Err(wrong("the first event of a run is `start`".to_owned())),
            _ => {}
        }
        events.push(event);
    }
    if events.is_empty() {
        return Err(SavedError::Line {
            path: path.to_owned(),
            line: 1,
            what: "the file holds no run; `run --json FILE` writes one".to_owned(),
        });
    }
    Ok(events)
}

/// A line's event, if it is one that is known. A blank line is none.
fn event_of(bytes: &[u8]) -> Result<Option<Event>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Event::read(text).map_err(|error| format!("not an event of `--json`: {error}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::{JsonLines, samples};
    use super::*;

    const PATH: &str = "run.jsonl";

    fn written(events: &[Event]) -> Vec<u8> {
        let mut text = Vec::new();
        for event in events {
            text.extend(serde_json::to_vec(event).unwrap());
            text.push(b'\n');
        }
        text
    }

    fn events_of(text: &[u8]) -> Result<Vec<Event>, SavedError> {
        read_from(Path::new(PATH), text)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(PATH);
        let events = [samples::each(), samples::run()].concat();
        let mut reporter = JsonLines::create(&path).unwrap();
        replay(&events, &mut reporter);
        reporter.finish().unwrap();
        assert_eq!(read(&path).unwrap(), events);
    }

    #[test]
    fn events_and_fields_of_later_versions_are_left_out() {
        let mut text = written(&samples::each());
        text.splice(0..0, *b"{\"event\":\"weather\",\"rain\":true}\n\n");
        let text = String::from_utf8(text).unwrap();
        let text = text.replace("\"outcome\":\"fail\"", "\"mood\":1e400,\"outcome\":\"fail\"");
        assert_eq!(events_of(text.as_bytes()).unwrap(), samples::each());
    }

    #[test]
    fn a_line_that_a_killed_run_left_half_is_left_out() {
        let text = written(&samples::each());
        let events = events_of(&text[..text.len() - 9]).unwrap();
        assert_eq!(events, &samples::each()[..samples::each().len() - 1]);
    }

    #[rstest]
    #[case("", "run.jsonl:1: the file holds no run; `run --json FILE` writes one")]
    #[case(
        "{\"event\":\"note\",\"message\":\"x\"}\n",
        "run.jsonl:1: the first event of a run is `start`"
    )]
    #[case(
        "\n{\"event\":\"start\",\"format\":2,\"tool\":\"9\",\"target\":\"x\",\"cases\":1}\n",
        "run.jsonl:2: the run is of format 2, this program reads format 1"
    )]
    #[case(
        "{\"event\":\"start\",\"format\":1,\"target\":\"x\",\"cases\":1}\n",
        "run.jsonl:1: not an event of `--json`: missing field `tool` at line 1 column 51"
    )]
    #[case(
        "hello\n",
        "run.jsonl:1: not an event of `--json`: expected value at line 1 column 1"
    )]
    fn a_line_that_is_no_event_is_named(#[case] text: &str, #[case] message: &str) {
        assert_eq!(events_of(text.as_bytes()).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_line_without_end_is_not_read() {
        let endless = io::repeat(b' ').take(1 << 40);
        let error = read_from(Path::new(PATH), BufReader::new(endless)).unwrap_err();
        assert_eq!(error.to_string(), "run.jsonl:1: the line is longer than 4 MiB");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("none/run.jsonl")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read none/run.jsonl: "), "{error}");
    }
}
