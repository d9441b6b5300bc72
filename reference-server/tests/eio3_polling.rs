//! Long polling of Engine.IO 3 by `XMLHttpRequest`: text, base64 and bytes.

#![expect(clippy::unwrap_used, reason = "what does not hold ends the test")]

mod peer;

use std::time::Duration;

use peer::{PATIENCE, Peer, code, frame, no_session_is_left, refused, request, server, start, upgrade_version};
use reference_server::{Options, Server};
use rstest::rstest;

const PATH: &str = "/socket.io/?EIO=3&transport=polling";

/// A session that polls, behind its greeting: the target of its requests.
async fn polling(server: &Server, path: &str, more: &str) -> String {
    let target = format!("{path}?EIO=3&transport=polling{more}");
    let (head, body) = get(server, &target).await;
    let body = String::from_utf8(body).unwrap();
    assert!(head.contains("text/plain; charset=UTF-8"), "{head}");
    let (open, rest) = body.split_once('}').unwrap();
    let greeting = if path == "/socket.io/" {
        "2:4013:42[\"auth\",{}]"
    } else {
        ""
    };
    assert_eq!(rest, greeting);
    assert!(open.contains(":0{\"sid\":\""), "{open}");
    format!("{target}&sid={}", open.split('"').nth(3).unwrap())
}

async fn get(server: &Server, target: &str) -> (String, Vec<u8>) {
    let mut peer = Peer::connect(server).await;
    peer.open(target).await;
    let (head, body) = peer.answer_bytes().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    (head, body)
}

async fn hears(server: &Server, target: &str, payload: &str) {
    let (head, body) = get(server, target).await;
    assert_eq!(String::from_utf8_lossy(&body), payload);
    assert!(head.contains("Content-Type: text/plain; charset=UTF-8\r\n"), "{head}");
}

async fn hears_bytes(server: &Server, target: &str, payload: &[u8]) {
    let (head, body) = get(server, target).await;
    assert_eq!(body.escape_ascii().to_string(), payload.escape_ascii().to_string());
    assert!(head.contains("Content-Type: application/octet-stream\r\n"), "{head}");
}

async fn post(server: &Server, target: &str, body: impl AsRef<[u8]>) {
    assert_eq!(request(server, "POST", target, body).await, (200, "ok".to_owned()));
}

async fn post_bytes(server: &Server, target: &str, body: impl AsRef<[u8]>) -> u16 {
    let mut peer = Peer::connect(server).await;
    peer.request_with("POST", target, "Content-Type: application/octet-stream\r\n", body)
        .await;
    code(&peer.answer().await.0)
}

