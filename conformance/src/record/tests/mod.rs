//! The proxy as a whole, between a client and a server that both write their bytes by hand.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Exchange, LocalFile, Proxy, Treatment};
use crate::run::boot::Address;

mod datagrams;
mod faults;
mod http;
mod websocket;

/// No test waits longer for anything; none waits that long when it passes.
const WITHIN: Duration = Duration::from_secs(20);

/// A server that does what the test says, and a proxy in front of it.
struct Between {
    listener: TcpListener,
    proxy: Proxy,
}

impl Between {
    async fn start() -> Between {
        Between::with(Vec::new()).await
    }

    async fn with(local: Vec<LocalFile>) -> Between {
        let (listener, address) = listen().await;
        let proxy = Proxy::start(address, local).await.unwrap();
        Between { listener, proxy }
    }

    /// A page's connection with this already written to it.
    async fn page(&self, bytes: impl AsRef<[u8]>) -> Peer {
        page(&self.proxy, bytes).await
    }

    /// The next connection that the proxy opens.
    async fn server(&self) -> Peer {
        accepted(&self.listener).await
    }

    /// Whether the proxy has opened no connection that was not taken yet.
    fn untouched(&self) -> bool {
        use std::task::{Context, Poll, Waker};
        matches!(
            self.listener.poll_accept(&mut Context::from_waker(Waker::noop())),
            Poll::Pending
        )
    }
}

async fn listen() -> (TcpListener, Address) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        policy_port: None,
    };
    (listener, address)
}

async fn accepted(listener: &TcpListener) -> Peer {
    let (stream, _) = timeout(WITHIN, listener.accept()).await.unwrap().unwrap();
    Peer::new(stream)
}

async fn page(proxy: &Proxy, bytes: impl AsRef<[u8]>) -> Peer {
    let authority = authority(proxy);
    let mut peer = Peer::new(TcpStream::connect(authority).await.unwrap());
    peer.write(bytes).await;
    peer
}

fn authority(proxy: &Proxy) -> String {
    proxy.origin().trim_start_matches("http://").to_owned()
}

/// Waits until the record fits.
async fn recorded(proxy: &Proxy, fits: impl Fn(&[Exchange]) -> bool) -> Vec<Exchange> {
    let waiting = async {
        loop {
            let seen = proxy.revision();
            let exchanges = proxy.exchanges();
            if fits(&exchanges) {
                return exchanges;
            }
            proxy.changed(seen).await;
        }
    };
    match timeout(WITHIN, waiting).await {
        Ok(exchanges) => exchanges,
        Err(_) => panic!("not recorded:\n{}", super::render(&proxy.exchanges())),
    }
}

/// One end of a connection, and what was read from it and not taken.
struct Peer {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Peer {
    fn new(stream: TcpStream) -> Peer {
        Peer {
            stream,
            buffer: Vec::new(),
        }
    }

    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Takes everything up to the end of `mark`.
    async fn until(&mut self, mark: impl AsRef<[u8]>) -> String {
        let mark = mark.as_ref();
        loop {
            let found = self.buffer.windows(mark.len()).position(|window| window == mark);
            if let Some(at) = found {
                let taken: Vec<u8> = self.buffer.drain(..at + mark.len()).collect();
                return String::from_utf8_lossy(&taken).into_owned();
            }
            let read = timeout(WITHIN, self.stream.read_buf(&mut self.buffer)).await;
            let so_far = String::from_utf8_lossy(&self.buffer);
            match read {
                Ok(Ok(count)) if count > 0 => {}
                other => panic!(
                    "{other:?} instead of {:?} after {so_far:?}",
                    String::from_utf8_lossy(mark)
                ),
            }
        }
    }

    async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await.to_ascii_lowercase()
    }

    /// Takes everything up to the end, and says how it came: `None` for an orderly one.
    async fn end(&mut self) -> (String, Option<io::ErrorKind>) {
        loop {
            match timeout(WITHIN, self.stream.read_buf(&mut self.buffer)).await.unwrap() {
                Ok(0) => return (self.rest(), None),
                Ok(_) => {}
                Err(error) => return (self.rest(), Some(error.kind())),
            }
        }
    }

    fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned()
    }
}

const RESET: Option<io::ErrorKind> = Some(io::ErrorKind::ConnectionReset);
const POLL: &str = "/socket.io/?EIO=4&transport=polling";
const SOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
}

fn upgrade(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
}

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
