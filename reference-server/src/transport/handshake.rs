//! The handshake of revision 1: `sid:heartbeat timeout:close timeout:transports`.

use std::time::Duration;

use http::request::Parts;
use http::{Response, StatusCode};

use crate::codec::jsonp;
use crate::contract::{self, Verdict};
use crate::options::Options;
use crate::server::client::Handshake;
use crate::server::hub::Hub;

use super::body::{Body, answer};
use super::cors;
use super::refusal::Refusal;
use super::request::{Query, Transport};

/// Begins a session, whatever the method, as the original does.
pub(crate) fn handshake(hub: &Hub, request: &Parts) -> Response<Body> {
    let origins = hub.options.origins.as_deref();
    let query = request.uri.query().unwrap_or_default();
    let script = Query(query).index("jsonp");
    let handshake = Handshake::new(query, &request.headers);
    let (result, readable) = if cors::is_allowed(origins, &request.headers) {
        (begin(hub, handshake), true)
    } else {
        (Err(Refusal::BadOrigin), false)
    };
    let mut response = match (result, script) {
        (Ok(line), None) => answer(StatusCode::OK, "text/plain", line),
        (Ok(line), Some(index)) => {
            let script = jsonp::encode(&index, &line);
            return answer(StatusCode::OK, "application/javascript", script);
        }
        (Err(refusal), None) => refusal.response(),
        (Err(refusal), Some(index)) => return refusal.script(&index),
    };
    if readable {
        cors::allow(origins, &request.headers, &mut response);
    }
    response
}

fn begin(hub: &Hub, handshake: Handshake) -> Result<String, Refusal> {
    match contract::authorize(&handshake) {
        Verdict::Accept => {}
        Verdict::Refuse => return Err(Refusal::Unauthorized),
        Verdict::Fail => return Err(Refusal::AuthorizationFailed),
    }
    let client = hub.handshake(handshake).ok_or(Refusal::Full)?;
    Ok(line(&client.sid, &hub.options))
}

/// Whole seconds, rounded up; no heartbeats are announced by an empty field.
fn line(sid: &str, options: &Options) -> String {
    let seconds = |duration: Duration| duration.as_millis().div_ceil(1000).to_string();
    let heartbeat = if options.heartbeat_interval.is_zero() {
        String::new()
    } else {
        seconds(options.heartbeat_timeout)
    };
    let transports = Transport::ALL.map(|(_, name)| name).join(",");
    format!("{sid}:{heartbeat}:{}:{transports}", seconds(options.close_timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds() {
        let mut options = Options {
            heartbeat_timeout: Duration::from_millis(1200),
            ..Options::default()
        };
        let transports = "websocket,flashsocket,htmlfile,xhr-multipart,xhr-polling,jsonp-polling";
        assert_eq!(line("a", &options), format!("a:2:60:{transports}"));
        options.heartbeat_interval = Duration::ZERO;
        assert_eq!(line("a", &options), format!("a::60:{transports}"));
    }
}
