//! Each transport once, from the handshake to the end, byte by byte.

mod peer;

use peer::{Peer, RFC6455, frame, handshake, no_session_is_left, post, server, upgrade};
use rstest::rstest;

const NEWS: &str = r#"5:::{"name":"news","args":[{"hello":"world"}]}"#;

#[tokio::test]
async fn xhr_polling() {
    let server = server().await;
    let sid = handshake(&server).await;
    let target = format!("/socket.io/1/xhr-polling/{sid}");
    let ok = |body: &str| ("HTTP/1.1 200 OK".to_owned(), body.to_owned());
    let mut poll = Peer::connect(&server).await;
    assert_eq!(poll.request("GET", &target, "").await, ok("1::"));
    assert_eq!(poll.request("GET", &target, "").await, ok(NEWS));

    post(
        &server,
        "xhr-polling",
        &sid,
        "\u{fffd}5\u{fffd}3:::é\u{fffd}6\u{fffd}4:::{}",
    )
    .await;
    assert_eq!(
        poll.request("GET", &target, "").await,
        ok("\u{fffd}5\u{fffd}3:::é\u{fffd}6\u{fffd}4:::{}")
    );
    assert_eq!(poll.request("GET", &target, "").await, ok("8::"));

    poll.open(&target).await;
    let (status, body) = Peer::connect(&server)
        .await
        .request("GET", &format!("{target}/?disconnect"), "")
        .await;
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", ""));
    // Whether the poll or the disconnect was first is not known.
    let (_, last) = poll.answer().await;
    assert!(["0::", "7:::1+0"].contains(&last.as_str()), "{last}");
    no_session_is_left(&server).await;
    assert_eq!(poll.request("GET", &target, "").await, ok("7:::1+0"));
    server.shutdown().await;
}

