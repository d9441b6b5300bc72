//! From text to [`Config`], with every fault of it.

use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::keys::{GENERATION, TABLES, names};
use super::reader::{Entry, Reader};
use super::{Config, Reports, Run, Server, Timing};
use crate::probe::features;
use crate::run::boot::{BaseUrl, Launch};
use crate::run::claims::{Claim, Claims};
use crate::scenario::Generation;
use crate::scenario::ast::{Source, Span};
use crate::scenario::diagnostic::{Diagnostic, Severity};
use crate::scenario::lint::FEATURES;
use crate::scenario::words::did_you_mean;

/// What the harness itself puts into the environment of a command.
const OURS: [&str; 2] = ["PORT", "HOST"];

pub(super) fn parse(path: &Path, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let source = Arc::new(Source {
        path: path.display().to_string(),
        text: text.to_owned(),
    });
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        source: Arc::clone(&source),
        base: path.parent().unwrap_or(Path::new("")),
        faults: Vec::new(),
    };
    let config = reader.config(root.get_ref());
    // On a line that is no TOML, what was read may not be what was meant.
    let malformed: Vec<usize> = errors
        .iter()
        .filter_map(|it| Some(it.span()?.start))
        .map(|at| line(text, at))
        .collect();
    let mut faults = reader.faults;
    faults.retain(|it| !malformed.contains(&it.line_column().0));
    faults.extend(errors.iter().map(|error| {
        let range = error.span().unwrap_or_default();
        let at = Span {
            start: range.start,
            end: range.end,
        };
        Diagnostic::new(Severity::Error, error.message(), Arc::clone(&source)).primary(at, "")
    }));
    if faults.is_empty() {
        return Ok(config);
    }
    faults.sort_by_key(Diagnostic::line_column);
    Err(faults)
}

fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

