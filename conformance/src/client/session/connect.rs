//! Opening the sockets of a session: RFC 6455 for `websocket`, hixie-76 for `flashsocket`, as Flash clients speak it, and the
//! stream of `webtransport`.

use super::{OpenError, SOCKET, STREAM, Session};
use crate::client::core::Client;
use crate::client::framing::engine::Message;
use crate::client::framing::hixie;
use crate::client::http::ResponseHead;
use crate::client::inbox::{Inbox, UnitKind};
use crate::client::protocol::websocket_framing;
use crate::client::tape::Framing;
use crate::client::websocket;
use crate::scenario::json::Value;

impl Session {
    /// Gives the number of the section that holds the frames.
    pub(super) async fn connect_websocket(&self, client: &Client, target: &str) -> Result<usize, OpenError> {
        let key = websocket::key(&client.shared().next_id(SOCKET).to_string());
        let request = client.new_websocket(SOCKET, target);
        let fresh = sections(client, SOCKET);
        client
            .shared()
            .request(SOCKET, request, websocket_framing(self.generation), true)
            .await?;
        let accept = client
            .wait(|inbox| head(inbox, SOCKET, fresh, |head| head.header("sec-websocket-accept")))
            .await;
        let accept = accept.map_err(|reason| self.refused(reason))?;
        if accept.as_deref() != Some(websocket::accept(&key).as_str()) {
            return Err(self.refused(format!("wrong Sec-WebSocket-Accept {accept:?}")));
        }
        Ok(fresh)
    }

    /// Says the first packet: `0` alone, or with the session that is to be upgraded. Gives the number of the section. The
    /// URL has no query (protocol document, section "WebTransport").
    pub(super) async fn connect_webtransport(&self, client: &Client) -> Result<usize, OpenError> {
        let fresh = sections(client, STREAM);
        let target = self.base.split('?').next().unwrap_or_default();
        client
            .webtransport(STREAM, target)
            .await
            .map_err(|error| self.refused(error.to_string()))?;
        let open = match self.sid.as_str() {
            "" => "0".to_owned(),
            sid => format!("0{{\"sid\":{}}}", Value::string(sid)),
        };
        client.message(STREAM, &Message::Text(open))?;
        Ok(fresh)
    }

    pub(super) async fn connect_hixie(&self, client: &Client) -> Result<(), OpenError> {
        let keys = hixie::Keys::from_seed(seed(&client.shared().next_id(SOCKET).to_string()));
        let mut request = client.new_request("GET", &self.target());
        request.set("Upgrade", Some("WebSocket"));
        request.set("Connection", Some("Upgrade"));
        request.set(
            "Origin",
            Some(&format!("http://{}", client.shared().wire.connect.authority())),
        );
        request.set("Sec-WebSocket-Key1", Some(&keys.key1));
        request.set("Sec-WebSocket-Key2", Some(&keys.key2));
        // The eight bytes of the third key follow the head; no header announces them.
        let fresh = sections(client, SOCKET);
        client.shared().request(SOCKET, request, Framing::Hixie, true).await?;
        client.write(SOCKET, keys.key3.to_vec())?;
        client
            .wait(|inbox| head(inbox, SOCKET, fresh, |_| ()))
            .await
            .map_err(|reason| self.refused(reason))?;
        let digest = client
            .wait(|inbox| {
                let part = inbox.parts.get_mut(SOCKET)?;
                let ended = part.end.is_some();
                let section = part.sections.last_mut()?;
                match section.units.front().map(|unit| unit.kind.clone()) {
                    Some(UnitKind::Digest(digest)) => {
                        section.take_unit(0);
                        Some(Some(digest))
                    }
                    Some(_) => Some(None),
                    None => ended.then_some(None),
                }
            })
            .await;
        if digest.is_none() || digest != keys.digest().ok() {
            return Err(self.refused("the challenge was not answered as the hixie-76 draft says".to_owned()));
        }
        Ok(())
    }
}

/// A number made from a connection's name, so that a replay meets the recorded answer to the challenge.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn sections(client: &Client, part: &str) -> usize {
    client.inbox(|inbox| inbox.parts.get(part).map_or(0, |part| part.sections.len()))
}

/// The head of the section after the first `fresh` ones, once it is there; an error where it is no 101.
fn head<T>(
    inbox: &mut Inbox,
    part: &str,
    fresh: usize,
    look: impl Fn(&ResponseHead) -> T,
) -> Option<Result<T, String>> {
    let part = inbox.parts.get_mut(part)?;
    if let Some(head) = part.sections.get(fresh).and_then(|section| section.head.as_ref()) {
        return Some(if head.status == 101 {
            Ok(look(head))
        } else {
            Err(format!("answered {} {}", head.status, head.reason))
        });
    }
    if let Some(reason) = part.trouble.pop_front() {
        return Some(Err(reason));
    }
    part.end
        .map(|_| Err("the connection was closed without an answer".to_owned()))
}
