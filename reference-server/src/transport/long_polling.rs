//! `polling` of Engine.IO: a GET is answered when there is something to say, a POST when it has been acted on.

use std::future::poll_fn;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper::body::Incoming;

use crate::codec::Text;
use crate::server::client::Client;
use crate::server::connection::Connection;
use crate::server::hub::Hub;
use crate::session::{Delivery, Flow, Input, Refused};

use super::body::{Body, answer};
use super::gzip;
use super::payload::Form;
use super::post::read;
use super::refusal::{Hangup, Refusal};

/// Answers a poll with a payload. One that an upgrade makes superfluous is let go with a noop.
pub(super) async fn get(
    hub: &Arc<Hub>,
    client: Arc<Client>,
    form: Form,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let mut connection = Connection::open(Arc::clone(hub), client, Delivery::Poll)?;
    let (content_type, payload) = match poll_fn(|context| connection.poll_take(context)).await {
        Flow::Gone => return Err(Refusal::UnknownSid),
        Flow::Superseded => form.encode(&[Text::from_static("6").into()]),
        Flow::Wait | Flow::Write | Flow::Last => {
            let payload = form.encode(connection.packets());
            connection.confirm();
            payload
        }
    };
    let mut response = match gzip::encode(headers, &payload) {
        Some(packed) => {
            let mut response = answer(StatusCode::OK, content_type, packed);
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        None => answer(StatusCode::OK, content_type, payload),
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Acts on the packets of a body, up to the first that is none, which ends the session.
pub(super) async fn post(
    hub: &Arc<Hub>,
    client: Arc<Client>,
    form: Form,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Result<Response<Body>, Refusal>, Hangup> {
    let posting = match Posting::begin(hub, client) {
        Ok(posting) => posting,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let client = &posting.client;
    let body = match read(hub, body).await? {
        Ok(body) => body,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let acted = form.decode(content_type, &body, |packet| {
        hub.receive_engine(client, packet);
        client.is_live()
    });
    client.wake();
    // `ok` would say that all of it was acted on.
    if acted.is_err() {
        return Ok(Err(Refusal::BadRequest));
    }
    Ok(Ok(answer(StatusCode::OK, "text/html", "ok")))
}

/// That a POST is being read.
struct Posting {
    client: Arc<Client>,
}

impl Posting {
    fn begin(hub: &Hub, client: Arc<Client>) -> Result<Self, Refusal> {
        let begun = client.post();
        hub.settle(&client);
        client.wake();
        begun?;
        Ok(Posting { client })
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        self.client.handle(Input::Posted);
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Ended => Refusal::UnknownSid,
            Refused::OtherTransport | Refused::Overlap => Refusal::BadRequest,
        }
    }
}
