//! Where the trace of a case is written.

use std::fs;
use std::path::{Path, PathBuf};

use super::ReportError;

/// Where traces go by default, below the working directory.
pub const TRACE_DIR: &str = "target/conformance";

/// Most bytes of one part of a trace's path; file systems take 255.
const PART_BYTES: usize = 120;

/// Writes the trace of case `id` below `dir`: `rev1/ack/data[xhr-polling]` goes to `rev1/ack/data__xhr-polling.wire`.
/// Whatever the id says, the file is below `dir`.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_trace(dir: &Path, id: &str, text: &str) -> Result<PathBuf, ReportError> {
    let path = dir.join(file_of(id));
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text)
    };
    match write() {
        Ok(()) => Ok(path),
        Err(source) => Err(ReportError { path, source }),
    }
}

/// The folder for what a failure of case `id` leaves, beside the place of a trace.
#[must_use]
pub fn trace_folder(dir: &Path, id: &str) -> PathBuf {
    dir.join(file_of(id)).with_extension("")
}

/// A relative path of plain parts.
fn file_of(id: &str) -> PathBuf {
    let flat = match id.strip_suffix(']').and_then(|id| id.rsplit_once('[')) {
        Some((case, transport)) => format!("{case}__{transport}"),
        None => id.to_owned(),
    };
    let mut parts: Vec<String> = flat.split('/').map(plain).collect();
    if let Some(last) = parts.last_mut() {
        last.push_str(".wire");
    }
    parts.iter().collect()
}

/// One part of a path: no separator, no leading dot, never empty.
fn plain(part: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = part
        .chars()
        .take(PART_BYTES)
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if plain.is_empty() => "_".to_owned(),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("rev1/ack/data[xhr-polling]", "rev1/ack/data__xhr-polling.wire")]
    #[case("rev1/handshake/open", "rev1/handshake/open.wire")]
    #[case("../../etc/passwd", "_./_./etc/passwd.wire")]
    #[case("/etc//passwd", "_/etc/_/passwd.wire")]
    #[case("a\\..\\b[c/../d]", "a_.._b__c/_./d.wire")]
    #[case("", "_.wire")]
    #[case("a\0b:é", "a_b__.wire")]
    fn names(#[case] id: &str, #[case] file: &str) {
        assert_eq!(file_of(id), Path::new(file));
    }

    #[test]
    fn writes_below_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(1000);
        for id in ["rev1/ack/data[xhr-polling]", "../../../oops", &long] {
            let path = write_trace(dir.path(), id, "case: x\n").unwrap();
            assert!(
                path.canonicalize()
                    .unwrap()
                    .starts_with(dir.path().canonicalize().unwrap()),
                "{path:?}"
            );
            assert_eq!(fs::read_to_string(path).unwrap(), "case: x\n");
        }
    }

    #[test]
    fn says_what_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("rev1"), "a file").unwrap();
        let error = write_trace(dir.path(), "rev1/a", "").unwrap_err();
        assert_eq!(error.path, dir.path().join("rev1/a.wire"));
    }
}
