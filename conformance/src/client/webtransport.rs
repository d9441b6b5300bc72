//! A session of WebTransport and its one bidirectional stream, as a stream of bytes.
//!
//! Every session has an endpoint of its own: that costs a fifth of a millisecond, and a target that misbehaves on one
//! session cannot disturb another. Certificates are not checked, as a server under test makes its own.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::lookup_host;
use wtransport::error::ConnectionError;
use wtransport::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};

/// A server that says nothing for this long is lost. Pings of QUIC keep up a session on which nobody speaks.
const IDLE: Duration = Duration::from_secs(10);

/// How often those are sent.
const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// Opens a session at the UDP port and a stream in it. The caller bounds the wait: nothing answers where nobody listens.
///
/// # Errors
///
/// When the host has no address, or the server refuses the session.
pub(super) async fn connect(host: &str, port: u16, authority: &str, target: &str) -> io::Result<Stream> {
    let address = lookup_host((host, port)).await?.next();
    let address = address.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")))?;
    let local = match address.ip() {
        ip if ip.is_loopback() => ip,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let config = ClientConfig::builder()
        .with_bind_address(SocketAddr::new(local, 0))
        .with_no_cert_validation()
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(IDLE))
        .map_err(io::Error::other)?
        .build();
    let endpoint = Endpoint::client(config)?;
    let url = format!("https://{authority}{target}");
    let session = endpoint.connect(url).await.map_err(io::Error::other)?;
    let stream = async { Ok::<_, Box<dyn std::error::Error + Send + Sync>>(session.open_bi().await?.await?) };
    let (send, receive) = stream.await.map_err(io::Error::other)?;
    Ok(Stream {
        sending: Sending::Open(send),
        receive,
        session,
        ending: None,
    })
}

/// SHA-256 of the certificate of the server at the UDP port, by which a page may trust it. The caller bounds the wait.
///
/// # Errors
///
/// When the server cannot be reached or refuses the session.
pub async fn certificate_hash(host: &str, port: u16, authority: &str, target: &str) -> io::Result<Vec<u8>> {
    let stream = connect(host, port, authority, target).await?;
    let identity = stream.session.peer_identity();
    let certificate = identity.as_ref().and_then(|chain| chain.as_slice().first());
    let certificate = certificate.ok_or_else(|| io::Error::other("the server shows no certificate"))?;
    Ok(certificate.hash().as_ref().to_vec())
}

/// The stream. Dropping it ends the session.
pub(super) struct Stream {
    sending: Sending,
    receive: RecvStream,
    session: Connection,
    /// The session is over, and this will say why.
    ending: Option<Pin<Box<dyn Future<Output = ConnectionError> + Send>>>,
}

