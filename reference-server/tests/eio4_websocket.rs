//! Socket.IO 5 over a WebSocket of Engine.IO 4, byte by byte.

mod peer;

use peer::{PATIENCE, Peer, binary_frame, frame, no_session_is_left, server, start, upgrade_engine};
use reference_server::Options;
use rstest::rstest;

#[tokio::test]
async fn a_namespace_is_joined_with_auth_and_left() {
    let server = server().await;
    let mut socket = Peer::websocket(&server, "/socket.io/").await;
    socket.say(r#"40{"token":"123"}"#).await;
    let main = socket.hears_connect("40").await;
    socket.hears(r#"42["auth",{"token":"123"}]"#).await;
    socket.say("40/custom,").await;
    let custom = socket.hears_connect("40/custom,").await;
    assert_ne!(main, custom);
    socket.hears(r#"42/custom,["auth",{}]"#).await;
    socket.say("40/dynamic-101,").await;
    socket.hears_connect("40/dynamic-101,").await;
    socket.hears(r#"42/dynamic-101,["auth",{}]"#).await;
    socket.say("40/dynamic-x,").await;
    socket.hears(r#"44/dynamic-x,{"message":"Invalid namespace"}"#).await;
    socket.say("40/custom?token=abc,").await;
    socket
        .hears(r#"44/custom?token=abc,{"message":"Invalid namespace"}"#)
        .await;
    socket.say("40/forbidden,").await;
    socket
        .hears(r#"44/forbidden,{"message":"not authorized","data":{"reason":"forbidden"}}"#)
        .await;
    // Left and joined again in one read.
    socket.send([frame(b"41"), frame(b"40")].concat()).await;
    assert_ne!(socket.hears_connect("40").await, main);
    socket.hears(r#"42["auth",{}]"#).await;
    socket.say("41").await;
    socket.say(r#"42/custom,7["message-with-ack",1.0,"é"]"#).await;
    socket.hears(r#"43/custom,7[1.0,"é"]"#).await;
    server.shutdown().await;
}

#[rstest]
#[case(r#"42["message",1,{"a":[]}]"#, &[r#"42["message-back",1,{"a":[]}]"#])]
#[case(r#"429["message"]"#, &[r#"42["message-back"]"#, "439[]"])]
#[case(r#"42007["message-with-ack"]"#, &["43007[]"])]
#[case(r#"421["burst",3,"b",{"x":1}]"#, &[r#"42["b",0,{"x":1}]"#, r#"42["b",1,{"x":1}]"#, r#"42["b",2,{"x":1}]"#, "431[]"])]
#[case(r#"421["all","x",1]"#, &[r#"42["x",1]"#, "431[]"])]
#[case(r#"421["broadcast","x",1]"#, &["431[]"])]
#[case(r#"421["join","r"]"#, &[r#"431[["r"]]"#])]
#[case(r#"421["leave","r"]"#, &["431[[]]"])]
#[case(r#"421["count","r"]"#, &["431[0]"])]
#[case(r#"421["except","r","x"]"#, &[r#"42["x"]"#, "431[]"])]
#[case(r#"421["volatile","x",1]"#, &[r#"42["x",1]"#, "431[]"])]
#[case(r#"42["ask",1]"#, &[r#"421["question",1]"#])]
#[case(r#"42["ask-timeout",1]"#, &[r#"421["question"]"#, r#"42["answer-timeout"]"#])]
#[tokio::test]
async fn an_event_does_what_the_contract_says(#[case] event: &str, #[case] expected: &[&str]) {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    socket.say(event).await;
    for message in expected {
        socket.hears(message).await;
    }
    socket.say(r#"4299["message-with-ack"]"#).await;
    socket.hears("4399[]").await;
}

#[tokio::test]
async fn rooms_reach_who_is_in_them() {
    let server = server().await;
    let mut a = Peer::connected(&server).await;
    let mut b = Peer::connected(&server).await;
    a.say(r#"421["join","r"]"#).await;
    a.hears(r#"431[["r"]]"#).await;
    b.say(r#"421["to","r","x",1]"#).await;
    b.hears("431[]").await;
    a.hears(r#"42["x",1]"#).await;
    b.say(r#"422["except","r","y"]"#).await;
    b.hears(r#"42["y"]"#).await;
    b.hears("432[]").await;
    a.say(r#"422["in","r","z"]"#).await;
    a.hears(r#"42["z"]"#).await;
    a.hears("432[]").await;
    drop(a);
    // The room ends with its last member.
    loop {
        b.say(r#"423["count","r"]"#).await;
        let count = b.until("]").await;
        if count.ends_with("[0]") {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_server_asks_and_an_ack_counts_once_in_its_namespace() {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    socket.say("40/custom,").await;
    socket.hears_connect("40/custom,").await;
    socket.hears(r#"42/custom,["auth",{}]"#).await;
    socket.say(r#"42["ask","a"]"#).await;
    socket.hears(r#"421["question","a"]"#).await;
    socket.say(r#"43/custom,1["wrong"]"#).await;
    socket.say(r#"431["b",2]"#).await;
    socket.hears(r#"42["answer","b",2]"#).await;
    socket.say(r#"431["again"]"#).await;
    socket.say(r#"42["ask"]"#).await;
    socket.hears(r#"422["question"]"#).await;
    socket
        .send([frame(br#"461-2[{"_placeholder":true,"num":0}]"#), binary_frame(b"\x01")].concat())
        .await;
    socket.hears(r#"451-["answer",{"_placeholder":true,"num":0}]"#).await;
    socket.hears_bytes(b"\x01").await;
}

#[tokio::test]
async fn binary_data_is_put_in_its_place() {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    let header = r#"452-3["message-with-ack",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}]]"#;
    socket
        .send(
            [
                frame(header.as_bytes()),
                frame(b"6"),
                binary_frame(b"zero"),
                binary_frame(b""),
            ]
            .concat(),
        )
        .await;
    socket
        .hears(r#"462-3[{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]"#)
        .await;
    socket.hears_bytes(b"").await;
    socket.hears_bytes(b"zero").await;
    socket.say(r#"421["binary",2]"#).await;
    socket
        .hears(
            r#"452-["binary",{"part":0,"data":{"_placeholder":true,"num":0}},{"part":1,"data":{"_placeholder":true,"num":1}}]"#,
        )
        .await;
    socket.hears_bytes(b"\x01\x02\x03\0").await;
    socket.hears_bytes(b"\x01\x02\x03\x01").await;
    socket.hears("431[]").await;
}

#[tokio::test]
async fn the_server_lets_clients_go() {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    socket.say("40/custom,").await;
    socket.until(r#"42/custom,["auth",{}]"#).await;
    socket.say(r#"42/custom,["last-words",2,"w"]"#).await;
    for message in [r#"42/custom,["w",0]"#, r#"42/custom,["w",1]"#, "41/custom,"] {
        socket.hears(message).await;
    }
    socket.say("40/custom,").await;
    socket.until(r#"42/custom,["auth",{}]"#).await;
    socket.say(r#"42/custom,["disconnect-me",true]"#).await;
    socket.hears("41").await;
    socket.hears("41/custom,").await;
    socket.hears_end(None).await;
    no_session_is_left(&server).await;
}

#[rstest]
#[case::ping(b"\x81\x812")]
#[case::close(b"\x81\x811")]
#[case::unknown_type(b"\x81\x817")]
#[case::empty(b"\x81\x80")]
#[case::stray_binary(b"\x82\x81\0")]
#[case::second_connect(b"\x81\x8240")]
#[case::not_joined(b"\x81\x8842/x,[1]")]
#[case::no_event(b"\x81\x8242")]
#[case::connect_error(b"\x81\x8444{}")]
#[case::not_json(b"\x81\x8342[")]
#[case::too_many_attachments(b"\x81\x8a4511-[\"a\"]")]
#[tokio::test]
async fn what_no_client_may_send_ends_the_session(#[case] bytes: &[u8]) {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    let (head, payload) = bytes.split_at(2);
    socket.send([head, &[0; 4], payload].concat()).await;
    socket.hears_end(None).await;
    no_session_is_left(&server).await;
}

#[rstest]
#[case::pong(b"\x81\x863wrong")]
#[case::noop(b"\x81\x816")]
#[case::upgrade(b"\x81\x815")]
#[case::open(b"\x81\x810")]
#[case::late_ack(b"\x81\x874399[1]")]
#[case::unknown_event(b"\x81\x8742[\"x\"]")]
#[case::number(b"\x81\x8542[1]")]
#[tokio::test]
async fn what_means_nothing_is_ignored(#[case] bytes: &[u8]) {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    let (head, payload) = bytes.split_at(2);
    socket.send([head, &[0; 4], payload].concat()).await;
    socket.say(r#"421["message-with-ack"]"#).await;
    socket.hears("431[]").await;
}

#[tokio::test]
async fn a_text_in_the_place_of_an_attachment_ends_the_session() {
    let server = server().await;
    let mut socket = Peer::connected(&server).await;
    socket.say(r#"451-["message",{"_placeholder":true,"num":0}]"#).await;
    socket.say(r#"42["message"]"#).await;
    socket.hears_end(None).await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_closed() {
    let server = start(Options::contract()).await;
    let mut socket = Peer::connected(&server).await;
    socket.hears("2").await;
    socket.say("3").await;
    socket.hears("2").await;
    socket.say(r#"42["message"]"#).await;
    socket.hears(r#"42["message-back"]"#).await;
    socket.hears_end(None).await;
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn a_client_that_joins_nothing_is_closed() {
    let server = start(Options {
        connect_timeout: std::time::Duration::from_millis(50),
        ..Options::contract()
    })
    .await;
    let mut socket = Peer::websocket(&server, "/socket.io/").await;
    socket.say("40/nowhere,").await;
    socket.hears(r#"44/nowhere,{"message":"Invalid namespace"}"#).await;
    socket.hears_end(None).await;
}

#[tokio::test]
async fn a_websocket_has_nothing_to_be_upgraded_to() {
    let server = server().await;
    let mut socket = Peer::connect(&server).await;
    socket.send(upgrade_engine("/socket.io/", "")).await;
    socket.until("0{\"sid\":\"").await;
    let sid = socket.until("\"").await.replace('"', "");
    let mut second = Peer::connect(&server).await;
    second.send(upgrade_engine("/socket.io/", &format!("&sid={sid}"))).await;
    let refused = r#"{"code":3,"message":"Bad request"}"#.to_owned();
    assert_eq!(second.answer().await, ("HTTP/1.1 400 Bad Request".to_owned(), refused));
    assert_eq!(server.sessions(), 1);
}

#[tokio::test]
async fn raw_messages_are_echoed() {
    let server = server().await;
    let mut socket = Peer::websocket(&server, "/engine.io/").await;
    socket.say("4hello\u{1e}é").await;
    socket.hears("4hello\u{1e}é").await;
    socket.send(binary_frame(b"\x01\x1e\xff")).await;
    socket.hears_bytes(b"\x01\x1e\xff").await;
    socket.send(frame(&[b'4'; 1_000_001])).await;
    socket.hears_end(Some(1009)).await;
}

#[tokio::test]
async fn a_lost_client_comes_back_as_the_same_socket() {
    let server = start(Options {
        recovery: Some(PATIENCE),
        ping_interval: PATIENCE,
        ..Options::contract()
    })
    .await;
    let mut lost = Peer::websocket(&server, "/socket.io/").await;
    lost.say("40").await;
    let ids = lost.hears_connect("40").await;
    let (id, pid) = ids.split_once("\",\"pid\":\"").unwrap();
    lost.hears(r#"42["auth",{},"0"]"#).await;
    lost.say(r#"421["join","r"]"#).await;
    lost.hears(r#"431[["r"]]"#).await;
    drop(lost);
    no_session_is_left(&server).await;

    let mut other = Peer::websocket(&server, "/socket.io/").await;
    other.say(r#"40{"pid":"unknown","offset":"0"}"#).await;
    assert_ne!(other.hears_connect("40").await, ids);
    other.hears(r#"42["auth",{"pid":"unknown","offset":"0"},"1"]"#).await;
    other.say(r#"421["to","r","missed",1]"#).await;
    other.hears("431[]").await;
    other.say(r#"422["volatile","v"]"#).await;
    other.hears(r#"42["v"]"#).await;
    other.hears("432[]").await;

    let mut back = Peer::websocket(&server, "/socket.io/").await;
    back.say(&format!(r#"40{{"pid":"{pid}","offset":"0"}}"#)).await;
    back.hears(r#"42["missed",1,"2"]"#).await;
    assert_eq!(back.hears_connect("40").await, ids);
    back.hears(&format!(r#"42["auth",{{"pid":"{pid}","offset":"0"}},"3"]"#))
        .await;
    other.say(&format!(r#"423["to","{id}","own"]"#)).await;
    back.hears(r#"42["own","4"]"#).await;
    other.hears("433[]").await;
    other.say(r#"424["to","r","room"]"#).await;
    back.hears(r#"42["room","5"]"#).await;
}
