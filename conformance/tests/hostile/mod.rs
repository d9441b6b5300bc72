//! Servers that no harness should have to meet, for tests that it survives them.
//!
//! Each function starts one on 127.0.0.1 and returns it with its address; dropping it ends it. All of them accept every
//! connection; what comes then is in the function's name.

#![allow(dead_code, reason = "each test binary uses the ones it needs")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::Future;
use std::net::SocketAddr;

use conformance::client::websocket::{Opcode, accept, server_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// The bytes of the head that [`huge_head`] sends.
pub(crate) const HUGE: u64 = 1 << 30;

/// A revision-1 handshake that offers everything.
const HANDSHAKE: &str = "4711:2:2:websocket,flashsocket,htmlfile,xhr-multipart,xhr-polling,jsonp-polling";

/// An open packet of Engine.IO 4.
const OPEN: &str =
    r#"0{"sid":"4711","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#;

/// A server in a runtime of its own, so that a harness that blocks its own thread still meets it.
pub(crate) struct Hostile {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Hostile {
    /// As `--url` takes it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn start<F, Fut>(serve: F) -> Hostile
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // Bound by the standard library: the caller may be inside a runtime, where another cannot be waited for.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Hostile {
            address,
            runtime: Some(runtime),
        }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Reads everything and never answers.
pub(crate) fn never_answers() -> Hostile {
    Hostile::start(read_on)
}

/// Answers every connection with bytes that are no HTTP, control characters among them, and closes.
pub(crate) fn garbage() -> Hostile {
    Hostile::start(|mut stream| async move {
        request(&mut stream).await?;
        let noise: Vec<u8> = (0..4096u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        stream.write_all(&noise).await?;
        stream.write_all(b"\x1b[2J\x1b]0;owned\x07\r\n\r\n").await
    })
}

/// Closes every connection at once.
pub(crate) fn closes_at_once() -> Hostile {
    Hostile::start(|stream| async move {
        drop(stream);
        Ok(())
    })
}

/// Answers `200` and a chunked body without end.
pub(crate) fn endless_body() -> Hostile {
    Hostile::start(|mut stream| async move {
        request(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await?;
        let chunk = [b"4000\r\n".as_slice(), &[b'a'; 0x4000], b"\r\n"].concat();
        repeat(&mut stream, &chunk, u64::MAX).await
    })
}

/// Answers with one header of [`HUGE`] bytes.
pub(crate) fn huge_head() -> Hostile {
    Hostile::start(|mut stream| async move {
        request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ").await?;
        let filler = [b'a'; 0x4000];
        repeat(&mut stream, &filler, HUGE / filler.len() as u64).await?;
        stream.write_all(b"\r\nContent-Length: 0\r\n\r\n").await
    })
}

/// Promises a body of nearly 2^63 bytes, sends a few, and waits.
pub(crate) fn huge_content_length() -> Hostile {
    Hostile::start(|mut stream| async move {
        request(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n4711:")
            .await?;
        read_on(stream).await
    })
}

/// Answers one byte of a head every 100 ms.
pub(crate) fn drips() -> Hostile {
    Hostile::start(|mut stream| async move {
        request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ").await?;
        loop {
            stream.write_all(b"a").await?;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
}

/// Shakes hands as a revision-1 server does, and never answers anything else.
pub(crate) fn handshakes_then_never_answers() -> Hostile {
    Hostile::start(|stream| after_handshake(stream, read_on))
}

/// Shakes hands, then answers every request with a stream of packets without end.
pub(crate) fn handshakes_then_streams() -> Hostile {
    Hostile::start(|stream| {
        after_handshake(stream, |mut stream| async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            let packets = "\u{fffd}3\u{fffd}1::\u{fffd}5\u{fffd}3:::x".repeat(1000);
            repeat(&mut stream, packets.as_bytes(), u64::MAX).await
        })
    })
}

/// Shakes hands, then accepts a WebSocket without looking at its key and sends the head of a frame of 2^62 bytes, and
/// some of it.
pub(crate) fn handshakes_then_sends_a_huge_frame() -> Hostile {
    Hostile::start(|stream| {
        after_handshake(stream, |mut stream| async move {
            stream
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                .await?;
            stream.write_all(&[0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]).await?;
            repeat(&mut stream, &[b'a'; 0x4000], u64::MAX).await
        })
    })
}

/// Opens a session of Engine.IO 4, then answers every poll and every post at once, with nothing that says anything.
pub(crate) fn answers_with_noops() -> Hostile {
    Hostile::start(|mut stream| async move {
        loop {
            let head = request(&mut stream).await?;
            let body = match (head.starts_with("GET "), head.contains("sid=")) {
                _ if head.is_empty() => return Ok(()),
                (true, false) => OPEN,
                (true, true) => "6",
                (false, _) => "ok",
            };
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await?;
        }
    })
}

/// Opens a session of Engine.IO 4 over a WebSocket, and goes on with frames of that text without end.
pub(crate) fn floods(text: &'static str) -> Hostile {
    Hostile::start(move |mut stream| async move {
        let head = request(&mut stream).await?;
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = accept(key.unwrap_or_default());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(&server_frame(Opcode::Text, OPEN.as_bytes())).await?;
        let frames = server_frame(Opcode::Text, text.as_bytes()).repeat(1000);
        repeat(&mut stream, &frames, u64::MAX).await
    })
}

/// All of them, with a name for messages.
pub(crate) fn all() -> Vec<(&'static str, Hostile)> {
    vec![
        ("never answers", never_answers()),
        ("garbage", garbage()),
        ("closes at once", closes_at_once()),
        ("endless body", endless_body()),
        ("huge head", huge_head()),
        ("huge content length", huge_content_length()),
        ("drips", drips()),
        ("handshakes, then never answers", handshakes_then_never_answers()),
        ("handshakes, then streams", handshakes_then_streams()),
        ("answers with noops", answers_with_noops()),
        ("floods with pings", floods("2")),
        ("floods with events", floods("42[\"event\"]")),
        (
            "handshakes, then sends a huge frame",
            handshakes_then_sends_a_huge_frame(),
        ),
    ]
}

/// Answers the handshake of revision 1 and closes; anything else is `then`'s.
async fn after_handshake<F, Fut>(mut stream: TcpStream, then: F) -> std::io::Result<()>
where
    F: FnOnce(TcpStream) -> Fut,
    Fut: Future<Output = std::io::Result<()>>,
{
    let head = request(&mut stream).await?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    if path.trim_end_matches('/') != "/socket.io/1" {
        return then(stream).await;
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{HANDSHAKE}",
        HANDSHAKE.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Reads a request's head, and not more than 64 KiB.
async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut bytes = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 0x10000 {
        match stream.read(&mut bytes).await? {
            0 => break,
            n => head.extend_from_slice(&bytes[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn read_on(mut stream: TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

async fn repeat(stream: &mut TcpStream, bytes: &[u8], times: u64) -> std::io::Result<()> {
    for _ in 0..times {
        stream.write_all(bytes).await?;
    }
    Ok(())
}
