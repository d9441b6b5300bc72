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

/// A failure in one line, without what differs from one run to the next.
fn why(failure: &Failure) -> String {
    let message = steady(failure.message.lines().next().unwrap_or_default());
    let step = failure.expected.as_deref().map(|it| format!(" at `{it}`"));
    // Where nothing came, what stands there is heartbeats: as many as there was time for.
    let got = failure.got.as_deref().filter(|_| !message.starts_with("nothing came"));
    let got = got.map(|got| {
        let got = steady(got.lines().next().unwrap_or_default());
        match got.char_indices().nth(GOT) {
            Some((at, _)) => format!(": got {}…", &got[..at]),
            None => format!(": got {got}"),
        }
    });
    format!("{message}{}{}", step.unwrap_or_default(), got.unwrap_or_default())
}

/// Text without ids and measured times: each becomes `…`.
fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    // The last character ends the last word, and goes.
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
            word.push(c);
            continue;
        }
        if let Some(unit) = unit(&word) {
            out.push('…');
            out.push_str(unit);
        } else if is_id(&word) {
            out.push('…');
        } else {
            out.push_str(&word);
        }
        word.clear();
        out.push(if c.is_control() { ' ' } else { c });
    }
    out.trim_end().to_owned()
}

/// `ms` of `12.5ms`
fn unit(word: &str) -> Option<&str> {
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &word[number.len()..];
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_number && matches!(unit, "ms" | "s")).then_some(unit)
}

/// Whether a word was made by chance: session ids are, and rooms that no other run uses. `dynamic-101` and `HTTP` are not.
fn is_id(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let digits = has(u8::is_ascii_digit);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_name =
        !name.is_empty() && word.len() - name.len() <= 3 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    match word.len() {
        16.. => (digits || mixed) && !is_name,
        8.. => digits && has(u8::is_ascii_alphabetic) && !is_name,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ast::{Authority, Level};

    fn report(id: &str, outcome: Outcome) -> CaseReport {
        let failure = Failure {
            level: Level::Must,
            authority: Authority::Spec,
            requirements: Vec::new(),
            message: "packet does not match: $[0]".to_owned(),
            file: String::new(),
            line: 1,
            column: 1,
            expected: Some("< 1".to_owned()),
            got: Some("2\n3".to_owned()),
            rendered: String::new(),
        };
        CaseReport {
            id: id.to_owned(),
            title: String::new(),
            outcome,
            duration_ms: 0,
            failures: if outcome == Outcome::Fail {
                vec![failure]
            } else {
                Vec::new()
            },
            lenient: Vec::new(),
            reason: (outcome == Outcome::Skip).then(|| "no websocket".to_owned()),
            reruns: 0,
            tries: 1,
            trace: None,
            requirements: Vec::new(),
            wire: None,
        }
    }

    fn absent(case: &str) -> Verdict {
        Verdict::Absent {
            case: case.to_owned(),
            why: "packet does not match: $[0] at `< 1`: got 2".to_owned(),
        }
    }

    #[test]
    fn a_feature_is_there_where_it_works_over_any_transport() {
        let reports = [
            report("eio4/rooms/to[polling]", Outcome::Fail),
            report("eio4/rooms/to[websocket]", Outcome::Lenient),
        ];
        let rooms = |reports: &[CaseReport]| verdict(Generation::Eio4, "rooms", reports);
        assert_eq!(rooms(&reports), Verdict::Present);
        assert_eq!(rooms(&reports[..1]), absent("eio4/rooms/to[polling]"));
    }

    #[test]
    fn a_feature_is_there_where_each_of_its_probes_passes() {
        let cors = |reports: &[CaseReport]| verdict(Generation::Eio4, "cors", reports);
        let allowed = report("eio4/cors/handshake", Outcome::Pass);
        let other = |outcome| report("eio4/cors/other", outcome);
        assert_eq!(cors(&[allowed.clone(), other(Outcome::Pass)]), Verdict::Present);
        assert_eq!(cors(&[allowed, other(Outcome::Fail)]), absent("eio4/cors/other"));
    }

    #[test]
    fn what_could_not_be_asked_is_not_absent() {
        let skipped = report("eio4/application/query", Outcome::Skip);
        let expected = Verdict::NotAsked {
            case: "eio4/application/query".to_owned(),
            why: "no websocket".to_owned(),
        };
        assert_eq!(verdict(Generation::Eio4, "handshake", &[skipped]), expected);
        assert!(matches!(
            verdict(Generation::Eio4, "handshake", &[]),
            Verdict::NotAsked { .. }
        ));
    }

    #[test]
    fn a_transport_over_which_nothing_passes_is_told() {
        let offered = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let offer = Offer {
            transports: [(Generation::Eio4, offered(&["upgraded", "websocket", "polling"]))].into(),
            ..Offer::default()
        };
        let reports = [
            report("eio4/rooms/to[polling]", Outcome::Pass),
            report("eio4/rooms/to[websocket]", Outcome::Fail),
        ];
        let found = &Findings::new(&offer, &reports).generations[&Generation::Eio4];
        assert_eq!(found.transports, ["polling", "websocket", "upgraded"]);
        assert_eq!(found.mute, ["websocket"]);
    }

    #[rstest::rstest]
    #[case("0{\"sid\":\"Zx81_abcDEF-00001\"}", "0{\"sid\":\"…\"}")]
    #[case("431[[\"f00c0ffee12-blue\"]]", "431[[\"…\"]]")]
    #[case("nothing came within 2.0s", "nothing came within …s")]
    #[case("42[\"message-back\",1]", "42[\"message-back\",1]")]
    #[case("44/dynamic-101,\"Invalid namespace\"", "44/dynamic-101,\"Invalid namespace\"")]
    #[case("0{\"sid\":\"abcdefABCDEFabcdefAB\"}", "0{\"sid\":\"…\"}")]
    #[case("123456789012345678:2:2:websocket", "…:2:2:websocket")]
    #[case("HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request")]
    fn what_differs_from_run_to_run_is_left_out(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(steady(text), shown);
    }
}
