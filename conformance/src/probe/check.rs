//! What a file claims, beside what was found.

use std::fmt;

use super::findings::{Findings, Verdict};
use crate::run::claims::{Claim, Claims};
use crate::scenario::Generation;

/// Something that a file says, and the server does not do; or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The claim is false. Otherwise something is there that nobody claims.
    pub is_false: bool,
    /// Of which generation.
    pub generation: Generation,
    /// A transport or a feature; none for the generation itself.
    pub what: Option<String>,
    /// Why the claim is false.
    pub why: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.generation)?;
        if let Some(what) = &self.what {
            write!(f, " {what}")?;
        }
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

/// All of them, by generation, transports before features. What a file does not speak of at all is no difference: without
/// `features`, all of them are assumed.
#[must_use]
pub fn differences(claims: &Claims, findings: &Findings) -> Vec<Difference> {
    let mut out = Vec::new();
    for generation in Generation::ALL {
        let difference = |is_false, what: Option<&str>, why: Option<String>| Difference {
            is_false,
            generation,
            what: what.map(str::to_owned),
            why,
        };
        let (claim, found) = match (
            claims.generations.get(&generation),
            findings.generations.get(&generation),
        ) {
            (None, None) => continue,
            (Some(_), None) => {
                out.push(difference(true, None, Some("no answer to its handshake".to_owned())));
                continue;
            }
            (None, Some(_)) => {
                out.push(difference(false, None, None));
                continue;
            }
            (Some(claim), Some(found)) => (claim, found),
        };
        let Claim { transports, features } = claim;
        if let Some(claimed) = transports {
            let offered = &found.transports;
            for name in claimed.iter().filter(|it| !offered.contains(&it.as_str())) {
                out.push(difference(true, Some(name), Some("not offered".to_owned())));
            }
            for name in offered
                .iter()
                .filter(|it| !claimed.iter().any(|claimed| claimed == *it))
            {
                out.push(difference(false, Some(name), None));
            }
        }
        if let Some(claimed) = features {
            for name in claimed {
                match found.verdict(name) {
                    Some(Verdict::Absent { case, why }) => {
                        out.push(difference(true, Some(name), Some(format!("{case}: {why}"))));
                    }
                    Some(Verdict::NotAsked { case, why }) => {
                        out.push(difference(true, Some(name), Some(format!("{case} cannot run: {why}"))));
                    }
                    Some(Verdict::Present) | None => {}
                }
            }
            for name in found.present().filter(|it| !claim.has(it)) {
                out.push(difference(false, Some(name), None));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::findings::Found;
    use super::*;

    fn findings() -> Findings {
        let absent = Verdict::Absent {
            case: "eio4/binary/event[polling]".to_owned(),
            why: "nothing came".to_owned(),
        };
        let found = Found {
            transports: vec!["polling", "websocket"],
            features: vec![
                ("rooms", Verdict::Present),
                ("order", Verdict::Present),
                ("binary", absent),
            ],
            ..Found::default()
        };
        Findings {
            generations: [(Generation::Eio4, found.clone()), (Generation::Eio3, found)].into(),
        }
    }

    fn shown(toml: &str) -> Vec<String> {
        let config = crate::config::Config::parse("conformance.toml".as_ref(), toml).unwrap();
        differences(&config.claims, &findings())
            .iter()
            .map(|it| format!("{} {it}", if it.is_false { "false" } else { "open" }))
            .collect()
    }

    #[test]
    fn every_difference_is_told() {
        let toml = "[generations.eio4]\ntransports = [\"polling\", \"webtransport\"]\nfeatures = [\"rooms\", \"binary\"]\n\
                    [generations.rev1]\n";
        assert_eq!(
            shown(toml),
            [
                "false rev1: no answer to its handshake",
                "open eio3",
                "false eio4 webtransport: not offered",
                "open eio4 websocket",
                "false eio4 binary: eio4/binary/event[polling]: nothing came",
                "open eio4 order",
            ]
        );
    }

    #[test]
    fn what_a_file_does_not_speak_of_is_no_difference() {
        assert!(shown("[generations.eio4]\n[generations.eio3]\n").is_empty());
    }
}
