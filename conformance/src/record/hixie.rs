//! WebSockets from before RFC 6455, as Flash speaks them (draft-hixie-thewebsocketprotocol-76). Their handshake has eight
//! bytes behind the head that no length announces, and a server waits for them before it answers: that is no HTTP. So
//! these connections are copied as bytes from the first head on.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, sink};
use tokio::time::timeout;

use super::classify::Subject;
use super::exchange::RAW;
use super::frames::Seen;
use super::log::{Recording, Request};
use super::rewrite::Names;
use super::serve::{HEAD_LIMIT, IDLE_WITHIN, Shared};
use super::treat::Treatment;
use super::tunnel::{both, copy};
use super::wire::{Connection, Wire};

const REFUSED: &[u8] = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const MUTE: &[u8] = b"HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n";

/// A first line and headers, as they stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    first: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The head at the start of these bytes and its length; `None` where they have no whole one.
    pub(super) fn parse(bytes: &[u8]) -> Option<(Head, usize)> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = text.split("\r\n");
        let first = lines.next()?.to_owned();
        let headers = lines
            .map(|line| line.split_once(':'))
            .map(|header| header.map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
            .collect::<Option<_>>()?;
        Some((Head { first, headers }, end + 4))
    }

    /// Whether it asks for a WebSocket and names no version of the protocol.
    pub(super) fn is_old_upgrade(&self) -> bool {
        self.first.starts_with("GET ")
            && self
                .get("upgrade")
                .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
            && self.get("sec-websocket-version").is_none()
    }

    fn get(&self, wanted: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let found = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    }

    fn recorded(&self) -> Vec<(String, String)> {
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
        self.headers.iter().map(lower).collect()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Reads until a head ends, or the stream, or the room for it: whether it is one, the caller sees.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 4096];
    while bytes.len() < HEAD_LIMIT {
        let count = stream.read(&mut chunk).await?;
        // Lines may end with LF alone, too.
        let start = bytes.len().saturating_sub(3);
        bytes.extend_from_slice(&chunk[..count]);
        let ends = |mark: &[u8]| bytes[start..].windows(mark.len()).any(|window| window == mark);
        if count == 0 || ends(b"\r\n\r\n") || ends(b"\n\n") {
            break;
        }
    }
    Ok(bytes)
}

/// Serves such a connection to its end. Behind the head, `page` has what came with it.
///
/// # Errors
///
/// When either side fails in the handshake.
pub(super) async fn relay(mut head: Head, mut page: Wire, shared: &Shared, connection: &Connection) -> io::Result<()> {
    let target = head.first.split(' ').nth(1).unwrap_or_default().to_owned();
    let subject = Subject::of(&target, true);
    connection.carries(subject.transport.as_deref());
    let treatment = shared.rules.of(&subject);
    let recording = shared.log.begin(Request {
        method: "GET".to_owned(),
        target,
        subject,
        headers: head.recorded(),
        treatment,
    });
    let strip = match treatment {
        Treatment::Pass => false,
        Treatment::Strip => true,
        Treatment::Refuse => {
            recording.answer(403, Vec::new());
            page.write_all(REFUSED).await?;
            return page.shutdown().await;
        }
        Treatment::Reset => {
            connection.reset();
            return Ok(());
        }
        Treatment::Mute => {
            recording.answer(101, Vec::new());
            page.write_all(MUTE).await?;
            return copy(page, sink(), raw(&recording, true)).await;
        }
        Treatment::Hang => return copy(page, sink(), raw(&recording, true)).await,
    };

    let upstream = shared.upstream();
    let names = Names::new(shared.address.port(), head.get("host"), upstream.authority());
    names.to_server(&mut head.headers, strip);
    if strip {
        head.headers.push(("Connection".to_owned(), "close".to_owned()));
    }
    let mut server = shared.connect(&upstream, connection).await?;
    server.write_all(&head.to_bytes()).await?;

    let (page_read, mut page_write) = tokio::io::split(page);
    let (mut server_read, mut server_write) = tokio::io::split(server);
    let up = async {
        if !strip {
            return copy(page_read, server_write, raw(&recording, true)).await;
        }
        // The eight bytes belong to the upgrade: behind a plain GET they would be the next request.
        copy(page_read, sink(), raw(&recording, true)).await?;
        server_write.shutdown().await
    };
    let down = async {
        let bytes = timeout(IDLE_WITHIN, read_head(&mut server_read)).await??;
        let Some((mut head, length)) = Head::parse(&bytes) else {
            // Nothing, or nothing that is a head: as it came.
            page_write.write_all(&bytes).await?;
            return copy(server_read, page_write, raw(&recording, false)).await;
        };
        names.to_page(&mut head.headers);
        let status = head.first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_default();
        recording.answer(status, head.recorded());
        page_write.write_all(&head.to_bytes()).await?;
        let seen = |bytes: &[u8]| match status {
            101 => raw(&recording, false)(bytes),
            _ => recording.answer_body(bytes),
        };
        copy((&bytes[length..]).chain(server_read), page_write, seen).await
    };
    both(up, down, connection, &recording).await;
    Ok(())
}

/// Writes pieces of a stream down as they are.
fn raw(recording: &Arc<Recording>, from_page: bool) -> impl FnMut(&[u8]) {
    move |bytes| {
        let seen = Seen {
            opcode: RAW,
            fin: true,
            payload: bytes[..bytes.len().min(recording.frame_cap())].to_vec(),
            length: bytes.len() as u64,
        };
        recording.frame(from_page, seen);
    }
}

/// Reads the first head of a connection, without taking it off.
pub(super) async fn first_head(wire: &mut Wire) -> io::Result<Option<Head>> {
    let bytes = timeout(IDLE_WITHIN, read_head(wire)).await??;
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let bytes = Bytes::from(bytes);
    Ok(match Head::parse(&bytes) {
        Some((head, length)) if head.is_old_upgrade() => {
            wire.unread(bytes.slice(length..));
            Some(head)
        }
        _ => {
            wire.unread(bytes);
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_upgrade_is_known_by_its_head() {
        let old = b"GET /a HTTP/1.1\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key1: 1 2\r\n\r\n12345678";
        let (head, length) = Head::parse(old).unwrap();
        assert!(head.is_old_upgrade());
        assert_eq!(&old[length..], b"12345678");
        assert_eq!(head.to_bytes(), old[..length]);
        for other in [
            "GET /a HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
            "GET /a HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
            "POST /a HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n",
        ] {
            assert!(!Head::parse(other.as_bytes()).unwrap().0.is_old_upgrade(), "{other}");
        }
        assert_eq!(Head::parse(b"GET /a HTTP/1.1\r\nUpgrade: WebSocket\r\n"), None);
        assert_eq!(Head::parse(b"GET /a HTTP/1.1\r\nno header\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn a_head_is_read_within_its_room() {
        for (bytes, expected) in [
            (b"a\r\nb\r\n\r\n".to_vec(), 8),
            (b"a\n\n".to_vec(), 3),
            (b"a\r\n".to_vec(), 3),
            (vec![b'x'; 10 * HEAD_LIMIT], HEAD_LIMIT),
        ] {
            assert_eq!(read_head(&mut bytes.as_slice()).await.unwrap().len(), expected);
        }
    }
}
