//! Requests and answers that pass.

use bytes::Bytes;

use super::super::{Attempt, render};
use super::*;
use crate::run::boot::embedded;
use crate::run::plan::Extras;

#[tokio::test]
async fn a_polling_session_passes() {
    let server = embedded(1.0, Extras::default()).await.unwrap();
    let proxy = Proxy::start(server.address(), Vec::new()).await.unwrap();
    let mut peer = page(&proxy, get(POLL)).await;
    peer.until("\"sid\":\"").await;
    let sid = peer.until("\"").await.trim_end_matches('"').to_owned();
    peer.until("}").await;

    let target = format!("{POLL}&sid={sid}");
    peer.write(format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n40"
    ))
    .await;
    peer.until("ok").await;
    peer.write(get(&target)).await;
    peer.until("40{").await;

    let exchanges = recorded(&proxy, |all| {
        all.len() == 3 && all.iter().all(|one| one.ended.is_some())
    })
    .await;
    let [open, post, poll] = &exchanges[..] else {
        panic!("{}", render(&exchanges))
    };
    assert_eq!((open.number, open.sid.as_deref()), (1, None));
    assert!(open.answer.as_ref().unwrap().body.starts_with(b"0{\"sid\""));
    assert_eq!((post.method.as_str(), post.body.as_slice()), ("POST", b"40".as_slice()));
    assert_eq!((post.body_length, post.answer.as_ref().unwrap().status), (2, 200));
    assert_eq!(
        (poll.target.as_str(), poll.sid.as_deref()),
        (target.as_str(), Some(sid.as_str()))
    );
    assert_eq!(poll.treatment, None);
    let attempt = Attempt {
        transport: "polling".into(),
        sid: Some(sid),
    };
    assert_eq!(proxy.attempts(), [attempt]);
    server.stop().await;
}

#[tokio::test]
async fn the_server_sees_its_own_page_and_the_page_sees_the_proxy() {
    let between = Between::start().await;
    let (ours, theirs) = (
        authority(&between.proxy),
        between.listener.local_addr().unwrap().to_string(),
    );
    let mut page = between
        .page(format!(
            "GET /page HTTP/1.1\r\nHost: {ours}\r\nOrigin: http://{ours}\r\nReferer: http://{ours}/page?x\r\n\
             Accept-Encoding: gzip\r\nCookie: a\r\n\r\n"
        ))
        .await;
    let mut server = between.server().await;
    let head = server.head().await;
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    let expected = [
        "cookie: a".to_owned(),
        "get /page http/1.1".to_owned(),
        format!("host: {theirs}"),
        format!("origin: http://{theirs}"),
        format!("referer: http://{theirs}/page?x"),
    ];
    assert_eq!(lines, expected);
    server
        .write(format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{theirs}/b\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
    let head = page.head().await;
    assert!(head.contains(&format!("location: http://{ours}/b\r\n")), "{head}");
    let exchanges = between.proxy.exchanges();
    assert!(exchanges[0].headers.contains(&("host".to_owned(), ours)));
    assert_eq!(
        (exchanges[0].transport.as_deref(), between.proxy.attempts()),
        (None, Vec::new())
    );
}

#[tokio::test]
async fn a_stream_that_is_opened_again_is_another_attempt() {
    let between = Between::start().await;
    let tried = || {
        between
            .proxy
            .attempts()
            .into_iter()
            .map(|it| it.transport)
            .collect::<Vec<_>>()
    };
    let target = "/socket.io/1/htmlfile/77";
    // Reset before its answer: what comes next may be the browser's doing.
    let page = between.page(get(target)).await;
    let mut server = between.server().await;
    server.head().await;
    drop((page, server));
    for expected in [1, 2] {
        let mut page = between.page(get(target)).await;
        let mut server = between.server().await;
        server.head().await;
        assert_eq!(tried(), vec!["htmlfile"; expected]);
        server.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        page.head().await;
    }
}

#[tokio::test]
async fn bodies_pass_in_pieces_both_ways_before_their_end() {
    let between = Between::start().await;
    let target = "/socket.io/1/htmlfile/77";
    let mut page = between
        .page(format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
        ))
        .await;
    let mut server = between.server().await;
    server.until("one").await;
    page.write("3\r\ntwo\r\n").await;
    server.until("two").await;
    page.write("0\r\n\r\n").await;
    server.until("0\r\n\r\n").await;

    server
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    page.head().await;
    server.write("5\r\nfirst\r\n").await;
    page.until("first").await;
    server.write("6\r\nsecond\r\n").await;
    page.until("second").await;
    let exchanges = between.proxy.exchanges();
    assert_eq!(exchanges[0].body, b"onetwo");
    assert_eq!(exchanges[0].answer.as_ref().unwrap().body, b"firstsecond");
    assert_eq!(exchanges[0].ended, None);

    // The page leaves, and the server is told.
    drop(page);
    server.end().await;
    recorded(&between.proxy, |all| all[0].ended.is_some()).await;
}

#[tokio::test]
async fn a_page_that_leaves_while_it_waits_is_gone_for_the_server() {
    let between = Between::start().await;
    let page = between.page(get(POLL)).await;
    let mut server = between.server().await;
    server.head().await;
    drop(page);
    server.end().await;
    let exchanges = recorded(&between.proxy, |all| all[0].ended.is_some()).await;
    assert_eq!(exchanges[0].answer, None);
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_page() {
    let between = Between::start().await;
    let mut page = between.page(get(POLL)).await;
    let mut server = between.server().await;
    server.head().await;
    server
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        .await;
    page.until("ab").await;
    drop(server);
    let (rest, _) = page.end().await;
    assert_eq!(rest, "\r\n", "no last chunk");
}

#[tokio::test]
async fn a_long_body_is_kept_up_to_a_cap_and_passes_whole() {
    let between = Between::start().await;
    let mut page = between.page(get(POLL)).await;
    let mut server = between.server().await;
    server.head().await;
    let length = 3 * super::super::BODY_CAP;
    let writing = async {
        server
            .write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"))
            .await;
        server.write(vec![b'x'; length]).await;
    };
    let reading = async {
        page.head().await;
        page.until(vec![b'x'; length]).await;
    };
    tokio::join!(writing, reading);
    let exchanges = recorded(&between.proxy, |all| all[0].ended.is_some()).await;
    let answer = exchanges[0].answer.as_ref().unwrap();
    assert_eq!(
        (answer.body.len(), answer.body_length),
        (super::super::BODY_CAP, length as u64)
    );
}

#[tokio::test]
async fn a_local_file_needs_no_server_and_leaves_no_trace() {
    let file = LocalFile {
        path: "/scenario.html".into(),
        content_type: "text/html",
        body: Bytes::from_static(b"<p>"),
    };
    let between = Between::with(vec![file]).await;
    between.proxy.treat("*", Treatment::Refuse);
    let mut page = between.page(get("/scenario.html?EIO=4&transport=polling")).await;
    let head = page.head().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(
        head.contains("content-type: text/html\r\n") && head.contains("cache-control: no-store\r\n"),
        "{head}"
    );
    page.until("<p>").await;
    assert!(between.untouched());
    assert_eq!(between.proxy.exchanges(), []);
}

#[tokio::test]
async fn dropping_the_proxy_ends_everything() {
    let between = Between::start().await;
    let mut page = between.page(get(POLL)).await;
    let mut server = between.server().await;
    server.head().await;
    let origin = authority(&between.proxy);
    drop(between.proxy);
    page.end().await;
    server.end().await;
    assert!(TcpStream::connect(&origin).await.is_err());
    std::net::UdpSocket::bind(&origin).unwrap();
}
