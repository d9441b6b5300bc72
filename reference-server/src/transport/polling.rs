//! `xhr-polling` and `jsonp-polling`: a GET that is answered when there is something to say, or in time.

use std::future::poll_fn;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};

use crate::codec::rev1::{self, Packet};
use crate::codec::{Message, Text, jsonp, payload};
use crate::server::hub::Hub;
use crate::session::{Delivery, Flow};

use super::body::{Body, answer};
use super::cors;
use super::refusal::Refusal;

/// The answer to a poll by `XMLHttpRequest`: the payload as text.
pub(crate) async fn xhr_polling(hub: &Arc<Hub>, request: &Parts, sid: &str) -> Response<Body> {
    let mut response = match poll(hub, sid).await {
        Ok(payload) => held(answer(StatusCode::OK, "text/plain; charset=UTF-8", payload)),
        Err(refusal) => refusal.response(),
    };
    cors::allow(hub.options.origins.as_deref(), &request.headers, &mut response);
    response
}

/// The answer to a poll by `<script>`: the payload as the argument of callback `index`.
pub(crate) async fn jsonp_polling(hub: &Arc<Hub>, sid: &str, index: &str) -> Response<Body> {
    let payload = match poll(hub, sid).await {
        Ok(payload) => payload,
        Err(refusal) => return refusal.response(),
    };
    let script = jsonp::encode(index, &payload);
    let mut response = held(answer(StatusCode::OK, "text/javascript; charset=UTF-8", script));
    response
        .headers_mut()
        .insert(header::X_XSS_PROTECTION, HeaderValue::from_static("0"));
    response
}

/// What a client hears about a session that there is not, or no more: `7:::1+0`.
pub(crate) fn unknown_session() -> Text {
    Packet::new("", rev1::Body::Error(rev1::CLIENT_NOT_HANDSHAKEN, rev1::RECONNECT)).encode()
}

/// A poll whose session goes on over another connection is not answered, as with the original, for any answer would have
/// the client poll again and take the session back; after the close timeout it fails, so that nobody waits for ever.
async fn poll(hub: &Arc<Hub>, sid: &str) -> Result<Text, Refusal> {
    let Ok(mut connection) = hub.open(sid, Delivery::Poll) else {
        return Ok(unknown_session());
    };
    match poll_fn(|context| connection.poll_take(context)).await {
        Flow::Superseded => {
            drop(connection);
            tokio::time::sleep(hub.options.close_timeout).await;
            Err(Refusal::Superseded)
        }
        Flow::Gone => Ok(unknown_session()),
        Flow::Wait | Flow::Write | Flow::Last => {
            let packets: Vec<Text> = connection.packets().iter().filter_map(Message::text).cloned().collect();
            let payload = payload::encode(&packets);
            connection.confirm();
            Ok(payload)
        }
    }
}

fn held(mut response: Response<Body>) -> Response<Body> {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("Keep-Alive"));
    response
}
