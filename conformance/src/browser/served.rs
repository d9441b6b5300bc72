//! What the client can do that a server of revision 1 serves: servers bring a client of their own, or an official one.

use crate::scenario::Generation;
use crate::scenario::ast::{Action, PageAction, Scenario};
use crate::scenario::catalogue::Case;

/// The script of the official clients' Flash movie. Browsers have no player for it.
const FLASH: &str = "swfobject";

/// The script that a server serves to pages.
#[derive(Clone, Debug)]
pub struct Served {
    script: String,
}

impl Served {
    /// The client with this script.
    #[must_use]
    pub fn new(script: String) -> Served {
        Served { script }
    }

    /// Why a case asks too much of the client, if it does: it is about a transport that the client does not have.
    #[must_use]
    pub fn lacks(&self, case: &Case) -> Option<String> {
        let mut wanted = case.transport.iter().cloned().chain(tried(&case.scenario));
        let lacking = wanted.find(|name| !self.has(name));
        lacking.map(|name| format!("the served client has no {name}"))
    }

    /// A transport's name is part of its requests, so it stands somewhere in the script.
    fn has(&self, transport: &str) -> bool {
        let movie = transport == "flashsocket" && self.script.contains(FLASH);
        self.script.contains(transport) && !movie
    }
}

/// The transports that the scenario expects its pages to try.
fn tried(scenario: &Scenario) -> Vec<String> {
    let steps = scenario.steps().filter_map(|(step, _)| match &step.action {
        Action::Page(PageAction::Tried(text)) => Some(text.literals().collect::<Vec<u8>>()),
        _ => None,
    });
    let known = Generation::Rev1.transports();
    steps
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .flat_map(|text| known.iter().filter(move |name| text.contains(&format!("\"{name}\""))))
        .map(|name| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::catalogue::Catalogue;

    /// As much of the official client's script as matters.
    const OFFICIAL: &str = "'websocket' 'flashsocket' var swfobject 'htmlfile' 'xhr-polling' 'jsonp-polling'";

    fn lacks(served: &str, id: &str, transport: Option<&str>) -> Option<String> {
        let catalogue = Catalogue::embedded().expect("well-formed");
        let scenario = catalogue.scenarios.iter().find(|it| it.headers.case.node == id);
        let case = Case {
            id: id.to_owned(),
            scenario: scenario.expect("there").clone(),
            transport: transport.map(str::to_owned),
        };
        Served::new(served.to_owned()).lacks(&case)
    }

    #[test]
    fn a_case_over_a_transport_asks_for_it() {
        let why = "the served client has no xhr-multipart".to_owned();
        assert_eq!(lacks(OFFICIAL, "rev1/browser/ack", Some("xhr-multipart")), Some(why));
        assert_eq!(lacks(OFFICIAL, "rev1/browser/ack", Some("xhr-polling")), None);
    }

    #[test]
    fn a_chain_asks_for_each_of_its_transports() {
        let why = "the served client has no flashsocket".to_owned();
        assert_eq!(lacks(OFFICIAL, "rev1/browser/none-left", None), Some(why));
        assert_eq!(lacks(OFFICIAL, "rev1/browser/mute-websocket", None), None);
    }

    #[test]
    fn a_flashsocket_without_flash_is_there() {
        let own = OFFICIAL.replace("var swfobject", "'xhr-multipart'");
        assert_eq!(lacks(&own, "rev1/browser/none-left", None), None);
    }
}
