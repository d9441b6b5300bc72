//! A session of protocol revision 1, opened and kept by the runner: handshake, connection, polling loop, posts.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::mpsc;

use super::core::{Client, ClientError, Shared};
use super::framing::{handshake, hixie, jsonp};
use super::inbox::{Inbox, UnitKind};
use super::http::{Request, ResponseHead, shorten};
use super::tape::{ConnId, Framing, lock};
use super::websocket::{self, Opcode, client_frame};

/// A heartbeat packet; the client answers it with the same.
pub(super) const HEARTBEAT: &str = "2::";

/// The part on which a session's packets come.
pub(super) const DOWN: &str = "poll";
/// The part on which a session without a way back posts.
pub(super) const UP: &str = "(post)";
/// The part of a session's WebSocket.
pub(super) const SOCKET: &str = "ws";

/// A session that the runner keeps.
#[derive(Clone, Debug)]
pub struct Session {
    /// The transport in use.
    pub transport: String,
    /// The session id.
    pub sid: String,
    /// How long the server waits for a heartbeat's answer; `None` where heartbeats are off.
    pub heartbeat_timeout: Option<Duration>,
    /// How long the session outlives its connection.
    pub close_timeout: Option<Duration>,
    /// The transports that the handshake lists.
    pub transports: Vec<String>,
    polls: u64,
    /// The newest poll: its connection, and which section of it the answer is.
    asked: Option<(ConnId, usize)>,
}

/// Why a session could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// No connection, or none left.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The handshake was answered with something else than 200.
    #[error("the handshake was answered {status}: {body}")]
    Refused {
        /// The status.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// The handshake's body is not `sid:heartbeat:close:transports`.
    #[error("the handshake's body {body:?} is malformed: {reason}")]
    Malformed {
        /// The start of the body.
        body: String,
        /// Why.
        reason: String,
    },
    /// The connection of the transport was refused.
    #[error("{transport} could not be connected: {reason}")]
    Transport {
        /// The transport.
        transport: String,
        /// Why.
        reason: String,
    },
}

