//! Long polling of Engine.IO 3 by `<script>`: answers are calls, and what is sent comes as a form.

#![expect(clippy::unwrap_used, reason = "what does not hold ends the test")]

mod peer;

use peer::{Peer, no_session_is_left, server};
use reference_server::Server;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// What the answer hands to the callback of this index.
async fn called(server: &Server, target: &str, index: &str) -> String {
    let mut peer = Peer::connect(server).await;
    peer.open(target).await;
    let (head, body) = peer.answer_bytes().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.contains("Content-Type: text/javascript; charset=UTF-8\r\n"),
        "{head}"
    );
    let body = String::from_utf8(body).unwrap();
    assert!(!body.contains(['\u{2028}', '\u{2029}', '\n']), "{body}");
    let literal = body
        .strip_prefix(&format!("___eio[{index}]("))
        .and_then(|rest| rest.strip_suffix(");"));
    serde_json::from_str(literal.unwrap()).unwrap()
}

/// A session behind its greeting: the target of its requests.
async fn polling(server: &Server, path: &str) -> String {
    let target = format!("{path}?EIO=3&transport=polling&j=0");
    let body = called(server, &target, "0").await;
    let greeted = body.ends_with("}2:4013:42[\"auth\",{}]");
    assert!(
        body.starts_with("97:0{\"sid\":\"") && greeted == (path == "/socket.io/"),
        "{body}"
    );
    format!("{target}&sid={}", body.split('"').nth(3).unwrap())
}

async fn post(server: &Server, target: &str, form: &str) -> String {
    let mut peer = Peer::connect(server).await;
    peer.request_with("POST", target, FORM, form).await;
    let (head, body) = peer.answer_bytes().await;
    format!(
        "{} {}",
        head.split(' ').nth(1).unwrap(),
        String::from_utf8(body).unwrap()
    )
}

#[tokio::test]
async fn packets_go_both_ways() {
    let server = server().await;
    let target = polling(&server, "/socket.io/").await;
    // 42["message","é\n<LS>","a b"], where the newline is one of JSON.
    let form = "d=26%3A42%5B%22message%22%2C%22%C3%A9%5C%5Cn%E2%80%A8%22%2C%22a+b%22%5D";
    assert_eq!(post(&server, &target, form).await, "200 ok");
    assert_eq!(
        called(&server, &target, "0").await,
        "31:42[\"message-back\",\"é\\n\u{2028}\",\"a b\"]"
    );
    // Each poll may be for another callback.
    assert_eq!(post(&server, &target, "d=1%3A2").await, "200 ok");
    assert_eq!(called(&server, &target.replace("j=0", "j=17"), "17").await, "1:3");
    // A poll that names none is answered as the session was opened.
    assert_eq!(post(&server, &target, "d=1%3A2").await, "200 ok");
    assert_eq!(called(&server, &target.replace("&j=0", ""), "0").await, "1:3");
}

#[tokio::test]
async fn bytes_go_as_base64() {
    let server = server().await;
    let target = polling(&server, "/engine.io/").await;
    assert_eq!(post(&server, &target, "d=6%3Ab4AQID4%3A4%5Cn%5C%5Cn").await, "200 ok");
    assert_eq!(called(&server, &target, "0").await, "6:b4AQID4:4\n\\n");
}

#[tokio::test]
async fn what_is_no_form_ends_the_session() {
    let server = server().await;
    let target = polling(&server, "/socket.io/").await;
    let refusal = "400 {\"code\":3,\"message\":\"Bad request\"}";
    // A newline that is not escaped is another one than the length counts.
    assert_eq!(post(&server, &target, "d=4%3A4a%5Cn").await, refusal);
    no_session_is_left(&server).await;
    let target = polling(&server, "/socket.io/").await;
    assert_eq!(post(&server, &target, "1:2").await, refusal);
    no_session_is_left(&server).await;
}

#[tokio::test]
async fn a_callback_is_a_number() {
    let server = server().await;
    let target = "/engine.io/?EIO=3&transport=polling&j=alert(1)";
    assert!(called(&server, target, "1").await.starts_with("97:0{"));
}
