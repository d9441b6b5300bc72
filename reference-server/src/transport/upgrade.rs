//! From HTTP to `websocket` or `flashsocket`: RFC 6455 (versions 7, 8 and 13), or a draft of hixie.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use hyper::ext::ReasonPhrase;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::codec::eio3;
use crate::codec::hixie::Challenge;
use crate::codec::rfc6455::accept_key;
use crate::server::client::{Application, Client, Handshake};
use crate::server::connection::Connection;
use crate::server::hub::Hub;
use crate::server::shutdown::Shutdown;
use crate::server::stream::Stream;
use crate::session::{Delivery, Generation};

use super::body::{Body, answer};
use super::framed::{Framed, Framing};
use super::hixie::Hixie;
use super::refusal::Hangup;
use super::rfc6455::Rfc6455;
use super::{cors, polling, websocket};

/// The versions of `Sec-WebSocket-Version` that frame as RFC 6455 does.
const VERSIONS: [&[u8]; 3] = [b"7", b"8", b"13"];

/// The close code of revision 1 (RFC 6455, 7.4.1).
const NORMAL: u16 = 1000;

/// Which protocol the client speaks after the response.
enum Draft {
    Rfc6455,
    Hixie(Option<Challenge>),
}

/// What a WebSocket of Engine.IO is for.
pub(crate) enum Purpose {
    /// A new session.
    Begin((Generation, Application), Handshake),
    /// A session that polls.
    Upgrade(Arc<Client>),
}

/// Answers an upgrade request of revision 1, and serves what comes after in a task of its own.
pub(crate) fn upgrade(
    hub: Arc<Hub>,
    stopped: Shutdown,
    request: &Parts,
    upgrading: Option<OnUpgrade>,
    sid: &str,
) -> Result<Response<Body>, Hangup> {
    let Some(upgrading) = upgrading.filter(|_| is_websocket(request)) else {
        return Err(Hangup("no upgrade to websocket"));
    };
    let headers = &request.headers;
    if !cors::is_allowed(hub.options.origins.as_deref(), headers) {
        return Err(Hangup("bad origin"));
    }
    let (draft, response) = match headers.get(header::SEC_WEBSOCKET_VERSION) {
        Some(version) if VERSIONS.contains(&version.as_bytes()) => (Draft::Rfc6455, rfc6455(headers)?),
        Some(_) => return Err(Hangup("unknown websocket version")),
        None => {
            let challenge = challenge(headers)?;
            let response = hixie(request, challenge.is_some());
            (Draft::Hixie(challenge), response)
        }
    };
    let sid = sid.to_owned();
    tokio::spawn(async move {
        if let Err(error) = serve(&hub, upgrading, draft, &sid).await {
            tracing::debug!(sid, "websocket: {error}");
        }
        drop(stopped);
    });
    Ok(response)
}

/// The same for Engine.IO, which knows RFC 6455 only; `None` if the request does not follow it. `binary` matters to
/// version 3.
pub(crate) fn upgrade_engine(
    hub: Arc<Hub>,
    stopped: Shutdown,
    request: &Parts,
    upgrading: Option<OnUpgrade>,
    purpose: Purpose,
    binary: eio3::Form,
) -> Option<Response<Body>> {
    let upgrading = upgrading?;
    let version = request.headers.get(header::SEC_WEBSOCKET_VERSION)?;
    if !is_websocket(request) || !VERSIONS.contains(&version.as_bytes()) {
        return None;
    }
    let response = rfc6455(&request.headers).ok()?;
    tokio::spawn(async move {
        if let Err(error) = serve_engine(&hub, upgrading, purpose, binary).await {
            tracing::debug!("websocket: {error}");
        }
        drop(stopped);
    });
    Some(response)
}

async fn serve_engine(
    hub: &Arc<Hub>,
    upgrading: OnUpgrade,
    purpose: Purpose,
    binary: eio3::Form,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (stream, read) = parts(upgrading.await?)?;
    let generation = match &purpose {
        Purpose::Begin((generation, _), _) => *generation,
        Purpose::Upgrade(client) => client.generation,
    };
    let limit = hub.options.max_payload;
    let framing = match generation {
        Generation::Eio3 => Rfc6455::eio3(limit, binary),
        Generation::Rev1 | Generation::Eio4 => Rfc6455::new(limit, None),
    };
    let mut socket = Framed::new(stream, &read, framing);
    let connection = match purpose {
        Purpose::Begin(protocol, handshake) => hub
            .open_engine(protocol, handshake, &[])
            .and_then(|client| Connection::open(Arc::clone(hub), client, Delivery::Stream).ok()),
        Purpose::Upgrade(client) => Connection::open_upgrade(Arc::clone(hub), client).ok(),
    };
    match connection {
        Some(connection) => websocket::serve(connection, &mut socket).await,
        None => websocket::refuse(&mut socket, None).await,
    }
    Ok(())
}

