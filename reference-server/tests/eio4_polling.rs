//! Long polling of Engine.IO 4, and the way from it to a WebSocket.

#![expect(clippy::unwrap_used, reason = "what does not hold ends the test")]

mod peer;

use std::io::Read as _;
use std::time::Duration;

use peer::{Peer, binary_frame, code, frame, no_session_is_left, refused, request, server, start, upgrade_engine};
use reference_server::{Options, Server};
use rstest::rstest;

const PATH: &str = "/socket.io/?EIO=4&transport=polling";

/// A session that polls: the target of its requests.
async fn polling(server: &Server, path: &str) -> String {
    let target = format!("{path}?EIO=4&transport=polling");
    let (status, open) = request(server, "GET", &target, "").await;
    assert_eq!(status, 200);
    let sid = open
        .strip_prefix("0{\"sid\":\"")
        .and_then(|rest| rest.split('"').next());
    format!("{target}&sid={}", sid.unwrap())
}

/// The same, in the main namespace.
async fn connected(server: &Server) -> String {
    let target = polling(server, "/socket.io/").await;
    post(server, &target, "40").await;
    let body = get(server, &target).await;
    assert!(
        body.starts_with("40{\"sid\":\"") && body.ends_with("\u{1e}42[\"auth\",{}]"),
        "{body}"
    );
    target
}

async fn post(server: &Server, target: &str, body: impl AsRef<[u8]>) {
    assert_eq!(request(server, "POST", target, body).await, (200, "ok".to_owned()));
}

