//! Asks a target what it offers: which generations it speaks, over which transports.
//!
//! By body and not by status: a server of revision 1 answers a handshake of Engine.IO 4 with 200, too, and something else in
//! the body.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::boot::Address;
use super::engine::connect;
use super::plan::Offer;
use crate::browser::served::Served;
use crate::client::tape::Progress;
use crate::client::{Announced, Client, OpenError, Session, Wire, client_script};
use crate::scenario::Generation;

/// How long each question may take, before patience.
const WAIT: Duration = Duration::from_secs(2);

/// How long a server may take for its client, before patience: some build it when it is first asked for.
const SCRIPT: Duration = Duration::from_secs(10);

/// How long a server has to answer over QUIC that does not announce it. Most have none, and then nothing says so.
const QUIC: Duration = Duration::from_millis(300);

/// Asks a server what it offers. Of one that answers to nothing every case is tried: they fail one by one, each with its own
/// message.
pub async fn offer(address: &Address, wanted: &[Generation], patience: f64) -> Offer {
    let ask = |generation, transport| ask(address, generation, transport, WAIT.mul_f64(patience));
    let quic = async {
        let asked = timeout(QUIC.mul_f64(patience), ask(Generation::Eio4, "webtransport")).await;
        asked.unwrap_or(Answer::Nothing)
    };
    let (rev1, polling3, jsonp, websocket3, polling, websocket, webtransport) = tokio::join!(
        ask(Generation::Rev1, "xhr-polling"),
        ask(Generation::Eio3, "polling"),
        ask(Generation::Eio3, "jsonp"),
        ask(Generation::Eio3, "websocket"),
        ask(Generation::Eio4, "polling"),
        ask(Generation::Eio4, "websocket"),
        quic,
    );
    let announced = [
        (Generation::Rev1, [&rev1, &rev1]),
        (Generation::Eio3, [&polling3, &websocket3]),
        (Generation::Eio4, [&polling, &websocket]),
    ];
    let announced: Vec<_> = announced
        .into_iter()
        .filter_map(|(generation, answers)| Some((generation, answers.into_iter().find_map(Answer::announced)?)))
        .collect();
    let mut transports = BTreeMap::new();
    if let Answer::Session(session) = rev1 {
        transports.insert(Generation::Rev1, session.transports);
    }
    // The first frame of a websocket is the same in both: what polling tells decides.
    let direct3 = !websocket.speaks() && websocket3.speaks();
    if let Some(offered) = engine(&polling3, direct3 || (polling3.speaks() && websocket3.speaks()), None) {
        transports.insert(Generation::Eio3, eio3(offered, &jsonp));
    }
    let has_streams =
        matches!(&polling, Answer::Session(session) if session.transports.iter().any(|it| it == "webtransport"));
    let streams = (has_streams || webtransport.speaks()).then_some("webtransport");
    if let Some(offered) = engine(&polling, websocket.speaks(), streams) {
        transports.insert(Generation::Eio4, offered);
    }
    Offer {
        announced: announced
            .into_iter()
            .filter(|(generation, _)| transports.contains_key(generation))
            .collect(),
        transports,
        wanted: wanted.to_vec(),
        policy: address.policy_port.is_some(),
        ..Offer::default()
    }
}

/// The client that a server of revision 1 serves to pages, if it does.
pub async fn served(address: &Address, patience: f64) -> Option<Served> {
    let wire = Wire::new(
        Arc::new(connect(address)),
        Arc::new(Progress::start()),
        Generation::Rev1,
        false,
    );
    let client = Client::new(Arc::new(wire), "offer", false);
    match timeout(SCRIPT.mul_f64(patience), client_script(&client)).await {
        Ok(Ok((200, script))) => Some(Served::new(String::from_utf8_lossy(&script).into_owned())),
        _ => None,
    }
}

/// What a handshake came to.
enum Answer {
    Session(Box<Session>),
    /// The body begins as one of that generation and transport does, and goes on otherwise.
    Malformed,
    /// The body begins as one of another generation or transport does: the server does not look at what it was asked for.
    Other,
    /// The server speaks HTTP, and refuses the transport.
    Refused,
    Nothing,
}

impl Answer {
    fn speaks(&self) -> bool {
        matches!(self, Answer::Session(_) | Answer::Malformed)
    }

    fn announced(&self) -> Option<Announced> {
        match self {
            Answer::Session(session) => Some(session.announced.clone()),
            _ => None,
        }
    }
}