/// Our direction.
enum Sending {
    Open(SendStream),
    /// Until all of it has arrived, its end included: the end of the session would overtake it.
    Ending(Pin<Box<dyn Future<Output = ()> + Send>>),
    Ended,
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some(ending) = &mut this.ending {
                return Poll::Ready(match ready!(ending.as_mut().poll(cx)) {
                    // Who closes the session ends its stream.
                    ConnectionError::ConnectionClosed(_)
                    | ConnectionError::ApplicationClosed(_)
                    | ConnectionError::LocallyClosed => Ok(()),
                    lost => Err(io::Error::new(io::ErrorKind::ConnectionReset, lost)),
                });
            }
            match ready!(Pin::new(&mut this.receive).poll_read(cx, buf)) {
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    let session = this.session.clone();
                    this.ending = Some(Box::pin(async move { session.closed().await }));
                }
                result => return Poll::Ready(result),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.sending {
            Sending::Open(send) => Pin::new(send).poll_write(cx, bytes),
            Sending::Ending(_) | Sending::Ended => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.sending {
            Sending::Open(send) => Pin::new(send).poll_flush(cx),
            Sending::Ending(_) | Sending::Ended => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if matches!(this.sending, Sending::Open(_))
            && let Sending::Open(mut send) = std::mem::replace(&mut this.sending, Sending::Ended)
        {
            this.sending = Sending::Ending(Box::pin(async move {
                // An error tells that nobody wants to know the rest.
                let _ = send.finish().await;
            }));
        }
        if let Sending::Ending(ending) = &mut this.sending {
            ready!(ending.as_mut().poll(cx));
            this.sending = Sending::Ended;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UdpSocket;
    use tokio::time::timeout;
    use wtransport::endpoint::endpoint_side;
    use wtransport::{Identity, ServerConfig, VarInt};

    const PATIENCE: Duration = Duration::from_secs(10);

    fn server() -> (Endpoint<endpoint_side::Server>, u16) {
        let config = ServerConfig::builder()
            .with_bind_address((Ipv4Addr::LOCALHOST, 0).into())
            .with_identity(Identity::self_signed(["localhost"]).unwrap())
            .build();
        let server = Endpoint::server(config).unwrap();
        let port = server.local_addr().unwrap().port();
        (server, port)
    }

    async fn client(port: u16) -> io::Result<Stream> {
        let authority = format!("127.0.0.1:{port}");
        timeout(PATIENCE, connect("127.0.0.1", port, &authority, "/socket.io/?a=b"))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn bytes_go_both_ways_until_the_stream_ends() {
        let (server, port) = server();
        let serve = async {
            let request = server.accept().await.await.unwrap();
            assert_eq!(request.path(), "/socket.io/?a=b");
            let session = request.accept().await.unwrap();
            let (mut send, mut receive) = session.accept_bi().await.unwrap();
            let mut said = [0; 5];
            receive.read_exact(&mut said).await.unwrap();
            send.write_all(&said).await.unwrap();
            // Our direction ends when the client has closed its own.
            assert_eq!(receive.read(&mut said).await.unwrap(), None);
            send.finish().await.unwrap();
        };
        let talk = async {
            let mut stream = client(port).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            let mut heard = [0; 5];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
            stream.shutdown().await.unwrap();
            assert_eq!(stream.read(&mut heard).await.unwrap(), 0);
        };
        timeout(PATIENCE, async { tokio::join!(serve, talk) }).await.unwrap();
    }

    #[tokio::test]
    async fn the_end_of_the_session_ends_the_stream_and_a_reset_does_not() {
        let (server, port) = server();
        for reset in [false, true] {
            let serve = async {
                let session = server.accept().await.await.unwrap().accept().await.unwrap();
                let (mut send, mut receive) = session.accept_bi().await.unwrap();
                receive.read_exact(&mut [0]).await.unwrap();
                if reset {
                    send.reset(VarInt::from_u32(7)).unwrap();
                    session.closed().await;
                } else {
                    session.close(VarInt::from_u32(7), b"");
                }
            };
            let talk = async {
                let mut stream = client(port).await.unwrap();
                stream.write_all(b"x").await.unwrap();
                let end = stream.read(&mut [0]).await;
                match reset {
                    false => assert_eq!(end.unwrap(), 0),
                    true => assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset),
                }
            };
            timeout(PATIENCE, async { tokio::join!(serve, talk) }).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_refused_session_is_an_error() {
        let (server, port) = server();
        let serve = async { server.accept().await.await.unwrap().not_found().await };
        let (refused, ()) = tokio::join!(client(port), serve);
        assert!(refused.is_err());
    }

    #[tokio::test]
    async fn silence_and_garbage_end_with_the_callers_patience() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let answer = async {
            let mut datagram = [0; 2048];
            // The first two datagrams are met with silence.
            for number in 0.. {
                let (_, from) = socket.recv_from(&mut datagram).await.unwrap();
                if number >= 2 {
                    socket.send_to(&[0xc0; 1200], from).await.unwrap();
                }
            }
        };
        let authority = format!("127.0.0.1:{port}");
        let attempt = connect("127.0.0.1", port, &authority, "/");
        tokio::select! {
            () = answer => {}
            result = timeout(Duration::from_millis(1500), attempt) => assert!(result.is_err(), "nobody speaks QUIC there"),
        }
    }
}
