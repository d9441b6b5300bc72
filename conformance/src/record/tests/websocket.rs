//! WebSockets that pass, and those from before RFC 6455.

use super::super::{RAW, render};
use super::*;
use crate::client::websocket::{Opcode, client_frame, server_frame};
use crate::run::boot::embedded;
use crate::run::plan::Extras;

#[tokio::test]
async fn an_acknowledgement_passes() {
    let server = embedded(1.0, Extras::default()).await.unwrap();
    let proxy = Proxy::start(server.address(), Vec::new()).await.unwrap();
    let mut page = page(&proxy, upgrade(SOCKET)).await;
    page.until("0{\"sid\"").await;
    page.write(client_frame(Opcode::Text, b"40")).await;
    page.until("40{").await;
    page.write(client_frame(Opcode::Text, b"421[\"message-with-ack\",1]"))
        .await;
    page.until("431[1]").await;

    let exchange = proxy.exchanges().remove(0);
    assert_eq!(exchange.transport.as_deref(), Some("websocket"));
    let sent: Vec<&[u8]> = exchange
        .frames
        .iter()
        .filter(|frame| frame.from_page)
        .map(|frame| &frame.payload[..])
        .collect();
    assert_eq!(sent, [b"40".as_slice(), b"421[\"message-with-ack\",1]"]);
    let heard = exchange.frames.iter().filter(|frame| !frame.from_page);
    assert!(heard.clone().any(|frame| frame.payload == b"431[1]"), "{exchange}");
    assert_eq!(heard.count() as u64, exchange.from_server);

    page.write(client_frame(Opcode::Close, &[3, 232])).await;
    let (_, end) = page.end().await;
    assert_eq!(end, None);
    drop(page);
    recorded(&proxy, |all| all[0].ended.is_some()).await;
    server.stop().await;
}

