//! Scenarios × transports × clients × engines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::clients::{CLIENTS, Client};
use super::engine::Engine;
use super::flash::Flash;
use crate::run::plan::Offer;
use crate::scenario::Generation;
use crate::scenario::ast::{Action, PageAction, Scenario};
use crate::scenario::catalogue::Case;

/// What a case with pages runs with.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The browser.
    pub engine: Engine,
    /// The client that its pages load.
    pub client: &'static Client,
    /// The client's script, unless the server serves it.
    pub script: Option<Bytes>,
    /// What gives its pages Flash, where they need it.
    pub flash: Option<Arc<Flash>>,
    /// Why it cannot run.
    pub unable: Option<String>,
}

impl Seat {
    /// Why its client cannot do what a case asks for, if it is the server's and cannot.
    #[must_use]
    pub fn lacks(&self, offer: &Offer, case: &Case) -> Option<String> {
        let served = offer.served.as_ref().filter(|_| self.script.is_none());
        served?.lacks(case)
    }
}

/// A case and what it runs with.
pub type Seated = (Case, Seat);

/// Where the clients are, and what the target cannot do.
#[derive(Clone, Debug)]
pub struct Means<'a> {
    /// The browsers to use.
    pub engines: &'a [Engine],
    /// Where npm has put the clients.
    pub clients: &'a Path,
    /// Scripts to load instead of a client's own, by its name.
    pub replaced: &'a [(String, Bytes)],
    /// Flash for the clients that need it; without it, they do not have the transport.
    pub flash: Option<Arc<Flash>>,
    /// Whether a second server can be started.
    pub restarts: bool,
}

/// Every case, scenarios first, then transports, clients and engines.
#[must_use]
pub fn matrix(scenarios: &[Arc<Scenario>], means: &Means<'_>) -> Vec<Seated> {
    let mut cases = Vec::new();
    // Asked once, and not for each case: clients are files, and browsers are looked for in every folder of PATH.
    let scripts: BTreeMap<&str, Result<Option<Bytes>, String>> = CLIENTS
        .iter()
        .map(|client| (client.name, script(client, means)))
        .collect();
    let engines: Vec<(Engine, Option<String>)> = means
        .engines
        .iter()
        .map(|engine| (*engine, engine.find().err().map(|missing| missing.to_string())))
        .collect();
    for scenario in scenarios.iter().filter(|scenario| scenario.has_pages()) {
        let Ok(generation) = scenario.headers.generation().parse::<Generation>() else {
            continue;
        };
        let named: Vec<&str> = scenario.headers.clients.iter().map(|it| it.node.as_str()).collect();
        let clients = Client::of(generation).filter(|client| named.is_empty() || named.contains(&client.name));
        let transports: Vec<Option<String>> = match scenario.headers.over.as_slice() {
            [] => vec![None],
            over => over.iter().map(|it| Some(it.node.clone())).collect(),
        };
        for client in clients {
            // A client without the transport makes no case: that is no gap of anybody's.
            let has = |transport: &&Option<String>| {
                transport
                    .as_deref()
                    .is_none_or(|transport| client.transports.contains(&transport))
                    && (means.flash.is_some() || !client.needs_flash(transport.as_deref()))
            };
            for transport in transports.iter().filter(has) {
                for (engine, missing) in &engines {
                    let (script, gone) = match scripts.get(client.name) {
                        Some(Ok(script)) => (script.clone(), None),
                        Some(Err(gone)) => (None, Some(gone.clone())),
                        None => (None, None),
                    };
                    let seat = Seat {
                        engine: *engine,
                        client,
                        script,
                        flash: means.flash.clone().filter(|_| client.needs_flash(transport.as_deref())),
                        unable: missing.clone().or(gone),
                    };
                    cases.push(seated(scenario, transport.clone(), seat, means.restarts));
                }
            }
        }
    }
    cases
}

/// The script that stands for a client: the one in its place, or its own.
fn script(client: &Client, means: &Means<'_>) -> Result<Option<Bytes>, String> {
    match means.replaced.iter().find(|(name, _)| name == client.name) {
        Some((_, script)) => Ok(Some(script.clone())),
        None => client.script(means.clients),
    }
}

/// The case, and the seat with what else is in its way.
fn seated(scenario: &Arc<Scenario>, transport: Option<String>, mut seat: Seat, restarts: bool) -> Seated {
    let Seat { engine, client, .. } = seat;
    let words = transport.iter().map(String::as_str).chain([client.name, engine.name()]);
    let words: Vec<&str> = words.collect();
    let mut lacking = transport.iter().chain(scenario.headers.needs.iter().map(|it| &it.node));
    let lacks = lacking.find_map(|transport| engine.lacks(transport));
    let behind = client.needs_flash(transport.as_deref()) && tabs(scenario) > 1;
    let again = !restarts && self::restarts(scenario);
    seat.unable = seat.unable.or_else(|| {
        lacks
            .or(behind.then_some("Flash stands still in a tab behind another"))
            .or(again.then_some("a server at a URL cannot be started again"))
            .map(str::to_owned)
    });
    let case = Case {
        id: format!("{}[{}]", scenario.headers.case.node, words.join(",")),
        scenario: Arc::clone(scenario),
        transport,
    };
    (case, seat)
}

