//! A session opened and kept by the runner: handshake, connection, polling loop, posts, upgrade.
//!
//! What differs between the generations is in [`rev1`] and [`engine`]: the handshake, and where its requests go.

mod connect;
mod engine;
mod heartbeat;
mod post;
mod rev1;
mod upgrade;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

pub(super) use self::post::{Post, Posts, Queue, Unanswered};
pub use self::post::{post_body, post_packets};
pub use self::rev1::client_script;
use super::core::{Client, ClientError, Shared};
use super::framing::engine::Message;
use super::http::Request;
use super::inbox::{Inbox, Unit, UnitKind};
use super::protocol::{framing_of, is_hidden};
use super::tape::{ConnId, lock};
use super::websocket::{Opcode, client_frame};
use crate::scenario::Generation;

/// The part on which a session's packets come.
pub(super) const DOWN: &str = "poll";
/// The part on which a session without a way back posts.
pub const UP: &str = "(post)";
/// The part of a session's WebSocket.
pub(super) const SOCKET: &str = "ws";
/// The part of a session's stream over WebTransport.
pub(super) const STREAM: &str = "wt";

/// How often a session polls at the most: a server may answer each poll at once, with nothing.
const POLLS_LIMIT: u64 = 5000;

/// A session that the runner keeps.
#[derive(Clone, Debug)]
pub struct Session {
    /// Which protocol it speaks.
    pub generation: Generation,
    /// The transport in use.
    pub transport: String,
    /// The session id.
    pub sid: String,
    /// What the handshake tells besides.
    pub announced: Announced,
    /// rev1: the transports that the handshake lists; since Engine.IO 3, those that the session can be upgraded to.
    pub transports: Vec<String>,
    /// Since Engine.IO 3: path and query of the handshake.
    base: String,
    polls: u64,
    /// The newest poll: its connection, and which section of it the answer is.
    asked: Option<(ConnId, usize)>,
}

/// What a handshake tells about times and limits, where it does.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// Since Engine.IO 3: the time between two heartbeats.
    pub interval: Option<Duration>,
    /// How long the server waits for a heartbeat's answer; `None` where heartbeats are off.
    pub timeout: Option<Duration>,
    /// rev1: how long the session outlives its connection.
    pub close: Option<Duration>,
    /// eio4: the most bytes of a payload.
    pub max_payload: Option<u64>,
}

