//! What holds: the command line, then the file, then the defaults.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::reports::{ReportFiles, When};
use super::{CommandError, target};
use crate::config::{Config, ConfigError, NAME, Server};
use crate::exit::Exit;
use crate::report::BadgeFile;
use crate::run::boot::Target;
use crate::run::case::Timings;
use crate::suite::Date;

/// Cases at a time, where nothing is said.
const JOBS: usize = 48;

/// Which file is read.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// What the server is, does, and how it is judged; conformance.toml where it is there and nothing is said
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no such file
    #[arg(long)]
    pub no_config: bool,
}

/// What a file says, if there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// What it says; nothing where there is none.
    pub(super) config: Config,
    /// The file, as a person would name it.
    pub(super) file: Option<String>,
    /// It was named on the command line.
    named: bool,
}

impl Settings {
    /// Reads the file that is named, or the one in the working directory.
    pub(super) fn of(args: &ConfigArgs) -> Result<Settings, CommandError> {
        let found = || Path::new(NAME).exists().then(|| PathBuf::from(NAME));
        let path = match (&args.config, args.no_config) {
            (_, true) => None,
            (Some(path), false) => Some(path.clone()),
            (None, false) => found(),
        };
        let Some(path) = path else {
            return Ok(Settings::default());
        };
        Ok(Settings {
            config: Config::read(&path).map_err(|error| wrong(&error))?,
            file: Some(path.display().to_string()),
            named: args.config.is_some(),
        })
    }

    /// The server: of the command line, else of the file, else the embedded one.
    pub(super) fn target(
        &self,
        url: Option<&str>,
        policy_port: Option<u16>,
        server: &[OsString],
    ) -> Result<Target, CommandError> {
        let said = target(url, policy_port, server)?;
        Ok(match (said, &self.config.server) {
            (Target::Embedded, Some(Server::Url(url))) => Target::Url(url.clone()),
            (Target::Embedded, Some(Server::Command(launch))) => {
                let mut launch = launch.clone();
                launch.said = Some(match &self.file {
                    Some(file) if self.named => format!(" --config {file}"),
                    _ => String::new(),
                });
                Target::Command(launch)
            }
            (said, _) => said,
        })
    }

    pub(super) fn patience(&self, said: Option<f64>) -> f64 {
        said.or(self.config.run.patience).unwrap_or(1.0)
    }

    pub(super) fn jobs(&self, said: Option<usize>) -> usize {
        said.or(self.config.run.jobs).unwrap_or(JOBS)
    }

    pub(super) fn baseline<'a>(&'a self, said: Option<&'a Path>) -> Option<&'a Path> {
        said.or(self.config.run.baseline.as_deref())
    }

    pub(super) fn traces(&self, said: Option<&Path>) -> PathBuf {
        let said = said.or(self.config.run.traces.as_deref());
        said.map_or_else(|| PathBuf::from(crate::report::TRACE_DIR), Path::to_owned)
    }

    pub(super) fn name(&self, said: Option<&str>) -> Option<String> {
        said.or(self.config.name.as_deref()).map(str::to_owned)
    }

    pub(super) fn suite(&self, said: Option<Date>) -> Option<Date> {
        said.or_else(|| self.config.suite.as_deref()?.parse().ok())
    }

    /// The contract's, and over them what the file says. What the command line says goes over both.
    pub(super) fn timings(&self) -> Timings {
        let timings = Timings::default();
        let said = self.config.timing;
        Timings {
            interval: said.interval.unwrap_or(timings.interval),
            polling: said.polling.unwrap_or(timings.polling),
            connect: said.connect.unwrap_or(timings.connect),
        }
    }

    /// The reports of a run: those of the command line, and over what it leaves out those of the file.
    pub(super) fn reports(&self, said: &ReportFiles) -> Result<ReportFiles, CommandError> {
        let file = &self.config.reports;
        let badge = match (said.badge.as_slice(), &file.badge) {
            ([], Some(path)) => {
                let badge = BadgeFile::parse(&path.display().to_string());
                vec![badge.map_err(|error| CommandError::new(Exit::Usage, format!("[reports] badge: {error}")))?]
            }
            (said, _) => said.to_vec(),
        };
        let or = |said: &Option<PathBuf>, file: &Option<PathBuf>| said.clone().or_else(|| file.clone());
        Ok(ReportFiles {
            json: or(&said.json, &file.json),
            html: or(&said.html, &file.html),
            junit: or(&said.junit, &file.junit),
            tap: or(&said.tap, &file.tap),
            badge,
            github: match (said.github, file.github) {
                (When::Auto, true) => When::Always,
                (said, _) => said,
            },
        })
    }
}

