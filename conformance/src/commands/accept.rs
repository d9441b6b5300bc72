//! `accept`

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;

use super::record::keep;
use super::settings::Settings;
use super::{CommandError, ConfigArgs, print_out};
use crate::exit::Exit;
use crate::expect::{self, LastRun, RunResult};
use crate::glob::Glob;

/// Where a baseline goes when the run had none.
const NEW: &str = "conformance.baseline";

/// Arguments of `accept`.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// Only this case, with or without its transport, or a glob: `rev1/ack/data[*]`
    pub case: Option<String>,
    /// Why it fails; stands in the baseline behind each new line
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// The baseline; that of the last run where nothing is said
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Where the last run left its traces [default: target/conformance]
    #[arg(long, value_name = "DIR")]
    pub traces: Option<PathBuf>,
    /// Which file names that folder
    #[command(flatten)]
    pub config: ConfigArgs,
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.contains(['\n', '\r']) {
        return Err("say why, in one line".to_owned());
    }
    Ok(text.to_owned())
}

/// Writes the baseline anew from what the last run came to.
///
/// # Errors
///
/// There was no whole run, the baseline does not parse or cannot be written, or no case has this name.
pub fn accept(args: &AcceptArgs) -> Result<Exit, CommandError> {
    let usage = |message: String| CommandError::new(Exit::Usage, message);
    let traces = Settings::of(&args.config)?.traces(args.traces.as_deref());
    let run = LastRun::read(&traces).map_err(|error| usage(error.to_string()))?;
    if let Some(why) = &run.partial {
        return Err(usage(format!(
            "the last run was partial: {why}; run all cases, then accept"
        )));
    }
    let only = args.case.as_deref().map(|case| named(case, &run)).transpose()?;
    let chosen = args.baseline.clone().or_else(|| run.baseline.clone());
    let path = chosen.unwrap_or_else(|| NEW.into());
    let name = path.display().to_string();
    let old = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(usage(format!("cannot read {name}: {error}"))),
    };
    let accepted = expect::accept(&name, &old, &run, only.as_ref(), &args.reason).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        usage(lines.join("\n"))
    })?;
    if accepted.is_empty() {
        print_out(&format!(
            "nothing to accept: {name} is as the last run of {} came out\n",
            run.target
        ));
        return Ok(Exit::AsExpected);
    }
    // Whole or not at all: it may be the only place where the reasons stand.
    keep(&path, &accepted.text)?;
    let lines = |mark: &str, lines: &[String]| lines.iter().map(|line| format!("{mark} {line}\n")).collect::<String>();
    let shown = lines("-", &accepted.removed) + &lines("+", &accepted.added);
    print_out(&format!("{name}\n{shown}"));
    if run.baseline.is_none() {
        print_out(&format!("judge with it: sio-conformance run --baseline {name}\n"));
    }
    Ok(Exit::AsExpected)
}

/// The glob for what a person calls a case.
fn named(case: &str, run: &LastRun) -> Result<Glob, CommandError> {
    let globs = [Glob::new(case), Glob::new(&format!("{case}[*]"))];
    let found = globs
        .into_iter()
        .find(|glob| run.cases.iter().any(|it| glob.names(&it.id)));
    let Some(glob) = found else {
        return Err(CommandError::new(
            Exit::NoCase,
            format!("no case {case:?} in the last run; `sio-conformance list` names them all"),
        ));
    };
    let mine = || run.cases.iter().filter(|it| glob.names(&it.id));
    if mine().all(|case| case.result == RunResult::Skip) {
        let message = format!("{case} did not run: there is nothing to accept");
        return Err(CommandError::new(Exit::Usage, message));
    }
    Ok(glob)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::expect::Keep;
    use crate::report::{Reporter as _, samples};

    /// A folder with what a run left, and a baseline of its own.
    fn after_a_run(partial: Option<&str>) -> (tempfile::TempDir, AcceptArgs) {
        let folder = tempfile::tempdir().unwrap();
        let baseline = folder.path().join("known");
        fs::write(&baseline, "# mine\nrev1/ack/id  fail  # once\n").unwrap();
        let mut keep = Keep::new(folder.path(), Some(&baseline), partial.map(str::to_owned));
        samples::run().iter().for_each(|event| keep.event(event));
        keep.finish().unwrap();
        let args = AcceptArgs {
            case: None,
            reason: "see #7".to_owned(),
            baseline: None,
            traces: Some(folder.path().to_owned()),
            config: ConfigArgs::default(),
        };
        (folder, args)
    }

    fn known(folder: &Path) -> String {
        fs::read_to_string(folder.join("known")).unwrap()
    }

    #[test]
    fn writes_the_baseline_of_the_last_run() {
        let (folder, args) = after_a_run(None);
        assert_eq!(accept(&args).unwrap(), Exit::AsExpected);
        let written = "# mine\nrev1/ack/data[xhr-polling]  fail  \"packet does not match\"  # see #7\n";
        assert_eq!(known(folder.path()), written);
        accept(&args).unwrap();
        assert_eq!(known(folder.path()), written);
    }

    #[test]
    fn refuses_after_a_partial_run() {
        let (folder, args) = after_a_run(Some("options left cases out"));
        let before = known(folder.path());
        let error = accept(&args).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(
            error.message,
            "error: the last run was partial: options left cases out; run all cases, then accept"
        );
        assert_eq!(known(folder.path()), before);
    }

    #[rstest::rstest]
    #[case("rev1/nope", Exit::NoCase, "no case \"rev1/nope\" in the last run")]
    #[case("rev1/volatile/all", Exit::Usage, "rev1/volatile/all did not run")]
    fn a_case_that_says_nothing(#[case] case: &str, #[case] exit: Exit, #[case] message: &str) {
        let (_folder, args) = after_a_run(None);
        let args = AcceptArgs {
            case: Some(case.to_owned()),
            ..args
        };
        let error = accept(&args).unwrap_err();
        assert_eq!(error.exit, exit);
        assert!(error.message.contains(message), "{error}");
    }

    #[test]
    fn one_case_over_every_transport_it_ran_over() {
        let (folder, args) = after_a_run(None);
        let args = AcceptArgs {
            case: Some("rev1/ack/data".to_owned()),
            ..args
        };
        accept(&args).unwrap();
        let written = known(folder.path());
        assert!(written.contains("rev1/ack/id  fail  # once"), "{written}");
        assert!(written.contains("rev1/ack/data[xhr-polling]  fail"), "{written}");
    }
}
