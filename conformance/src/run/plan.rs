//! Which cases run: the selection, and what the target cannot be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::case::ops;
use super::claims::Claims;
use crate::browser::served::Served;
use crate::client::Announced;
use crate::glob::Glob;
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Scenario};
use crate::scenario::catalogue::Case;

/// What a person asked for; empty lists ask for everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `--generation`
    pub generations: Vec<Generation>,
    /// `--transport`
    pub transports: Vec<String>,
    /// `--filter`
    pub filters: Vec<Glob>,
}

impl Selection {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.generations.is_empty() && self.transports.is_empty() && self.filters.is_empty()
    }

    /// Whether a case is asked for.
    #[must_use]
    pub fn takes(&self, case: &Case) -> bool {
        let generation = case.scenario.headers.generation();
        let transports = uses(&case.scenario, case.transport.as_deref());
        (self.generations.is_empty() || self.generations.iter().any(|it| it.token() == generation))
            && (self.transports.is_empty() || self.transports.iter().any(|it| transports.contains(it.as_str())))
            && (self.filters.is_empty() || self.filters.iter().any(|glob| glob.names(&case.id)))
    }
}

/// A part of the cases, for one of several machines: `2/5`. Together the parts are all cases, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    parts: usize,
}

impl Shard {
    /// The cases of this part: every so manieth, so that each part has some of every topic.
    #[must_use]
    pub fn of<T>(self, cases: Vec<T>) -> Vec<T> {
        cases.into_iter().skip(self.part - 1).step_by(self.parts).collect()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parsed = text.split_once('/').and_then(|(part, parts)| {
            let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
            (1 <= part && part <= parts).then_some(Shard { part, parts })
        });
        parsed.ok_or_else(|| "write it as part/parts: 1/5 to 5/5".to_owned())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.parts)
    }
}

/// The transports that a case speaks.
pub(super) fn uses(scenario: &Scenario, over: Option<&str>) -> BTreeSet<String> {
    let known = |name: &str| {
        Generation::ALL
            .iter()
            .any(|generation| generation.transports().contains(&name))
    };
    let mut names: BTreeSet<String> = over.map(str::to_owned).into_iter().collect();
    names.extend(
        scenario
            .headers
            .needs
            .iter()
            .map(|need| need.node.clone())
            .filter(|need| known(need)),
    );
    for op in ops(scenario) {
        match &op.step.action {
            Action::Open {
                transport: Some(transport),
                ..
            }
            | Action::Reopen(Some(transport)) => {
                names.insert(transport.node.clone());
            }
            Action::Upgrade(transport) => {
                names.insert(transport.clone());
            }
            Action::Wt(_) => {
                names.insert("webtransport".to_owned());
            }
            _ => {}
        }
    }
    names
}

/// What the embedded server has only for the cases that ask for it: an offset in every event is in the way of the others,
/// and a UDP port costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Connection state recovery.
    pub recovery: bool,
    /// WebTransport.
    pub webtransport: bool,
    /// Time for browsers, which are slower than the wire.
    pub pages: bool,
}

impl Extras {
    /// What a case asks for.
    #[must_use]
    pub fn of(case: &Case) -> Extras {
        let needs = &case.scenario.headers.needs;
        Extras {
            recovery: needs.iter().any(|need| need.node == "recovery"),
            webtransport: uses(&case.scenario, case.transport.as_deref()).contains("webtransport"),
            pages: case.scenario.has_pages(),
        }
    }
}

/// What a target offers, as far as it tells.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The transports of each generation that the target answered to. Where it answered to none, every case is tried.
    pub transports: BTreeMap<Generation, Vec<String>>,
    /// Generations that were asked for by name: their cases are tried in any case.
    pub wanted: Vec<Generation>,
    /// Whether the flash policy port is known.
    pub policy: bool,
    /// The client that it serves to pages, where it was asked for it.
    pub served: Option<Served>,
    /// What each generation's handshake tells of times and limits.
    pub announced: BTreeMap<Generation, Announced>,
    /// What the target is said to do. What it says of a generation stands above what was answered.
    pub claims: Claims,
}

impl Offer {
    /// Why a case is not applicable, if it is not.
    #[must_use]
    pub fn lacks(&self, case: &Case) -> Option<String> {
        let asks_policy = |scenario: &Arc<Scenario>| {
            ops(scenario)
                .iter()
                .any(|op| matches!(&op.step.action, Action::Tcp(port) if port == "policy"))
        };
        if !self.policy && asks_policy(&case.scenario) {
            return Some("no flash policy port announced".to_owned());
        }
        let generation: Generation = case.scenario.headers.generation().parse().ok()?;
        let claim = self.claims.generations.get(&generation);
        if (claim.is_some() || !self.wanted.contains(&generation))
            && let Some(reason) = self.claims.lacks(generation, case)
        {
            return Some(reason);
        }
        if claim.is_some_and(|claim| claim.transports.is_some()) {
            return None;
        }
        let Some(offered) = self.transports.get(&generation) else {
            let tried = claim.is_some() || self.wanted.contains(&generation);
            let absent = !self.transports.is_empty() && !tried;
            return absent.then(|| format!("no {generation}"));
        };
        let lacking = uses(&case.scenario, case.transport.as_deref());
        lacking
            .into_iter()
            .find(|name| !offered.contains(name))
            .map(|name| format!("no {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_everything_once() {
        let cases: Vec<u32> = (0..23).collect();
        let mut all: Vec<u32> = (1..=5)
            .flat_map(|part| format!("{part}/5").parse::<Shard>().unwrap().of(cases.clone()))
            .collect();
        all.sort_unstable();
        assert_eq!(all, cases);
    }

    #[rstest::rstest]
    #[case("0/5")]
    #[case("6/5")]
    #[case("1")]
    #[case("1/0")]
    #[case("a/b")]
    #[case("-1/2")]
    fn no_part(#[case] text: &str) {
        assert!(text.parse::<Shard>().is_err());
    }
}
