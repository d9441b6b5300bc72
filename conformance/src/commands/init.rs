//! `init`

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, print_out};
use crate::config::{NAME, template};
use crate::exit::Exit;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = NAME)]
    pub file: PathBuf,
}

/// `init`
///
/// # Errors
///
/// When the file is there already, or cannot be written.
pub fn init(args: &InitArgs) -> Result<Exit, CommandError> {
    create(&args.file, &template(), false)?;
    print_out(&format!(
        "wrote {}: take away the `#` before the keys that you want, or let `sio-conformance probe` ask your server\n",
        args.file.display()
    ));
    Ok(Exit::AsExpected)
}

/// Writes a file that is not there yet; one that is, only by `force`.
pub(super) fn create(path: &Path, text: &str, force: bool) -> Result<(), CommandError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => there(path),
        _ => CommandError::new(Exit::Usage, format!("cannot write {}: {error}", path.display())),
    })
}

/// What is said of a file that would be written over.
pub(super) fn there(path: &Path) -> CommandError {
    CommandError::new(
        Exit::Usage,
        format!(
            "{} is there already, and is not written over; name another",
            path.display()
        ),
    )
}
