//! One connection of a page: its requests, one after the other, each on a connection of its own to the server. What is
//! closed, reset or never answered on one side is so on the other.

use std::convert::Infallible;
use std::error::Error as _;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::LocalFile;
use super::body::{Reply, Upload};
use super::classify::Subject;
use super::exchange::Side;
use super::hixie;
use super::log::{self, Log, Recording};
use super::rewrite::Names;
use super::treat::{Rules, Treatment};
use super::tunnel::Tunnel;
use super::wire::{Connection, Connections, Wire};
use crate::client::websocket::accept;
use crate::run::boot::Address;

/// Bytes of a request's or an answer's head.
pub(super) const HEAD_LIMIT: usize = 64 * 1024;
/// How long a page may keep a connection on which it asks for nothing.
pub(super) const IDLE_WITHIN: Duration = Duration::from_secs(120);
/// How long the server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What the connections of a proxy share.
pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) local: Vec<LocalFile>,
    pub(super) log: Arc<Log>,
    pub(super) rules: Rules,
    pub(super) connections: Arc<Connections>,
    pub(super) upstream: Mutex<Address>,
}

impl Shared {
    pub(super) fn upstream(&self) -> Address {
        self.upstream.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A connection to the server. A page whose server cannot be reached finds its own connection reset.
    pub(super) async fn connect(&self, upstream: &Address, connection: &Connection) -> io::Result<Wire> {
        let connecting = TcpStream::connect((upstream.host.as_str(), upstream.port));
        let stream = match timeout(CONNECT_WITHIN, connecting).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(error),
            Err(late) => Err(late.into()),
        };
        stream
            .map(|stream| connection.wire(stream))
            .inspect_err(|_| connection.reset())
    }
}

/// Serves a page's connection until either side is gone or it is cut.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let connection = Arc::new(shared.connections.open());
    tokio::select! {
        () = converse(stream, &shared, &connection) => {}
        () = connection.cut() => {}
    }
}

async fn converse(stream: TcpStream, shared: &Arc<Shared>, connection: &Arc<Connection>) {
    let mut wire = connection.wire(stream);
    match hixie::first_head(&mut wire).await {
        // Whoever is gone needs no answer.
        Err(_) => return,
        Ok(Some(head)) => {
            let _ = hixie::relay(head, wire, shared, connection).await;
            return;
        }
        Ok(None) => {}
    }
    let upgraded = Upgraded::default();
    let service = service_fn(|request| {
        let exchange = Conversation {
            shared: Arc::clone(shared),
            connection: Arc::clone(connection),
            upgraded: upgraded.clone(),
        };
        exchange.answer(request)
    });
    // Its error is the end of the connection, however it came about.
    let _ = hyper::server::conn::http1::Builder::new()
        .preserve_header_case(true)
        .max_buf_size(HEAD_LIMIT)
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_WITHIN)
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades()
        .await;
    let tunnel = upgraded.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(tunnel) = tunnel {
        tunnel.run(connection).await;
    }
}

/// Where a request leaves the tunnel that begins when its answer is written.
type Upgraded = Arc<Mutex<Option<Tunnel>>>;

struct Conversation {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    upgraded: Upgraded,
}