impl Session {
    /// Performs the handshake (protocol document, section "Handshake").
    ///
    /// # Errors
    ///
    /// When it is refused or malformed.
    pub async fn handshake(client: &Client, transport: &str, target: &str) -> Result<Session, OpenError> {
        const PART: &str = "(handshake)";
        let request = client.new_request("GET", target);
        client.shared().request(PART, request, Framing::Raw, true).await?;
        let (status, body) = answer(client.shared(), PART)
            .await
            .map_err(|reason| OpenError::Transport {
                transport: "handshake".to_owned(),
                reason,
            })?;
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
            transport: transport.to_owned(),
            sid: handshake.sid,
            heartbeat_timeout: handshake.heartbeat_timeout,
            close_timeout: handshake.close_timeout,
            transports: handshake.transports,
            polls: 0,
            asked: None,
        })
    }

    /// Opens the transport's connection; packets come to the inbox from here on. A polling transport polls once, and
    /// on and on only after [`keep_polling`](Session::keep_polling).
    ///
    /// # Errors
    ///
    /// When the server refuses it.
    pub async fn connect(&mut self, client: &Client) -> Result<(), OpenError> {
        self.start_posts(client);
        match self.transport.as_str() {
            "websocket" => self.connect_websocket(client).await,
            "flashsocket" => self.connect_hixie(client).await,
            _ => self.poll(client).await.map_err(OpenError::Client),
        }
    }

    /// Makes ready what needs no connection yet, for a case that fetches its packets by hand.
    pub fn prepare(&self, client: &Client) {
        self.start_posts(client);
    }

    /// Whether packets come by polling.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        self.transport.ends_with("-polling")
    }

    /// The part on which packets come.
    #[must_use]
    pub fn part(&self) -> &'static str {
        if self.is_socket() { SOCKET } else { DOWN }
    }

    /// Sends one GET: a poll, or the request of a stream.
    ///
    /// # Errors
    ///
    /// When no connection can be had, or a poll is open.
    pub async fn poll(&mut self, client: &Client) -> Result<(), ClientError> {
        self.asked = Some(poll(client.shared(), &self.transport, &self.sid, self.polls).await?);
        self.polls += 1;
        Ok(())
    }

    /// Whether the newest poll was answered, and all of its packets taken.
    #[must_use]
    pub fn has_run_dry(&self, inbox: &Inbox) -> bool {
        let asked = self.asked.as_ref();
        let section = asked.and_then(|asked| inbox.parts.get(DOWN)?.find(asked));
        self.is_polling() && section.is_some_and(|section| section.ended && section.units.is_empty())
    }

    /// Polls whenever no poll is open, until the server ends the session.
    pub fn keep_polling(&self, client: &Client) {
        if !self.is_polling() {
            return;
        }
        let (shared, transport, sid) = (client.shared().clone(), self.transport.clone(), self.sid.clone());
        let mut polls = self.polls;
        let Some(mut asked) = self.asked.clone() else {
            return;
        };
        let task = tokio::spawn(async move {
            while shared.wait(|inbox| answered(inbox, &asked)).await {
                match poll(&shared, &transport, &sid, polls).await {
                    Ok(newest) => asked = newest,
                    Err(_) => return,
                }
                polls += 1;
            }
        });
        lock(&client.shared().background).push(task.abort_handle());
    }

    /// Sends packets as one message: a frame, or the body of a POST.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn send(&self, client: &Client, payload: &str) -> Result<(), ClientError> {
        match self.transport.as_str() {
            "websocket" => client.frame(SOCKET, Opcode::Text, payload.as_bytes()),
            "flashsocket" => client.write(SOCKET, hixie::frame(payload)),
            _ => {
                client.shared().note_sent();
                match &*lock(&client.shared().posts) {
                    Some(posts) if posts.send(payload.as_bytes().to_vec()).is_ok() => Ok(()),
                    _ => Err(ClientError::NotConnected(self.transport.clone())),
                }
            }
        }
    }

    /// Ends the session as a polite client of the transport does: a close frame, or a disconnect packet by POST.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn close(&self, client: &Client, code: Option<u16>) -> Result<(), ClientError> {
        match self.transport.as_str() {
            "websocket" => {
                let code = code.unwrap_or(1000).to_be_bytes();
                client.write(SOCKET, client_frame(Opcode::Close, &code))
            }
            "flashsocket" => client.write(SOCKET, vec![0xff, 0x00]),
            _ => self.send(client, "0::"),
        }
    }

    fn is_socket(&self) -> bool {
        matches!(self.transport.as_str(), "websocket" | "flashsocket")
    }

    fn target(&self) -> String {
        target(&self.transport, &self.sid)
    }

    async fn connect_websocket(&self, client: &Client) -> Result<(), OpenError> {
        let key = websocket::key(&client.shared().next_id(SOCKET).to_string());
        let request = client.new_websocket(SOCKET, &self.target());
        let fresh = sections(client, SOCKET);
        client
            .shared()
            .request(SOCKET, request, Framing::WebSocket, true)
            .await?;
        let accept = client
            .wait(|inbox| head(inbox, SOCKET, fresh, |head| head.header("sec-websocket-accept")))
            .await;
        let accept = accept.map_err(|reason| self.refused(reason))?;
        if accept.as_deref() != Some(websocket::accept(&key).as_str()) {
            return Err(self.refused(format!("wrong Sec-WebSocket-Accept {accept:?}")));
        }
        Ok(())
    }

    async fn connect_hixie(&self, client: &Client) -> Result<(), OpenError> {
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

    fn refused(&self, reason: String) -> OpenError {
        OpenError::Transport {
            transport: self.transport.clone(),
            reason,
        }
    }

    /// A task that posts what it is given, one POST after the other.
    fn start_posts(&self, client: &Client) {
        if self.is_socket() {
            return;
        }
        let (posts, mut queue) = mpsc::unbounded_channel::<Vec<u8>>();
        *lock(&client.shared().posts) = Some(posts);
        let (shared, session) = (client.shared().clone(), self.clone());
        let task = tokio::spawn(async move {
            while let Some(payload) = queue.recv().await {
                if let Err(reason) = post(&shared, &session, &payload).await {
                    let mut inbox = lock(&shared.inbox);
                    inbox.parts.entry(UP.to_owned()).or_default().trouble.push_back(reason);
                    drop(inbox);
                    shared.changed.notify_waiters();
                }
            }
        });
        lock(&client.shared().background).push(task.abort_handle());
    }
}

