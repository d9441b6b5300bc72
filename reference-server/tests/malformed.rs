//! What no client should send: the server answers as the original does, or closes, and forgets the session in time.

mod peer;

use std::time::Duration;

use peer::{Peer, RFC6455, frame, handshake, no_session_is_left, post, server, start, upgrade};
use reference_server::{Options, Server};
use rstest::rstest;

/// A polling session, greeted.
async fn polling(server: &Server) -> String {
    let sid = handshake(server).await;
    assert_eq!(poll(server, &sid).await, "1::");
    poll(server, &sid).await;
    sid
}

async fn poll(server: &Server, sid: &str) -> String {
    Peer::connect(server)
        .await
        .request("GET", &format!("/socket.io/1/xhr-polling/{sid}"), "")
        .await
        .1
}

#[rstest]
#[case::empty(b"")]
#[case::garbage(b"hello")]
#[case::no_colons(b"0")]
#[case::unknown_type(b"9:::x")]
#[case::not_utf8(b"\xff\xfe\x80:\xc3::")]
#[case::no_json(b"4:::{bad")]
#[case::no_event(b"5:::[]")]
#[case::no_name(b"5:::{\"args\":[1]}")]
#[case::late_ack(b"6:::99+[1]")]
#[case::no_ack(b"6:::")]
#[case::error(b"7:::1+0")]
#[case::reserved(b"5:::{\"name\":\"disconnect\",\"args\":[]}")]
#[case::nobody_there(b"5:1+:/nowhere:{\"name\":\"message\"}")]
#[case::unknown_namespace(b"1::/nowhere")]
#[case::truncated("\u{fffd}99\u{fffd}3:::x".as_bytes())]
#[case::bad_length("\u{fffd}-1\u{fffd}3:::x".as_bytes())]
#[case::mark_alone("\u{fffd}".as_bytes())]
#[case::half_a_mark(b"\xef\xbf")]
#[case::deep_json(&deep())]
#[tokio::test]
async fn a_bad_packet_is_ignored(#[case] payload: &[u8]) {
    let server = server().await;
    let sid = polling(&server).await;
    post(&server, "xhr-polling", &sid, payload).await;
    post(&server, "jsonp-polling", &sid, payload).await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade("websocket", &sid, RFC6455)).await;
    socket.until("\r\n\r\n").await;
    if std::str::from_utf8(payload).is_ok() {
        socket.send(frame(payload)).await;
    }
    // A binary message, and one that frames packets as a payload does.
    socket.send(b"\x82\x83\0\0\0\x003::").await;
    socket.send(frame("\u{fffd}5\u{fffd}3:::x".as_bytes())).await;
    socket.send(frame(b"3:::still here")).await;
    let heard = socket.until("3:::still here").await;
    assert!(!heard.contains("3:::x"), "{heard}");
    assert_eq!(server.sessions(), 1);
}

/// An event whose argument nests deeper than any parser's stack.
fn deep() -> Vec<u8> {
    let mut packet = b"5:::{\"name\":\"x\",\"args\":".to_vec();
    packet.extend(std::iter::repeat_n(b'[', 100_000));
    packet
}

#[rstest]
#[case::not_utf8(b"\x81\x82\0\0\0\0\xc3\x28", 1007)]
#[case::reserved_opcode(b"\x83\x80\0\0\0\0", 1002)]
#[case::unmasked(b"\x81\x033::", 1002)]
#[case::too_long(b"\x81\xff\0\0\0\x01\0\0\0\0\0\0\0\0", 1009)]
#[case::fragmented_ping(b"\x09\x80\0\0\0\0", 1002)]
#[tokio::test]
async fn a_bad_frame_closes(#[case] bytes: &[u8], #[case] code: u16) {
    let server = server().await;
    let sid = polling(&server).await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade("websocket", &sid, RFC6455)).await;
    socket.until("\r\n\r\n").await;
    socket.send(bytes).await;
    assert_eq!(socket.rest().await, [&[0x88, 0x02], &code.to_be_bytes()[..]].concat());
    no_session_is_left(&server).await;
}

