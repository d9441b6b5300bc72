//! What a transport without a way back sends: one POST after the other.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Session, UP};
use crate::client::core::{Client, Shared};
use crate::client::framing::jsonp;
use crate::client::http::{Request, shorten};
use crate::client::tape::{Framing, lock};

impl Session {
    /// Starts the task that posts what it is given.
    pub(super) fn start_posts(&self, client: &Client) {
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