#[tokio::test]
async fn an_upgrade_behind_other_requests_passes_with_its_fragments() {
    let between = Between::start().await;
    let mut page = between.page(get(POLL)).await;
    let mut server = between.server().await;
    server.head().await;
    server.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n0{").await;
    page.until("0{").await;

    page.write(upgrade(SOCKET)).await;
    let mut server = between.server().await;
    let head = server.head().await;
    assert!(
        head.contains("upgrade: websocket\r\n") && !head.contains("extensions"),
        "{head}"
    );
    // A frame that comes with the answer's head belongs to it.
    server.write([SWITCHED.as_bytes(), b"\x01\x02he"].concat()).await;
    let first = page.until("he").await;
    assert!(first.ends_with("\r\n\r\n\x01\x02he"), "{first:?}");
    server.write(b"\x80\x01y").await;
    page.until("\u{1}y").await;
    // Cut off in the middle.
    page.write(&client_frame(Opcode::Binary, &[7; 9])[..8]).await;
    drop(page);
    server.end().await;
    drop(server);

    let exchanges = recorded(&between.proxy, |all| all.len() == 2 && all[1].ended.is_some()).await;
    let frames: Vec<_> = exchanges[1]
        .frames
        .iter()
        .map(|frame| {
            (
                frame.from_page,
                frame.opcode,
                frame.fin,
                frame.payload.as_slice(),
                frame.length,
            )
        })
        .collect();
    let expected: [(bool, u8, bool, &[u8], u64); 3] = [
        (false, 1, false, b"he", 2),
        (false, 0, true, b"y", 1),
        (true, 2, true, &[7, 7], 9),
    ];
    assert_eq!(frames, expected);
    let attempts: Vec<String> = between
        .proxy
        .attempts()
        .into_iter()
        .map(|attempt| attempt.transport)
        .collect();
    assert_eq!(attempts, ["polling", "websocket"]);
    let text = render(&exchanges);
    assert!(text.contains("< continuation y"), "{text}");
    assert!(text.contains("> binary 07 07… (9 bytes)"), "{text}");
}

#[tokio::test]
async fn a_server_that_resets_a_websocket_resets_the_page() {
    let between = Between::start().await;
    let mut page = between.page(upgrade(SOCKET)).await;
    let mut server = between.server().await;
    server.head().await;
    server
        .write([SWITCHED.as_bytes(), &server_frame(Opcode::Text, b"0")].concat())
        .await;
    page.until("\u{1}0").await;
    server.stream.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(page.end().await, (String::new(), RESET));
}

const OLD: &str = "/socket.io/1/flashsocket/77";

fn old_upgrade(authority: &str) -> String {
    format!(
        "GET {OLD} HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: {authority}\r\n\
         Origin: http://{authority}\r\nSec-WebSocket-Key1: 1 2\r\nSec-WebSocket-Key2: 3 4\r\n\r\n"
    )
}

#[tokio::test]
async fn an_old_websocket_passes_with_the_bytes_behind_its_head() {
    let between = Between::start().await;
    let (ours, theirs) = (authority(&between.proxy), between.listener.local_addr().unwrap());
    let mut page = between.page(old_upgrade(&ours)).await;
    let mut server = between.server().await;
    let head = server.until("\r\n\r\n").await;
    assert!(
        head.contains(&format!(
            "Host: {theirs}\r\nOrigin: http://{theirs}\r\nSec-WebSocket-Key1: 1 2\r\n"
        )),
        "{head}"
    );
    // Nothing is answered before they are there.
    page.write("12345678").await;
    server.until("12345678").await;
    server
        .write(format!(
            "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Origin: http://{theirs}\r\nSec-WebSocket-Location: ws://{theirs}{OLD}\r\n\r\nabcdefghijklmnop"
        ))
        .await;
    let head = page.until("\r\n\r\n").await;
    assert!(
        head.contains(&format!("Sec-WebSocket-Origin: http://{ours}\r\n")),
        "{head}"
    );
    assert!(
        head.contains(&format!("Sec-WebSocket-Location: ws://{ours}{OLD}\r\n")),
        "{head}"
    );
    page.until("abcdefghijklmnop").await;
    page.write(b"\x001::\xff").await;
    server.until(b"\x001::\xff").await;
    let exchange = between.proxy.exchanges().remove(0);
    assert_eq!(
        (exchange.transport.as_deref(), exchange.sid.as_deref()),
        (Some("flashsocket"), Some("77"))
    );
    assert_eq!(exchange.answer.as_ref().unwrap().status, 101);
    assert!(exchange.frames.iter().all(|frame| frame.opcode == RAW), "{exchange}");
    let sent: Vec<u8> = exchange
        .frames
        .iter()
        .filter(|frame| frame.from_page)
        .flat_map(|frame| frame.payload.clone())
        .collect();
    assert_eq!(sent, b"12345678\x001::\xff");

    between.proxy.cut("flashsocket");
    assert_eq!((page.end().await.1, server.end().await.1), (RESET, RESET));
}

#[rstest::rstest]
#[case(
    Treatment::Refuse,
    "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)]
#[case(
    Treatment::Mute,
    "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n"
)]
#[case(Treatment::Hang, "")]
#[case(Treatment::Reset, "")]
#[tokio::test]
async fn an_old_websocket_is_treated(#[case] treatment: Treatment, #[case] answer: &str) {
    let between = Between::start().await;
    between.proxy.treat("flashsocket", treatment);
    let mut page = between.page(old_upgrade("x")).await;
    let answered = |all: &[Exchange]| all.len() == 1 && (answer.is_empty() || all[0].answer.is_some());
    recorded(&between.proxy, answered).await;
    assert!(answer.is_empty() || page.until("\r\n\r\n").await == answer);
    // A reset, and the end behind a refusal, come by themselves.
    if matches!(treatment, Treatment::Hang | Treatment::Mute) {
        between.proxy.cut("flashsocket");
    }
    let end = if treatment == Treatment::Refuse { None } else { RESET };
    assert_eq!(page.end().await, (String::new(), end));
    assert!(between.untouched());
    assert_eq!(between.proxy.exchanges()[0].treatment, Some(treatment));
}

#[tokio::test]
async fn an_old_websocket_is_stripped_with_the_bytes_behind_its_head() {
    let between = Between::start().await;
    between.proxy.treat("flashsocket", Treatment::Strip);
    let mut page = between.page(format!("{}12345678", old_upgrade("x"))).await;
    let mut server = between.server().await;
    let head = server.head().await;
    assert!(!head.contains("upgrade") && !head.contains("sec-websocket"), "{head}");
    server
        .write("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert!(page.until("no").await.starts_with("HTTP/1.1 400"));
    drop(page);
    assert_eq!(server.end().await.0, "", "no byte behind the head");
    let exchange = between.proxy.exchanges().remove(0);
    assert_eq!(exchange.answer.unwrap().body, b"no");
}
