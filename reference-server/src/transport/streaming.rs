//! `htmlfile` and `xhr-multipart`: a response that goes on, one piece a packet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};

use crate::codec::{self, Message, Text};
use crate::server::connection::Connection;
use crate::server::hub::Hub;
use crate::session::{Delivery, Flow};

use super::body::{Body, answer};
use super::{cors, polling};

/// The body of such a response.
pub(crate) struct Stream {
    /// `None` when nothing more will come.
    connection: Option<Connection>,
    pieces: VecDeque<Text>,
    encode: fn(&str) -> Text,
}

/// A page that runs a script for every packet, for browsers without anything better.
pub(crate) fn htmlfile(hub: &Arc<Hub>, sid: &str) -> Response<Body> {
    stream(
        hub,
        sid,
        "text/html; charset=UTF-8",
        codec::htmlfile::preamble(),
        codec::htmlfile::encode,
    )
}

/// A MIME part for every packet.
pub(crate) fn multipart(hub: &Arc<Hub>, request: &Parts, sid: &str) -> Response<Body> {
    let preamble = Text::from_static(codec::multipart::PREAMBLE);
    let mut response = stream(
        hub,
        sid,
        codec::multipart::CONTENT_TYPE,
        preamble,
        codec::multipart::encode,
    );
    cors::allow(hub.options.origins.as_deref(), &request.headers, &mut response);
    response
}

fn stream(
    hub: &Arc<Hub>,
    sid: &str,
    content_type: &'static str,
    preamble: Text,
    encode: fn(&str) -> Text,
) -> Response<Body> {
    let connection = hub.open(sid, Delivery::Stream).ok();
    let mut pieces = VecDeque::from([preamble]);
    if connection.is_none() {
        pieces.push_back(encode(&polling::unknown_session()));
    }
    let mut response = answer(StatusCode::OK, content_type, "");
    *response.body_mut() = Body::Stream(Box::new(Stream {
        connection,
        pieces,
        encode,
    }));
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    response
}

impl Stream {
    /// The next piece.
    pub(super) fn poll_bytes(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Poll::Ready(Some(piece.into()));
            }
            let Some(connection) = &mut self.connection else {
                return Poll::Ready(None);
            };
            let flow = ready!(connection.poll_take(context));
            let packets = connection.hand_over();
            let texts = packets.iter().filter_map(Message::text);
            self.pieces.extend(texts.map(|packet| (self.encode)(packet)));
            if matches!(flow, Flow::Last | Flow::Superseded | Flow::Gone) {
                self.connection = None;
            }
        }
    }
}
