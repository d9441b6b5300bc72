//! A request of Engine.IO 4: what its query asks for, whether it may have it, and who answers.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

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

/// What a request of Engine.IO asks for.
pub(crate) struct Asked<'a> {
    application: Application,
    version: Option<Cow<'a, str>>,
    transport: Option<Cow<'a, str>>,
    sid: Option<Cow<'a, str>>,
}

impl<'a> Asked<'a> {
    /// `None` if the request is none of Engine.IO. Below `/socket.io/`, which revision 1 has as well, the query tells.
    pub(crate) fn parse(uri: &'a Uri) -> Option<Self> {
        let mut asked = Asked {
            application: application_of_path(uri.path())?,
            version: None,
            transport: None,
            sid: None,
        };
        for (key, value) in Query(uri.query().unwrap_or_default()).parameters() {
            let place = match &*key {
                "EIO" => &mut asked.version,
                "transport" => &mut asked.transport,
                "sid" => &mut asked.sid,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        let shared = asked.application == Application::Contract;
        let asks = asked.version.is_some() || asked.transport.is_some();
        (!shared || (asks && Target::parse(uri.path(), false) == Target::Welcome)).then_some(asked)
    }
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
    request: &Parts,
    body: Incoming,
    upgrading: Option<OnUpgrade>,
    asked: Asked<'_>,
) -> Result<Response<Body>, Hangup> {
    let application = asked.application;
    let origins = hub.options.origins.as_deref();
    let mut response = if request.method == Method::OPTIONS {
        cors::preflight(StatusCode::NO_CONTENT, origins, &request.headers)
    } else {
        let upgrade = request.headers.contains_key(header::UPGRADE);
        let handshake = || Handshake::new(request.uri.query().unwrap_or_default(), &request.headers);
        let answer = match verify(&hub, &asked, &request.method, upgrade) {
            Err(refusal) => Err(refusal),
            Ok(verified) if upgrade => {
                let purpose = match verified {
                    Verified::Begin => Purpose::Begin(application, handshake()),
                    Verified::Session(client) => Purpose::Upgrade(client),
                };
                upgrade_engine(Arc::clone(&hub), stopped, request, upgrading, purpose).ok_or(Refusal::BadRequest)
            }
            Ok(Verified::Begin) => match hub.open_engine(application, handshake(), hub.upgrades()) {
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
fn verify(hub: &Hub, asked: &Asked<'_>, method: &Method, upgrade: bool) -> Result<Verified, Refusal> {
    let websocket = match asked.transport.as_deref() {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(Refusal::UnknownTransport),
    };
    let version = asked.version.as_deref() == Some("4");
    match asked.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => {
            let client = hub.find_engine(asked.application, sid).ok_or(Refusal::UnknownSid)?;
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
