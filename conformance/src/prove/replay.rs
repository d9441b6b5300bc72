//! A scripted server: it does on in-memory pipes what a tape says, as far as the client has come.
//!
//! The tape says when something comes as a [`Moment`](crate::client::tape::Moment), so a replay follows the player's own
//! steps; a response waits for its request besides. What is not on the tape never comes: an unknown connection is taken and
//! never answered.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::watch;

use super::edit;
use super::request::Requests;
use crate::client::http::ResponseHead;
use crate::client::protocol::noop;
use crate::client::tape::{ConnId, ConnTape, Entry, Framing, Progress, Tape};
use crate::client::{BoxFuture, BoxedStream, Connect, Port, UP};
use crate::scenario::Generation;

/// How many bytes wait in a pipe before a writer does.
const PIPE: usize = 64 * 1024;

/// Connects to the server that a tape describes.
pub struct Replay {
    tape: Arc<Tape>,
    progress: Arc<Progress>,
    authority: String,
}

impl Replay {
    /// A server that follows `progress`, which the player raises. `authority` is the recorded one, `host:port`.
    #[must_use]
    pub fn new(tape: Arc<Tape>, progress: Arc<Progress>, authority: impl Into<String>) -> Replay {
        Replay {
            tape,
            progress,
            authority: authority.into(),
        }
    }
}

impl Connect for Replay {
    fn connect<'a>(&'a self, id: &'a ConnId, _: Port) -> BoxFuture<'a, io::Result<BoxedStream>> {
        Box::pin(async move {
            let (ours, theirs) = duplex(PIPE);
            let (read, write) = split(ours);
            let (heads, asked) = watch::channel(Vec::new());
            tokio::spawn(listen(read, heads));
            tokio::spawn(follow(
                self.tape.clone(),
                id.clone(),
                self.progress.clone(),
                write,
                asked,
            ));
            Ok(Box::new(theirs) as BoxedStream)
        })
    }

    /// WebTransport is replayed above its stream.
    fn webtransport<'a>(&'a self, id: &'a ConnId, _: &'a str) -> BoxFuture<'a, io::Result<BoxedStream>> {
        self.connect(id, Port::Http)
    }

    fn authority(&self) -> String {
        self.authority.clone()
    }
}

/// Reads what the client sends, and publishes the methods of its requests. Never stops before the client does: a full
/// pipe would block it.
async fn listen(mut read: ReadHalf<DuplexStream>, methods: watch::Sender<Vec<String>>) {
    let mut requests = Requests::default();
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = read.read(&mut buffer).await {
        let new = requests.push(&buffer[..count]);
        if !new.is_empty() {
            methods.send_modify(|methods| methods.extend(new));
        }
    }
    // The answers to what was asked may still be due: the client may have closed its own direction only.
    methods.closed().await;
}

/// Does what the tape says about one connection.
async fn follow(
    tape: Arc<Tape>,
    id: ConnId,
    progress: Arc<Progress>,
    mut write: WriteHalf<DuplexStream>,
    mut asked: watch::Receiver<Vec<String>>,
) {
    if let Some(conn) = tape.conns.get(&id) {
        // A failed write means that the client has gone: nothing is left to do.
        let spare = spare_answer(&tape, &id);
        let _ = replay(conn, spare, &progress, &mut write, &mut asked).await;
    }
    // The pipe stays open: the end of a connection is on the tape, or never came.
    std::future::pending::<()>().await;
}

async fn replay(
    conn: &ConnTape,
    spare: Option<Vec<u8>>,
    progress: &Progress,
    write: &mut WriteHalf<DuplexStream>,
    asked: &mut watch::Receiver<Vec<String>>,
) -> io::Result<()> {
    let mut coding = Coding::Raw;
    let mut heads = 0;
    for (number, entry) in conn.entries.iter().enumerate() {
        progress.reach(entry.moment()).await;
        match entry {
            Entry::Head { head, .. } => {
                heads += 1;
                let method = match asked.wait_for(|methods| methods.len() >= heads).await {
                    Ok(methods) => methods.get(heads - 1).cloned().unwrap_or_default(),
                    Err(_) => return Ok(()),
                };
                let (bytes, kind) = response_head(head, &method, &conn.entries[number + 1..]);
                coding = kind;
                write.write_all(&bytes).await?;
            }
            Entry::Data { bytes, .. } if bytes.is_empty() => {}
            Entry::Data { bytes, .. } => match coding {
                Coding::Chunked => {
                    let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
                    write.write_all(&chunk).await?;
                }
                Coding::Raw | Coding::UntilClose => write.write_all(bytes).await?,
            },
            Entry::End { .. } => match coding {
                Coding::Chunked => write.write_all(b"0\r\n\r\n").await?,
                Coding::UntilClose => write.shutdown().await?,
                Coding::Raw => {}
            },
            Entry::Eof { .. } => write.shutdown().await?,
        }
    }
    let Some(answer) = spare else { return Ok(()) };
    for extra in heads..heads + EXTRA {
        if asked.wait_for(|methods| methods.len() > extra).await.is_err() {
            break;
        }
        // The clock moves only when the player waits: so it comes to what it does behind the probe.
        tokio::time::sleep(Duration::from_millis(1)).await;
        write.write_all(&answer).await?;
    }
    Ok(())
}