async fn serve(
    hub: &Arc<Hub>,
    upgrading: OnUpgrade,
    draft: Draft,
    sid: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (stream, read) = parts(upgrading.await?)?;
    let limit = hub.options.max_payload;
    match draft {
        Draft::Rfc6455 => {
            let mut socket = Framed::new(stream, &read, Rfc6455::new(limit, Some(NORMAL)));
            carry(hub, sid, &mut socket).await;
        }
        Draft::Hixie(challenge) => {
            let mut socket = Framed::new(stream, &read, Hixie::new(limit));
            if let Some(challenge) = challenge {
                tokio::time::timeout(hub.options.request_timeout, socket.respond(challenge)).await??;
            }
            carry(hub, sid, &mut socket).await;
        }
    }
    Ok(())
}

async fn carry<F: Framing>(hub: &Arc<Hub>, sid: &str, socket: &mut Framed<TcpStream, F>) {
    match hub.open(sid, Delivery::Stream) {
        Ok(connection) => websocket::serve(connection, socket).await,
        Err(_) => websocket::refuse(socket, Some(polling::unknown_session().into())).await,
    }
}

fn is_websocket(request: &Parts) -> bool {
    let upgrade = request.headers.get(header::UPGRADE);
    request.method == Method::GET && upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The socket under hyper's, with a copy of what hyper has read of it: however little that is, it keeps a buffer of eight
/// kilobytes for as long as the connection lasts.
fn parts(upgraded: Upgraded) -> Result<(TcpStream, Box<[u8]>), Hangup> {
    let parts = upgraded
        .downcast::<TokioIo<Stream>>()
        .map_err(|_| Hangup("not a TCP connection"))?;
    Ok((parts.io.into_inner().into_inner(), parts.read_buf[..].into()))
}

fn rfc6455(headers: &HeaderMap) -> Result<Response<Body>, Hangup> {
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or(Hangup("no websocket key"))?;
    let accept = HeaderValue::from_str(&accept_key(key.as_bytes())).map_err(|_| Hangup("bad websocket key"))?;
    let mut response = switching("websocket");
    response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// `None` for draft 75, which has no challenge.
fn challenge(headers: &HeaderMap) -> Result<Option<Challenge>, Hangup> {
    match (headers.get("sec-websocket-key1"), headers.get("sec-websocket-key2")) {
        (None, None) => Ok(None),
        (Some(one), Some(two)) => match Challenge::new(one.as_bytes(), two.as_bytes()) {
            Ok(challenge) => Ok(Some(challenge)),
            Err(_) => Err(Hangup("bad hixie key")),
        },
        _ => Err(Hangup("half a hixie challenge")),
    }
}

/// Draft 76 names origin and location with `Sec-`, draft 75 without.
fn hixie(request: &Parts, draft76: bool) -> Response<Body> {
    let (reason, origin, location): (&[u8], _, _) = if draft76 {
        (
            b"WebSocket Protocol Handshake",
            "sec-websocket-origin",
            "sec-websocket-location",
        )
    } else {
        (
            b"Web Socket Protocol Handshake",
            "websocket-origin",
            "websocket-location",
        )
    };
    let mut response = switching("WebSocket");
    if let Ok(reason) = ReasonPhrase::try_from(reason) {
        response.extensions_mut().insert(reason);
    }
    let said = |name| {
        request
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if let Some(page) = request.headers.get(header::ORIGIN) {
        response.headers_mut().insert(origin, page.clone());
    }
    let here = format!("ws://{}{}", said(header::HOST).unwrap_or_default(), request.uri);
    if let Ok(here) = HeaderValue::from_str(&here) {
        response.headers_mut().insert(location, here);
    }
    response
}

fn switching(protocol: &'static str) -> Response<Body> {
    let mut response = answer(StatusCode::SWITCHING_PROTOCOLS, "", "");
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static(protocol));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response
}