impl Conversation {
    /// The answer to a request; an error ends the connection without one.
    async fn answer(self, request: Request<Incoming>) -> io::Result<Response<Reply>> {
        if let Some(file) = self.local(&request) {
            return Ok(file);
        }
        let target = target(request.uri());
        let subject = Subject::of(&target, is_websocket(request.headers()));
        self.connection.carries(subject.transport.as_deref());
        let treatment = self.shared.rules.of(&subject);
        let recording = self.shared.log.begin(log::Request {
            method: request.method().to_string(),
            target,
            subject,
            headers: recorded(request.headers()),
            treatment,
        });
        match treatment {
            Treatment::Pass => self.forward(request, recording, false).await,
            Treatment::Strip => self.forward(request, recording, true).await,
            Treatment::Reset => {
                self.connection.reset();
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Treatment::Refuse => {
                swallow(request, &recording).await;
                recording.answer(403, Vec::new());
                let mut refusal = Response::new(Reply::Whole(Bytes::new()));
                *refusal.status_mut() = StatusCode::FORBIDDEN;
                Ok(refusal)
            }
            Treatment::Hang => {
                // A body that nobody takes would hide that the page goes.
                swallow(request, &recording).await;
                match pending::<Infallible>().await {}
            }
            Treatment::Mute => Ok(self.mute(request, recording).await),
        }
    }

    async fn forward(
        self,
        mut request: Request<Incoming>,
        recording: Arc<Recording>,
        strip: bool,
    ) -> io::Result<Response<Reply>> {
        let upstream = self.shared.upstream();
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let names = Names::new(self.shared.address.port(), host, upstream.authority());
        let page = hyper::upgrade::on(&mut request);
        let strip = strip && is_websocket(request.headers());
        // It may have come as a whole URL, or without a host.
        let target = target(request.uri());
        request
            .headers_mut()
            .entry(header::HOST)
            .or_insert(HeaderValue::from_static(""));
        names.to_server(request.headers_mut(), strip);
        *request.uri_mut() = target.parse().map_err(io::Error::other)?;
        *request.version_mut() = Version::HTTP_11;
        let request = request.map(|incoming| Upload {
            incoming,
            recording: Arc::clone(&recording),
        });

        let connected = self.shared.connect(&upstream, &self.connection).await;
        let wire = connected.inspect_err(|_| recording.left(Side::Server))?;
        let (mut sender, driver) = hyper::client::conn::http1::Builder::new()
            .preserve_header_case(true)
            .max_buf_size(HEAD_LIMIT)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(io::Error::other)?;
        let mut server = JoinSet::new();
        server.spawn(async move {
            // What it fails of, the answer or its body fails of.
            let _ = driver.with_upgrades().await;
        });
        let mut response = sender.send_request(request).await.map_err(|error| {
            recording.left(Side::Server);
            if was_reset(&error) {
                self.connection.reset();
            }
            io::Error::other(error)
        })?;
        names.to_page(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        recording.answer(response.status().as_u16(), recorded(response.headers()));
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let tunnel = Tunnel {
                page,
                server: Some((hyper::upgrade::on(&mut response), server)),
                recording,
            };
            self.leave(tunnel);
            return Ok(response.map(|_| Reply::Whole(Bytes::new())));
        }
        Ok(response.map(|incoming| Reply::Stream {
            incoming,
            recording,
            _server: server,
        }))
    }

    async fn mute(self, mut request: Request<Incoming>, recording: Arc<Recording>) -> Response<Reply> {
        let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
        let accepted = key.and_then(|key| key.to_str().ok()).map(accept);
        let accepted = accepted.filter(|_| is_websocket(request.headers()));
        let page = hyper::upgrade::on(&mut request);
        swallow(request, &recording).await;
        let mut response = Response::new(Reply::Never {
            _recording: Arc::clone(&recording),
        });
        if let Some(accepted) = accepted.and_then(|accepted| HeaderValue::try_from(accepted).ok()) {
            response = Response::new(Reply::Whole(Bytes::new()));
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
            self.leave(Tunnel {
                page,
                server: None,
                recording: Arc::clone(&recording),
            });
        }
        recording.answer(response.status().as_u16(), recorded(response.headers()));
        response
    }

    /// A file that the proxy answers by itself.
    fn local(&self, request: &Request<Incoming>) -> Option<Response<Reply>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let mut files = self.shared.local.iter();
        let file = files.find(|file| file.path == request.uri().path())?;
        self.connection.carries(None);
        let mut response = Response::new(Reply::Whole(file.body.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }

    fn leave(&self, tunnel: Tunnel) {
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
    }
}

async fn swallow(request: Request<Incoming>, recording: &Arc<Recording>) {
    let upload = Upload {
        incoming: request.into_body(),
        recording: Arc::clone(recording),
    };
    upload.swallow().await;
}

fn target(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |target| target.as_str()).to_owned()
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

fn recorded(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

fn was_reset(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset)
}
