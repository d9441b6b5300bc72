//! Clients of the harness go through a proxy to the reference server with the contract's application; what is written has to
//! replay against another one.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;

use super::{Recorded, Request, write};
use crate::client::TcpConnect;
use crate::client::tape::Progress;
use crate::record::{Caps, Exchange, Proxy};
use crate::run::boot::{Address, embedded};
use crate::run::case::{Played, Setting, Timings, play};
use crate::run::plan::Extras;
use crate::scenario::parse::parse;
use crate::scenario::print::print;

const EXTRAS: Extras = Extras {
    recovery: false,
    webtransport: false,
    pages: false,
};

async fn played(text: &str, address: &Address) -> Played {
    let scenario = parse("test.wire", text).unwrap_or_else(|errors| {
        let shown: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
        panic!("{}\n{text}", shown.join("\n"))
    });
    let setting = Setting {
        connect: Arc::new(TcpConnect {
            host: address.host.clone(),
            port: address.port,
            policy_port: None,
        }),
        progress: Arc::new(Progress::start()),
        patterns: Arc::default(),
        transport: None,
        patience: 3.0,
        timings: Timings::default(),
        fresh: "fresh".to_owned(),
        recorded: false,
        pages: None,
    };
    play(&scenario, setting).await
}

/// Lets the case's clients go through a proxy.
async fn recorded_with(text: &str, extras: Extras) -> (Recorded, Vec<Exchange>) {
    let server = embedded(1.0, extras).await.unwrap();
    let caps = Caps {
        body: 1 << 20,
        frame: 1 << 20,
    };
    let proxy = Proxy::listen(server.address(), "127.0.0.1:0".parse().unwrap(), caps)
        .await
        .unwrap();
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: proxy.port(),
        policy_port: None,
    };
    let played = played(text, &address).await;
    assert!(played.failure.is_none(), "{:?}", played.failure);
    // What the clients left open ends on the proxy's side a moment later.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let exchanges = proxy.exchanges();
    let request = Request {
        name: "test",
        generation: None,
        ended: proxy.elapsed(),
        unrecorded: 0,
    };
    let recorded = write(&exchanges, &request).unwrap_or_else(|error| panic!("{error}\n{error:?}"));
    drop(proxy);
    server.stop().await;
    (recorded, exchanges)
}

async fn recorded(text: &str) -> Recorded {
    recorded_with(text, EXTRAS).await.0
}

async fn replayed_with(text: &str, extras: Extras) -> Played {
    let server = embedded(1.0, extras).await.unwrap();
    let played = played(text, &server.address()).await;
    server.stop().await;
    played
}

async fn replayed(text: &str) -> Played {
    replayed_with(text, EXTRAS).await
}

/// The file without its times and without what only tells of them.
fn timeless(text: &str) -> String {
    let line = |line: &str| line.split("  # +").next().unwrap_or_default().to_owned();
    let lines = text.lines().map(line).filter(|line| !line.contains(" wait "));
    lines.collect::<Vec<_>>().join("\n")
}

/// It is a case, it holds against another server, and it does not hold any more once `said` is another word.
async fn holds(recorded: &Recorded, said: &str, other: &str) {
    let scenario = parse("test.wire", &recorded.text).unwrap();
    assert_eq!(parse("again.wire", &print(&scenario)).unwrap(), scenario);
    let green = replayed(&recorded.text).await;
    assert!(green.failure.is_none(), "{:?}\n{}", green.failure, recorded.text);
    // Of the last line that expects it.
    let mut lines: Vec<String> = recorded.text.lines().map(str::to_owned).collect();
    let last = lines
        .iter_mut()
        .rev()
        .find(|line| line.contains(" < ") && line.contains(said));
    let last = last.unwrap_or_else(|| panic!("nothing expects {said}\n{}", recorded.text));
    *last = last.replace(said, other);
    let red = replayed(&lines.join("\n")).await;
    assert!(
        red.failure.is_some(),
        "nobody sees that {said} became {other}\n{}",
        recorded.text
    );
}

