//! A run: one question after the other, to a command that is started anew after each fault.

use std::ffi::OsString;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, quoted};
use super::checks::Check;
use super::judge::{Mismatch, Verdict, judge};
use crate::expect::Baseline;
use crate::report::Reporter;
use crate::run::boot::{Boot, BootError, Talk, TalkError, shown};
use crate::run::clock;
use crate::run::event::{CaseReport, Event, FORMAT_VERSION, Failure, Outcome, Start, Summary};
use crate::scenario::ast::{Authority, Level};
use crate::suite;

/// How long an answer may take, and the first one of a command that has just been started; times the patience.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const FIRST_WITHIN: Duration = Duration::from_secs(20);
/// How long a command may go on when nothing more is asked, times the patience.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(2);
/// After so many faults a command is not started again.
const MOST_FAULTS: usize = 10;
/// Characters of one text in a diagnostic.
const SHOWN: usize = 1000;

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The parser.
    pub command: Vec<OsString>,
    /// How it is started, and the factor on every wait.
    pub boot: Boot,
    /// Known failures.
    pub baseline: Baseline,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The counts.
    pub summary: Summary,
    /// The command was given up, and was not asked everything.
    pub given_up: bool,
}

/// Asks everything and reports, except for the summary.
///
/// # Errors
///
/// When the command cannot be started.
pub async fn run(checks: &[Check], options: &Options, reporter: &mut dyn Reporter) -> Result<Run, BootError> {
    let begun = Instant::now();
    // Before anything is reported: a command that cannot be run is no result.
    let first = Talk::start(&options.command, &options.boot).await?;
    reporter.event(&Event::Start(Start {
        format: FORMAT_VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        target: shown(&options.command),
        cases: checks.len(),
        name: None,
        config: None,
        suite: Some(suite::DATE.to_owned()),
        time: Some(clock::now()),
    }));
    let mut session = Session {
        options,
        reporter,
        run: Run::default(),
        talk: Some(first),
        fresh: true,
        faults: 0,
        held: None,
    };
    for (check, id) in checks.iter().zip(1..) {
        session.check(check, id).await?;
    }
    session.end().await;
    let mut run = session.run;
    run.summary.duration_ms = milliseconds(begun.elapsed());
    Ok(run)
}

struct Session<'a> {
    options: &'a Options,
    reporter: &'a mut dyn Reporter,
    run: Run,
    /// None after a fault.
    talk: Option<Talk>,
    /// Nothing was answered since it was started.
    fresh: bool,
    faults: usize,
    /// The last answered one. It is not reported before the next line: that one may answer it again.
    held: Option<Held>,
}

struct Held {
    check: Check,
    id: u64,
    verdict: Verdict,
    took: Duration,
}

