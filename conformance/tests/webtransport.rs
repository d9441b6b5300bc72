//! WebTransport: found where a target has it, provable above its stream, and bounded where a target misbehaves on it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use conformance::client::TcpConnect;
use conformance::client::tape::Progress;
use conformance::prove::{Options, prove};
use conformance::run::boot::embedded;
use conformance::run::case::{Setting, Timings, play};
use conformance::run::offer::offer;
use conformance::run::plan::Extras;
use conformance::scenario::Generation;
use conformance::scenario::catalogue::Case;
use conformance::scenario::parse::parse;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use wtransport::endpoint::endpoint_side;
use wtransport::{Endpoint, Identity, ServerConfig};

/// More than any of these cases takes, on a busy machine.
const BOUND: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_asked_whether_it_has_it() {
    for webtransport in [true, false] {
        let extras = Extras {
            webtransport,
            ..Extras::default()
        };
        let server = embedded(5.0, extras).await.unwrap();
        let offer = offer(&server.address(), &[], 5.0).await;
        let transports = &offer.transports[&Generation::Eio4];
        assert_eq!(transports.contains(&"webtransport".to_owned()), webtransport);
        assert!(transports.contains(&"upgraded".to_owned()));
        server.stop().await;
    }
}

const OPENED: &str = r#"case: eio4/prove/webtransport-opened
title: an echo with binary data, and the end

@ feature#message/binary
a open webtransport
a > 451-["message",{"_placeholder":true,"num":0}]
a >b 010203
a < 451-["message-back",{"_placeholder":true,"num":0}]
a <b 010203
a fence
@ feature#disconnect/close
a > 42["disconnect-me",true]
a < 41
a closed
"#;

const UPGRADED: &str = r#"case: eio4/prove/webtransport-upgraded
title: an upgrade by the runner

@ eio4#upgrade/webtransport
a open polling
a > 42["message","before"]
a < 42["message-back","before"]
a upgrade webtransport
a > 42["message","after"]
a < 42["message-back","after"]
a fence
"#;

const BY_HAND: &str = r#"case: eio4/prove/webtransport-by-hand
title: packets and bytes by hand, and our own end

@ eio4#webtransport/header
a.wt wt /engine.io/
a.wt > 0
a.wt < 0{"sid":$(str),...}
a.wt >> \x064hello
a.wt <<+ \x064hello
a.wt >x 82 01 02
a.wt <x 82 01 02
a.wt half-close
a.wt eof
b.wt wt /engine.io/
b.wt > 0
b.wt < 0{"sid":$(str),...}
b.wt > 4last
b.wt < 4last
b.wt close
c.wt wt /engine.io/
c.wt > 4
c.wt closed
"#;

#[test]
fn it_is_proven_above_its_stream() {
    let cases: Vec<Case> = [OPENED, UPGRADED, BY_HAND].map(case).into();
    let options = Options {
        everything: true,
        ..Options::default()
    };
    let report = prove(cases, &options).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.cases, 3);
    assert!(report.mutants > 60, "{report}");
}

fn case(text: &str) -> Case {
    let scenario = parse("case.wire", text).unwrap();
    Case {
        id: scenario.headers.case.node.clone(),
        scenario: Arc::new(scenario),
        transport: None,
    }
}

/// What a server does on UDP, whose handshake over TCP offers an upgrade to WebTransport.
#[derive(Clone, Copy, Debug)]
enum Quic {
    Silence,
    Refusal,
    ClosesTheSession,
    SaysNothing,
    PacketsWithoutEnd,
    PacketWithoutEnd,
    HugeLength,
    Nonsense,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_udp_a_case_fails_soon() {
    let cases = [
        "a open webtransport\na > 42[\"message\"]\na < 42[\"message-back\"]\na fence\n",
        "a.wt wt /socket.io/\na.wt > 0\na.wt < 0{\"sid\":$(str)}\n",
        "a open bare polling\na upgrade webtransport\na > 40\na < 40{\"sid\":$(str)}\n",
    ];
    let modes = [
        Quic::Silence,
        Quic::Refusal,
        Quic::ClosesTheSession,
        Quic::SaysNothing,
        Quic::PacketsWithoutEnd,
        Quic::PacketWithoutEnd,
        Quic::HugeLength,
        Quic::Nonsense,
    ];
    for mode in modes {
        let (address, server) = serve(mode).await;
        for steps in cases {
            let text = format!("case: eio4/quic/look\ntitle: a look at a server that misbehaves\n\n{steps}");
            let scenario = parse("case.wire", &text).unwrap();
            let played = timeout(BOUND, play(&scenario, setting(address))).await.unwrap();
            assert!(played.failure.is_some(), "{mode:?}: {steps}");
        }
        server.abort();
    }
}

fn setting(address: SocketAddr) -> Setting {
    Setting {
        connect: Arc::new(TcpConnect {
            host: address.ip().to_string(),
            port: address.port(),
            policy_port: None,
        }),
        progress: Arc::new(Progress::start()),
        patterns: Arc::default(),
        transport: None,
        patience: 0.5,
        timings: Timings::default(),
        fresh: "fresh".to_owned(),
        recorded: false,
        pages: None,
    }
}

/// TCP and UDP on one port.
async fn serve(mode: Quic) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    for _ in 0..20 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let quic: Pin<Box<dyn Future<Output = ()> + Send>> = if let Quic::Silence = mode {
            let Ok(socket) = UdpSocket::bind(address).await else {
                continue;
            };
            Box::pin(async move { while socket.recv(&mut [0; 2048]).await.is_ok() {} })
        } else {
            let config = ServerConfig::builder()
                .with_bind_address(address)
                .with_identity(Identity::self_signed(["localhost"]).unwrap())
                .build();
            let Ok(endpoint) = Endpoint::server(config) else {
                continue;
            };
            Box::pin(misbehave(endpoint, mode))
        };
        let server = tokio::spawn(async move {
            tokio::join!(handshakes(listener), quic);
        });
        return (address, server);
    }
    unreachable!("no port is free for TCP and UDP")
}

/// Answers every handshake with an offer of WebTransport, and no poll.
async fn handshakes(listener: TcpListener) {
    const OPEN: &str =
        r#"0{"sid":"4711","upgrades":["webtransport"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#;
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut head).await {
                if !String::from_utf8_lossy(&head[..count]).contains("sid=") {
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{OPEN}", OPEN.len());
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
    }
}

async fn misbehave(endpoint: Endpoint<endpoint_side::Server>, mode: Quic) {
    loop {
        let incoming = endpoint.accept().await;
        tokio::spawn(async move {
            let Ok(request) = incoming.await else { return };
            if let Quic::Refusal = mode {
                return request.forbidden().await;
            }
            let Ok(session) = request.accept().await else { return };
            let Ok((mut send, _receive)) = session.accept_bi().await else {
                return;
            };
            let again: &[u8] = match mode {
                Quic::ClosesTheSession => return,
                Quic::PacketsWithoutEnd => b"\x024a\x024b\x84\x01\x02\x03\x04",
                Quic::PacketWithoutEnd => &[b'4'; 4096],
                Quic::HugeLength => b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
                Quic::Nonsense => b"HTTP/1.1 400 Bad Request\r\n\r\n\x00\x80\x1b[2J",
                Quic::SaysNothing | Quic::Silence | Quic::Refusal => b"",
            };
            if let Quic::PacketWithoutEnd = mode {
                let _ = send.write_all(b"\x7f\x00\x00\x00\x00\x00\xff\xff\xff").await;
            }
            while !again.is_empty() && send.write_all(again).await.is_ok() {}
            session.closed().await;
        });
    }
}