#[tokio::test]
async fn jsonp_polling() {
    let server = server().await;
    let sid = handshake(&server).await;
    let target = format!("/socket.io/1/jsonp-polling/{sid}?t=1&i=7");
    let mut poll = Peer::connect(&server).await;
    assert_eq!(poll.request("GET", &target, "").await.1, r#"io.j[7]("1::");"#);
    poll.request("GET", &target, "").await;
    post(
        &server,
        "jsonp-polling",
        &sid,
        "d=%223%3A%3A%3A%3C%2Fscript%3E%E2%80%A8%22",
    )
    .await;
    assert_eq!(
        poll.request("GET", &target, "").await.1,
        r#"io.j[7]("3:::<\/script>\u2028");"#
    );
    post(&server, "jsonp-polling", &sid, "d=%220%3A%3A%22").await;
    no_session_is_left(&server).await;
    assert_eq!(poll.request("GET", &target, "").await.1, r#"io.j[7]("7:::1+0");"#);
}

#[tokio::test]
async fn htmlfile() {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut stream = Peer::connect(&server).await;
    stream.open(&format!("/socket.io/1/htmlfile/{sid}")).await;
    stream.until("\r\n\r\n100\r\n<html>").await;
    stream.until(r#"<script>_("1::");</script>"#).await;
    stream
        .until(r#"<script>_("5:::{\"name\":\"news\",\"args\":[{\"hello\":\"world\"}]}");</script>"#)
        .await;
    post(&server, "htmlfile", &sid, "3:::a/b").await;
    assert!(stream.until(r#"<script>_("3:::a\/b");</script>"#).await.lines().count() <= 3);
    post(&server, "htmlfile", &sid, "0::").await;
    stream.until("<script>_(\"0::\");</script>\r\n0\r\n\r\n").await;
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn xhr_multipart() {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut stream = Peer::connect(&server).await;
    stream.open(&format!("/socket.io/1/xhr-multipart/{sid}")).await;
    let head = stream.until("\r\n\r\n").await;
    assert!(
        head.contains("multipart/x-mixed-replace;boundary=\"socketio\""),
        "{head}"
    );
    stream.until("--socketio\n").await;
    stream.until("Content-Type: text/plain\n\n1::\n--socketio\n").await;
    post(&server, "xhr-multipart", &sid, "0::").await;
    stream.until("Content-Type: text/plain\n\n0::\n--socketio\n").await;
    stream.until("\r\n0\r\n\r\n").await;
    no_session_is_left(&server).await;
}

#[rstest]
#[case("websocket")]
#[case("flashsocket")]
#[tokio::test]
async fn websocket(#[case] transport: &str, #[values(7, 8, 13)] version: u8) {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut socket = Peer::connect(&server).await;
    socket
        .send(upgrade(transport, &sid, &RFC6455.replace("13", &version.to_string())))
        .await;
    let head = socket.until("\r\n\r\n").await.to_lowercase();
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"),
        "{head}"
    );
    socket.expect_bytes(b"\x81\x031::").await;
}

#[tokio::test]
async fn a_batch_of_frames_is_answered_in_order() {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut socket = Peer::connect(&server).await;
    let mut bytes = upgrade("websocket", &sid, RFC6455).into_bytes();
    // Behind the head, in the same segment: what hyper has read of the socket is not lost.
    for packet in [
        "3:1::a",
        "5:2+::{\"name\":\"message-with-ack\",\"args\":[1.0,\"\\ud800\"]}",
        "3:::c",
    ] {
        bytes.extend(frame(packet.as_bytes()));
    }
    socket.send(bytes).await;
    socket.until("\r\n\r\n").await;
    for packet in ["1::", NEWS, "6:::1", "3:::a", r#"6:::2+[1.0,"\ud800"]"#, "3:::c"] {
        socket.expect_bytes(&[0x81, u8::try_from(packet.len()).unwrap()]).await;
        socket.expect(packet).await;
    }
    // A close frame is answered with one, and ends the session.
    socket.send([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;
    socket.expect_bytes(&[0x88, 0x02, 0x03, 0xe8]).await;
    assert_eq!(socket.rest().await, b"");
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn hixie_76() {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut socket = Peer::connect(&server).await;
    let keys = "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n";
    socket.send(upgrade("websocket", &sid, keys)).await;
    let head = socket.until("\r\n\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 101 WebSocket Protocol Handshake\r\n"),
        "{head}"
    );
    // The last part of the challenge may come late.
    socket.send("^n:ds[4U").await;
    socket.expect("8jKS'y:G*Co,Wxa-\0").await;
    socket.expect_bytes(b"1::\xff\0").await;
    socket.expect(NEWS).await;
    socket.send(b"\x003:::\xc3\xa9\xff").await;
    socket.expect_bytes(b"\xff\x003:::\xc3\xa9\xff").await;
    socket.send(b"\xff\x00").await;
    assert_eq!(socket.rest().await, b"");
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn hixie_75() {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade("flashsocket", &sid, "")).await;
    let head = socket.until("\r\n\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 101 Web Socket Protocol Handshake\r\n"),
        "{head}"
    );
    assert!(
        head.contains(&format!("ws://example.com/socket.io/1/flashsocket/{sid}\r\n")),
        "{head}"
    );
    socket.expect_bytes(b"\x001::\xff").await;
}

#[tokio::test]
async fn a_broken_connection_is_resumed_elsewhere_with_nothing_lost() {
    let server = server().await;
    let sid = handshake(&server).await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade("websocket", &sid, RFC6455)).await;
    socket.until(NEWS).await;
    drop(socket);
    post(&server, "xhr-polling", &sid, "3:::a").await;
    post(&server, "xhr-polling", &sid, "3:::b").await;
    let target = format!("/socket.io/1/xhr-polling/{sid}");
    let (_, body) = Peer::connect(&server).await.request("GET", &target, "").await;
    assert_eq!(body, "\u{fffd}5\u{fffd}3:::a\u{fffd}5\u{fffd}3:::b");
}

#[tokio::test]
async fn the_flash_policy_comes_unasked() {
    let server = server().await;
    let policy = tokio::net::TcpStream::connect(server.policy_address().unwrap())
        .await
        .unwrap();
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut { policy }, &mut text)
        .await
        .unwrap();
    assert!(
        text.ends_with("<allow-access-from domain=\"*\" to-ports=\"*\"/></cross-domain-policy>"),
        "{text}"
    );
}
