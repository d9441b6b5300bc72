//! `completions` and `man`: what the command line says of itself, for shells and for `man`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{CommandError, print_out};
use crate::cli::Cli;
use crate::exit::Exit;

/// The name of the program.
const NAME: &str = "sio-conformance";

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish, powershell
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for a page of each command; without it, the first page goes to standard output
    pub dir: Option<PathBuf>,
}

/// Prints a script that a shell reads: `source <(sio-conformance completions bash)`.
///
/// # Errors
///
/// The text is none; this does not happen.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    print_out(&String::from_utf8_lossy(&script));
    Ok(Exit::AsExpected)
}

/// Prints the manual's first page, or writes all of them.
///
/// # Errors
///
/// A page cannot be written.
pub fn man(args: &ManArgs) -> Result<Exit, CommandError> {
    let command = Cli::command().disable_help_subcommand(true);
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| CommandError::new(Exit::Fault, error.to_string()))?;
        print_out(&String::from_utf8_lossy(&page));
        return Ok(Exit::AsExpected);
    };
    fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(command, dir))
        .map_err(|error| CommandError::new(Exit::Usage, format!("cannot write to {}: {error}", dir.display())))?;
    Ok(Exit::AsExpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Some(folder.path().to_owned());
        assert_eq!(man(&ManArgs { dir }).unwrap(), Exit::AsExpected);
        let first = fs::read_to_string(folder.path().join("sio-conformance.1")).unwrap();
        assert!(first.contains(".TH sio-conformance 1"), "{first}");
        for command in Cli::command().get_subcommands() {
            let page = folder.path().join(format!("sio-conformance-{}.1", command.get_name()));
            assert!(fs::read_to_string(&page).unwrap().contains(".SH SYNOPSIS"), "{page:?}");
        }
    }

    #[rstest::rstest]
    #[case(Shell::Bash)]
    #[case(Shell::Zsh)]
    #[case(Shell::Fish)]
    #[case(Shell::PowerShell)]
    #[case(Shell::Elvish)]
    fn a_shell_is_told_of_every_command(#[case] shell: Shell) {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
        let script = String::from_utf8(script).unwrap();
        for command in Cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
    }
}