#[tokio::test]
async fn the_handshake_says_what_the_server_is_like() {
    let server = start(Options::contract()).await;
    let mut peer = Peer::connect(&server).await;
    peer.open(PATH).await;
    peer.until("\r\n\r\n93:0{\"sid\":\"").await;
    assert_eq!(peer.until("\",").await.len(), 20 + 2);
    peer.expect(r#""upgrades":["websocket"],"pingInterval":300,"pingTimeout":200}2:4013:42["auth",{}]"#)
        .await;
}

#[tokio::test]
async fn a_session_is_of_one_version() {
    let server = server().await;
    let old = polling(&server, "/socket.io/", "").await;
    let bad = refused(3, "Bad request");
    assert_eq!(request(&server, "GET", &old.replace("EIO=3", "EIO=4"), "").await, bad);
    assert_eq!(request(&server, "POST", &old.replace("EIO=3", "EIO=4"), "4").await, bad);
    assert_eq!(request(&server, "POST", &old.replace("EIO=3&", ""), "1:4").await, bad);
    let (_, open) = get(&server, "/socket.io/?EIO=4&transport=polling").await;
    let open = String::from_utf8(open).unwrap();
    let sid = open.split('"').nth(3).unwrap();
    assert_eq!(request(&server, "GET", &format!("{PATH}&sid={sid}"), "").await, bad);
    // And it goes on.
    post(&server, &old, "1:2").await;
    hears(&server, &old, "1:3").await;
}

#[tokio::test]
async fn text_and_bytes_go_both_ways() {
    let server = server().await;
    let target = polling(&server, "/socket.io/", "").await;
    post(&server, &target, "21:42[\"message\",\"é😀\",1]1:2").await;
    hears(&server, &target, "26:42[\"message-back\",\"é😀\",1]1:3").await;
    // Base64 is read from everybody.
    let (event, answer) = (
        "451-7[\"message-with-ack\",{\"_placeholder\":true,\"num\":0},\"é\"]",
        "461-7[{\"_placeholder\":true,\"num\":0},\"é\"]",
    );
    let framed = [b"\x00\x04\x01\xff", answer.as_bytes(), b"\x01\x04\xff\x04\x01\x02\x03"].concat();
    assert_eq!(answer.len(), 41);
    post(&server, &target, format!("{}:{event}6:b4AQID", event.chars().count())).await;
    hears_bytes(&server, &target, &framed).await;
    let length: Vec<u8> = event.len().to_string().bytes().map(|digit| digit - b'0').collect();
    let payload = [
        b"\x00",
        &*length,
        b"\xff",
        event.as_bytes(),
        b"\x01\x04\xff\x04\x01\x02\x03",
    ]
    .concat();
    assert_eq!(post_bytes(&server, &target, payload).await, 200);
    hears_bytes(&server, &target, &framed).await;
}

#[tokio::test]
async fn base64_is_for_who_asks_for_it() {
    let server = server().await;
    let target = polling(&server, "/socket.io/", "&b64=1").await;
    let echo = "451-[\"message\",{\"_placeholder\":true,\"num\":0}]";
    post(&server, &target, format!("{}:{echo}6:b4AQID", echo.len())).await;
    let answer = "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]";
    let payload = format!("{}:{answer}6:b4AQID", answer.len());
    hears(&server, &target, &payload).await;
    // Who has asked for it once need not do so again.
    let target = target.replace("&b64=1", "");
    post(&server, &target, format!("{}:{echo}6:b4AQID", echo.len())).await;
    hears(&server, &target, &payload).await;
}

#[tokio::test]
async fn raw_messages_are_echoed() {
    let server = server().await;
    let target = polling(&server, "/engine.io/", "").await;
    post(&server, &target, "6:4hello1:4").await;
    hears(&server, &target, "6:4hello1:4").await;
    assert_eq!(
        post_bytes(&server, &target, b"\x01\x01\xff\x04\x00\x02\xff4a").await,
        200
    );
    hears_bytes(&server, &target, b"\x01\x01\xff\x04\x00\x02\xff4a").await;
    let target = polling(&server, "/engine.io/", "&b64=1").await;
    post(&server, &target, "6:b4AQID1:4").await;
    hears(&server, &target, "6:b4AQID1:4").await;
}

#[rstest]
#[case::separators("42[\"message\"]\u{1e}4")]
#[case::bytes_for_units("18:42[\"message\",\"é\"]")]
#[case::code_points("3:4😀a")]
#[case::unknown_type("1:9")]
#[case::not_base64("5:b4AQI")]
#[case::nothing("")]
#[tokio::test]
async fn a_payload_that_is_none_ends_the_session(#[case] payload: &str) {
    let server = server().await;
    let target = polling(&server, "/socket.io/", "").await;
    assert_eq!(
        request(&server, "POST", &target, payload).await,
        refused(3, "Bad request")
    );
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn bytes_that_are_no_payload_end_the_session() {
    let server = server().await;
    let target = polling(&server, "/socket.io/", "").await;
    assert_eq!(post_bytes(&server, &target, b"\x02\x01\xff4").await, 400);
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn too_much_is_refused_and_the_session_lives() {
    let server = server().await;
    let target = polling(&server, "/socket.io/", "").await;
    let (status, _) = request(&server, "POST", &target, vec![b'x'; 1_000_001]).await;
    assert_eq!(status, 413);
    post(&server, &target, "1:2").await;
    hears(&server, &target, "1:3").await;
}

#[tokio::test]
async fn the_server_never_pings_and_closes_who_is_silent() {
    let server = start(Options {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..Options::contract()
    })
    .await;
    let target = polling(&server, "/socket.io/", "").await;
    let started = tokio::time::Instant::now();
    // The poll is let go with the end, and nothing before it.
    hears(&server, &target, "1:1").await;
    assert!(
        started.elapsed() >= Duration::from_millis(300),
        "{:?}",
        started.elapsed()
    );
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn the_client_ends_the_session() {
    let server = server().await;
    let target = polling(&server, "/socket.io/", "").await;
    let mut poll = Peer::connect(&server).await;
    poll.open(&target).await;
    post(&server, &target, "1:1").await;
    let (status, last) = poll.answer().await;
    // Whether the poll or the close was first is not known.
    assert!(last == "1:6" || (code(&status), last) == refused(1, "Session ID unknown"));
    no_session_is_left(&server).await;
}

#[rstest]
#[case("")]
#[case("&j=0")]
#[tokio::test]
async fn a_session_goes_over_to_a_websocket(#[case] more: &str) {
    let server = server().await;
    let path = "/engine.io/";
    let mut peer = Peer::connect(&server).await;
    let (_, open) = get(&server, &format!("{path}?EIO=3&transport=polling{more}")).await;
    let open = String::from_utf8(open).unwrap().replace('\\', "");
    let sid = open
        .split("\"sid\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let target = format!("{path}?EIO=3&transport=polling{more}&sid={sid}");
    peer.send(upgrade_version(3, path, &format!("&sid={sid}"))).await;
    peer.until("\r\n\r\n").await;
    peer.say("2probe").await;
    peer.hears("3probe").await;
    let (_, last) = get(&server, &target).await;
    assert!(String::from_utf8_lossy(&last).contains("1:6"));
    peer.say("5").await;
    peer.say("4hello").await;
    peer.hears("4hello").await;
    peer.send(peer::binary_frame(&[4, 1, 2])).await;
    peer.hears_bytes(&[4, 1, 2]).await;
    assert_eq!(request(&server, "GET", &target, "").await, refused(3, "Bad request"));
    peer.send(frame(b"1")).await;
    peer.hears_end(None).await;
    assert!(
        tokio::time::timeout(PATIENCE, no_session_is_left(&server))
            .await
            .is_ok()
    );
}