#[rstest]
#[case::no_key("websocket", "Sec-WebSocket-Version: 13\r\n")]
#[case::unknown_version("websocket", "Sec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n")]
#[case::half_a_challenge("websocket", "Sec-WebSocket-Key1: 1 0\r\n")]
#[case::bad_challenge("websocket", "Sec-WebSocket-Key1: 10\r\nSec-WebSocket-Key2: 1 0\r\n")]
#[case::bad_origin(
    "flashsocket",
    "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Origin: http://b\r\n"
)]
#[case::not_upgraded("xhr-polling", RFC6455)]
#[case::unknown_transport("pigeon", RFC6455)]
#[tokio::test]
async fn a_bad_upgrade_is_closed_without_an_answer(#[case] transport: &str, #[case] headers: &str) {
    let server = server().await;
    let sid = polling(&server).await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade(transport, &sid, headers)).await;
    assert_eq!(socket.rest().await, b"");
}

#[tokio::test]
async fn a_socket_of_no_session_is_told_and_closed() {
    let server = server().await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade("websocket", "nobody", RFC6455)).await;
    socket.until("\r\n\r\n").await;
    assert_eq!(socket.rest().await, b"\x81\x077:::1+0\x88\x02\x03\xe8");
}

#[rstest]
#[case::no_http(b"\0\0\0\0\r\n\r\n")]
#[case::bad_head(b"GET / HTTP/1.1\r\nno colon\r\n\r\n")]
#[case::bad_length(b"POST /socket.io/1/xhr-polling/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")]
#[case::bad_chunk(b"POST /socket.io/1/xhr-polling/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
#[case::endless_head(&[b'a'; 200_000])]
#[tokio::test]
async fn what_is_no_http_is_refused(#[case] bytes: &[u8]) {
    let server = server().await;
    let mut peer = Peer::connect(&server).await;
    peer.send(bytes).await;
    let answer = peer.rest().await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
        "{}",
        answer.escape_ascii()
    );
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused() {
    let server = server().await;
    let sid = polling(&server).await;
    let mut peer = Peer::connect(&server).await;
    let target = format!("/socket.io/1/xhr-polling/{sid}");
    let (status, _) = peer.request("POST", &target, vec![b'3'; 10_000_000]).await;
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large");
    assert_eq!(peer.rest().await, b"");
    assert_eq!(server.sessions(), 1);
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let server = start(Options {
        request_timeout: Duration::from_millis(200),
        ..Options::contract()
    })
    .await;
    let mut peer = Peer::connect(&server).await;
    peer.send("GET /socket.io/1/ HTTP/1.1\r\nHo").await;
    peer.rest().await;
    let mut peer = Peer::connect(&server).await;
    peer.send("POST /socket.io/1/xhr-polling/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n3::")
        .await;
    assert!(peer.rest().await.starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
}

#[tokio::test]
async fn a_thousand_polls_that_are_left_leave_no_session() {
    let server = start(Options {
        heartbeat_interval: peer::PATIENCE,
        polling_duration: peer::PATIENCE,
        handshake_timeout: Duration::from_secs(2),
        ..Options::contract()
    })
    .await;
    let mut polls = Vec::new();
    for k in 0..1000 {
        let sid = handshake(&server).await;
        let mut poll = Peer::connect(&server).await;
        let target = format!("/socket.io/1/xhr-polling/{sid}");
        match k % 4 {
            0 => {
                poll.request("GET", &target, "").await;
                poll.request("GET", &target, "").await;
                poll.open(&target).await;
            }
            1 => {
                poll.send(upgrade("websocket", &sid, RFC6455)).await;
                poll.until("1::").await;
            }
            2 => poll.open(&target).await,
            _ => poll.send(format!("GET {target} HTTP/1.1\r\n")).await,
        }
        polls.push(poll);
    }
    assert!(server.sessions() >= 500, "{} sessions", server.sessions());
    drop(polls);
    no_session_is_left(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_full_server_says_so() {
    let server = start(Options {
        max_sessions: 1,
        ..Options::contract()
    })
    .await;
    handshake(&server).await;
    let (status, _) = Peer::connect(&server).await.request("GET", "/socket.io/1/", "").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
}
