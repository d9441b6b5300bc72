//! The `fixtures/` directory, embedded, and directories laid out like it.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures");

/// How deep a fixtures directory may nest, and how many files it may hold.
const MAX_DEPTH: usize = 16;
const MAX_FILES: usize = 100_000;

/// A text file and the path it is shown by.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A file or directory that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct ReadError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// The embedded files below `folder` with this ending, by path.
pub(crate) fn embedded(folder: &str, extension: &str) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders: Vec<&Dir<'_>> = EMBEDDED.get_dir(folder).into_iter().collect();
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder
            .files()
            .filter(|file| file.path().extension().is_some_and(|it| it == extension))
        {
            let path = Path::new("fixtures").join(file.path()).to_string_lossy().into_owned();
            let text = String::from_utf8_lossy(file.contents()).into_owned();
            files.push(File { path, text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Every embedded file with its path below `fixtures/`, by path.
pub(crate) fn everything() -> Vec<(&'static Path, &'static [u8])> {
    let mut files = Vec::new();
    let mut folders: Vec<&Dir<'_>> = vec![&EMBEDDED];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().map(|file| (file.path(), file.contents())));
    }
    files.sort();
    files
}

/// The files below `root/folder` with this ending, by path; none where the folder does not exist.
pub(crate) fn directory(root: &Path, folder: &str, extension: &str) -> Result<Vec<File>, ReadError> {
    let mut files = Vec::new();
    let mut folders = vec![(root.join(folder), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        let error = |source| ReadError {
            path: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(&folder).map_err(error)? {
            let path = entry.map_err(error)?.path();
            if path.is_dir() && depth < MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|it| it == extension) && files.len() < MAX_FILES {
                files.push(read(&path)?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// One file; what is not UTF-8 in it becomes U+FFFD.
pub(crate) fn read(path: &Path) -> Result<File, ReadError> {
    let bytes = std::fs::read(path).map_err(|source| ReadError {
        path: path.to_owned(),
        source,
    })?;
    Ok(File {
        path: path.to_string_lossy().into_owned(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}