async fn ask(address: &Address, generation: Generation, transport: &str, wait: Duration) -> Answer {
    let wire = Wire::new(
        Arc::new(connect(address)),
        Arc::new(Progress::start()),
        generation,
        false,
    );
    let client = Client::new(Arc::new(wire), "offer", false);
    let answer = timeout(wait, Session::handshake(&client, generation, transport, None)).await;
    match answer {
        Ok(Ok(session)) => {
            // The server need not wait for a client that will not come back.
            let _ = session.close(&client, None);
            Answer::Session(Box::new(session))
        }
        Ok(Err(OpenError::Malformed { body, .. })) if body.starts_with("0{") => Answer::Malformed,
        Ok(Err(OpenError::Unframed { body, .. })) => match Start::of(&body) {
            None => Answer::Nothing,
            Some(start) if start == Start::due(generation, transport) => Answer::Malformed,
            Some(_) => Answer::Other,
        },
        Ok(Err(OpenError::Refused { status: 400..=499, .. })) => Answer::Refused,
        _ => Answer::Nothing,
    }
}

/// How the body of a handshake since Engine.IO 3 begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// `0{`
    Packet,
    /// `97:0{`, or octets.
    Length,
    /// `___eio[`
    Script,
}

impl Start {
    fn of(body: &str) -> Option<Start> {
        let behind = body.trim_start_matches(|c: char| c.is_ascii_digit());
        match body {
            _ if body.starts_with("0{") => Some(Start::Packet),
            _ if behind.len() < body.len() && behind.starts_with(":0") => Some(Start::Length),
            _ if body.starts_with('\0') => Some(Start::Length),
            _ if body.starts_with("___eio[") => Some(Start::Script),
            _ => None,
        }
    }

    fn due(generation: Generation, transport: &str) -> Start {
        match (generation, transport) {
            (Generation::Eio3, "jsonp") => Start::Script,
            (Generation::Eio3, _) => Start::Length,
            _ => Start::Packet,
        }
    }
}

/// The transports since Engine.IO 3. One is left out only where the server says so: one that is offered and does not work is
/// to be judged. `direct` is whether a websocket without a session id opens one.
fn engine(polling: &Answer, direct: bool, streams: Option<&'static str>) -> Option<Vec<String>> {
    let offered: &[&str] = match polling {
        Answer::Session(session) if session.transports.iter().any(|it| it == "websocket") => {
            &["polling", "websocket", "upgraded"]
        }
        Answer::Session(_) if direct => &["polling", "websocket"],
        Answer::Session(_) => &["polling"],
        Answer::Malformed => &["polling", "websocket", "upgraded"],
        Answer::Other => return None,
        Answer::Refused if direct => &["websocket"],
        Answer::Nothing if direct => &["polling", "websocket", "upgraded"],
        Answer::Refused | Answer::Nothing if streams.is_some() => &[],
        Answer::Refused | Answer::Nothing => return None,
    };
    Some(offered.iter().copied().chain(streams).map(str::to_owned).collect())
}

/// The ways of Engine.IO 3 to poll, where polling is offered. Base64 is one that no server may refuse. JSONP is not offered
/// where `j` is refused, or where nobody looks at it: then the answer is a payload as without it.
fn eio3(mut offered: Vec<String>, jsonp: &Answer) -> Vec<String> {
    if offered.iter().any(|it| it == "polling") {
        offered.push("polling-b64".to_owned());
        if !matches!(jsonp, Answer::Other | Answer::Refused) {
            offered.push("jsonp".to_owned());
        }
    }
    offered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("0{\"sid\":\"a\"}", Some(Start::Packet))]
    #[case("97:0{\"sid\":\"a\"}2:40", Some(Start::Length))]
    #[case("\u{0}\t\u{7}\u{fffd}0{\"sid\":\"a\"}", Some(Start::Length))]
    #[case("___eio[0](\"97:0{", Some(Start::Script))]
    #[case("4711:15:25:websocket", None)]
    #[case("<!doctype html>", None)]
    #[case("", None)]
    fn a_handshake_shows_its_generation(#[case] body: &str, #[case] start: Option<Start>) {
        assert_eq!(Start::of(body), start);
    }

    #[test]
    fn jsonp_is_judged_unless_the_server_goes_past_it() {
        let offered = |jsonp| eio3(vec!["polling".to_owned()], &jsonp);
        assert_eq!(offered(Answer::Other), ["polling", "polling-b64"]);
        assert_eq!(offered(Answer::Malformed), ["polling", "polling-b64", "jsonp"]);
        assert_eq!(offered(Answer::Nothing), ["polling", "polling-b64", "jsonp"]);
        assert_eq!(eio3(vec!["websocket".to_owned()], &Answer::Other), ["websocket"]);
    }
}