fn modern(generation: &str, transport: &str) -> String {
    let join = match generation {
        "eio4" => "a > 40{\"token\":\"abc\"}\na < 40{\"sid\":$(str)}\na < 42[\"auth\",{\"token\":\"abc\"}]\n",
        _ => "a < 40\na < 42[\"auth\",...]\n",
    };
    format!(
        "case:  {generation}/test/record\nalone: a test\n\n\
         a open bare {transport}\n{join}b open {transport}\n\
         a > 421[\"message-with-ack\",1,\"two\"]\na < 431[1,\"two\"]\n\
         a > 421[\"join\",\"red\"]\na < 431[[\"red\"]]\n\
         b > 42[\"to\",\"red\",\"news\",\"hello\"]\na < 42[\"news\",\"hello\"]\n\
         a > 451-[\"message\",{{\"_placeholder\":true,\"num\":0}},\"\\$x\"]\na >b 0102ff\n\
         a < 451-[\"message-back\",{{\"_placeholder\":true,\"num\":0}},\"\\$x\"]\na <b 0102ff\n\
         a > 41\na wait 30ms\na close\na wait 60ms\nb close\nb wait 60ms\n"
    )
}

#[rstest]
#[case("eio4", "polling")]
#[case("eio4", "websocket")]
#[case("eio4", "upgraded")]
#[case("eio3", "polling")]
#[case("eio3", "polling-b64")]
#[case("eio3", "jsonp")]
#[case("eio3", "websocket")]
#[case("eio3", "upgraded")]
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_replays(#[case] generation: &str, #[case] transport: &str) {
    let mut text = modern(generation, transport);
    if transport == "upgraded" {
        // `open bare` leaves the upgrade to a step of its own.
        text = text.replacen("open bare upgraded", "open bare polling", 1).replacen(
            "b open upgraded",
            "a upgrade websocket\nb open upgraded",
            1,
        );
    }
    let recorded = recorded(&text).await;
    assert_eq!(recorded.lost, Vec::<String>::new(), "{}", recorded.text);
    assert_eq!(recorded.clients, 2);
    let name = format!("{generation}-{transport}");
    insta::assert_snapshot!(name, timeless(&recorded.text));
    holds(&recorded, "\"hello\"", "\"hullo\"").await;
}

