//! Socket.IO 2 over WebSockets: namespaces, acks, bytes, and rooms that clients of every generation share.

mod peer;

use std::time::Duration;

use peer::{Peer, RFC6455, binary_frame, frame, handshake, no_session_is_left, server, start, upgrade};
use reference_server::Options;
use rstest::rstest;

#[tokio::test]
async fn bytes_stand_behind_their_type() {
    let server = server().await;
    let (mut peer, _) = Peer::connected_eio3(&server).await;
    peer.say("451-[\"message\",{\"_placeholder\":true,\"num\":0}]").await;
    peer.send(binary_frame(&[4, 1, 2, 3])).await;
    peer.hears("451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]")
        .await;
    peer.hears_bytes(&[4, 1, 2, 3]).await;
    peer.say("451-3[\"message-with-ack\",{\"_placeholder\":true,\"num\":0}]")
        .await;
    peer.say("b4AQID").await;
    peer.hears("461-3[{\"_placeholder\":true,\"num\":0}]").await;
    peer.hears_bytes(&[4, 1, 2, 3]).await;
    peer.say("42[\"binary\",1]").await;
    peer.hears("451-[\"binary\",{\"part\":0,\"data\":{\"_placeholder\":true,\"num\":0}}]")
        .await;
    peer.hears_bytes(&[4, 1, 2, 3, 0]).await;
    // An ack of the client with bytes.
    peer.say("42[\"ask\"]").await;
    peer.hears("421[\"question\"]").await;
    peer.say("461-1[{\"_placeholder\":true,\"num\":0}]").await;
    peer.send(binary_frame(&[4])).await;
    peer.hears("451-[\"answer\",{\"_placeholder\":true,\"num\":0}]").await;
    peer.hears_bytes(&[4]).await;
}

#[tokio::test]
async fn a_client_may_want_base64() {
    let server = server().await;
    let (mut peer, _) = Peer::websocket_eio3(&server, "/engine.io/", "&b64=1").await;
    peer.send(binary_frame(&[4, 1, 2, 3])).await;
    peer.hears("b4AQID").await;
    peer.say("4text").await;
    peer.hears("4text").await;
}

#[tokio::test]
async fn the_client_pings() {
    let server = server().await;
    let (mut peer, _) = Peer::connected_eio3(&server).await;
    // A pong, and what means nothing, is not answered.
    for text in ["3", "6", "5", "0", "2", "2abc"] {
        peer.say(text).await;
    }
    peer.send(binary_frame(&[2])).await;
    peer.hears("3").await;
    peer.hears("3abc").await;
    peer.hears("3").await;
    peer.say("421[\"message-with-ack\"]").await;
    peer.hears("431[]").await;
}

