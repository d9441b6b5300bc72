//! What a transport without a way back sends: one POST after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::UP;
use crate::client::core::Shared;
use crate::client::framing::engine::Message;
use crate::client::framing::jsonp::{self, Callee};
use crate::client::framing::{eio3, eio4, octets, payload};
use crate::client::http::{Request, shorten};
use crate::client::inbox::Section;
use crate::client::protocol::transport_of;
use crate::client::tape::{Framing, lock};
use crate::scenario::Generation;

/// A request that carries packets.
#[derive(Debug)]
pub(in crate::client) struct Post {
    pub(in crate::client) target: String,
    pub(in crate::client) content_type: &'static str,
    pub(in crate::client) body: Vec<u8>,
}

/// What waits to be posted.
#[derive(Debug)]
pub(in crate::client) struct Posts {
    /// The packets of a case, in order.
    packets: mpsc::UnboundedSender<Post>,
    /// Answers to heartbeats, which do not wait behind them. The session may be over by then; nobody asked for them, so
    /// nobody hears of it.
    heartbeats: mpsc::UnboundedSender<Post>,
}

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) enum Queue {
    Packets,
    Heartbeats,
}

/// How many posts of each queue have not been answered.
#[derive(Debug, Default)]
pub(in crate::client) struct Unanswered {
    packets: AtomicUsize,
    heartbeats: AtomicUsize,
}

impl Unanswered {
    /// Whether a post of the queue has not been answered.
    pub(in crate::client) fn any(&self, queue: Queue) -> bool {
        self.of(queue).load(Ordering::Acquire) > 0
    }

    fn add(&self, queue: Queue) {
        self.of(queue).fetch_add(1, Ordering::AcqRel);
    }

    fn remove(&self, queue: Queue) {
        self.of(queue).fetch_sub(1, Ordering::AcqRel);
    }

    fn of(&self, queue: Queue) -> &AtomicUsize {
        match queue {
            Queue::Packets => &self.packets,
            Queue::Heartbeats => &self.heartbeats,
        }
    }
}

impl Shared {
    /// Starts the task that posts what it is given, where there is none.
    pub(in crate::client) fn start_posts(self: &Arc<Self>) {
        let mut posts = lock(&self.posts);
        if posts.is_none() {
            let (packets, queue) = mpsc::unbounded_channel();
            let (heartbeats, urgent) = mpsc::unbounded_channel();
            *posts = Some(Posts { packets, heartbeats });
            let task = tokio::spawn(run_posts(self.clone(), queue, urgent));
            lock(&self.background).push(task.abort_handle());
        }
    }

    /// Posts to where the section was asked for.
    pub(in crate::client) fn post_answer(self: &Arc<Self>, section: &Section, packet: &str) {
        let Some(target) = section.request.strip_prefix("GET ") else {
            return;
        };
        let target = match self.wire.generation {
            // The document gives posts no query.
            Generation::Rev1 => target.split('?').next().unwrap_or_default(),
            Generation::Eio3 | Generation::Eio4 => {
                self.start_posts();
                target
            }
        };
        let transport = transport_of(self.wire.generation, target);
        let (content_type, body) = post_packets(self.wire.generation, transport, &[Message::Text(packet.to_owned())]);
        let post = Post {
            target: target.to_owned(),
            content_type,
            body,
        };
        self.post(post, Queue::Heartbeats);
    }

    /// Queues a request; whether there is a task that sends it.
    pub(in crate::client) fn post(&self, post: Post, queue: Queue) -> bool {
        let posts = lock(&self.posts);
        self.unanswered.add(queue);
        let queued = posts.as_ref().is_some_and(|posts| match queue {
            Queue::Packets => posts.packets.send(post).is_ok(),
            Queue::Heartbeats => posts.heartbeats.send(post).is_ok(),
        });
        if !queued {
            self.unanswered.remove(queue);
        }
        queued
    }
}

/// The body of a POST that carries a payload, and its type.
#[must_use]
pub fn post_body(transport: &str, payload: &str) -> (&'static str, Vec<u8>) {
    let callee = match transport {
        "jsonp-polling" => Callee::Rev1,
        "jsonp" => Callee::Eio3,
        _ => return ("text/plain;charset=UTF-8", payload.as_bytes().to_vec()),
    };
    let form = jsonp::post_body(callee, payload);
    ("application/x-www-form-urlencoded", form.into_bytes())
}

/// The body of a POST that carries these packets, and its type. Revision 1 has no binary ones: their bytes stand as text.
#[must_use]
pub fn post_packets(generation: Generation, transport: &str, packets: &[Message]) -> (&'static str, Vec<u8>) {
    match generation {
        Generation::Rev1 => {
            let text = |packet: &Message| match packet {
                Message::Text(text) => text.clone(),
                Message::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            };
            let packets: Vec<String> = packets.iter().map(text).collect();
            post_body(transport, &payload::join(&packets))
        }
        Generation::Eio3 => {
            let typed = |packet: &Message| match packet {
                Message::Text(_) => packet.clone(),
                Message::Binary(data) => Message::Binary(eio3::message(data)),
            };
            let packets: Vec<Message> = packets.iter().map(typed).collect();
            let binary = packets.iter().any(|packet| matches!(packet, Message::Binary(_)));
            if binary && transport == "polling" {
                ("application/octet-stream", octets::join(&packets))
            } else {
                post_body(transport, &eio3::join_text(&packets))
            }
        }
        Generation::Eio4 => post_body(transport, &eio4::join(packets)),
    }
}

/// Posts what it is given, in order, until nobody can give anything any more.
async fn run_posts(
    shared: Arc<Shared>,
    mut packets: mpsc::UnboundedReceiver<Post>,
    mut heartbeats: mpsc::UnboundedReceiver<Post>,
) {
    loop {
        let (post, queue) = tokio::select! {
            biased;
            Some(post) = heartbeats.recv() => (post, Queue::Heartbeats),
            Some(post) = packets.recv() => (post, Queue::Packets),
            else => return,
        };
        if let (Err(reason), Queue::Packets) = (send(&shared, post).await, queue) {
            let mut inbox = lock(&shared.inbox);
            inbox.parts.entry(UP.to_owned()).or_default().trouble.push_back(reason);
        }
        shared.unanswered.remove(queue);
        shared.changed.notify_waiters();
    }
}

async fn send(shared: &Arc<Shared>, post: Post) -> Result<(), String> {
    let mut request = Request::new("POST", post.target, &shared.wire.connect.authority());
    request.set("Content-Type", Some(post.content_type));
    request.body = Some(post.body);
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
pub(super) async fn answer(shared: &Arc<Shared>, part: &str) -> Result<(u16, Vec<u8>), String> {
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