/// How many pages the scenario opens.
fn tabs(scenario: &Scenario) -> usize {
    let lanes = scenario.steps().flat_map(|(step, _)| &step.lanes);
    let pages: BTreeSet<&str> = lanes
        .filter(|lane| lane.is_page())
        .map(|lane| lane.client.as_str())
        .collect();
    pages.len()
}

fn restarts(scenario: &Scenario) -> bool {
    scenario
        .steps()
        .any(|(step, _)| step.action == Action::Page(PageAction::Restart))
}

/// `31 scenarios × 2 engines × 7 clients`, as far as they can run.
#[must_use]
pub fn size(cases: &[Seated]) -> String {
    let runnable = || cases.iter().filter(|(_, seat)| seat.unable.is_none());
    let scenarios: BTreeSet<&str> = runnable()
        .map(|(case, _)| case.scenario.headers.case.node.as_str())
        .collect();
    let seats = || runnable().map(|(_, seat)| seat);
    let engines: BTreeSet<&str> = seats().map(|seat| seat.engine.name()).collect();
    let clients: BTreeSet<&str> = seats().map(|seat| seat.client.name).collect();
    format!(
        "{} scenarios × {} engines ({}) × {} clients ({})",
        scenarios.len(),
        engines.len(),
        join(&engines),
        clients.len(),
        join(&clients),
    )
}

fn join(words: &BTreeSet<&str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::scenario::parse::parse;

    fn scenario(text: &str) -> Arc<Scenario> {
        Arc::new(parse("test.wire", text).unwrap())
    }

    /// The cases of one scenario on Chromium, with what is in the way of each.
    fn cases(text: &str, restarts: bool, flash: Option<Arc<Flash>>) -> Vec<(String, Option<String>)> {
        let script = |name: &str| (name.to_owned(), Bytes::from_static(b"script"));
        let replaced = ["0.8", "0.9", "1.7", "2.5", "3.1"].map(script);
        let means = Means {
            engines: &[Engine::Chromium],
            clients: &PathBuf::from("/nowhere"),
            replaced: &replaced,
            flash,
            restarts,
        };
        let seated = matrix(&[scenario(text)], &means);
        // Whether this machine has the browser is another matter.
        let unable = |seat: Seat| seat.unable.filter(|why| !why.starts_with("no chrom"));
        seated.into_iter().map(|(case, seat)| (case.id, unable(seat))).collect()
    }

    fn ids(cases: &[(String, Option<String>)]) -> Vec<&str> {
        cases.iter().map(|(id, _)| id.as_str()).collect()
    }

    #[test]
    fn a_client_without_the_transport_makes_no_case() {
        let cases = cases(
            "case:  rev1/browser/x\nover:  xhr-multipart xhr-polling\n\npage goto\n",
            true,
            None,
        );
        assert_eq!(
            ids(&cases),
            [
                "rev1/browser/x[xhr-multipart,served,chromium]",
                "rev1/browser/x[xhr-polling,served,chromium]",
                "rev1/browser/x[xhr-polling,0.8,chromium]",
                "rev1/browser/x[xhr-polling,0.9,chromium]",
            ]
        );
    }

    #[test]
    fn a_header_names_the_clients() {
        let cases = cases("case:  eio3/browser/x\nclients: 2.5\n\npage goto\n", true, None);
        assert_eq!(ids(&cases), ["eio3/browser/x[2.5,chromium]"]);
    }

    #[test]
    fn a_client_that_is_not_there_says_how_to_get_it() {
        let cases = cases("case:  eio4/browser/x\nclients: 4.8\n\npage goto\n", true, None);
        let install = "no client 4.8: npm install --prefix /nowhere --ignore-scripts \
                       socket.io-client-4.8.4@npm:socket.io-client@4.8.4";
        assert_eq!(
            cases,
            [("eio4/browser/x[4.8,chromium]".to_owned(), Some(install.to_owned()))]
        );
    }

    #[test]
    fn a_server_at_a_url_cannot_be_started_again() {
        let text = "case:  eio3/browser/x\nclients: 2.5\n\npage goto\npage restart\n";
        assert_eq!(cases(text, true, None)[0].1, None);
        assert!(cases(text, false, None)[0].1.is_some());
    }

    #[test]
    fn the_official_flashsocket_needs_flash_in_front() {
        let one = "case:  rev1/browser/x\nover:  flashsocket\n\npage goto\n";
        assert_eq!(
            ids(&cases(one, true, None)),
            ["rev1/browser/x[flashsocket,served,chromium]"]
        );
        let flash = Arc::new(Flash::default());
        let with = cases(one, true, Some(Arc::clone(&flash)));
        assert_eq!(with[1], ("rev1/browser/x[flashsocket,0.9,chromium]".to_owned(), None));
        let two = one.replace("page goto", "page,page2 goto");
        let behind = cases(&two, true, Some(flash));
        assert_eq!((behind[0].1.is_some(), behind[1].1.is_some()), (false, true));
    }

    #[test]
    fn the_size_counts_what_can_run() {
        let seat = |unable: Option<&str>, engine| {
            let seat = Seat {
                engine,
                client: &CLIENTS[0],
                script: None,
                flash: None,
                unable: unable.map(str::to_owned),
            };
            seated(&scenario("case:  rev1/browser/x\n\npage goto\n"), None, seat, true)
        };
        let seats = [seat(None, Engine::Chromium), seat(Some("why"), Engine::Firefox)];
        assert_eq!(size(&seats), "1 scenarios × 1 engines (chromium) × 1 clients (served)");
    }
}