impl Session<'_> {
    async fn check(&mut self, check: &Check, id: u64) -> Result<(), BootError> {
        if let Some(reason) = self.options.baseline.skips(&check.id) {
            self.report(skipped(check, reason));
            return Ok(());
        }
        if self.faults == MOST_FAULTS {
            self.run.given_up = true;
            let reason = format!("not asked: the command was given up after {MOST_FAULTS} faults");
            self.report(skipped(check, reason));
            return Ok(());
        }
        if self.talk.is_none() {
            self.talk = Some(Talk::start(&self.options.command, &self.options.boot).await?);
            self.fresh = true;
        }
        self.reporter.event(&Event::CaseStart { id: check.id.clone() });
        let begun = Instant::now();
        let answered = self.ask(check, id).await;
        self.flush();
        let verdict = match answered {
            Ok(verdict) => verdict,
            Err(message) => {
                self.faults += 1;
                if let Some(talk) = self.talk.take() {
                    talk.stop().await;
                }
                Verdict::Wrong(Mismatch {
                    message,
                    expected: None,
                    got: None,
                })
            }
        };
        self.held = Some(Held {
            check: check.clone(),
            id,
            verdict,
            took: begun.elapsed(),
        });
        Ok(())
    }

    /// One question; the error is a fault after which the command is not asked again.
    async fn ask(&mut self, check: &Check, id: u64) -> Result<Verdict, String> {
        let Some(talk) = &mut self.talk else {
            return Err("there is no command".to_owned());
        };
        let wait = if self.fresh { FIRST_WITHIN } else { ANSWER_WITHIN };
        let within = wait.mul_f64(self.options.boot.patience);
        let deadline = Instant::now() + within;
        talk.say(&check.request(id), within).await;
        loop {
            let line = talk.hear(deadline.saturating_duration_since(Instant::now())).await;
            let line = line.map_err(|error| match error {
                // What is left of a wait says nothing to a reader.
                TalkError::Late(_) => TalkError::Late(within).to_string(),
                other => other.to_string(),
            })?;
            let answer = Answer::parse(&line).map_err(|garbage| format!("the answer is {garbage}"))?;
            self.fresh = false;
            if answer.id == id {
                return Ok(judge(check, &answer.said));
            }
            match &mut self.held {
                Some(held) if held.id == answer.id && !held.is_twice() => held.twice(&line),
                _ => return Err(format!("answers request {}, and {id} was asked", answer.id)),
            }
        }
    }

    /// Reports the last answered one, which nothing can change any more.
    fn flush(&mut self) {
        if let Some(held) = self.held.take() {
            let report = self.judged(&held);
            self.report(report);
        }
    }

    /// Ends the command; what it says unasked counts against the last answer.
    async fn end(&mut self) {
        if let Some(mut talk) = self.talk.take() {
            let within = LAST_WORDS_WITHIN.mul_f64(self.options.boot.patience);
            let words = talk.last_words(within).await;
            if let (Some(held), Some(line)) = (&mut self.held, words.first()) {
                held.twice(line);
            }
            talk.stop().await;
        }
        self.flush();
    }

    fn report(&mut self, case: CaseReport) {
        let summary = &mut self.run.summary;
        *match case.outcome {
            Outcome::Pass => &mut summary.pass,
            Outcome::Lenient => &mut summary.lenient,
            Outcome::Expected => &mut summary.expected,
            Outcome::Fail => &mut summary.fail,
            Outcome::Skip => &mut summary.skip,
        } += 1;
        self.reporter.event(&Event::Case(case));
    }

    fn judged(&self, held: &Held) -> CaseReport {
        let Held {
            check,
            id,
            verdict,
            took,
        } = held;
        let dress = |level, mismatch: &Mismatch| {
            let request = check.request(*id);
            failure(check, level, mismatch, &request, &self.options.command)
        };
        let (outcome, failures, lenient) = match verdict {
            Verdict::Unsupported => {
                return skipped(check, format!("no {}", check.layer));
            }
            Verdict::Right => (Outcome::Pass, None, None),
            Verdict::Otherwise(mismatch) => (Outcome::Lenient, None, Some(dress(Level::Should, mismatch))),
            Verdict::Wrong(mismatch) => (Outcome::Fail, Some(dress(Level::Must, mismatch)), None),
        };
        let message = failures.as_ref().map_or("", |failure| failure.message.as_str());
        let (outcome, reason) = self.options.baseline.judge(&check.id, outcome, message, 1);
        CaseReport {
            outcome,
            duration_ms: milliseconds(*took),
            failures: failures.into_iter().collect(),
            lenient: lenient.into_iter().collect(),
            reason,
            ..skipped(check, String::new())
        }
    }
}

impl Held {
    fn twice(&mut self, line: &[u8]) {
        let message = format!("{TWICE}: `{}`", quoted(&String::from_utf8_lossy(line)));
        self.verdict = Verdict::Wrong(Mismatch {
            message,
            expected: None,
            got: None,
        });
    }

    fn is_twice(&self) -> bool {
        matches!(&self.verdict, Verdict::Wrong(mismatch) if mismatch.message.starts_with(TWICE))
    }
}

const TWICE: &str = "says more after its answer";

fn skipped(check: &Check, reason: String) -> CaseReport {
    CaseReport::skipped(check.id.clone(), check.title.clone(), reason)
}

fn failure(check: &Check, level: Level, mismatch: &Mismatch, request: &str, command: &[OsString]) -> Failure {
    let (first, rest) = mismatch.message.split_once('\n').unwrap_or((&mismatch.message, ""));
    let first = clipped(first);
    let mut rendered = format!(
        "error[{}]: {first:<width$}  {}\n  --> {}:{}\n",
        level.word(),
        check.id,
        check.file,
        check.line,
        width = 72_usize.saturating_sub(check.id.len()),
    );
    if !rest.is_empty() {
        rendered += &format!("{rest}\n");
    }
    let notes = [
        ("asked", Some(request)),
        ("expect", mismatch.expected.as_deref()),
        ("got", mismatch.got.as_deref()),
    ];
    for (name, text) in notes {
        if let Some(text) = text {
            rendered += &format!("   = {name:<6} {}\n", clipped(text));
        }
    }
    rendered += &format!(
        "   = next   sio-conformance codec --filter '{}' -- {}",
        check.id,
        shown(command)
    );
    Failure {
        level,
        authority: Authority::Spec,
        requirements: Vec::new(),
        message: first,
        file: check.file.clone(),
        line: check.line,
        column: 1,
        expected: mismatch.expected.as_deref().map(clipped),
        got: mismatch.got.as_deref().map(clipped),
        rendered,
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
