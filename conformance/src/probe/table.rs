//! For each feature of the contract, the case that shows whether a server has it.

use crate::scenario::Generation;

/// A feature, and what shows that a server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// As `needs:` names it.
    pub feature: &'static str,
    /// Ids without transport; the server has the feature where each of them passes, over any transport.
    pub cases: &'static [&'static str],
}

/// The features of a generation, in the order of the contract's table. They are those that some case of it needs.
#[must_use]
pub fn probes(generation: Generation) -> &'static [Probe] {
    match generation {
        Generation::Rev1 => REV1,
        Generation::Eio3 => EIO3,
        Generation::Eio4 => EIO4,
    }
}

/// The names of a generation's features.
pub fn features(generation: Generation) -> impl Iterator<Item = &'static str> + Clone {
    probes(generation).iter().map(|probe| probe.feature)
}

const fn probe(feature: &'static str, cases: &'static [&'static str]) -> Probe {
    Probe { feature, cases }
}

const EIO4: &[Probe] = &[
    probe("namespaces", &["eio4/connect/custom"]),
    probe("dynamic", &["eio4/namespace/dynamic"]),
    probe("refusal", &["eio4/connect/refused"]),
    probe("refusal-data", &["eio4/connect/refused-data"]),
    probe("rooms", &["eio4/rooms/to"]),
    probe("except", &["eio4/rooms/except"]),
    probe("broadcast", &["eio4/broadcast/all-but-sender"]),
    probe("volatile", &["eio4/volatile/delivered"]),
    probe("lifecycle", &["eio4/lifecycle/count"]),
    probe("server-acks", &["eio4/ask/answer"]),
    probe("order", &["eio4/order/burst"]),
    probe("binary", &["eio4/binary/event"]),
    probe("disconnect", &["eio4/disconnect/by-server-again"]),
    probe("close", &["eio4/close/by-server"]),
    probe("handshake", &["eio4/application/query"]),
    probe("engine", &["eio4/engine/text"]),
    // Who lets everybody in answers the one allowed origin, too.
    probe("cors", &["eio4/cors/handshake", "eio4/cors/other"]),
    probe("recovery", &["eio4/recovery/offered"]),
];

const EIO3: &[Probe] = &[
    probe("namespaces", &["eio3/connect/custom"]),
    probe("namespace-query", &["eio3/connect/query"]),
    probe("dynamic", &["eio3/namespace/many"]),
    probe("refusal", &["eio3/connect/refused"]),
    probe("rooms", &["eio3/rooms/to"]),
    probe("broadcast", &["eio3/broadcast/all-but-sender"]),
    probe("volatile", &["eio3/volatile/delivered"]),
    probe("lifecycle", &["eio3/lifecycle/count"]),
    probe("server-acks", &["eio3/ask/answer"]),
    probe("order", &["eio3/order/burst"]),
    probe("binary", &["eio3/binary/event"]),
    probe("disconnect", &["eio3/disconnect/by-server"]),
    probe("close", &["eio3/close/by-server"]),
    probe("handshake", &["eio3/application/query"]),
    probe("engine", &["eio3/engine/text"]),
    probe("cors", &["eio3/cors/handshake", "eio3/cors/other"]),
];

const REV1: &[Probe] = &[
    probe("namespaces", &["rev1/namespace/join"]),
    probe("refusal", &["rev1/namespace/refused"]),
    probe("rooms", &["rev1/rooms/to"]),
    probe("broadcast", &["rev1/broadcast/all-but-sender"]),
    probe("volatile", &["rev1/volatile/delivered"]),
    probe("lifecycle", &["rev1/lifecycle/count"]),
    probe("server-acks", &["rev1/ack/from-client"]),
    probe("order", &["rev1/order/burst"]),
    probe("disconnect", &["rev1/disconnect/by-server-root"]),
    probe("close", &["rev1/disconnect/by-server"]),
    probe("handshake", &["rev1/handshake/data-query"]),
    probe("cors", &["rev1/cors/websocket-allowed", "rev1/cors/refused"]),
    probe("authorization", &["rev1/handshake/unauthorized"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::catalogue::Catalogue;
    use crate::scenario::lint::FEATURES;

    #[test]
    fn the_features_of_a_generation_are_those_that_its_cases_need() {
        let catalogue = Catalogue::embedded().unwrap();
        for generation in Generation::ALL {
            let needed: BTreeSet<&str> = catalogue
                .scenarios
                .iter()
                .filter(|it| it.headers.generation() == generation.token())
                .flat_map(|it| it.headers.needs.iter().map(|need| need.node.as_str()))
                .filter(|need| FEATURES.contains(need))
                .collect();
            let known: Vec<&str> = features(generation).collect();
            assert_eq!(known.iter().copied().collect::<BTreeSet<_>>(), needed, "{generation}");
            assert_eq!(known.len(), needed.len(), "{generation} names a feature twice");
        }
    }

    #[test]
    fn a_probe_is_a_case_that_needs_the_feature() {
        let catalogue = Catalogue::embedded().unwrap();
        for generation in Generation::ALL {
            for probe in probes(generation) {
                assert!(!probe.cases.is_empty(), "{generation} {}", probe.feature);
                for id in probe.cases {
                    let scenario = catalogue.scenario(id).unwrap_or_else(|| panic!("no case {id}"));
                    assert_eq!(scenario.headers.generation(), generation.token(), "{id}");
                    assert!(!scenario.has_pages(), "{id} needs a browser");
                    let needs = || scenario.headers.needs.iter().map(|need| need.node.as_str());
                    assert!(
                        needs().any(|need| need == probe.feature),
                        "{id} does not need {}",
                        probe.feature
                    );
                }
            }
        }
    }
}
