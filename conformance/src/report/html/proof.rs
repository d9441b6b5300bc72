//! What `prove` found, by case: how many changes of the server's words it noticed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;

use super::super::saved::SavedError;

/// The largest file that is read, in bytes.
const FILE: u64 = 16 * 1024 * 1024;

/// Changes by case id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Noticed, and not noticed.
    pub cases: BTreeMap<String, (u64, u64)>,
}

impl Proof {
    /// Lines of `{"event":"proof","case":"ID","killed":12,"survived":0}`; other events are left out.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line is none of these.
    pub fn read(path: &Path) -> Result<Proof, SavedError> {
        let read = |source| SavedError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(read)?;
        let length = file.take(FILE + 1).read_to_string(&mut text).map_err(read)?;
        if length as u64 > FILE {
            return Err(read(io::ErrorKind::FileTooLarge.into()));
        }
        Proof::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Proof, SavedError> {
        let mut proof = Proof::default();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (at, line) in lines {
            let wrong = |error: serde_json::Error| SavedError::Line {
                path: path.to_owned(),
                line: at + 1,
                what: format!("not a proof: {error}"),
            };
            if serde_json::from_str::<Tag>(line).map_err(wrong)?.event != "proof" {
                continue;
            }
            let entry: Entry = serde_json::from_str(line).map_err(wrong)?;
            proof.cases.insert(entry.case, (entry.killed, entry.survived));
        }
        Ok(proof)
    }
}

#[derive(Deserialize)]
struct Tag {
    event: String,
}

#[derive(Deserialize)]
struct Entry {
    case: String,
    killed: u64,
    survived: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        let text = "{\"event\":\"proof\",\"case\":\"rev1/a/b[websocket]\",\"killed\":12,\"survived\":1}\n\n{\"event\":\"x\"}\n";
        let proof = Proof::parse(Path::new("p"), text).unwrap();
        assert_eq!(
            proof.cases,
            BTreeMap::from([("rev1/a/b[websocket]".to_owned(), (12, 1))])
        );
        let error = Proof::parse(Path::new("p"), "\n{\"event\":\"proof\",\"case\":\"x\"}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "p:2: not a proof: missing field `killed` at line 1 column 28"
        );
    }
}
