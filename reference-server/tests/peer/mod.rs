//! A client that writes bytes and reads bytes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what does not hold ends the test")]
#![allow(dead_code, reason = "each test uses its part")]

use std::time::Duration;

use reference_server::{Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest any answer may take; only ever reached by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server with the contract's application, and times that no test reaches by chance.
pub(crate) async fn server() -> Server {
    start(Options {
        heartbeat_interval: Duration::from_secs(25),
        heartbeat_timeout: PATIENCE,
        ping_interval: Duration::from_secs(25),
        ping_timeout: PATIENCE,
        connect_timeout: PATIENCE,
        ..Options::contract()
    })
    .await
}

pub(crate) async fn start(options: Options) -> Server {
    Server::start(options).await.unwrap()
}

/// A TCP connection to the server.
pub(crate) struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(server: &Server) -> Self {
        Peer {
            stream: TcpStream::connect(server.address()).await.unwrap(),
            read: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends and expects `text`, in this order and nothing before it.
    pub(crate) async fn expect(&mut self, text: &str) {
        self.expect_bytes(text.as_bytes()).await;
    }

    pub(crate) async fn expect_bytes(&mut self, bytes: &[u8]) {
        while self.read.len() < bytes.len() {
            if self.more().await == 0 {
                break;
            }
        }
        let there = self.read.drain(..bytes.len().min(self.read.len())).collect::<Vec<_>>();
        assert_eq!(there.escape_ascii().to_string(), bytes.escape_ascii().to_string());
    }

    /// Everything up to and with `end`.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.read.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let there: Vec<u8> = self.read.drain(..at + end.len()).collect();
                return String::from_utf8_lossy(&there).into_owned();
            }
            assert_ne!(
                self.more().await,
                0,
                "{end:?} never came; {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await > 0 {}
        std::mem::take(&mut self.read)
    }

    /// Sends a request with a body and returns the status line and the body of the answer.
    pub(crate) async fn request(&mut self, method: &str, target: &str, body: impl AsRef<[u8]>) -> (String, String) {
        self.request_with(method, target, "", body).await;
        self.answer().await
    }

    /// Sends a request with a body and further headers, each of which ends with a line break.
    pub(crate) async fn request_with(&mut self, method: &str, target: &str, headers: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        self.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        ))
        .await;
        self.send(body).await;
    }

    pub(crate) async fn answer(&mut self) -> (String, String) {
        let (head, body) = self.answer_bytes().await;
        let status = head.lines().next().unwrap().to_owned();
        (status, String::from_utf8(body).unwrap())
    }

    /// The head and the body of an answer.
    pub(crate) async fn answer_bytes(&mut self) -> (String, Vec<u8>) {
        let head = self.until("\r\n\r\n").await;
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.unwrap_or_else(|| panic!("no length: {head}")).parse().unwrap();
        while self.read.len() < length {
            assert_ne!(self.more().await, 0, "the body broke off");
        }
        let body = self.read.drain(..length).collect();
        (head, body)
    }

    /// A GET whose answer is a stream.
    pub(crate) async fn open(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    }

    async fn more(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes))
            .await
            .expect("the server answers in time")
            .unwrap_or(0);
        self.read.extend_from_slice(&bytes[..read]);
        read
    }
}

/// A new session.
pub(crate) async fn handshake(server: &Server) -> String {
    let (status, body) = Peer::connect(server).await.request("GET", "/socket.io/1/", "").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    body.split(':').next().unwrap().to_owned()
}

/// One request on a connection of its own: the status code and the body.
pub(crate) async fn request(server: &Server, method: &str, target: &str, body: impl AsRef<[u8]>) -> (u16, String) {
    let (status, body) = Peer::connect(server).await.request(method, target, body).await;
    (code(&status), body)
}

/// The code of a status line.
pub(crate) fn code(status: &str) -> u16 {
    status.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What a request of Engine.IO is answered that is refused.
pub(crate) fn refused(code: u8, message: &str) -> (u16, String) {
    (400, format!("{{\"code\":{code},\"message\":\"{message}\"}}"))
}

/// Posts a payload, which is always answered `1`.
pub(crate) async fn post(server: &Server, transport: &str, sid: &str, payload: impl AsRef<[u8]>) {
    let target = format!("/socket.io/1/{transport}/{sid}");
    let answer = Peer::connect(server).await.request("POST", &target, payload).await;
    assert_eq!(answer, ("HTTP/1.1 200 OK".to_owned(), "1".to_owned()));
}

/// Waits until the server has no session any more.
pub(crate) async fn no_session_is_left(server: &Server) {
    let gone = async {
        while server.sessions() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, gone)
        .await
        .unwrap_or_else(|_| panic!("{} sessions are left", server.sessions()));
}

/// A masked text frame of RFC 6455, with the mask that changes nothing.
pub(crate) fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(text.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text);
    frame
}