/// The polls that a session keeps going by itself.
#[derive(Clone, Debug)]
pub(super) struct Polling {
    /// No further poll is sent once this is set.
    pause: Arc<AtomicBool>,
    /// How many there were.
    polls: watch::Receiver<u64>,
    /// Whether the last one was answered.
    done: watch::Receiver<bool>,
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
    /// The handshake's body is not what the generation asks for.
    #[error("the handshake's body {body:?} is malformed: {reason}")]
    Malformed {
        /// The start of the body.
        body: String,
        /// Why.
        reason: String,
    },
    /// The handshake's body holds no packets.
    #[error("the handshake's body {body:?} holds no packets: {reason}")]
    Unframed {
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
    /// Performs the handshake. In revision 1 that is a request of its own; since Engine.IO 3 it opens the transport's
    /// connection, too.
    ///
    /// # Errors
    ///
    /// When it is refused or malformed.
    pub async fn handshake(
        client: &Client,
        generation: Generation,
        transport: &str,
        target: Option<&str>,
    ) -> Result<Session, OpenError> {
        match generation {
            Generation::Rev1 => rev1::handshake(client, transport, target).await,
            Generation::Eio3 | Generation::Eio4 => engine::handshake(client, generation, transport, target).await,
        }
    }

    /// Opens the transport's connection; packets come to the inbox from here on. A polling transport polls once, and
    /// on and on only after [`keep_polling`](Session::keep_polling).
    ///
    /// # Errors
    ///
    /// When the server refuses it.
    pub async fn connect(&mut self, client: &Client) -> Result<(), OpenError> {
        self.prepare(client);
        match self.transport.as_str() {
            _ if self.generation != Generation::Rev1 => Ok(()),
            "websocket" => self.connect_websocket(client, &self.target()).await.map(drop),
            "flashsocket" => self.connect_hixie(client).await,
            _ => self.poll(client).await.map_err(OpenError::Client),
        }
    }

    /// Makes ready what needs no connection yet, for a case that fetches its packets by hand.
    pub fn prepare(&self, client: &Client) {
        if !self.is_socket() {
            client.shared().start_posts();
        }
        self.start_heartbeat(client);
    }

    /// Whether packets come by polling.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        matches!(
            self.transport.as_str(),
            "polling" | "polling-b64" | "jsonp" | "xhr-polling" | "jsonp-polling"
        )
    }

    /// The part on which packets come.
    #[must_use]
    pub fn part(&self) -> &'static str {
        match self.transport.as_str() {
            "webtransport" => STREAM,
            _ if self.is_socket() => SOCKET,
            _ => DOWN,
        }
    }

    /// Sends one GET: a poll, or the request of a stream.
    ///
    /// # Errors
    ///
    /// When no connection can be had, or a poll is open.
    pub async fn poll(&mut self, client: &Client) -> Result<(), ClientError> {
        self.asked = Some(self.ask(client.shared()).await?);
        self.polls += 1;
        Ok(())
    }

    /// Whether the newest poll was answered, and all of its packets taken.
    #[must_use]
    pub fn has_run_dry(&self, inbox: &Inbox) -> bool {
        let asked = self.asked.as_ref();
        let section = asked.and_then(|asked| inbox.parts.get(DOWN)?.find(asked));
        let hidden = |unit: &Unit| matches!(&unit.kind, UnitKind::Packet(packet) if is_hidden(self.generation, packet));
        self.is_polling() && section.is_some_and(|section| section.ended && section.units.iter().all(hidden))
    }

    /// Polls whenever no poll is open, until the server ends the session.
    pub fn keep_polling(&self, client: &Client) {
        let (shared, mut session) = (client.shared().clone(), self.clone());
        let Some(mut asked) = self.asked.clone().filter(|_| self.is_polling()) else {
            return;
        };
        let pause = Arc::new(AtomicBool::new(false));
        let (count, polls) = watch::channel(0);
        let (ended, done) = watch::channel(false);
        let polling = Polling {
            pause: pause.clone(),
            polls,
            done,
        };
        *lock(&shared.polling) = Some(polling);
        let task = tokio::spawn(async move {
            while shared.wait(|inbox| answered(inbox, &asked)).await && !pause.load(Ordering::Acquire) {
                if session.polls > POLLS_LIMIT {
                    let reason = format!("more than {POLLS_LIMIT} polls were answered, and there is no end");
                    lock(&shared.inbox)
                        .parts
                        .entry(DOWN.to_owned())
                        .or_default()
                        .trouble
                        .push_back(reason);
                    shared.changed.notify_waiters();
                    break;
                }
                match session.ask(&shared).await {
                    Ok(next) => asked = next,
                    Err(_) => break,
                }
                session.polls += 1;
                count.send_replace(session.polls);
            }
            ended.send_replace(true);
        });
        lock(&client.shared().background).push(task.abort_handle());
    }

    /// Sends no further poll. Waits for the first, so that a session that polls has always polled once.
    async fn pause_polling(client: &Client) -> Option<Polling> {
        let mut polling = lock(&client.shared().polling).take()?;
        // An error means that the task is gone, and so are its polls.
        let _ = polling.polls.changed().await;
        polling.pause.store(true, Ordering::Release);
        Some(polling)
    }

    /// Waits until the last poll and all posts are answered.
    async fn finish_polling(client: &Client, polling: Option<Polling>) {
        if let Some(mut polling) = polling {
            let _ = polling.done.wait_for(|done| *done).await;
        }
        let shared = client.shared();
        let any = || {
            [Queue::Packets, Queue::Heartbeats]
                .into_iter()
                .any(|queue| shared.unanswered.any(queue))
        };
        let sent = |_: &mut Inbox| (!any()).then_some(());
        shared.wait(sent).await;
    }

    /// Sends packets together: one frame each, or the body of one POST.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn send(&self, client: &Client, packets: &[Message]) -> Result<(), ClientError> {
        if self.is_socket() {
            return packets
                .iter()
                .try_for_each(|packet| client.message(self.part(), packet));
        }
        client.shared().note_sent();
        let post = self.post(packets);
        if client.shared().post(post, Queue::Packets) {
            Ok(())
        } else {
            Err(ClientError::NotConnected(self.transport.clone()))
        }
    }

    fn post(&self, packets: &[Message]) -> Post {
        let (content_type, body) = post_packets(self.generation, &self.transport, packets);
        Post {
            target: self.target(),
            content_type,
            body,
        }
    }

    /// Ends the session as a polite client of the transport does: a close frame, the end of the stream, or a packet by POST.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn close(&self, client: &Client, code: Option<u16>) -> Result<(), ClientError> {
        client.shared().stop_heartbeat();
        match self.transport.as_str() {
            "websocket" => {
                let code = code.unwrap_or(1000).to_be_bytes();
                client.write(SOCKET, client_frame(Opcode::Close, &code))
            }
            "flashsocket" => client.write(SOCKET, vec![0xff, 0x00]),
            "webtransport" => client.close(STREAM),
            _ if self.generation == Generation::Rev1 => self.send(client, &[Message::Text("0::".to_owned())]),
            _ => self.send(client, &[Message::Text("1".to_owned())]),
        }
    }

    /// Whether it is raw Engine.IO, without namespaces.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.generation != Generation::Rev1 && self.base.starts_with("/engine.io")
    }

    fn is_socket(&self) -> bool {
        matches!(self.transport.as_str(), "websocket" | "flashsocket" | "webtransport")
    }

    /// Path and query of the transport's connection.
    fn target(&self) -> String {
        match self.generation {
            Generation::Rev1 => rev1::target(&self.transport, &self.sid),
            Generation::Eio3 | Generation::Eio4 => {
                engine::target(self.generation, &self.base, &self.transport, &self.sid)
            }
        }
    }

    /// Polls; gives the connection, and which section of it the answer will be.
    async fn ask(&self, shared: &Arc<Shared>) -> Result<(ConnId, usize), ClientError> {
        let mut target = self.target();
        if self.transport == "jsonp-polling" {
            target.push_str(&format!("?i={}", self.polls));
        }
        let request = Request::new("GET", target.as_str(), &shared.wire.connect.authority());
        let framing = framing_of(self.generation, &target);
        shared.request(DOWN, request, framing, true).await
    }

    fn refused(&self, reason: impl Into<String>) -> OpenError {
        refused(&self.transport, reason)
    }
}

fn refused(transport: &str, reason: impl Into<String>) -> OpenError {
    OpenError::Transport {
        transport: transport.to_owned(),
        reason: reason.into(),
    }
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
