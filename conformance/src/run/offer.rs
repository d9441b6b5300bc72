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
use crate::client::tape::Progress;
use crate::client::{Client, OpenError, Session, Wire};
use crate::scenario::Generation;

/// How long each question may take, before patience.
const WAIT: Duration = Duration::from_secs(2);

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
    let (rev1, polling, websocket, webtransport) = tokio::join!(
        ask(Generation::Rev1, "xhr-polling"),
        ask(Generation::Eio4, "polling"),
        ask(Generation::Eio4, "websocket"),
        quic,
    );
    let mut transports = BTreeMap::new();
    if let Answer::Session(session) = rev1 {
        transports.insert(Generation::Rev1, session.transports);
    }
    if let Some(offered) = eio4(polling, &websocket, &webtransport) {
        transports.insert(Generation::Eio4, offered);
    }
    Offer {
        transports,
        wanted: wanted.to_vec(),
        policy: address.policy_port.is_some(),
    }
}

/// What a handshake came to.
enum Answer {
    Session(Box<Session>),
    /// The body begins as one of that generation does, and goes on otherwise.
    Malformed,
    /// The server speaks HTTP, and refuses the transport.
    Refused,
    Nothing,
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
        Ok(Err(OpenError::Refused { status: 400..=499, .. })) => Answer::Refused,
        _ => Answer::Nothing,
    }
}

/// A transport is left out only where the server says so: one that is offered and does not work is to be judged.
fn eio4(polling: Answer, websocket: &Answer, webtransport: &Answer) -> Option<Vec<String>> {
    let speaks = |answer: &Answer| matches!(answer, Answer::Session(_) | Answer::Malformed);
    let direct = speaks(websocket);
    let announced =
        matches!(&polling, Answer::Session(session) if session.transports.iter().any(|it| it == "webtransport"));
    let streams = (announced || speaks(webtransport)).then_some("webtransport");
    let offered: &[&str] = match polling {
        Answer::Session(session) if session.transports.iter().any(|it| it == "websocket") => {
            &["polling", "websocket", "upgraded"]
        }
        Answer::Session(_) if direct => &["polling", "websocket"],
        Answer::Session(_) => &["polling"],
        Answer::Malformed => &["polling", "websocket", "upgraded"],
        Answer::Refused if direct => &["websocket"],
        Answer::Nothing if direct => &["polling", "websocket", "upgraded"],
        Answer::Refused | Answer::Nothing if streams.is_some() => &[],
        Answer::Refused | Answer::Nothing => return None,
    };
    Some(offered.iter().copied().chain(streams).map(str::to_owned).collect())
}
