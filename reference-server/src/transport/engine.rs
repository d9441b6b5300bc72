//! A request of Engine.IO 4: what its query asks for, whether it may have it, and who answers.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use crate::server::client::{Application, Client, Handshake};
use crate::server::hub::Hub;
use crate::server::shutdown::Shutdown;

use super::body::Body;
use super::refusal::{Hangup, Refusal};
use super::request::Target;
use super::upgrade::{Purpose, upgrade_engine};
use super::{cors, long_polling};

/// A request that may be served.
enum Verified {
    Begin,
    Session(Arc<Client>),
}

/// What a request of Engine.IO is for; `None` if it is none. Below `/socket.io/`, which revision 1 has as well, the query
/// tells.
pub(crate) fn application(path: &str, query: &[(String, String)]) -> Option<Application> {
    let application = application_of_path(path)?;
    let asks = query.iter().any(|(key, _)| key == "EIO" || key == "transport");
    let shared = application == Application::Contract;
    (!shared || (asks && Target::parse(path, false) == Target::Welcome)).then_some(application)
}

/// What a path of Engine.IO is for.
pub(super) fn application_of_path(path: &str) -> Option<Application> {
    match path {
        _ if path.starts_with("/engine.io/") => Some(Application::Echo),
        _ if path.starts_with("/socket.io/") => Some(Application::Contract),
        _ => None,
    }
}

/// Answers the request, or closes the connection.
pub(crate) async fn respond(
    hub: Arc<Hub>,
    stopped: Shutdown,
    request: Request<Incoming>,
    application: Application,
    query: Vec<(String, String)>,
) -> Result<Response<Body>, Hangup> {
    let (parts, body) = request.into_parts();
    let mut response = if parts.method == Method::OPTIONS {
        cors::preflight(StatusCode::NO_CONTENT, hub.options.origins.as_deref(), &parts.headers)
    } else {
        let upgrade = parts.headers.contains_key(header::UPGRADE);
        let handshake = Handshake {
            query,
            headers: parts.headers.clone(),
        };
        let verified = verify(&hub, application, &handshake, &parts.method, upgrade);
        let answer = match verified {
            Err(refusal) => Err(refusal),
            Ok(verified) if upgrade => {
                let purpose = match verified {
                    Verified::Begin => Purpose::Begin(application, handshake),
                    Verified::Session(client) => Purpose::Upgrade(client),
                };
                let request = Request::from_parts(parts.clone(), body);
                upgrade_engine(Arc::clone(&hub), stopped, request, purpose).ok_or(Refusal::BadRequest)
            }
            Ok(Verified::Begin) => match hub.open_engine(application, handshake, hub.upgrades()) {
                Some(client) => long_polling::get(&hub, client, &parts.headers).await,
                None => Err(Refusal::Full),
            },
            Ok(Verified::Session(client)) => match parts.method {
                Method::GET => long_polling::get(&hub, client, &parts.headers).await,
                Method::POST => long_polling::post(&hub, client, &parts.headers, body).await?,
                _ => Err(Refusal::BadRequest),
            },
        };
        let mut response = answer.unwrap_or_else(Refusal::response);
        cors::allow(hub.options.origins.as_deref(), &parts.headers, &mut response);
        response
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Origin"));
    Ok(response)
}

/// In the order in which the original looks: the transport, the session, the method, the version.
fn verify(
    hub: &Hub,
    application: Application,
    request: &Handshake,
    method: &Method,
    upgrade: bool,
) -> Result<Verified, Refusal> {
    let websocket = match request.query("transport") {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(Refusal::UnknownTransport),
    };
    let version = request.query("EIO") == Some("4");
    match request.query("sid").filter(|sid| !sid.is_empty()) {
        Some(sid) => {
            let client = hub.find_engine(application, sid).ok_or(Refusal::UnknownSid)?;
            if !version || websocket != upgrade || (upgrade && client.is_streaming()) {
                return Err(Refusal::BadRequest);
            }
            Ok(Verified::Session(client))
        }
        None if method != Method::GET => Err(Refusal::HandshakeMethod),
        None if websocket != upgrade => Err(Refusal::BadRequest),
        None if !version => Err(Refusal::UnsupportedVersion),
        None => Ok(Verified::Begin),
    }
}
