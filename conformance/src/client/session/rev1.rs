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
    let (status, body) = get(client, "handshake", target.unwrap_or("/socket.io/1/")).await?;
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

/// The script that the server serves to pages, with the status that it comes with. The caller bounds the wait.
///
/// # Errors
///
/// There is no connection, or no whole answer on it.
pub async fn client_script(client: &Client) -> Result<(u16, Vec<u8>), OpenError> {
    get(client, "client", "/socket.io/socket.io.js").await
}

async fn get(client: &Client, what: &str, target: &str) -> Result<(u16, Vec<u8>), OpenError> {
    let part = format!("({what})");
    let request = client.new_request("GET", target);
    client.shared().request(&part, request, Framing::Raw, true).await?;
    let answer = answer(client.shared(), &part).await;
    answer.map_err(|reason| refused(what, reason))
}

/// Protocol document, section "Transport connection".
pub(super) fn target(transport: &str, sid: &str) -> String {
    format!("/socket.io/1/{transport}/{sid}")
}
