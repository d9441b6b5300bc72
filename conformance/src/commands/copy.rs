//! `copy`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, embedded_catalogue, print_out};
use crate::exit::Exit;
use crate::scenario::export::export;
use crate::scenario::fixtures;

/// How many files that differ are named.
const NAMED: usize = 10;

/// Arguments of `copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// Folder for the cases, requirements and packet vectors that come with the program
    #[arg(value_name = "DIR", required_unless_present = "json")]
    pub dir: Option<PathBuf>,
    /// Write every scenario as JSON (docs/ast.md), to FILE or standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub json: Option<Option<PathBuf>>,
    /// Write over files that say something else
    #[arg(long)]
    pub force: bool,
}

/// `copy`
///
/// # Errors
///
/// When a file is there and says something else, or cannot be written: then nothing was written over.
pub fn copy(args: &CopyArgs) -> Result<Exit, CommandError> {
    if let Some(dir) = &args.dir {
        print_out(&eject(dir, args.force)?);
    }
    let Some(json) = &args.json else {
        return Ok(Exit::AsExpected);
    };
    let catalogue = embedded_catalogue()?;
    let text = serde_json::to_string(&export(&catalogue));
    let text = text.map_err(|error| CommandError::new(Exit::Fault, error.to_string()))? + "\n";
    match json {
        None => print_out(&text),
        Some(path) => {
            write(&[(path.clone(), text.as_bytes())], args.force)?;
            print_out(&format!(
                "wrote {} scenarios to {}\n",
                catalogue.scenarios.len(),
                path.display()
            ));
        }
    }
    Ok(Exit::AsExpected)
}

/// Writes everything below `dir`, and says what was written.
fn eject(dir: &Path, force: bool) -> Result<String, CommandError> {
    let files = fixtures::everything();
    let files: Vec<(PathBuf, &[u8])> = files.into_iter().map(|(path, text)| (dir.join(path), text)).collect();
    let written = write(&files, force)?;
    Ok(told(dir, &written, files.len()))
}

/// Writes what is not there already, and gives it. Looks at all files before it writes the first.
fn write<'a>(files: &'a [(PathBuf, &[u8])], force: bool) -> Result<Vec<&'a Path>, CommandError> {
    let failed = |path: &Path, error: &io::Error| {
        CommandError::new(Exit::Usage, format!("cannot write {}: {error}", path.display()))
    };
    let (mut missing, mut differing) = (Vec::new(), Vec::new());
    for (path, text) in files {
        match std::fs::read(path) {
            Ok(there) if there == *text => {}
            Ok(_) => differing.push((path, text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push((path, text)),
            Err(error) => return Err(failed(path, &error)),
        }
    }
    if !differing.is_empty() && !force {
        let paths: Vec<&Path> = differing.iter().map(|(path, _)| path.as_path()).collect();
        return Err(CommandError::new(Exit::Usage, refusal(&paths)));
    }
    missing.extend(differing);
    for (path, text) in &missing {
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder
            .and_then(|()| std::fs::write(path, text))
            .map_err(|error| failed(path, &error))?;
    }
    Ok(missing.into_iter().map(|(path, _)| path.as_path()).collect())
}

fn refusal(paths: &[&Path]) -> String {
    let files = if paths.len() == 1 {
        "1 file says"
    } else {
        &format!("{} files say", paths.len())
    };
    let mut text = format!("{files} something else there; --force writes over what differs");
    for path in paths.iter().take(NAMED) {
        let _ = write!(text, "\n  {}", path.display());
    }
    if paths.len() > NAMED {
        let _ = write!(text, "\n  and {} more", paths.len() - NAMED);
    }
    text
}

/// What was written, by folder, and what to do with it.
fn told(dir: &Path, written: &[&Path], all: usize) -> String {
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in written {
        let below = path.strip_prefix(dir).unwrap_or(path);
        let mut parts = below.components();
        // A file right below is a line of its own.
        let first = parts.next().map(|part| dir.join(part)).unwrap_or_default();
        *folders.entry(first).or_default() += 1;
    }
    let mut text = String::new();
    for (folder, files) in &folders {
        let _ = match files {
            1 => writeln!(text, "wrote {}", folder.display()),
            _ => writeln!(text, "wrote {files} files in {}", folder.display()),
        };
    }
    if written.len() < all {
        let _ = writeln!(text, "{} of {all} files were there already", all - written.len());
    }
    let cases = dir.join("scenarios");
    let _ = writeln!(text, "to run them: sio-conformance run {}", cases.display());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_is_a_catalogue_that_says_the_same() {
        let dir = tempfile::tempdir().unwrap();
        eject(dir.path(), false).unwrap();
        let (own, embedded) = (
            crate::scenario::catalogue::Catalogue::from_dir(dir.path()).unwrap(),
            embedded_catalogue().unwrap(),
        );
        let texts = |it: &crate::scenario::catalogue::Catalogue| {
            let text = |scenario: &std::sync::Arc<crate::scenario::ast::Scenario>| scenario.source.text.clone();
            it.scenarios.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(texts(&own), texts(&embedded));
        assert!(own.requirements.iter().eq(embedded.requirements.iter()));
        for file in ["packets/sio5/packet.json", "packets/README.md", "survivors"] {
            assert!(dir.path().join(file).is_file(), "{file}");
        }
        // Again is no fault, and changes nothing.
        eject(dir.path(), false).unwrap();
    }

    #[test]
    fn nothing_is_written_over_or_beside_what_differs() {
        let dir = tempfile::tempdir().unwrap();
        let mine = dir.path().join("requirements/rev1.toml");
        std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
        std::fs::write(&mine, "mine").unwrap();
        let error = eject(dir.path(), false).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains(&mine.display().to_string()), "{error}");
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
        assert!(!dir.path().join("packets").exists());

        eject(dir.path(), true).unwrap();
        assert_ne!(std::fs::read_to_string(&mine).unwrap(), "mine");
        assert!(dir.path().join("packets").exists());
    }

    #[test]
    fn what_is_told() {
        let dir = Path::new("d");
        let written: Vec<PathBuf> = ["README.md", "packets/a/b.json", "packets/a/c.json", "survivors"]
            .iter()
            .map(|path| dir.join(path))
            .collect();
        let written: Vec<&Path> = written.iter().map(PathBuf::as_path).collect();
        insta::assert_snapshot!(told(dir, &written, 9), @r"
        wrote d/README.md
        wrote 2 files in d/packets
        wrote d/survivors
        5 of 9 files were there already
        to run them: sio-conformance run d/scenarios
        ");
        let many: Vec<&Path> = std::iter::repeat_n(dir, 12).collect();
        assert!(refusal(&many).ends_with("and 2 more"));
        assert!(refusal(&many[..1]).starts_with("1 file says something else there"));
    }
}
