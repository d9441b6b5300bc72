//! One request: what it asks for, and who answers.

use std::sync::Arc;
use std::time::SystemTime;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::session::Reason;
use crate::transport::body::{Body, answer};
use crate::transport::refusal::{Hangup, Refusal};
use crate::transport::request::{Query, Target, Transport};
use crate::transport::{self, cors, engine};

use super::hub::Hub;
use super::shutdown::Shutdown;

/// Answers a request, or closes the connection.
pub(super) async fn respond(
    hub: Arc<Hub>,
    stopped: Shutdown,
    request: Request<Incoming>,
) -> Result<Response<Body>, Hangup> {
    let upgrade = request.headers().contains_key(header::UPGRADE);
    let (mut parts, body) = request.into_parts();
    if let Some(file) = hub
        .assets
        .respond(&parts.method, parts.uri.path(), &parts.headers, SystemTime::now())
    {
        return Ok(file.map(|content| Body::Whole(Full::new(content))));
    }
    let upgrading = upgrade.then(|| parts.extensions.remove()).flatten();
    if let Some(asked) = engine::Asked::parse(&parts.uri) {
        return engine::respond(hub, stopped, &parts, body, upgrading, asked).await;
    }
    let query = Query(parts.uri.query().unwrap_or_default());
    let origins = hub.options.origins.as_deref();
    let (transport, sid) = match Target::parse(parts.uri.path(), upgrade) {
        Target::Elsewhere => return Ok(Refusal::NotFound.response()),
        Target::Welcome => return Ok(answer(StatusCode::OK, "", "Welcome to socket.io.")),
        Target::BadVersion => return Ok(Refusal::BadVersion.response()),
        _ if cors::is_preflight(&parts.method, &parts.headers) => {
            return Ok(cors::preflight(StatusCode::OK, origins, &parts.headers));
        }
        Target::Handshake if upgrade => return Err(Hangup("an upgrade without a session")),
        Target::Handshake => return Ok(transport::handshake(&hub, &parts)),
        Target::Session { transport, sid } => (transport, sid),
    };
    if query.get("disconnect").is_some() {
        if let Some(client) = hub.find(sid) {
            hub.close(&client, Reason::Client);
        }
        let mut response = answer(StatusCode::OK, "", "");
        cors::allow(origins, &parts.headers, &mut response);
        return Ok(response);
    }
    let transport = transport.map_err(|_| Hangup("an unknown transport"))?;
    match (transport, &parts.method) {
        (Transport::Websocket | Transport::Flashsocket, _) => transport::upgrade(hub, stopped, &parts, upgrading, sid),
        _ if upgrade => Err(Hangup("an upgrade of a transport that has none")),
        (_, &Method::OPTIONS) => Ok(cors::preflight(StatusCode::OK, origins, &parts.headers)),
        (_, &Method::POST) => transport::post(&hub, &parts, body, transport, sid).await,
        (_, method) if method != Method::GET => Ok(Refusal::Method.response()),
        (Transport::XhrPolling, _) => Ok(transport::xhr_polling(&hub, &parts, sid).await),
        (Transport::JsonpPolling, _) => {
            Ok(transport::jsonp_polling(&hub, sid, &query.index("i").unwrap_or("0".into())).await)
        }
        (Transport::Htmlfile, _) => Ok(transport::htmlfile(&hub, sid)),
        (Transport::XhrMultipart, _) => Ok(transport::multipart(&hub, &parts, sid)),
    }
}
