//! A target that can be reached is judged, however it behaves; and each hostile server is as hostile as its name.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use conformance::run::boot::{BaseUrl, Target, start};
use hostile::Hostile;

mod hostile;

/// What comes for `request`, up to `most` bytes, and whether that was all; a second of silence ends it.
fn ask(server: &Hostile, request: &str, most: u64) -> (Vec<u8>, bool) {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    // The server may have hung up already.
    let _ = (&stream).write_all(request.as_bytes());
    let mut got = Vec::new();
    let ended = match stream.take(most).read_to_end(&mut got) {
        Ok(n) => (n as u64) < most,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    (got, ended)
}

const HANDSHAKE: &str = "GET /socket.io/1/?t=1 HTTP/1.1\r\nHost: a\r\n\r\n";
const POLL: &str = "GET /socket.io/1/xhr-polling/4711 HTTP/1.1\r\nHost: a\r\n\r\n";
const MUCH: u64 = 10_000_000;

#[tokio::test]
async fn every_one_of_them_counts_as_reached() {
    for (name, server) in hostile::all() {
        let target = Target::Url(BaseUrl::parse(&server.url()).unwrap());
        let running = start(&target, 1.0).await;
        assert!(running.is_ok(), "{name}");
    }
}

#[test]
fn silence() {
    assert_eq!(ask(&hostile::never_answers(), HANDSHAKE, MUCH), (Vec::new(), false));
    assert_eq!(
        ask(&hostile::handshakes_then_never_answers(), POLL, MUCH),
        (Vec::new(), false)
    );
    assert_eq!(ask(&hostile::closes_at_once(), HANDSHAKE, MUCH), (Vec::new(), true));
}

#[test]
fn noise() {
    let (got, ended) = ask(&hostile::garbage(), HANDSHAKE, MUCH);
    assert!(ended && got.len() > 4096 && !got.starts_with(b"HTTP") && got.contains(&0x1b));
}

#[test]
fn without_end() {
    let cases = [
        (hostile::endless_body(), HANDSHAKE),
        (hostile::huge_head(), HANDSHAKE),
        (hostile::handshakes_then_streams(), POLL),
        (hostile::handshakes_then_sends_a_huge_frame(), POLL),
    ];
    for (server, request) in cases {
        let (got, ended) = ask(&server, request, MUCH);
        assert!(got.len() as u64 == MUCH && !ended, "{} bytes", got.len());
    }
}

#[test]
fn too_little() {
    let (got, ended) = ask(&hostile::huge_content_length(), HANDSHAKE, MUCH);
    assert!(!ended && got.ends_with(b"\r\n\r\n4711:"));
    let (got, ended) = ask(&hostile::drips(), HANDSHAKE, 30);
    assert!(!ended && got.ends_with(b"X-Filler: aaa"), "{got:?}");
}

#[test]
fn handshakes() {
    let servers = [
        hostile::handshakes_then_never_answers(),
        hostile::handshakes_then_streams(),
        hostile::handshakes_then_sends_a_huge_frame(),
    ];
    for server in servers {
        let (got, ended) = ask(&server, HANDSHAKE, MUCH);
        assert!(
            ended && got.starts_with(b"HTTP/1.1 200 ") && got.ends_with(b"jsonp-polling"),
            "{got:?}"
        );
    }
}
