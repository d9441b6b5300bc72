//! What a case with pages left behind: a picture and a console, in the folder of its trace.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The largest picture that goes into the page, and what all of them may have together, in bytes.
const PICTURE: u64 = 1024 * 1024;
const PICTURES: usize = 48 * 1024 * 1024;

/// The most of a console that goes into the page, in bytes.
const CONSOLE: u64 = 16 * 1024;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// A PNG.
    pub picture: Option<Vec<u8>>,
    /// The page's console, or the start of it.
    pub console: Option<String>,
}

/// Looks into the folder of a trace, if it is the folder of a case with pages. What is too large stays there.
pub(super) fn reader() -> impl FnMut(&str) -> Left {
    let mut total = 0;
    move |trace| {
        let path = Path::new(trace);
        let (Some(folder), true) = (path.parent(), path.ends_with("trace.wire")) else {
            return Left::default();
        };
        let picture = capped(&folder.join("page.png"), PICTURE + 1)
            .filter(|png| png.starts_with(b"\x89PNG") && png.len() as u64 <= PICTURE)
            .filter(|png| total + png.len() <= PICTURES);
        total += picture.as_ref().map_or(0, Vec::len);
        let console = capped(&folder.join("page.console.txt"), CONSOLE);
        Left {
            picture,
            console: console.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// The first bytes of a plain file.
fn capped(path: &Path, most: u64) -> Option<Vec<u8>> {
    // Not of a pipe or device, which might never answer.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_taken_from_folders_of_cases_with_pages_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        std::fs::write(place("page.png"), b"\x89PNG...").unwrap();
        std::fs::write(place("page.console.txt"), "x".repeat(20_000)).unwrap();
        let mut reader = reader();
        let left = reader(&place("trace.wire").display().to_string());
        assert_eq!(left.picture.as_deref(), Some(&b"\x89PNG..."[..]));
        assert_eq!(left.console.unwrap().len(), 16 * 1024);
        assert_eq!(reader(&place("data.wire").display().to_string()), Left::default());
    }

    #[test]
    fn what_is_no_picture_or_too_large_stays_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let trace = dir.path().join("trace.wire").display().to_string();
        for picture in [b"GIF89a".to_vec(), [&b"\x89PNG"[..], &[0; 1024 * 1024]].concat()] {
            std::fs::write(dir.path().join("page.png"), picture).unwrap();
            assert_eq!(reader()(&trace), Left::default());
        }
    }
}
