//! Scenarios × transports × clients × engines.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::clients::Client;
use super::engine::Engine;
use super::flash::Flash;
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
                for engine in means.engines {
                    cases.push(case(scenario, transport.clone(), client, *engine, means));
                }
            }
        }
    }
    cases
}

fn case(
    scenario: &Arc<Scenario>,
    transport: Option<String>,
    client: &'static Client,
    engine: Engine,
    means: &Means<'_>,
) -> Seated {
    let words = transport.iter().map(String::as_str).chain([client.name, engine.name()]);
    let words: Vec<&str> = words.collect();
    let replaced = means.replaced.iter().find(|(name, _)| name == client.name);
    let (script, mut unable) = match (replaced, client.script(means.clients)) {
        (Some((_, script)), _) => (Some(script.clone()), None),
        (None, Ok(script)) => (script, None),
        (None, Err(missing)) => (None, Some(missing)),
    };
    unable = engine.find().err().map(|missing| missing.to_string()).or(unable);
    let lacking = transport.iter().chain(scenario.headers.needs.iter().map(|it| &it.node));
    unable = unable.or_else(|| {
        let why = lacking.into_iter().find_map(|transport| engine.lacks(transport));
        why.map(str::to_owned)
    });
    if client.needs_flash(transport.as_deref()) && tabs(scenario) > 1 {
        unable = unable.or_else(|| Some("Flash stands still in a tab behind another".to_owned()));
    }
    if unable.is_none() && !means.restarts && restarts(scenario) {
        unable = Some("a server at a URL cannot be started again".to_owned());
    }
    let case = Case {
        id: format!("{}[{}]", scenario.headers.case.node, words.join(",")),
        scenario: Arc::clone(scenario),
        transport,
    };
    let seat = Seat {
        engine,
        client,
        script,
        flash: means
            .flash
            .clone()
            .filter(|_| client.needs_flash(case.transport.as_deref())),
        unable,
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