impl Reader<'_> {
    fn config(&mut self, root: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for entry @ (key, _) in root {
            let header = format!("begin it with a line [{}]", key.get_ref());
            match key.get_ref().as_ref() {
                "name" => config.name = self.string(entry),
                "suite" => config.suite = self.date(entry),
                "server" => config.server = self.table(entry, &header).and_then(|it| self.server(it)),
                "generations" => {
                    let help = "begin it with a line [generations.eio4]";
                    config.claims = self
                        .table(entry, help)
                        .map(|it| self.generations(it))
                        .unwrap_or_default();
                }
                "timing" => config.timing = self.table(entry, &header).map(|it| self.timing(it)).unwrap_or_default(),
                "run" => config.run = self.table(entry, &header).map(|it| self.run(it)).unwrap_or_default(),
                "reports" => {
                    config.reports = self
                        .table(entry, &header)
                        .map(|it| self.reports(it))
                        .unwrap_or_default();
                }
                _ => self.unknown(key, names("").chain(TABLES.into_iter().skip(1))),
            }
        }
        config
    }

    fn server(&mut self, table: &DeTable<'_>) -> Option<Server> {
        let (mut command, mut url, mut env, mut policy_port) = (None, None, None, None);
        for entry @ (key, _) in table {
            match key.get_ref().as_ref() {
                "command" => command = Some((key, self.command(entry))),
                "url" => url = Some((key, self.url(entry))),
                "env" => env = Some((key, self.env(entry))),
                "policy-port" => {
                    policy_port = Some((key, self.integer(entry, 1, u64::from(u16::MAX))));
                }
                _ => self.unknown(key, names("server")),
            }
        }
        if let (Some((key, _)), Some(_)) = (&url, &command) {
            self.fault(
                *key,
                "`url` stands beside `command`",
                "a server is started, or runs already: delete one",
            );
        }
        if let (Some((key, _)), None) = (&env, &command) {
            self.fault(
                *key,
                "`env` stands without `command`",
                "it is the environment of what is started; add `command`",
            );
        }
        if let (Some((key, _)), None) = (&policy_port, &url) {
            let help = "it belongs to the server at `url`; a command names its port in the line it prints";
            self.fault(*key, "`policy-port` stands without `url`", help);
        }
        match (command, url) {
            (Some((_, words)), _) => Some(Server::Command(Launch {
                words: words?.into_iter().map(Into::into).collect(),
                env: env.map(|(_, env)| env).unwrap_or_default(),
                folder: Some(self.base.to_owned()).filter(|it| !it.as_os_str().is_empty()),
                said: None,
            })),
            (None, Some((_, url))) => {
                let port = policy_port.and_then(|(_, port)| u16::try_from(port?).ok());
                Some(Server::Url(url?.with_policy_port(port)))
            }
            (None, None) => None,
        }
    }

    fn command(&mut self, entry: Entry<'_>) -> Option<Vec<String>> {
        let words: Vec<String> = self
            .strings(entry)?
            .into_iter()
            .map(toml::Spanned::into_inner)
            .collect();
        if words.first().is_none_or(|program| program.trim().is_empty()) {
            self.fault(
                entry.1,
                "`command` names no program",
                "write command = [\"node\", \"server.js\"]",
            );
            return None;
        }
        Some(words)
    }

    fn url(&mut self, entry: Entry<'_>) -> Option<BaseUrl> {
        let text = self.string(entry)?;
        match BaseUrl::parse(&text) {
            Ok(url) => Some(url),
            Err(error) => {
                self.fault(entry.1, error.to_string(), "write url = \"http://127.0.0.1:3000\"");
                None
            }
        }
    }

    fn env(&mut self, entry: Entry<'_>) -> Vec<(String, String)> {
        let Some(table) = self.table(entry, "write env = { NAME = \"value\" }") else {
            return Vec::new();
        };
        let mut env = Vec::new();
        for (name, value) in table {
            let text = name.get_ref().as_ref();
            if OURS.contains(&text) {
                self.fault(
                    name,
                    format!("`{text}` is not yours to set"),
                    "every run gives the server an address of its own",
                );
            } else if text.is_empty() || text.contains(['=', '\0']) {
                self.fault(name, "no name of a variable", "write env = { NAME = \"value\" }");
            } else if let Some(value) = value.get_ref().as_str() {
                env.push((text.to_owned(), value.to_owned()));
            } else {
                self.wrong_type((name, value), "a string", "put quotes around it");
            }
        }
        env
    }

    fn generations(&mut self, table: &DeTable<'_>) -> Claims {
        let mut claims = Claims::default();
        for entry @ (key, _) in table {
            let name = key.get_ref().as_ref();
            let Ok(generation) = name.parse::<Generation>() else {
                let help = did_you_mean(name, Generation::ALL.map(Generation::token));
                self.fault(key, format!("unknown generation `{name}`"), help);
                continue;
            };
            let header = format!("begin it with a line [generations.{generation}]");
            if let Some(table) = self.table(entry, &header) {
                claims.generations.insert(generation, self.claim(table, generation));
            }
        }
        claims
    }

    fn claim(&mut self, table: &DeTable<'_>, generation: Generation) -> Claim {
        let mut claim = Claim::default();
        for entry @ (key, _) in table {
            match key.get_ref().as_ref() {
                "transports" => {
                    let what = format!("transport of {generation}");
                    claim.transports = self.words(entry, generation.transports(), &what, |_| None);
                }
                "features" => {
                    let known: Vec<&str> = features(generation).collect();
                    let what = format!("feature of {generation}");
                    let strange = |word: &str| {
                        let transport = generation.transports().contains(&word);
                        transport
                            .then(|| "it is a transport: put it into `transports`".to_owned())
                            .or_else(|| {
                                FEATURES.contains(&word).then(|| {
                                    format!(
                                        "it is a feature of another generation; {generation} has {}",
                                        known.join(", ")
                                    )
                                })
                            })
                    };
                    claim.features = self.words(entry, &known, &what, strange);
                }
                _ => self.unknown(key, names(GENERATION)),
            }
        }
        claim
    }

    fn timing(&mut self, table: &DeTable<'_>) -> Timing {
        let mut timing = Timing::default();
        for entry @ (key, _) in table {
            match key.get_ref().as_ref() {
                "connect" => timing.connect = self.duration(entry),
                "interval" => timing.interval = self.duration(entry),
                "polling" => timing.polling = self.duration(entry),
                _ => self.unknown(key, names("timing")),
            }
        }
        timing
    }

    fn run(&mut self, table: &DeTable<'_>) -> Run {
        let mut run = Run::default();
        for entry @ (key, value) in table {
            match key.get_ref().as_ref() {
                "patience" => {
                    run.patience = self.number(entry);
                    if let Some(patience) = run.patience
                        && let Err(help) = crate::cli::patient(patience)
                    {
                        self.fault(value, "`patience` is out of range", format!("it {help}"));
                    }
                }
                "jobs" => run.jobs = self.integer(entry, 1, 10_000).and_then(|it| usize::try_from(it).ok()),
                "baseline" => run.baseline = self.path(entry),
                "traces" => run.traces = self.path(entry),
                _ => self.unknown(key, names("run")),
            }
        }
        run
    }

    fn reports(&mut self, table: &DeTable<'_>) -> Reports {
        let mut reports = Reports::default();
        for entry @ (key, _) in table {
            match key.get_ref().as_ref() {
                "json" => reports.json = self.path(entry),
                "junit" => reports.junit = self.path(entry),
                "html" => reports.html = self.path(entry),
                "tap" => reports.tap = self.path(entry),
                "badge" => reports.badge = self.path(entry),
                "github" => reports.github = self.boolean(entry).unwrap_or_default(),
                _ => self.unknown(key, names("reports")),
            }
        }
        reports
    }

    /// `"2026-11-28"`, as `since:` of a case has it: dates of this form are in the order of their letters.
    fn date(&mut self, entry: Entry<'_>) -> Option<String> {
        let help = "write suite = \"2026-11-28\"";
        let Some(text) = entry.1.get_ref().as_str() else {
            self.wrong_type(entry, "a date as a string", help);
            return None;
        };
        let is_date = matches!(
            text.parse::<toml::value::Datetime>(),
            Ok(toml::value::Datetime {
                date: Some(_),
                time: None,
                offset: None
            })
        );
        if !is_date {
            self.fault(entry.1, format!("{text:?} is no date"), help);
            return None;
        }
        Some(text.to_owned())
    }
}