/// A number made from a connection's name, so that a replay meets the recorded answer to the challenge.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Path of a transport's connection (protocol document, section "Transport connection").
#[must_use]
fn target(transport: &str, sid: &str) -> String {
    format!("/socket.io/1/{transport}/{sid}")
}

/// How the answers to a GET of that path hold packets.
#[must_use]
pub fn framing_of(target: &str) -> Framing {
    let path = target.split('?').next().unwrap_or_default();
    let mut segments = path.split('/').skip(3);
    match (segments.next(), segments.next()) {
        (Some("xhr-polling"), Some(sid)) if !sid.is_empty() => Framing::Payload,
        (Some("jsonp-polling"), Some(sid)) if !sid.is_empty() => Framing::Jsonp,
        (Some("htmlfile"), Some(sid)) if !sid.is_empty() => Framing::HtmlFile,
        (Some("xhr-multipart"), Some(sid)) if !sid.is_empty() => Framing::Multipart,
        _ => Framing::Raw,
    }
}

/// The body of a POST that carries a payload, and its type.
#[must_use]
pub fn post_body(transport: &str, payload: &str) -> (&'static str, Vec<u8>) {
    if transport == "jsonp-polling" {
        (
            "application/x-www-form-urlencoded",
            jsonp::post_body(payload).into_bytes(),
        )
    } else {
        ("text/plain;charset=UTF-8", payload.as_bytes().to_vec())
    }
}

/// Polls; gives the connection, and which section of it the answer will be.
async fn poll(
    shared: &Arc<Shared>,
    transport: &str,
    sid: &str,
    number: u64,
) -> Result<(ConnId, usize), ClientError> {
    let mut path = target(transport, sid);
    if transport == "jsonp-polling" {
        path.push_str(&format!("?i={number}"));
    }
    let request = Request::new("GET", path.as_str(), &shared.wire.connect.authority());
    shared.request(DOWN, request, framing_of(&path), true).await
}

/// Whether the poll was answered and the session goes on; `None` while it is open.
fn answered(inbox: &Inbox, asked: &(ConnId, usize)) -> Option<bool> {
    let part = inbox.parts.get(DOWN)?;
    if !part.trouble.is_empty() || part.farewell {
        return Some(false);
    }
    let section = part.find(asked).filter(|section| section.ended)?;
    Some(section.head.as_ref().is_some_and(|head| head.status == 200))
}

async fn post(shared: &Arc<Shared>, session: &Session, payload: &[u8]) -> Result<(), String> {
    let mut request = Request::new("POST", session.target(), &shared.wire.connect.authority());
    let (content_type, body) = post_body(&session.transport, &String::from_utf8_lossy(payload));
    request.set("Content-Type", Some(content_type));
    request.body = Some(body);
    let fresh = shared.request(UP, request, Framing::Raw, true).await;
    fresh.map_err(|error| format!("POST failed: {error}"))?;
    match answer(shared, UP).await? {
        (200, _) => Ok(()),
        (status, body) => Err(format!(
            "POST was answered {status}: {}",
            shorten(&String::from_utf8_lossy(&body))
        )),
    }
}

/// Waits for the whole answer to the request that was just sent on a part, and takes it.
async fn answer(shared: &Arc<Shared>, part: &str) -> Result<(u16, Vec<u8>), String> {
    shared
        .wait(|inbox| {
            let part = inbox.parts.get_mut(part)?;
            if let Some(reason) = part.trouble.pop_front() {
                return Some(Err(reason));
            }
            let done = part.sections.first().is_some_and(|section| section.ended);
            if !done {
                return None;
            }
            let section = part.sections.remove(0);
            let status = section.head.as_ref().map_or(0, |head| head.status);
            Some(Ok((status, section.data)))
        })
        .await
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

/// Whether a packet tells that the session is over: `0::`, or an error such as `7:::1+0` (client not handshaken).
#[must_use]
pub fn ends_session(packet: &str) -> bool {
    matches!(packet.trim_end_matches(':'), "0") || packet.starts_with("7:::")
}
