//! Each treatment, as a client sees it that has no browser around it.

use rstest::rstest;

use super::*;
use crate::client::websocket::{Opcode, client_frame};

/// Whose end the test makes, once the record shows the request: whatever the proxy wrote before it is read first.
async fn silent(between: &Between, page: &mut Peer, treatment: Treatment) -> String {
    recorded(&between.proxy, |all| {
        all.len() == 1 && all[0].treatment == Some(treatment)
    })
    .await;
    between.proxy.cut("*");
    let (said, end) = page.end().await;
    assert_eq!(end, RESET);
    assert!(between.untouched());
    said
}

#[rstest]
#[case(get(POLL))]
#[case(get("/socket.io/1/?t=1"))]
#[case(upgrade(SOCKET))]
#[case(format!("POST {POLL} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40"))]
#[tokio::test]
async fn refused(#[case] request: String) {
    let between = Between::start().await;
    between.proxy.treat("*", Treatment::Refuse);
    let mut page = between.page(request).await;
    let head = page.head().await;
    assert!(head.starts_with("http/1.1 403"), "{head}");
    assert!(between.untouched());
    let exchanges = between.proxy.exchanges();
    assert_eq!(exchanges[0].treatment, Some(Treatment::Refuse));
    assert_eq!(exchanges[0].answer.as_ref().unwrap().status, 403);
}

#[rstest]
#[case(get(POLL))]
#[case(upgrade(SOCKET))]
#[case(format!("POST {POLL} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40"))]
#[tokio::test]
async fn left_hanging(#[case] request: String) {
    let between = Between::start().await;
    between.proxy.treat("*", Treatment::Hang);
    let mut page = between.page(request).await;
    assert_eq!(silent(&between, &mut page, Treatment::Hang).await, "");
    assert_eq!(between.proxy.exchanges()[0].answer, None);
}

#[rstest]
#[case(get(POLL))]
#[case(format!("POST {POLL} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40"))]
#[tokio::test]
async fn a_page_that_gives_up_hanging_is_noticed(#[case] request: String) {
    let between = Between::start().await;
    between.proxy.treat("polling", Treatment::Hang);
    let page = between.page(request).await;
    recorded(&between.proxy, |all| all.len() == 1).await;
    drop(page);
    recorded(&between.proxy, |all| all[0].ended.is_some()).await;
}

#[tokio::test]
async fn mute() {
    let between = Between::start().await;
    between.proxy.treat("polling", Treatment::Mute);
    let mut page = between.page(get(POLL)).await;
    let head = page.head().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(silent(&between, &mut page, Treatment::Mute).await, "");
}

#[tokio::test]
async fn a_mute_websocket_is_open_and_hears() {
    let between = Between::start().await;
    between.proxy.treat("websocket", Treatment::Mute);
    let mut page = between.page(upgrade(SOCKET)).await;
    let head = page.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    page.write(client_frame(Opcode::Text, b"2probe")).await;
    let exchanges = recorded(&between.proxy, |all| all[0].from_page == 1).await;
    assert_eq!(exchanges[0].frames[0].payload, b"2probe");
    assert_eq!(silent(&between, &mut page, Treatment::Mute).await, "");
}

#[tokio::test]
async fn stripped() {
    let between = Between::start().await;
    between.proxy.treat("websocket", Treatment::Strip);
    let mut page = between.page(upgrade(SOCKET)).await;
    let mut server = between.server().await;
    let head = server.head().await;
    assert!(
        head.starts_with("get /socket.io/?eio=4&transport=websocket http/1.1"),
        "{head}"
    );
    assert!(head.contains("connection: keep-alive\r\n"), "{head}");
    assert!(!head.contains("upgrade") && !head.contains("sec-websocket"), "{head}");
    server
        .write("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert!(page.head().await.starts_with("http/1.1 400"));
    page.until("no").await;
    assert_eq!(between.proxy.exchanges()[0].treatment, Some(Treatment::Strip));
}

#[rstest]
#[case(get(POLL))]
#[case(upgrade(SOCKET))]
#[tokio::test]
async fn reset(#[case] request: String) {
    let between = Between::start().await;
    between.proxy.treat("*", Treatment::Reset);
    let mut page = between.page(request).await;
    assert_eq!(page.end().await, (String::new(), RESET));
    assert!(between.untouched());
    assert_eq!(between.proxy.exchanges()[0].treatment, Some(Treatment::Reset));
}

#[tokio::test]
async fn a_page_passes_whatever_is_said_of_the_protocol() {
    let between = Between::start().await;
    between.proxy.treat("*", Treatment::Reset);
    let mut page = between.page(get("/socket.io/socket.io.js")).await;
    let mut server = between.server().await;
    server.head().await;
    server.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\njs").await;
    page.until("js").await;
    assert_eq!(between.proxy.exchanges()[0].treatment, None);
}

#[tokio::test]
async fn a_cut_resets_one_transport_on_both_sides() {
    let between = Between::start().await;
    let mut poll = between.page(get(POLL)).await;
    let mut polled = between.server().await;
    polled.head().await;
    let mut socket = between.page(upgrade(SOCKET)).await;
    let mut served = between.server().await;
    served.head().await;
    served.write(SWITCHED).await;
    socket.head().await;

    between.proxy.cut("websocket");
    assert_eq!(socket.end().await, (String::new(), RESET));
    assert_eq!(served.end().await.1, RESET);
    polled.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6").await;
    poll.until("\r\n\r\n6").await;

    // Idle now, and still a connection of that transport.
    between.proxy.cut("polling");
    assert_eq!(poll.end().await.1, RESET);
}

#[tokio::test]
async fn another_server_from_now_on() {
    let between = Between::start().await;
    let mut old = between.page(get(POLL)).await;
    between.server().await.head().await;
    let (listener, address) = listen().await;
    between.proxy.point_at(address);
    assert_eq!(old.end().await.1, RESET);
    let _new = between.page(get(POLL)).await;
    let head = accepted(&listener).await.head().await;
    assert!(
        head.contains(&format!("host: {}\r\n", listener.local_addr().unwrap())),
        "{head}"
    );
    assert!(between.untouched());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_reset() {
    let between = Between::start().await;
    drop(between.listener);
    let mut page = page(&between.proxy, get(POLL)).await;
    assert_eq!(page.end().await, (String::new(), RESET));
}
