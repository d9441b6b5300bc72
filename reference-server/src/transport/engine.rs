//! A request of Engine.IO 4: what its query asks for, whether it may have it, and who answers.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use hyper::body::Incoming;

use crate::server::client::{Application, Client, Handshake};
use crate::server::hub::Hub;
use crate::server::shutdown::Shutdown;

use super::body::Body;
use super::refusal::{Hangup, Refusal};
use super::request::{Query, Target};
use super::upgrade::{Purpose, upgrade_engine};
use super::{cors, long_polling};

/// A request that may be served.
enum Verified {
    Begin,
    Session(Arc<Client>),
}

/// What a request of Engine.IO is for; `None` if it is none. Below `/socket.io/`, which revision 1 has as well, the query
/// tells.
pub(crate) fn application(path: &str, query: Query<'_>) -> Option<Application> {
    let application = application_of_path(path)?;
    let asks = query.parameters().any(|(key, _)| key == "EIO" || key == "transport");
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
    mut request: Parts,
    body: Incoming,
    application: Application,
) -> Result<Response<Body>, Hangup> {
    let origins = hub.options.origins.as_deref();
    let mut response = if request.method == Method::OPTIONS {
        cors::preflight(StatusCode::NO_CONTENT, origins, &request.headers)
    } else {
        let upgrade = request.headers.contains_key(header::UPGRADE);
        let begin = |request: &Parts| Handshake::new(request.uri.query().unwrap_or_default(), &request.headers);
        let answer = match verify(&hub, application, &request, upgrade) {
            Err(refusal) => Err(refusal),
            Ok(verified) if upgrade => {
                let purpose = match verified {
                    Verified::Begin => Purpose::Begin(application, begin(&request)),
                    Verified::Session(client) => Purpose::Upgrade(client),
                };
                upgrade_engine(Arc::clone(&hub), stopped, &mut request, purpose).ok_or(Refusal::BadRequest)
            }
            Ok(Verified::Begin) => match hub.open_engine(application, begin(&request), hub.upgrades()) {
                Some(client) => long_polling::get(&hub, client, &request.headers).await,
                None => Err(Refusal::Full),
            },
            Ok(Verified::Session(client)) => match request.method {
                Method::GET => long_polling::get(&hub, client, &request.headers).await,
                Method::POST => long_polling::post(&hub, client, &request.headers, body).await?,
                _ => Err(Refusal::BadRequest),
            },
        };
        let mut response = answer.unwrap_or_else(Refusal::response);
        cors::allow(origins, &request.headers, &mut response);
        response
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Origin"));
    Ok(response)
}

/// In the order in which the original looks: the transport, the session, the method, the version.
fn verify(hub: &Hub, application: Application, request: &Parts, upgrade: bool) -> Result<Verified, Refusal> {
    let query = Query(request.uri.query().unwrap_or_default());
    let websocket = match query.get("transport").as_deref() {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(Refusal::UnknownTransport),
    };
    let version = query.get("EIO").as_deref() == Some("4");
    match query.get("sid").filter(|sid| !sid.is_empty()) {
        Some(sid) => {
            let client = hub.find_engine(application, &sid).ok_or(Refusal::UnknownSid)?;
            if !version || websocket != upgrade || (upgrade && client.is_streaming()) {
                return Err(Refusal::BadRequest);
            }
            Ok(Verified::Session(client))
        }
        None if request.method != Method::GET => Err(Refusal::HandshakeMethod),
        None if websocket != upgrade => Err(Refusal::BadRequest),
        None if !version => Err(Refusal::UnsupportedVersion),
        None => Ok(Verified::Begin),
    }
}
