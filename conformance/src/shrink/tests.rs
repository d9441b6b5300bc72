//! Cases whose smallest form is known, against the reference server and against one that is wrong on purpose.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Options, ShrinkError, Shrunk, shrink};
use crate::run::boot::{BaseUrl, Target};
use crate::run::case::Timings;
use crate::scenario::parse::parse;

fn options() -> Options {
    Options {
        tries: 500,
        within: Duration::from_secs(120),
        jobs: 4,
        patience: 1.0,
        timings: Timings::default(),
        keep: Vec::new(),
    }
}

async fn shrunk_by(text: &str, target: &Target, options: &Options) -> Result<Shrunk, ShrinkError> {
    let scenario = parse("test.wire", text).unwrap_or_else(|errors| {
        let shown: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
        panic!("{}\n{text}", shown.join("\n"))
    });
    shrink(&scenario, None, target, options, |_| {}).await
}

async fn shrunk(text: &str) -> Result<Shrunk, ShrinkError> {
    shrunk_by(text, &Target::Embedded, &options()).await
}

/// A conversation of two clients in which one answer is expected wrongly.
const WRONG: &str = r#"case:  eio4/test/wrong
title: a conversation
alone: it is long

# first one, then the other
a open websocket  # +0.1ms
b open websocket /socket.io/?who=b
a > 421["message-with-ack",1,"two"]
a < 431[1,"two"]
a > 422["join","$fresh-red"]
a < 432[["$fresh-red"]]
b > 42["to","$fresh-red","news","a long story"]
a < 42["news","a long story"]
@ sio5#acknowledgement/answer
a > 423["message-with-ack","something that is long",{"deep":[1,2,3]},7]
a < 433["something that is long",{"deep":[1,2,3]},8]
a fence
b > 42["message","bye"]
b < 42["message-back","bye"]
b fence
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_part_in_the_failure_goes() {
    let shrunk = shrunk(WRONG).await.unwrap();
    assert_eq!(shrunk.unfinished, None);
    insta::assert_snapshot!(shrunk.text, @r#"
    case:  eio4/test/wrong
    a open websocket
    a > 423["message-with-ack",0]
    a < 433[8]
    "#);
    assert_eq!((shrunk.progress.from, shrunk.progress.to), (14, 3));
    assert_eq!(shrunk.failure, "packet does not match: $[0]: expected 8, got 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_case_becomes_the_same_small_one_however_many_run_at_a_time() {
    let mut one = options();
    // One after the other, each runs twice.
    one.jobs = 1;
    let (one, four) = tokio::join!(shrunk_by(WRONG, &Target::Embedded, &one), shrunk(WRONG));
    assert_eq!(one.unwrap().text, four.unwrap().text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_that_a_line_would_have_taken_is_another_failure() {
    // `news` is a surprise, and the answers to the messages are none: their lines may not go without the messages.
    let text = r#"case:  eio4/test/surprise

a open websocket
a > 42["message","one"]
a < 42["message-back","one"]
a > 42["volatile","news","x"]
a fence
a > 42["message","two"]
a < 42["message-back","two"]
"#;
    let shrunk = shrunk(text).await.unwrap();
    insta::assert_snapshot!(shrunk.text, @r#"
    case:  eio4/test/surprise
    a open websocket
    a > 42["volatile","news"]
    a fence
    "#);
    // The same with an event of that name whose line could go.
    let text = text.replace("\"news\"", "\"message-back\"");
    let shrunk = shrunk_by(&text, &Target::Embedded, &options()).await.unwrap();
    insta::assert_snapshot!(shrunk.text, @r#"
    case:  eio4/test/surprise
    a open websocket
    a > 42["volatile","message-back"]
    a fence
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_came_what_should_have_made_it_come_stays() {
    let text = r#"case:  eio4/test/nothing

a open websocket
a > 421["message-with-ack","x"]
a < 431["x"]
a > 42["nobody-knows-this","y"]
a < 42["an answer","y"]
"#;
    let shrunk = shrunk(text).await.unwrap();
    insta::assert_snapshot!(shrunk.text, @r#"
    case:  eio4/test/nothing
    a open websocket
    a > 42["nobody-knows-this","y"]
    a < 42["an answer","y"]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_to_stay_stays_and_bounds_are_kept() {
    let mut kept = options();
    kept.keep = vec![8];
    let shrunk = shrunk_by(WRONG, &Target::Embedded, &kept).await.unwrap();
    assert!(shrunk.text.contains("message-with-ack\",1"), "{}", shrunk.text);
    let mut few = options();
    few.tries = 2;
    let shrunk = shrunk_by(WRONG, &Target::Embedded, &few).await.unwrap();
    assert_eq!(
        (shrunk.progress.tries, shrunk.unfinished),
        (2, Some("--tries is reached"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_passes_is_not_shrunk() {
    let passes = WRONG.replace(",8]", ",7]");
    assert!(matches!(shrunk(&passes).await, Err(ShrinkError::Passes)));
}

/// A server of Engine.IO 4 that answers every poll 200 but those with the parameter `bad`, for as long as it has seen a
/// POST before.
async fn wrong_server() -> (Target, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answers(stream));
        }
    });
    (Target::Url(BaseUrl::parse(&url).unwrap()), tasks)
}

async fn answers(mut stream: TcpStream) {
    let (mut bytes, mut posted) = (Vec::new(), false);
    while let Ok(count) = stream.read_buf(&mut bytes).await {
        if count == 0 {
            return;
        }
        while let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|it| it.lines().next()?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if bytes.len() < whole {
                break;
            }
            bytes.drain(..whole);
            posted |= head.starts_with("post");
            let (status, body) = match head.contains("bad=1") && posted {
                true => ("400 Bad Request", "no"),
                false => ("200 OK", "ok"),
            };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_wrong_is_shown_by_the_least_it_takes() {
    let (target, _server) = wrong_server().await;
    let text = r#"case:  eio4/test/refused

a GET /socket.io/?one=1
    x-one: 1
a 200
a << ok
b GET /socket.io/?two=2
b 200
b << ok
a POST /socket.io/?three=3
    x-two: 2
    x-three: 3
a >> a body that is long
a 200
a << ok
a GET /socket.io/?bad=1
a 200
a << ok
"#;
    let shrunk = shrunk_by(text, &target, &options()).await.unwrap();
    insta::assert_snapshot!(shrunk.text, @r#"
    case:  eio4/test/refused
    a POST /socket.io/?three=3
    a 200
    a GET /socket.io/?bad=1
    a 200
    "#);
}
