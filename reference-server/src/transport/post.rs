//! What a client sends beside a poll or stream: the body of a POST is a payload, the answer is `1`.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::codec::jsonp;
use crate::server::hub::Hub;

use super::body::{Body, answer};
use super::cors;
use super::refusal::{Hangup, Refusal};
use super::request::Transport;

/// How much of a body beyond the limit is read, in multiples of the limit, so that the client gets to read the refusal.
const PATIENCE: usize = 20;

/// Acts on a POST. An unknown session and packets that are none are answered like any other: the answer comes first,
/// for the original, and says that the bytes have arrived.
pub(crate) async fn post(
    hub: &Arc<Hub>,
    request: &Parts,
    body: Incoming,
    transport: Transport,
    sid: &str,
) -> Result<Response<Body>, Hangup> {
    let body = match read(hub, body).await? {
        Ok(body) => body,
        Err(refusal) => return Ok(refusal.response()),
    };
    if let Some(client) = hub.find(sid) {
        let text = String::from_utf8_lossy(&body);
        let payload = match transport {
            Transport::JsonpPolling => jsonp::decode_form(&text).map(Cow::Owned),
            _ => Ok(text),
        };
        match payload {
            Ok(payload) => hub.receive_payload(&client, &payload),
            Err(error) => tracing::debug!(sid, "body ignored: {error}"),
        }
        client.wake();
    }
    let mut response = answer(StatusCode::OK, "text/plain; charset=UTF-8", "1");
    if request.headers.contains_key(header::ORIGIN) || transport == Transport::JsonpPolling {
        response
            .headers_mut()
            .insert(header::X_XSS_PROTECTION, HeaderValue::from_static("0"));
    }
    if transport != Transport::JsonpPolling {
        cors::allow(hub.options.origins.as_deref(), &request.headers, &mut response);
    }
    Ok(response)
}

/// Reads a body that is within the limits.
pub(super) async fn read(hub: &Hub, body: Incoming) -> Result<Result<Bytes, Refusal>, Hangup> {
    let read = read_up_to(body, hub.options.max_payload);
    match tokio::time::timeout(hub.options.request_timeout, read).await {
        Ok(body) => Ok(body?.ok_or(Refusal::TooLarge)),
        Err(_) => Ok(Err(Refusal::TooSlow)),
    }
}

/// The body; `None` if it is longer than `limit`.
async fn read_up_to(mut body: Incoming, limit: usize) -> Result<Option<Bytes>, Hangup> {
    let mut whole: Vec<u8> = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Hangup("the body broke off"))?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= limit {
            whole.extend_from_slice(&data);
        } else if length <= limit.saturating_mul(PATIENCE) {
            whole = Vec::new();
        } else {
            break;
        }
    }
    Ok((length <= limit).then(|| whole.into()))
}
