//! The handshake of protocol revision 1, and the path of its transports.

use super::{Announced, OpenError, Session, refused};
use crate::client::core::Client;
use crate::client::framing::handshake;
use crate::client::http::shorten;
use crate::client::session::post::answer;
use crate::client::tape::Framing;
use crate::scenario::Generation;

/// Protocol document, section "Handshake".
pub(super) async fn handshake(client: &Client, transport: &str, target: Option<&str>) -> Result<Session, OpenError> {
    const PART: &str = "(handshake)";
    let request = client.new_request("GET", target.unwrap_or("/socket.io/1/"));
    client.shared().request(PART, request, Framing::Raw, true).await?;
    let answer = answer(client.shared(), PART).await;
    let (status, body) = answer.map_err(|reason| refused("handshake", reason))?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let shown = shorten(&body);
    if status != 200 {
        return Err(OpenError::Refused { status, body: shown });
    }
    let handshake = handshake::parse(&body).map_err(|error| OpenError::Malformed {
        body: shown,
        reason: error.to_string(),
    })?;
    Ok(Session {
        generation: Generation::Rev1,
        transport: transport.to_owned(),
        sid: handshake.sid,
        announced: Announced {
            timeout: handshake.heartbeat_timeout,
            close: handshake.close_timeout,
            ..Announced::default()
        },
        transports: handshake.transports,
        base: String::new(),
        polls: 0,
        asked: None,
    })
}

/// Protocol document, section "Transport connection".
pub(super) fn target(transport: &str, sid: &str) -> String {
    format!("/socket.io/1/{transport}/{sid}")
}