#[rstest]
#[case("websocket")]
#[case("flashsocket")]
#[case("htmlfile")]
#[case("xhr-multipart")]
#[case("xhr-polling")]
#[case("jsonp-polling")]
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_of_revision_1_replays(#[case] transport: &str) {
    let text = format!(
        "case:  rev1/test/record\nalone: a test\n\n\
         a open {transport}\nb open {transport}\n\
         a > 5:1+::{{\"name\":\"message-with-ack\",\"args\":[1,\"two\"]}}\na < 6:::1+[1,\"two\"]\n\
         a > 5:2+::{{\"name\":\"join\",\"args\":[\"red\"]}}\na < 6:::$_\n\
         b > 5:::{{\"name\":\"to\",\"args\":[\"red\",\"word\",\"hello\"]}}\n\
         a < 5:::{{\"name\":\"word\",\"args\":[\"hello\"]}}\n\
         a close\na wait 60ms\nb close\nb wait 60ms\n"
    );
    let recorded = recorded(&text).await;
    assert_eq!(recorded.lost, Vec::<String>::new(), "{}", recorded.text);
    insta::assert_snapshot!(format!("rev1-{transport}"), timeless(&recorded.text));
    holds(&recorded, "\"hello\"", "\"hullo\"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_gave_and_clients_repeat_is_captured() {
    let extras = Extras {
        recovery: true,
        ..EXTRAS
    };
    let text = r#"case:  eio4/test/record
needs: recovery
alone: a test

a open bare websocket
a > 40
a < 40{"sid":$id(str),"pid":$pid(str)}
a < 42["auth",{},$offset(str)]
a > 421["message-with-ack","$id"]
a < 431["$id"]
a drop
a wait 50ms
b open bare websocket
b > 40{"pid":"$pid","offset":"$offset"}
b < 40{"sid":"$id","pid":"$pid"}
b < 42["auth",{"pid":"$pid","offset":"$offset"},$(str)]
b close
b wait 60ms
"#;
    let (recorded, _) = recorded_with(text, extras).await;
    insta::assert_snapshot!(timeless(&recorded.text), @r#"
    case:  eio4/recorded/test
    title: a recording of 2 clients
    needs: recovery
    alone: nobody else was there when it was recorded

    a open bare websocket
    a > 40
    a < 40{"sid":$aId(str),"pid":$aPid(str)}
    a < 42["auth",{},$aOffset(str)]
    a > 421["message-with-ack","$aId"]
    a < 431["$aId"]
    a drop
    b open bare websocket
    b > 40{"pid":"$aPid","offset":"$aOffset"}
    b < 40{"sid":"$aId","pid":"$aPid"}
    b < 42["auth",{"pid":"$aPid","offset":"$aOffset"},$(str)]
    b close
    "#);
    let green = replayed_with(&recorded.text, extras).await;
    assert!(green.failure.is_none(), "{:?}\n{}", green.failure, recorded.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_open_cannot_say_is_written_request_by_request() {
    let text = r#"case:  eio4/test/record
alone: a test

a GET /socket.io/?EIO=4&transport=polling
    authorization: Bearer x
a 200
a < 0{"sid":$sid(str),...}
a.post POST /socket.io/?EIO=4&transport=polling&sid=$sid
a.post > 40
a.post 200
a.post << ok
a.poll GET /socket.io/?EIO=4&transport=polling&sid=$sid
a.poll 200
a.poll < 40{"sid":$(str)}
a.poll < 42["auth",{}]
a GET /socket.io/?EIO=4&transport=smoke
a 400
a << $_
a GET /elsewhere
a 404
a << $_
"#;
    let recorded = recorded(text).await;
    insta::assert_snapshot!(timeless(&recorded.text), @r#"
    case:  eio4/recorded/test
    title: a recording of 2 clients
    alone: nobody else was there when it was recorded

    # left out: GET /elsewhere, which is no part of the protocol

    # a: written request by request: its requests have a header authorization
    a.poll GET /socket.io/?EIO=4&transport=polling
        authorization: Bearer x
    a.poll 200
    a.poll < 0{"sid":$aSid(str),"upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}
    a.post POST /socket.io/?EIO=4&transport=polling&sid=$aSid
    a.post > 40
    a.post 200
    a.post << ok
    a.poll GET /socket.io/?EIO=4&transport=polling&sid=$aSid
    a.poll 200
    a.poll < 40{"sid":$(str)}
    a.poll < 42["auth",{}]
    # b: written request by request: no session was opened
    b GET /socket.io/?EIO=4&transport=smoke
    b 400
    b << {"code":0,"message":"Transport unknown"}
    "#);
    assert_eq!(recorded.lost, ["GET /elsewhere, which is no part of the protocol"]);
    let green = replayed(&recorded.text).await;
    assert!(green.failure.is_none(), "{:?}\n{}", green.failure, recorded.text);
}

#[test]
fn nothing_is_no_case() {
    let request = Request {
        name: "test",
        generation: None,
        ended: Duration::from_secs(1),
        unrecorded: 0,
    };
    let error = write(&[], &request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no request of the protocol came, so there is nothing to write: let your client connect to the proxy's address"
    );
}

#[test]
fn lanes_have_names() {
    let names: Vec<String> = [0, 1, 25, 26, 27, 701, 702].into_iter().map(super::lane).collect();
    assert_eq!(names, ["a", "b", "z", "aa", "ab", "zz", "aaa"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_says_of_itself_may_be_absent_from_an_echo() {
    let text = "case:  eio4/test/echo\n\na open polling /socket.io/?t=now7&who=me\n\
                a > 420[\"handshake\"]\na < 430[{\"query\":{\"t\":\"now7\",\"who\":\"me\",...},...}]\n";
    let recorded = recorded(text).await;
    let echo = recorded.text.lines().find(|line| line.contains("< 430["));
    let echo = echo.unwrap_or_else(|| panic!("no echo\n{}", recorded.text));
    assert!(
        echo.contains("\"t\":$(str?)") && echo.contains("\"who\":\"me\""),
        "{echo}"
    );
    holds(&recorded, "\"who\":\"me\"", "\"who\":\"you\"").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_silent_is_told_of() {
    let text = "case:  eio4/test/mute\nauto:  none\n\na GET /socket.io/?EIO=4&transport=polling\na 200\n\
                a << 0{\"sid\":\"$sid\",$_\na.poll GET /socket.io/?EIO=4&transport=polling&sid=$sid\na.poll 200\na.poll << 2\n\
                a.poll GET /socket.io/?EIO=4&transport=polling&sid=$sid\na.poll [.. 2s] 200\na.poll << 1\n";
    let recorded = recorded(text).await;
    let told = recorded
        .lost
        .iter()
        .any(|lost| lost.contains("did not answer the last heartbeat"));
    assert!(told, "{:?}\n{}", recorded.lost, recorded.text);
}

#[rstest]
#[case("eio4")]
#[case("eio3")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_looks_like_a_packet_is_compared_as_text(#[case] generation: &str) {
    let text = format!(
        "case:  {generation}/test/plain\n\na open bare polling /engine.io/\n\
         a > 42pro/be\na < 4$(/2pro\\/be/)\na > 4end\na < 4end\n"
    );
    let recorded = recorded(&text).await;
    holds(&recorded, "2pro", "2con").await;
}
