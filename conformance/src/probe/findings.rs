//! What was found out.

use std::collections::BTreeMap;

use super::table::{features, probes};
use crate::client::Announced;
use crate::run::event::{CaseReport, Failure, Outcome};
use crate::run::plan::Offer;
use crate::scenario::Generation;

/// What a server does.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The generations that it answered to.
    pub generations: BTreeMap<Generation, Found>,
}

/// What it does of one generation.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The transports that it offers, in the order of [`Generation::transports`].
    pub transports: Vec<&'static str>,
    /// Those of them over which no probe passed, although some ran.
    pub mute: Vec<&'static str>,
    /// What its handshake tells.
    pub announced: Announced,
    /// Every feature of the generation, in the order of the contract's table.
    pub features: Vec<(&'static str, Verdict)>,
}

/// Whether a feature is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Present,
    /// A probe failed over every transport.
    Absent {
        /// The case: `eio4/rooms/to[polling]`.
        case: String,
        /// What happened, in one line that is the same each time.
        why: String,
    },
    /// Its probe needs a transport that the server does not offer.
    NotAsked {
        /// The case.
        case: String,
        /// `no websocket`
        why: String,
    },
}

impl Found {
    /// The features that are there.
    pub fn present(&self) -> impl Iterator<Item = &'static str> {
        self.features
            .iter()
            .filter(|(_, verdict)| *verdict == Verdict::Present)
            .map(|(feature, _)| *feature)
    }

    /// What was found out about a feature.
    #[must_use]
    pub fn verdict(&self, feature: &str) -> Option<&Verdict> {
        self.features
            .iter()
            .find(|(it, _)| *it == feature)
            .map(|(_, verdict)| verdict)
    }
}

impl Findings {
    /// From what the server offers, and what became of the probes.
    #[must_use]
    pub fn new(offer: &Offer, reports: &[CaseReport]) -> Findings {
        let generations = offer.transports.iter().map(|(generation, offered)| {
            let known = generation.transports().iter().copied();
            let transports: Vec<&str> = known.filter(|it| offered.iter().any(|offered| offered == it)).collect();
            let found = Found {
                mute: transports
                    .iter()
                    .copied()
                    .filter(|it| is_mute(*generation, it, reports))
                    .collect(),
                transports,
                announced: offer.announced.get(generation).cloned().unwrap_or_default(),
                features: features(*generation)
                    .map(|feature| (feature, verdict(*generation, feature, reports)))
                    .collect(),
            };
            (*generation, found)
        });
        Findings {
            generations: generations.collect(),
        }
    }
}

/// What the probes of a feature came to: it is there where each of its cases passed over some transport.
pub(super) fn verdict(generation: Generation, feature: &str, reports: &[CaseReport]) -> Verdict {
    let probe = probes(generation).iter().find(|probe| probe.feature == feature);
    for id in probe.map_or(&[][..], |probe| probe.cases) {
        let runs: Vec<&CaseReport> = reports.iter().filter(|report| scenario(&report.id) == *id).collect();
        if runs.iter().any(|report| passed(report)) {
            continue;
        }
        let failed = runs.iter().find(|report| report.outcome != Outcome::Skip);
        return match (failed, runs.first()) {
            (Some(report), _) => Verdict::Absent {
                case: report.id.clone(),
                why: report.failures.first().map_or_else(|| "it failed".to_owned(), why),
            },
            (None, Some(report)) => Verdict::NotAsked {
                case: (*id).to_owned(),
                why: report.reason.clone().unwrap_or_default(),
            },
            (None, None) => Verdict::NotAsked {
                case: (*id).to_owned(),
                why: "it did not run".to_owned(),
            },
        };
    }
    Verdict::Present
}

fn is_mute(generation: Generation, transport: &str, reports: &[CaseReport]) -> bool {
    let end = format!("[{transport}]");
    let mut runs = reports
        .iter()
        .filter(|report| report.id.starts_with(generation.token()) && report.id.ends_with(&end))
        .filter(|report| report.outcome != Outcome::Skip)
        .peekable();
    runs.peek().is_some() && !runs.any(passed)
}

fn passed(report: &CaseReport) -> bool {
    matches!(report.outcome, Outcome::Pass | Outcome::Lenient)
}

fn scenario(id: &str) -> &str {
    id.split('[').next().unwrap_or(id)
}

/// The longest excerpt of what came, in characters.
const GOT: usize = 80;

/// A failure in one line, without what differs from one run to the next: ids, and measured times.
fn why(failure: &Failure) -> String {
    let got = failure.got.as_deref().map(|got| {
        let got = steady(got.lines().next().unwrap_or_default());
        match got.char_indices().nth(GOT) {
            Some((at, _)) => format!(": got {}…", &got[..at]),
            None => format!(": got {got}"),
        }
    });
    let step = failure.expected.as_deref().map(|it| format!(" at `{it}`"));
    format!(
        "{}{}{}",
        steady(failure.message.lines().next().unwrap_or_default()),
        step.unwrap_or_default(),
        got.unwrap_or_default()
    )
}

/// Long words with digits in them are ids, and digits before `ms` or `s` are measured: both become `…`.
fn steady(text: &str) -> String {
    /// The shortest id.
    const ID: usize = 8;
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
            word.push(c);
            continue;
        }
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &word[number.len()..];
        let has_digits = word.bytes().any(|byte| byte.is_ascii_digit());
        let is_time = matches!(unit, "ms" | "s") && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_id = has_digits && word.len() >= ID && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        match () {
            () if is_time && !number.is_empty() => {
                out.push('…');
                out.push_str(unit);
            }
            () if is_id => out.push('…'),
            () => out.push_str(&word),
        }
        word.clear();
        if c.is_control() {
            out.push(' ');
        } else {
            out.push(c);
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("0{\"sid\":\"Zx81_abcDEF-00001\"}", "0{\"sid\":\"…\"}")]
    #[case("431[[\"f00c0ffee12-blue\"]]", "431[[\"…\"]]")]
    #[case("nothing came within 2.0s", "nothing came within …s")]
    #[case("42[\"message-back\",1]", "42[\"message-back\",1]")]
    #[case("HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request")]
    fn what_differs_from_run_to_run_is_left_out(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(steady(text), shown);
    }
}
