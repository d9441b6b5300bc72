//! What a server is said to do, by whoever configured it: what is not claimed is not asked for.

use std::collections::BTreeMap;

use super::plan::{Offer, uses};
use crate::scenario::Generation;
use crate::scenario::catalogue::Case;
use crate::scenario::lint::FEATURES;

/// What a server is said to do. Empty where nothing is said: then every feature is assumed, and it is asked for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The generations that it speaks.
    pub generations: BTreeMap<Generation, Claim>,
}

/// What is said of one generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Its transports; those that the server offers where nothing is said.
    pub transports: Option<Vec<String>>,
    /// Its features; all of them where nothing is said.
    pub features: Option<Vec<String>>,
}

impl Claim {
    /// Whether a feature is claimed, or assumed.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.features
            .as_ref()
            .is_none_or(|it| it.iter().any(|it| it == feature))
    }
}

impl Claims {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.generations.is_empty()
    }

    /// The same without a word about features: to ask for those that are not claimed.
    #[must_use]
    pub fn of_any_feature(&self) -> Claims {
        let mut claims = self.clone();
        for claim in claims.generations.values_mut() {
            claim.features = None;
        }
        claims
    }

    /// Why a case is not applicable, if it is not: `no rooms`.
    pub(super) fn lacks(&self, generation: Generation, case: &Case) -> Option<String> {
        let Some(claim) = self.generations.get(&generation) else {
            return (!self.is_empty()).then(|| format!("no {generation}"));
        };
        let transport = claim.transports.as_ref().and_then(|claimed| {
            uses(&case.scenario, case.transport.as_deref())
                .into_iter()
                .find(|name| !claimed.contains(name))
        });
        let needs = case.scenario.headers.needs.iter().map(|need| need.node.as_str());
        let feature = || {
            needs
                .filter(|need| FEATURES.contains(need))
                .find(|need| !claim.has(need))
                .map(str::to_owned)
        };
        transport.or_else(feature).map(|name| format!("no {name}"))
    }

    /// What the server answers to without being said to.
    #[must_use]
    pub fn unclaimed(&self, offer: &Offer, file: &str) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut notes = Vec::new();
        for (generation, offered) in &offer.transports {
            match self.generations.get(generation) {
                None => notes.push(unclaimed(&generation.to_string(), file)),
                Some(Claim {
                    transports: Some(claimed),
                    ..
                }) => {
                    let open = offered.iter().filter(|it| !claimed.contains(it)).map(String::as_str);
                    notes.extend(unclaimed_of(*generation, open, file));
                }
                Some(_) => {}
            }
        }
        notes
    }
}

/// One note about all of these, if there are any: `the server answers to rooms, order of eio4, which conformance.toml does not
/// claim`.
#[must_use]
pub fn unclaimed_of<'a>(generation: Generation, names: impl Iterator<Item = &'a str>, file: &str) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| unclaimed(&format!("{} of {generation}", names.join(", ")), file))
}

fn unclaimed(what: &str, file: &str) -> String {
    format!("the server answers to {what}, which {file} does not claim")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scenario::parse::parse;

    fn case(needs: &str, transport: &str) -> Case {
        let text = format!("case:  eio4/a/b\nneeds: {needs}\nover:  {transport}\n\na open\na fence\n");
        Case {
            id: format!("eio4/a/b[{transport}]"),
            scenario: Arc::new(parse("a.wire", &text).unwrap()),
            transport: Some(transport.to_owned()),
        }
    }

    fn claim(transports: &[&str], features: &[&str]) -> Claim {
        let owned = |names: &[&str]| Some(names.iter().map(|it| (*it).to_owned()).collect());
        Claim {
            transports: owned(transports),
            features: owned(features),
        }
    }

    fn claims(claim: Claim) -> Claims {
        Claims {
            generations: [(Generation::Eio4, claim)].into(),
        }
    }

    fn offer(claims: Claims, offered: &[&str]) -> Offer {
        let transports = offered.iter().map(|it| (*it).to_owned()).collect();
        Offer {
            transports: [(Generation::Eio4, transports)].into(),
            claims,
            ..Offer::default()
        }
    }

    #[test]
    fn what_is_not_claimed_is_not_asked_for() {
        let offer = offer(
            claims(claim(&["polling", "websocket"], &["rooms"])),
            &["polling", "webtransport"],
        );
        let lacks = |needs, transport| offer.lacks(&case(needs, transport));
        assert_eq!(lacks("rooms", "polling"), None);
        assert_eq!(lacks("rooms binary", "polling").as_deref(), Some("no binary"));
        assert_eq!(lacks("rooms", "webtransport").as_deref(), Some("no webtransport"));
        assert_eq!(lacks("rooms", "websocket"), None, "a claim is judged, offered or not");
    }

    #[test]
    fn a_claim_that_names_no_transports_takes_those_that_are_offered() {
        let offer = offer(claims(Claim::default()), &["polling"]);
        assert_eq!(offer.lacks(&case("rooms binary", "polling")), None);
        assert_eq!(
            offer.lacks(&case("rooms", "websocket")).as_deref(),
            Some("no websocket")
        );
    }

    #[test]
    fn a_generation_that_is_not_claimed_is_tried_only_where_it_is_asked_for() {
        let other = Claims {
            generations: [(Generation::Rev1, Claim::default())].into(),
        };
        let mut offer = offer(other, &["polling"]);
        assert_eq!(offer.lacks(&case("rooms", "polling")).as_deref(), Some("no eio4"));
        offer.wanted = vec![Generation::Eio4];
        assert_eq!(offer.lacks(&case("rooms", "polling")), None);
        assert_eq!(
            offer.lacks(&case("rooms", "websocket")).as_deref(),
            Some("no websocket")
        );
    }

    #[test]
    fn a_generation_that_is_claimed_is_tried_although_nobody_answers_to_it() {
        let mut offer = offer(claims(Claim::default()), &[]);
        offer.transports = [(Generation::Rev1, vec!["websocket".to_owned()])].into();
        assert_eq!(offer.lacks(&case("rooms", "polling")), None);
    }

    #[test]
    fn what_answers_without_a_claim_is_told() {
        let offer = offer(Claims::default(), &["polling", "webtransport"]);
        let claims = claims(claim(&["polling"], &[]));
        assert_eq!(
            claims.unclaimed(&offer, "conformance.toml"),
            ["the server answers to webtransport of eio4, which conformance.toml does not claim"]
        );
        assert!(Claims::default().unclaimed(&offer, "conformance.toml").is_empty());
    }
}
