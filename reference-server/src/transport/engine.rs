//! A request of Engine.IO 3 or 4: what its query asks for, whether it may have it, and who answers.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use crate::codec::eio3;
use crate::server::client::{Application, Client, Handshake};
use crate::server::hub::Hub;
use crate::server::shutdown::Shutdown;
use crate::session::Generation;

use super::body::Body;
use super::payload::Form;
use super::refusal::{Hangup, Refusal};
use super::request::{Query, Target};
use super::upgrade::{Purpose, upgrade_engine};
use super::{cors, long_polling};

/// A request that may be served.
enum Verified {
    Begin(Generation),
    Session(Arc<Client>),
}

/// What a request of Engine.IO asks for.
pub(crate) struct Asked<'a> {
    application: Application,
    version: Option<Cow<'a, str>>,
    transport: Option<Cow<'a, str>>,
    sid: Option<Cow<'a, str>>,
    script: Option<Cow<'a, str>>,
    base64: Option<Cow<'a, str>>,
}

impl<'a> Asked<'a> {
    /// `None` if the request is none of Engine.IO. Below `/socket.io/`, which revision 1 has as well, the query tells.
    pub(crate) fn parse(uri: &'a Uri) -> Option<Self> {
        let mut asked = Asked {
            application: application_of_path(uri.path())?,
            version: None,
            transport: None,
            sid: None,
            script: None,
            base64: None,
        };
        for (key, value) in Query(uri.query().unwrap_or_default()).parameters() {
            let place = match &*key {
                "EIO" => &mut asked.version,
                "transport" => &mut asked.transport,
                "sid" => &mut asked.sid,
                "j" => &mut asked.script,
                "b64" => &mut asked.base64,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        let shared = asked.application == Application::Contract;
        let asks = asked.version.is_some() || asked.transport.is_some();
        (!shared || (asks && Target::parse(uri.path(), false) == Target::Welcome)).then_some(asked)
    }

    fn generation(&self) -> Option<Generation> {
        match self.version.as_deref() {
            Some("3") => Some(Generation::Eio3),
            Some("4") => Some(Generation::Eio4),
            _ => None,
        }
    }

    /// What the bodies of polls look like: in version 3 as this request says, or the first one of the session.
    fn form(&self, client: &Client) -> Form {
        if client.generation != Generation::Eio3 {
            return Form::Separated;
        }
        let opening = client.handshake.query();
        if let Some(index) = self.script.clone().or_else(|| opening.get("j")) {
            // It is written into a script, so it had better be a number.
            return Form::Script(index.chars().filter(char::is_ascii_digit).collect());
        }
        let asked = self.binary();
        Form::Framed(match opening.get("b64") {
            Some(said) if !said.is_empty() => eio3::Form::Base64,
            _ => asked,
        })
    }

    /// How version 3 writes binary data, where the request decides.
    fn binary(&self) -> eio3::Form {
        match self.base64.as_deref() {
            None | Some("") => eio3::Form::Bytes,
            Some(_) => eio3::Form::Base64,
        }
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
                    Verified::Begin(generation) => Purpose::Begin((generation, application), handshake()),
                    Verified::Session(client) => Purpose::Upgrade(client),
                };
                upgrade_engine(Arc::clone(&hub), stopped, request, upgrading, purpose, asked.binary())
                    .ok_or(Refusal::BadRequest)
            }
            Ok(Verified::Begin(generation)) => {
                let upgrades = hub.upgrades(generation);
                match hub.open_engine((generation, application), handshake(), upgrades) {
                    Some(client) => {
                        let form = asked.form(&client);
                        long_polling::get(&hub, client, form, &request.headers).await
                    }
                    None => Err(Refusal::Full),
                }
            }
            Ok(Verified::Session(client)) => {
                let form = asked.form(&client);
                match request.method {
                    Method::GET => long_polling::get(&hub, client, form, &request.headers).await,
                    Method::POST => long_polling::post(&hub, client, form, &request.headers, body).await?,
                    _ => Err(Refusal::BadRequest),
                }
            }
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
    let generation = asked.generation();
    match asked.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => {
            let client = hub.find_engine(asked.application, sid).ok_or(Refusal::UnknownSid)?;
            if generation != Some(client.generation) || websocket != upgrade || (upgrade && client.is_streaming()) {
                return Err(Refusal::BadRequest);
            }
            Ok(Verified::Session(client))
        }
        None if method != Method::GET => Err(Refusal::HandshakeMethod),
        None if websocket != upgrade => Err(Refusal::BadRequest),
        None => generation.map(Verified::Begin).ok_or(Refusal::UnsupportedVersion),
    }
}
