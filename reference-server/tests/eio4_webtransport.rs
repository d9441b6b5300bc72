//! WebTransport over UDP loopback.

#![expect(clippy::unwrap_used, reason = "what does not hold ends the test")]

mod peer;

use peer::{PATIENCE, Peer, no_session_is_left, start};
use reference_server::{Options, Server};
use tokio::time::timeout;
use wtransport::tls::{Sha256Digest, Sha256DigestFmt};
use wtransport::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};

/// A session of WebTransport and its stream.
struct Client {
    send: SendStream,
    receive: RecvStream,
    connection: Connection,
}

impl Client {
    async fn connect(server: &Server, path: &str) -> Self {
        let digits = server.certificate_hash().unwrap().as_bytes();
        let dotted: Vec<&str> = digits
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap())
            .collect();
        let hash = Sha256Digest::from_str_fmt(dotted.join(":"), Sha256DigestFmt::DottedHex).unwrap();
        let config = ClientConfig::builder()
            .with_bind_address("127.0.0.1:0".parse().unwrap())
            .with_server_certificate_hashes([hash])
            .build();
        let endpoint = Endpoint::client(config).unwrap();
        let connecting = endpoint.connect(format!("https://{}{path}", server.address()));
        let connection = timeout(PATIENCE, connecting).await.unwrap().unwrap();
        let (send, receive) = connection.open_bi().await.unwrap().await.unwrap();
        Client {
            send,
            receive,
            connection,
        }
    }

    async fn say(&mut self, text: &str) {
        let header = u8::try_from(text.len()).unwrap();
        self.send
            .write_all(&[&[header], text.as_bytes()].concat())
            .await
            .unwrap();
    }

    /// The first byte of the header, and the payload.
    async fn message(&mut self) -> (u8, Vec<u8>) {
        let mut first = [0];
        self.read(&mut first).await;
        let mut length = u64::from(first[0] & 0x7f);
        if length == 126 {
            let mut bytes = [0; 2];
            self.read(&mut bytes).await;
            length = u16::from_be_bytes(bytes).into();
        }
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.read(&mut payload).await;
        (first[0], payload)
    }

    async fn read(&mut self, bytes: &mut [u8]) {
        timeout(PATIENCE, self.receive.read_exact(bytes))
            .await
            .unwrap()
            .unwrap();
    }

    async fn hears(&mut self, text: &str) {
        let (_, payload) = self.message().await;
        assert_eq!(String::from_utf8(payload).unwrap(), text);
    }

    async fn hears_end(&mut self) {
        let end = timeout(PATIENCE, self.receive.read(&mut [0; 16])).await.unwrap();
        assert!(matches!(end, Ok(None) | Err(_)), "{end:?}");
    }
}

async fn server() -> Server {
    start(Options {
        webtransport: true,
        ping_interval: PATIENCE,
        ..Options::contract()
    })
    .await
}

#[tokio::test]
async fn a_session_begins_with_an_open_packet() {
    let server = server().await;
    let mut client = Client::connect(&server, "/socket.io/").await;
    client.say("0").await;
    let (_, open) = client.message().await;
    let open = String::from_utf8(open).unwrap();
    assert!(
        open.starts_with("0{\"sid\":\"") && open.contains("\"upgrades\":[],"),
        "{open}"
    );
    client.say("40").await;
    let (_, connect) = client.message().await;
    assert!(connect.starts_with(b"40{\"sid\":"));
    client.hears("42[\"auth\",{}]").await;
    client.say("451-[\"message\",{\"_placeholder\":true,\"num\":0}]").await;
    client.send.write_all(b"\x83\x01\x02\x03").await.unwrap();
    client
        .hears("451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]")
        .await;
    assert_eq!(client.message().await, (0x83, b"\x01\x02\x03".to_vec()));
    client.say("42[\"disconnect-me\",true]").await;
    client.hears("41").await;
    client.hears_end().await;
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn the_last_words_arrive_before_the_end() {
    const WORDS: usize = 5000;
    let server = server().await;
    let mut client = Client::connect(&server, "/socket.io/").await;
    client.say("0").await;
    client.say("40").await;
    for _ in ["open", "connect", "auth"] {
        client.message().await;
    }
    client.say(&format!("42[\"last-words\",{WORDS},\"word\",true]")).await;
    for number in 0..WORDS {
        client.hears(&format!("42[\"word\",{number}]")).await;
    }
    client.hears("41").await;
    client.hears_end().await;
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn a_second_stream_ends_the_session() {
    let server = server().await;
    let mut client = Client::connect(&server, "/engine.io/").await;
    client.say("0").await;
    client.message().await;
    let (mut second, _receive) = client.connection.open_bi().await.unwrap().await.unwrap();
    second.write_all(b"\x010").await.unwrap();
    timeout(PATIENCE, client.connection.closed()).await.unwrap();
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let options = Options {
        port: taken.local_addr().unwrap().port(),
        webtransport: true,
        ..Options::contract()
    };
    let error = Server::start(options).await.err().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_polling_session_is_upgraded() {
    let server = server().await;
    let target = "/engine.io/?EIO=4&transport=polling";
    let (_, open) = Peer::connect(&server).await.request("GET", target, "").await;
    assert!(
        open.contains("\"upgrades\":[\"websocket\",\"webtransport\"],"),
        "{open}"
    );
    let sid = open.strip_prefix("0{\"sid\":\"").unwrap().split('"').next().unwrap();
    let target = format!("{target}&sid={sid}");
    let (_, ok) = Peer::connect(&server).await.request("POST", &target, "4before").await;
    assert_eq!(ok, "ok");
    let mut client = Client::connect(&server, "/engine.io/").await;
    client.say(&format!("0{{\"sid\":\"{sid}\"}}")).await;
    client.say("2probe").await;
    client.hears("3probe").await;
    client.say("5").await;
    client.hears("4before").await;
    client.say("4after").await;
    client.hears("4after").await;
    drop(client);
    timeout(PATIENCE, no_session_is_left(&server)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_open_packet_is_refused() {
    let server = server().await;
    for first in ["2probe", "0{\"sid\":\"unknown\"}", "0[", "7"] {
        let mut client = Client::connect(&server, "/socket.io/").await;
        client.say(first).await;
        client.hears_end().await;
    }
    let mut client = Client::connect(&server, "/engine.io/").await;
    client.send.write_all(&[0]).await.unwrap();
    client.hears_end().await;
    assert_eq!(server.sessions(), 0);
}
