//! A session of protocol revision 1, opened and kept by the runner: handshake, connection, polling loop, posts.

mod connect;
mod post;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use self::post::answer;
pub use self::post::post_body;
use super::core::{Client, ClientError, Shared};
use super::framing::{handshake, hixie};
use super::http::{Request, shorten};
use super::inbox::Inbox;
use super::tape::{ConnId, Framing, lock};
use super::websocket::{Opcode, client_frame};

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

/// Polls; gives the connection, and which section of it the answer will be.
async fn poll(shared: &Arc<Shared>, transport: &str, sid: &str, number: u64) -> Result<(ConnId, usize), ClientError> {
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

/// Whether a packet tells that the session is over: `0::`, or an error such as `7:::1+0` (client not handshaken).
#[must_use]
pub fn ends_session(packet: &str) -> bool {
    matches!(packet.trim_end_matches(':'), "0") || packet.starts_with("7:::")
}
