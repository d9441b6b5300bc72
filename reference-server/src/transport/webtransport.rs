//! `webtransport`: HTTP/3 on the UDP port of the same number, one bidirectional stream a session (eio4, "WebTransport").

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::Semaphore;
use wtransport::endpoint::{IncomingSession, SessionRequest, endpoint_side};
use wtransport::stream::BiStream;
use wtransport::tls::{Certificate, Sha256DigestFmt};
use wtransport::{Endpoint, Identity, ServerConfig, VarInt};

use crate::codec::webtransport::{Frames, encode};
use crate::codec::{Message, eio4};
use crate::server::client::{Application, Handshake};
use crate::server::connection::Connection;
use crate::server::hub::Hub;
use crate::server::shutdown::Shutdown;
use crate::session::{Delivery, Generation};

use super::framed::{End, Framed, Framing};
use super::{engine, websocket};

/// Where sessions come in.
pub(crate) struct Listener {
    endpoint: Endpoint<endpoint_side::Server>,
    /// SHA-256 of the certificate in hexadecimal, by which a client knows it.
    pub(crate) certificate_hash: String,
}

/// What a client names that wants to upgrade a session.
#[derive(Deserialize)]
struct Upgrade {
    sid: String,
}

/// Listens with a certificate of its own, made now and good for two weeks, as browsers ask of one known by its hash.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Listener> {
    let names = ["localhost".to_owned(), address.ip().to_string()];
    let identity = Identity::self_signed(names).map_err(io::Error::other)?;
    let certificates = identity.certificate_chain().as_slice();
    let certificate_hash = certificates.first().map(Certificate::hash);
    let config = ServerConfig::builder()
        .with_bind_address(address)
        .with_identity(identity)
        .build();
    Ok(Listener {
        endpoint: Endpoint::server(config)?,
        certificate_hash: certificate_hash.map_or(String::new(), |hash| {
            let dotted = hash.fmt(Sha256DigestFmt::DottedHex);
            dotted.split(':').collect()
        }),
    })
}

/// Serves sessions until the server stops.
pub(crate) async fn run(listener: Listener, hub: Arc<Hub>, mut stopped: Shutdown) {
    let room = Arc::new(Semaphore::new(hub.options.max_connections));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await;
        let incoming = tokio::select! {
            incoming = listener.endpoint.accept() => incoming,
            () = stopped.wait() => return,
        };
        let (hub, stopped) = (Arc::clone(&hub), stopped.clone());
        tokio::spawn(async move {
            if let Err(error) = serve(&hub, incoming).await {
                tracing::debug!("webtransport: {error}");
            }
            drop((stopped, permit));
        });
    }
}

/// The first packet says whether a session begins or is upgraded; it has as long to come as an upgrade.
async fn serve(hub: &Arc<Hub>, incoming: IncomingSession) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let patience = hub.options.upgrade_timeout;
    let request = tokio::time::timeout(patience, incoming).await??;
    let Some(application) = engine::application_of_path(request.path()) else {
        request.not_found().await;
        return Ok(());
    };
    let handshake = handshake(&request);
    let session = request.accept().await?;
    let stream = tokio::time::timeout(patience, session.accept_bi()).await??;
    let mut socket = Framed::new(BiStream::join(stream), &[], Frames::new(hub.options.max_payload));
    let first = poll_fn(|context| socket.poll_read(context));
    let connection = match tokio::time::timeout(patience, first).await? {
        Some(first) => open(hub, application, handshake, &first),
        None => None,
    };
    match connection {
        Some(connection) => tokio::select! {
            () = websocket::serve(connection, &mut socket) => {}
            () = second_stream(&session) => {}
        },
        None => websocket::refuse(&mut socket, None).await,
    }
    // Not before the client has it all: the session's end would overtake what is under way.
    let _ = tokio::time::timeout(websocket::FAREWELL, socket.stream().send_mut().finish()).await;
    session.close(VarInt::from_u32(0), b"");
    Ok(())
}

/// Waits for what ends a session: a client may not open a second stream in it (eio4, "WebTransport").
async fn second_stream(session: &wtransport::Connection) {
    if session.accept_bi().await.is_err() {
        // The session is over, which its stream tells as well.
        std::future::pending::<()>().await;
    }
}

fn open(hub: &Arc<Hub>, application: Application, handshake: Handshake, first: &Message) -> Option<Connection> {
    match eio4::Packet::decode(first).ok()? {
        eio4::Packet::Open("") => {
            let client = hub.open_engine((Generation::Eio4, application), handshake, &[])?;
            Connection::open(Arc::clone(hub), client, Delivery::Stream).ok()
        }
        eio4::Packet::Open(data) => {
            let upgrade: Upgrade = serde_json::from_str(data).ok()?;
            let client = hub.find_engine(application, &upgrade.sid)?;
            if client.generation != Generation::Eio4 {
                return None;
            }
            Connection::open_upgrade(Arc::clone(hub), client).ok()
        }
        _ => None,
    }
}

fn handshake(request: &SessionRequest) -> Handshake {
    let query = request.path().split_once('?').map_or("", |(_, query)| query);
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    Handshake::new(query, &headers)
}

/// A packet a message, behind a header of its own.
impl Framing for Frames {
    const LINGERS: bool = false;

    fn decode(&mut self, read: &mut BytesMut, _out: &mut BytesMut) -> Result<Option<Message>, End> {
        self.next_message(read).map_err(End::Fault)
    }

    fn encode(&self, message: &Message, out: &mut BytesMut) {
        encode(message, out);
    }
}
