//! One table: what the server refuses, and how it says so.

use http::{HeaderValue, Response, StatusCode, header};

use crate::codec::jsonp;

use super::body::{Body, answer};

const PLAIN: &str = "text/plain";
const JSON: &str = "application/json";

/// Why a request is not served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// Another protocol revision.
    BadVersion,
    /// A page of another origin.
    BadOrigin,
    /// The application does not want this client.
    Unauthorized,
    /// The application failed to decide.
    AuthorizationFailed,
    /// As many sessions as the server has room for.
    Full,
    /// A poll of a session that another connection carries.
    Superseded,
    /// A body beyond the limit.
    TooLarge,
    /// A body that did not come in time.
    TooSlow,
    /// A method that nothing here has.
    Method,
    /// Nothing is there.
    NotFound,
    /// eio4: a transport that there is not.
    UnknownTransport,
    /// eio4: a session that there is not, or no more.
    UnknownSid,
    /// eio4: a handshake that is no GET.
    HandshakeMethod,
    /// eio4: a request that the session does not allow now.
    BadRequest,
    /// eio4: another version of the protocol.
    UnsupportedVersion,
}

/// The connection is closed without a byte: what the original does with a transport that it does not know, with a
/// WebSocket request that is none, and with one of a bad origin.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("closed without an answer: {0}")]
pub(crate) struct Hangup(pub(crate) &'static str);

impl Refusal {
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Refusal::BadVersion => (StatusCode::INTERNAL_SERVER_ERROR, "", "Protocol version not supported."),
            Refusal::BadOrigin => (StatusCode::FORBIDDEN, PLAIN, "handshake bad origin"),
            Refusal::Unauthorized => (StatusCode::FORBIDDEN, PLAIN, "handshake unauthorized"),
            Refusal::AuthorizationFailed => (StatusCode::INTERNAL_SERVER_ERROR, PLAIN, "handshake error"),
            Refusal::Full => (StatusCode::SERVICE_UNAVAILABLE, PLAIN, "server full"),
            Refusal::Superseded => (StatusCode::CONFLICT, PLAIN, "superseded"),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, PLAIN, "payload too large"),
            Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, PLAIN, "request timeout"),
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "method not allowed"),
            Refusal::NotFound => (StatusCode::NOT_FOUND, PLAIN, "not found"),
            Refusal::UnknownTransport => (BAD, JSON, r#"{"code":0,"message":"Transport unknown"}"#),
            Refusal::UnknownSid => (BAD, JSON, r#"{"code":1,"message":"Session ID unknown"}"#),
            Refusal::HandshakeMethod => (BAD, JSON, r#"{"code":2,"message":"Bad handshake method"}"#),
            Refusal::BadRequest => (BAD, JSON, r#"{"code":3,"message":"Bad request"}"#),
            Refusal::UnsupportedVersion => (BAD, JSON, r#"{"code":5,"message":"Unsupported protocol version"}"#),
        }
    }

    /// The answer.
    pub(crate) fn response(self) -> Response<Body> {
        let (status, content_type, body) = self.row();
        let mut response = answer(status, content_type, body);
        match self {
            Refusal::TooLarge | Refusal::TooSlow => {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Refusal::Method => {
                response
                    .headers_mut()
                    .insert(header::ALLOW, HeaderValue::from_static("GET, POST, OPTIONS"));
            }
            _ => {}
        }
        response
    }

    /// The same for a script: it can only be told by a call, and so with status 200.
    pub(crate) fn script(self, index: &str) -> Response<Body> {
        let (_, _, body) = self.row();
        answer(
            StatusCode::OK,
            "application/javascript",
            jsonp::encode_error(index, body),
        )
    }
}