#[tokio::test]
async fn who_is_silent_is_closed() {
    let server = start(Options {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..Options::contract()
    })
    .await;
    let (mut silent, _) = Peer::connected_eio3(&server).await;
    silent.hears_end(None).await;
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn namespaces_are_joined_with_a_query() {
    let server = server().await;
    let (mut peer, sid) = Peer::connected_eio3(&server).await;
    peer.say("40/custom?token=abc&x=%C3%A9").await;
    peer.hears("40/custom,").await;
    peer.hears("42/custom,[\"auth\",{\"token\":\"abc\",\"x\":\"é\"}]").await;
    // Twice is once, and so it is with the main one.
    for again in ["40/custom", "40", "40/?a=b,", "42/nowhere,[\"message\"]", "41/nowhere"] {
        peer.say(again).await;
    }
    peer.say("40/dynamic-7,").await;
    peer.hears("40/dynamic-7,").await;
    peer.hears("42/dynamic-7,[\"auth\",{}]").await;
    peer.say("40/forbidden?a=b").await;
    peer.hears("44/forbidden,\"not authorized\"").await;
    peer.say("40/random?a=b,").await;
    peer.hears("44/random,\"Invalid namespace\"").await;
    // The ids of the sockets are rooms, and follow from that of the session.
    peer.say(&format!("421[\"in\",\"{sid}\",\"word\"]")).await;
    peer.hears("42[\"word\"]").await;
    peer.hears("431[]").await;
    peer.say(&format!("42/custom,[\"in\",\"/custom#{sid}\",\"word\"]"))
        .await;
    peer.hears("42/custom,[\"word\"]").await;
    peer.say("42/custom,1[\"join\",\"red\"]").await;
    peer.hears("43/custom,1[[\"red\"]]").await;
    // Leaving the main namespace ends nothing else, and it can be joined anew.
    peer.say("41").await;
    peer.say("421[\"message-with-ack\"]").await;
    peer.say("42/custom,2[\"message-with-ack\"]").await;
    peer.hears("43/custom,2[]").await;
    peer.say("40").await;
    peer.hears("40").await;
    peer.hears("42[\"auth\",{}]").await;
    peer.say("42/custom,[\"disconnect-me\"]").await;
    peer.hears("41/custom,").await;
    peer.say("42[\"last-words\",1,\"bye\",true]").await;
    peer.hears("42[\"bye\",0]").await;
    peer.hears("41/dynamic-7,").await;
    peer.hears("41").await;
    peer.hears_end(None).await;
}

#[tokio::test]
async fn the_handshake_is_shown() {
    let server = server().await;
    let (mut peer, _) = Peer::websocket_eio3(&server, "/socket.io/", "&a=b%20c").await;
    peer.hears("40").await;
    peer.hears("42[\"auth\",{}]").await;
    peer.say("421[\"handshake\"]").await;
    peer.expect_bytes(&[0x81, 126]).await;
    peer.take(2).await;
    let shown = peer.until("\"auth\":{}}]").await;
    assert!(
        shown.contains("\"a\":\"b c\"") && shown.contains("\"upgrade\":\"websocket\""),
        "{shown}"
    );
}

#[rstest]
#[case::unknown("9")]
#[case::nothing("")]
#[case::not_base64("b4AQI")]
#[case::json("42[\"message\"")]
#[case::no_name("42[]")]
#[case::no_array("42\"message\"")]
#[case::attachments("4511-[\"message\"]")]
#[tokio::test]
async fn what_is_no_packet_ends_the_connection(#[case] text: &str) {
    let server = server().await;
    let (mut peer, _) = Peer::connected_eio3(&server).await;
    peer.say(text).await;
    peer.hears_end(None).await;
    no_session_is_left(&server).await;
}

#[rstest]
#[case("49")]
#[case("42")]
#[case("4")]
#[case("43[1]")]
#[case("439[1]")]
#[case("44\"x\"")]
#[case("42[\"disconnect\"]")]
#[tokio::test]
async fn what_the_original_passes_over_does_nothing(#[case] text: &str) {
    let server = server().await;
    let (mut peer, _) = Peer::connected_eio3(&server).await;
    peer.say(text).await;
    peer.say("421[\"message-with-ack\"]").await;
    peer.hears("431[]").await;
}

#[tokio::test]
async fn a_broadcast_reaches_every_generation() {
    // With offsets, which are for those who can come back with them.
    let server = start(Options {
        recovery: Some(Duration::from_secs(60)),
        ping_interval: Duration::from_secs(25),
        ..Options::contract()
    })
    .await;
    let (mut old, _) = Peer::connected_eio3(&server).await;
    let sid = handshake(&server).await;
    let mut first = Peer::connect(&server).await;
    first.send(upgrade("websocket", &sid, RFC6455)).await;
    first.until("\r\n\r\n").await;
    first.hears("1::").await;
    first
        .hears("5:::{\"name\":\"news\",\"args\":[{\"hello\":\"world\"}]}")
        .await;
    let mut new = Peer::websocket(&server, "/socket.io/").await;
    new.say("40").await;
    new.until("42[\"auth\",{},\"").await;
    new.until("\"]").await;

    old.say("421[\"broadcast\",\"word\",1]").await;
    old.hears("431[]").await;
    first.hears("5:::{\"name\":\"word\",\"args\":[1]}").await;
    new.until("42[\"word\",1,\"").await;
    new.until("\"]").await;

    first
        .send(frame(b"5:1+::{\"name\":\"broadcast\",\"args\":[\"word\",2]}"))
        .await;
    first.hears("6:::1").await;
    old.hears("42[\"word\",2]").await;
    new.until("42[\"word\",2,\"").await;
    new.until("\"]").await;

    // Revision 1 has no bytes.
    new.say("451-[\"broadcast\",\"word\",{\"_placeholder\":true,\"num\":0}]")
        .await;
    new.send(binary_frame(&[7])).await;
    old.hears("451-[\"word\",{\"_placeholder\":true,\"num\":0}]").await;
    old.hears_bytes(&[4, 7]).await;
    new.say("42[\"broadcast\",\"word\",3]").await;
    old.hears("42[\"word\",3]").await;
    first.hears("5:::{\"name\":\"word\",\"args\":[3]}").await;
}