async fn get(server: &Server, target: &str) -> String {
    let (status, body) = request(server, "GET", target, "").await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn the_handshake_says_what_the_server_is_like() {
    let server = start(Options::contract()).await;
    let mut peer = Peer::connect(&server).await;
    peer.open(PATH).await;
    let head = peer.until("\r\n\r\n").await.to_lowercase();
    assert!(head.contains("content-type: text/plain; charset=utf-8\r\n"), "{head}");
    assert!(head.contains("cache-control: no-store\r\n"), "{head}");
    let sid = peer.until("\",").await;
    assert_eq!(sid.len(), "0{\"sid\":\"".len() + 20 + 2);
    peer.expect(r#""upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#)
        .await;
}

#[rstest]
#[case("GET", "/socket.io/?EIO=4", refused(0, "Transport unknown"))]
#[case("GET", "/socket.io/?EIO=5&transport=abc", refused(0, "Transport unknown"))]
#[case(
    "GET",
    "/socket.io/?EIO=4&transport=polling&sid=abc",
    refused(1, "Session ID unknown")
)]
#[case(
    "POST",
    "/socket.io/?EIO=4&transport=polling&sid=abc",
    refused(1, "Session ID unknown")
)]
#[case("POST", "/socket.io/?EIO=4&transport=polling", refused(2, "Bad handshake method"))]
#[case("PUT", "/socket.io/?EIO=4&transport=polling", refused(2, "Bad handshake method"))]
#[case("GET", "/socket.io/?EIO=4&transport=websocket", refused(3, "Bad request"))]
#[case(
    "GET",
    "/socket.io/?EIO=5&transport=polling",
    refused(5, "Unsupported protocol version")
)]
#[case("GET", "/engine.io/?transport=polling", refused(5, "Unsupported protocol version"))]
#[case("GET", "/engine.io/", refused(0, "Transport unknown"))]
#[tokio::test]
async fn a_bad_request_is_told_why(#[case] method: &str, #[case] target: &str, #[case] answer: (u16, String)) {
    let server = server().await;
    assert_eq!(request(&server, method, target, "").await, answer);
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn packets_go_both_ways() {
    let server = server().await;
    let target = connected(&server).await;
    post(
        &server,
        &target,
        "42[\"message\",\"é\"]\u{1e}3\u{1e}451-7[\"message-with-ack\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID",
    )
    .await;
    assert_eq!(
        get(&server, &target).await,
        "42[\"message-back\",\"é\"]\u{1e}461-7[{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID"
    );
    // A poll that waits is answered by what comes later.
    let mut poll = Peer::connect(&server).await;
    poll.open(&target).await;
    post(&server, &target, "421[\"message-with-ack\"]").await;
    assert_eq!(poll.answer().await.1, "431[]");
    // The close packet lets the poll go.
    poll.open(&target).await;
    post(&server, &target, "1").await;
    // Whether the poll or the close was first is not known.
    let (status, last) = poll.answer().await;
    assert!(last == "6" || (code(&status), last) == refused(1, "Session ID unknown"));
    no_session_is_left(&server).await;
    assert_eq!(
        request(&server, "GET", &target, "").await,
        refused(1, "Session ID unknown")
    );
}

#[tokio::test]
async fn raw_messages_are_echoed() {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    post(&server, &target, "4hello\u{1e}bAQID\u{1e}4").await;
    assert_eq!(get(&server, &target).await, "4hello\u{1e}bAQID\u{1e}4");
    let other = target.replace("/engine.io/", "/socket.io/");
    assert_eq!(
        request(&server, "GET", &other, "").await,
        refused(1, "Session ID unknown")
    );
}

#[rstest]
#[case::unknown_type(b"abc", false)]
#[case::empty(b"", false)]
#[case::trailing_separator(b"4\x1e", false)]
#[case::ping(b"2", true)]
#[case::not_base64(b"b!", false)]
#[case::not_utf8(b"4\xff", false)]
#[tokio::test]
async fn a_bad_payload_ends_the_session(#[case] body: &[u8], #[case] is_payload: bool) {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    let answer = request(&server, "POST", &target, body).await;
    assert_eq!(
        answer,
        if is_payload {
            (200, "ok".to_owned())
        } else {
            refused(3, "Bad request")
        }
    );
    assert_eq!(
        request(&server, "GET", &target, "").await,
        refused(1, "Session ID unknown")
    );
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn a_bad_packet_of_socket_io_ends_the_session_with_the_next_poll() {
    let server = server().await;
    let target = connected(&server).await;
    post(&server, &target, "42[\"message\"]\u{1e}4abc\u{1e}42[\"message\"]").await;
    assert_eq!(get(&server, &target).await, "42[\"message-back\"]\u{1e}1");
    assert_eq!(
        request(&server, "GET", &target, "").await,
        refused(1, "Session ID unknown")
    );
}

#[tokio::test]
async fn the_last_words_come_before_the_close() {
    let server = server().await;
    let target = connected(&server).await;
    post(&server, &target, "42[\"last-words\",2,\"w\",true]").await;
    assert_eq!(
        get(&server, &target).await,
        "42[\"w\",0]\u{1e}42[\"w\",1]\u{1e}41\u{1e}1"
    );
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn two_polls_at_a_time_end_the_session() {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    let mut polls = [Peer::connect(&server).await, Peer::connect(&server).await];
    let mut answers = Vec::new();
    for poll in &mut polls {
        poll.open(&target).await;
    }
    for poll in &mut polls {
        let (status, body) = poll.answer().await;
        answers.push((code(&status), body));
    }
    answers.sort();
    assert_eq!(answers, [(200, "1".to_owned()), refused(3, "Bad request")]);
    assert_eq!(
        request(&server, "GET", &target, "").await,
        refused(1, "Session ID unknown")
    );
}

#[tokio::test]
async fn two_posts_at_a_time_end_the_session() {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    let mut first = Peer::connect(&server).await;
    first
        .send(format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n4hel"
        ))
        .await;
    // The second counts as one as soon as the server has seen the first.
    let refusal = loop {
        match request(&server, "POST", &target, "4x").await {
            (200, _) => tokio::task::yield_now().await,
            refusal => break refusal,
        }
    };
    assert_eq!(refusal, refused(3, "Bad request"));
    assert_eq!(
        request(&server, "GET", &target, "").await,
        refused(1, "Session ID unknown")
    );
}

#[tokio::test]
async fn a_poll_that_is_dropped_ends_the_session() {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    let mut poll = Peer::connect(&server).await;
    poll.open(&target).await;
    drop(poll);
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn bodies_have_bounds() {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    let (status, _) = request(&server, "POST", &target, vec![b'4'; 1_000_001]).await;
    assert_eq!(status, 413);
    post(&server, &target, vec![b'4'; 1_000_000]).await;
    let mut poll = Peer::connect(&server).await;
    poll.send(format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    ))
    .await;
    let head = poll.until("\r\n\r\n").await;
    assert!(head.contains("Content-Encoding: gzip\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let body = poll.take(length.unwrap().parse().unwrap()).await;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
    assert_eq!(text, "4".repeat(1_000_000));
    // Binary data has its base64; a body of bytes is refused.
    let mut bytes = Peer::connect(&server).await;
    bytes
        .send(format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 1\r\n\r\n4"
        ))
        .await;
    assert_eq!(code(&bytes.answer().await.0), 400);
    no_session_is_left(&server).await;
}

#[rstest]
#[case("http://allowed.example", true)]
#[case("http://evil.example", false)]
#[tokio::test]
async fn one_origin_may_read(#[case] origin: &str, #[case] allowed: bool) {
    let server = server().await;
    for method in ["GET", "OPTIONS", "DELETE"] {
        let mut peer = Peer::connect(&server).await;
        peer.send(format!(
            "{method} {PATH} HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\r\n"
        ))
        .await;
        let head = peer.until("\r\n\r\n").await.to_lowercase();
        let line = format!("access-control-allow-origin: {origin}\r\n");
        assert_eq!(head.contains(&line), allowed, "{head}");
        assert!(head.contains("vary: origin\r\n"), "{head}");
    }
}

#[tokio::test]
async fn a_session_is_upgraded_with_nothing_lost() {
    let server = server().await;
    let target = connected(&server).await;
    let sid = target.rsplit('=').next().unwrap();
    let mut poll = Peer::connect(&server).await;
    poll.open(&target).await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade_engine("/socket.io/", &format!("&sid={sid}"))).await;
    socket.until("\r\n\r\n").await;
    socket.say("2probe").await;
    socket.hears("3probe").await;
    assert_eq!(poll.answer().await.1, "6");
    // Polls go on working, and a second socket is sent away.
    assert_eq!(get(&server, &target).await, "6");
    let mut second = Peer::connect(&server).await;
    second.send(upgrade_engine("/socket.io/", &format!("&sid={sid}"))).await;
    second.until("\r\n\r\n").await;
    second.hears_end(None).await;
    post(&server, &target, "42[\"burst\",2,\"a\"]").await;
    socket
        .send(
            [
                frame(b"5"),
                frame(b"42[\"burst\",1,\"b\"]"),
                frame(b"451-[\"message\",{\"_placeholder\":true,\"num\":0}]"),
            ]
            .concat(),
        )
        .await;
    socket.send(binary_frame(b"\x01")).await;
    socket.hears("42[\"a\",0]").await;
    socket.hears("42[\"a\",1]").await;
    socket.hears("42[\"b\",0]").await;
    socket
        .hears("451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]")
        .await;
    socket.hears_bytes(b"\x01").await;
    assert_eq!(request(&server, "GET", &target, "").await, refused(3, "Bad request"));
    assert_eq!(request(&server, "POST", &target, "4x").await, refused(3, "Bad request"));
    drop(socket);
    no_session_is_left(&server).await;
}

#[rstest]
#[case::no_probe(&["5"])]
#[case::another_ping(&["2foo"])]
#[case::message(&["42[\"message\"]"])]
#[case::message_behind_the_probe(&["2probe", "42[\"message\"]"])]
#[tokio::test]
async fn a_failed_upgrade_leaves_the_session_polling(#[case] messages: &[&str]) {
    let server = server().await;
    let target = connected(&server).await;
    let sid = target.rsplit('=').next().unwrap();
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade_engine("/socket.io/", &format!("&sid={sid}"))).await;
    socket.until("\r\n\r\n").await;
    for message in messages {
        socket.say(message).await;
    }
    if messages.len() > 1 {
        socket.until("3probe").await;
    }
    socket.hears_end(None).await;
    post(&server, &target, "421[\"message-with-ack\"]").await;
    assert_eq!(get(&server, &target).await, "431[]");
}

#[tokio::test]
async fn an_upgrade_has_its_time() {
    let server = start(Options {
        upgrade_timeout: Duration::from_millis(50),
        ping_interval: peer::PATIENCE,
        ..Options::contract()
    })
    .await;
    let target = connected(&server).await;
    let sid = target.rsplit('=').next().unwrap();
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade_engine("/socket.io/", &format!("&sid={sid}"))).await;
    socket.until("\r\n\r\n").await;
    socket.hears_end(None).await;
    post(&server, &target, "421[\"message-with-ack\"]").await;
    assert_eq!(get(&server, &target).await, "431[]");
}