/// How many requests more than there were get a spare answer.
const EXTRA: usize = 3;

/// The answer to requests of which there may be more than in the recording; a server answers all of them.
///
/// The polls of a session that is being upgraded end with a noop, those behind its handshake. How many such polls there are depends on what comes first,
/// the answer to the poll or the one to the probe, and a replay's clock is too coarse to tell. A client's own posts are its
/// packets and its pings, and how many pings there are depends on the time that passes.
fn spare_answer(tape: &Tape, id: &ConnId) -> Option<Vec<u8>> {
    let entries = &tape.conns.get(id)?.entries;
    let last = entries.iter().rposition(|entry| matches!(entry, Entry::Head { .. }))?;
    let (
        Entry::Head {
            head, framing, managed, ..
        },
        rest,
    ) = entries[last..].split_first()?
    else {
        return None;
    };
    let [Entry::Data { at, bytes }, end @ Entry::End { .. }] = rest else {
        return None;
    };
    let polled = matches!(framing, Framing::Records | Framing::Lengths | Framing::LengthsJsonp);
    let noop = noop(Generation::Eio4);
    let body = if id.part == UP || polled && edit::is_alone(bytes, *framing, noop) {
        bytes.clone()
    } else if polled && *managed && last > 0 && is_upgraded(tape, &id.client) {
        edit::item(bytes, *framing, noop)?
    } else {
        return None;
    };
    let said = Entry::Data {
        at: *at,
        bytes: body.clone(),
    };
    let (mut answer, coding) = response_head(head, "GET", &[said, end.clone()]);
    answer.extend_from_slice(&body);
    (coding == Coding::Raw).then_some(answer)
}

/// Whether a client polls and has a socket or a stream, too.
fn is_upgraded(tape: &Tape, client: &str) -> bool {
    let socket = |conn: &ConnTape| {
        let framings = conn.entries.iter().filter_map(|entry| match entry {
            Entry::Head { framing, .. } => Some(*framing),
            _ => None,
        });
        framings
            .chain([conn.headless])
            .any(|framing| framing.is_websocket() || framing == Framing::WebTransport)
    };
    tape.conns.iter().any(|(id, conn)| id.client == client && socket(conn))
}

/// How a body is put on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// As it is: its length is known, or it is no HTTP.
    Raw,
    Chunked,
    /// As it is, and then the connection ends.
    UntilClose,
}

/// The head as bytes. A length is counted anew, for the body may be another one than was recorded.
fn response_head(head: &ResponseHead, method: &str, rest: &[Entry]) -> (Vec<u8>, Coding) {
    let body = rest.iter().take_while(|entry| matches!(entry, Entry::Data { .. }));
    let ends = rest.iter().find(|entry| !matches!(entry, Entry::Data { .. }));
    let length: usize = body
        .map(|entry| {
            if let Entry::Data { bytes, .. } = entry {
                bytes.len()
            } else {
                0
            }
        })
        .sum();
    let bodiless = method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304);
    let counted = !bodiless && matches!(ends, Some(Entry::End { .. }));
    let minor = u8::from(!head.old);
    let mut text = format!("HTTP/1.{minor} {} {}\r\n", head.status, head.reason);
    for (name, value) in &head.headers {
        if counted && name.eq_ignore_ascii_case("content-length") {
            text.push_str(&format!("{name}: {length}\r\n"));
        } else {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("\r\n");
    let chunked = head
        .header("transfer-encoding")
        .is_some_and(|value| value.to_ascii_lowercase().ends_with("chunked"));
    let coding = if bodiless {
        Coding::Raw
    } else if chunked {
        Coding::Chunked
    } else if head.header("content-length").is_some() {
        Coding::Raw
    } else {
        Coding::UntilClose
    };
    (text.into_bytes(), coding)
}