/// The head of a WebSocket request.
pub(crate) fn upgrade(transport: &str, sid: &str, more: &str) -> String {
    format!(
        "GET /socket.io/1/{transport}/{sid} HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\n{more}\r\n"
    )
}

/// The headers of RFC 6455.
pub(crate) const RFC6455: &str = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A WebSocket request of Engine.IO 4 on this path; `more` is appended to the query.
pub(crate) fn upgrade_engine(path: &str, more: &str) -> String {
    upgrade_version(4, path, more)
}

/// The same of another version.
pub(crate) fn upgrade_version(version: u8, path: &str, more: &str) -> String {
    format!(
        "GET {path}?EIO={version}&transport=websocket{more} HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\n{RFC6455}\r\n"
    )
}

/// A masked binary frame, with the mask that changes nothing.
pub(crate) fn binary_frame(bytes: &[u8]) -> Vec<u8> {
    let mut frame = frame(bytes);
    frame[0] = 0x82;
    frame
}

impl Peer {
    /// A WebSocket of Engine.IO 4 behind its open packet.
    pub(crate) async fn websocket(server: &Server, path: &str) -> Self {
        let mut peer = Peer::connect(server).await;
        peer.send(upgrade_engine(path, "")).await;
        peer.until("\r\n\r\n").await;
        let (opcode, open) = peer.message().await;
        assert_eq!((opcode, open.starts_with(b"0{\"sid\":\"")), (1, true));
        peer
    }

    /// A WebSocket of Engine.IO 3 behind its open packet, and its session id; `more` is appended to the query.
    pub(crate) async fn websocket_eio3(server: &Server, path: &str, more: &str) -> (Self, String) {
        let mut peer = Peer::connect(server).await;
        peer.send(upgrade_version(3, path, more)).await;
        peer.until("\r\n\r\n").await;
        let (_, open) = peer.message().await;
        let open = String::from_utf8(open).unwrap();
        let sid = open
            .strip_prefix("0{\"sid\":\"")
            .and_then(|rest| rest.split('"').next());
        let sid = sid.unwrap_or_else(|| panic!("no open packet: {open}")).to_owned();
        (peer, sid)
    }

    /// The same, greeted in the main namespace.
    pub(crate) async fn connected_eio3(server: &Server) -> (Self, String) {
        let (mut peer, sid) = Peer::websocket_eio3(server, "/socket.io/", "").await;
        peer.hears("40").await;
        peer.hears("42[\"auth\",{}]").await;
        (peer, sid)
    }

    /// The same in Engine.IO 4, connected to the main namespace.
    pub(crate) async fn connected(server: &Server) -> Self {
        let mut peer = Peer::websocket(server, "/socket.io/").await;
        peer.say("40").await;
        peer.hears_connect("40").await;
        peer.hears("42[\"auth\",{}]").await;
        peer
    }

    /// Sends a text message.
    pub(crate) async fn say(&mut self, text: &str) {
        self.send(frame(text.as_bytes())).await;
    }

    /// Expects a text message.
    pub(crate) async fn hears(&mut self, text: &str) {
        let (opcode, there) = self.message().await;
        assert_eq!((opcode, String::from_utf8_lossy(&there).as_ref()), (1, text));
    }

    /// Expects the answer to a CONNECT, and returns the id of the socket.
    pub(crate) async fn hears_connect(&mut self, before: &str) -> String {
        let (_, there) = self.message().await;
        let text = String::from_utf8(there).unwrap();
        let sid = text.strip_prefix(&format!("{before}{{\"sid\":\""));
        sid.and_then(|sid| sid.strip_suffix("\"}"))
            .unwrap_or_else(|| panic!("no CONNECT: {text}"))
            .to_owned()
    }

    /// Expects a binary message.
    pub(crate) async fn hears_bytes(&mut self, bytes: &[u8]) {
        assert_eq!(self.message().await, (2, bytes.to_vec()));
    }

    /// Expects a close frame, with this code or without one, and the end.
    pub(crate) async fn hears_end(&mut self, code: Option<u16>) {
        let payload = code.map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
        let (opcode, there) = self.message().await;
        assert_eq!((opcode, there), (8, payload));
        assert_eq!(self.rest().await, b"");
    }

    /// The opcode and payload of the next frame.
    async fn message(&mut self) -> (u8, Vec<u8>) {
        let head = self.take(2).await;
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.take(2).await.try_into().unwrap())),
            127 => u64::from_be_bytes(self.take(8).await.try_into().unwrap()),
            length => u64::from(length),
        };
        (head[0] & 0x0f, self.take(length.try_into().unwrap()).await)
    }

    /// The next bytes.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert_ne!(self.more().await, 0, "the frame broke off: {:?}", self.read);
        }
        self.read.drain(..count).collect()
    }
}