/// A file that is of no use, with every fault of it.
fn wrong(error: &ConfigError) -> CommandError {
    let faults = match error {
        ConfigError::Malformed { faults, .. } => faults.as_slice(),
        ConfigError::Read { .. } | ConfigError::Long { .. } => {
            return CommandError::new(Exit::Usage, error.to_string());
        }
    };
    let colour = std::io::stderr().is_terminal();
    let shown: Vec<String> = faults.iter().map(|fault| fault.render(colour)).collect();
    CommandError {
        exit: Exit::Usage,
        message: [shown, vec![error.to_string()]].concat().join("\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command, RunArgs};

    fn settings(text: &str, named: bool) -> Settings {
        Settings {
            config: Config::parse(Path::new("ci/conformance.toml"), text).unwrap(),
            file: Some("ci/conformance.toml".to_owned()),
            named,
        }
    }

    fn run(words: &str) -> Box<RunArgs> {
        match Cli::try_parse_from(["sio-conformance", "run"].into_iter().chain(words.split_whitespace())) {
            Ok(Cli {
                command: Command::Run(args),
            }) => args,
            other => panic!("{other:?}"),
        }
    }

    /// What holds of the options that a file can say, too.
    fn holds(settings: &Settings, words: &str) -> String {
        let args = run(words);
        let judged = &args.judged;
        let timings = args.timings(settings.timings());
        format!(
            "{} {} {} {:?} {:?} {:?} {:?} {:?}",
            settings.jobs(args.jobs),
            settings.patience(judged.patience),
            settings.traces(judged.traces.as_deref()).display(),
            settings.baseline(judged.baseline.as_deref()),
            settings.reports(&judged.reports).unwrap().json,
            timings.connect,
            timings.interval,
            timings.polling,
        )
    }

    const FILE: &str = "[timing]\nconnect = \"2s\"\npolling = \"3s\"\n[run]\njobs = 4\npatience = 2\nbaseline = \"known\"\n\
                        traces = \"traces\"\n[reports]\njson = \"a.jsonl\"\n";

    #[test]
    fn the_command_line_stands_above_the_file_and_the_file_above_the_defaults() {
        assert_eq!(
            holds(&Settings::default(), ""),
            "48 1 target/conformance None None 1s 1s 1s"
        );
        let file = settings(FILE, true);
        assert_eq!(
            holds(&file, ""),
            "4 2 ci/traces Some(\"ci/known\") Some(\"ci/a.jsonl\") 2s 1s 3s"
        );
        let said = "--jobs 5 --patience 3 --traces t --baseline b --json j --timing connect=4s";
        assert_eq!(holds(&file, said), "5 3 t Some(\"b\") Some(\"j\") 4s 1s 3s");
    }

    #[test]
    fn a_server_of_the_file_is_judged_where_the_command_line_names_none() {
        let command = "[server]\ncommand = [\"./serve\"]";
        let target = |named, url: Option<&str>| settings(command, named).target(url, None, &[]).unwrap();
        assert_eq!(target(true, None).to_string(), "./serve");
        assert_eq!(target(true, None).arguments(), " --config ci/conformance.toml");
        assert_eq!(
            target(false, None).arguments(),
            "",
            "it is found again without being named"
        );
        assert_eq!(
            target(true, Some("http://127.0.0.1:1")).to_string(),
            "http://127.0.0.1:1"
        );
        assert_eq!(Settings::default().target(None, None, &[]).unwrap(), Target::Embedded);
        let of_url = settings("[server]\nurl = \"http://127.0.0.1:1\"", true);
        let typed = of_url.target(None, None, &["./other".into()]).unwrap();
        assert_eq!(typed.arguments(), " -- ./other");
    }

    #[test]
    fn a_file_names_every_report() {
        let text = "[reports]\njunit = \"a.xml\"\nhtml = \"a.html\"\ntap = \"a.tap\"\nbadge = \"a.svg\"\ngithub = true";
        let reports = settings(text, true).reports(&run("").judged.reports).unwrap();
        assert_eq!(reports.junit.as_deref(), Some(Path::new("ci/a.xml")));
        assert_eq!(reports.html.as_deref(), Some(Path::new("ci/a.html")));
        assert_eq!(reports.tap.as_deref(), Some(Path::new("ci/a.tap")));
        assert_eq!((reports.badge.len(), reports.github), (1, When::Always));
        let said = settings(text, true)
            .reports(&run("--tap b.tap --github=never").judged.reports)
            .unwrap();
        assert_eq!(
            (said.tap.as_deref(), said.github),
            (Some(Path::new("b.tap")), When::Never)
        );
        let error = settings("[reports]\nbadge = \"a.gif\"", true)
            .reports(&run("").judged.reports)
            .unwrap_err();
        assert!(error.message.contains("[reports] badge: "), "{error}");
    }
}
