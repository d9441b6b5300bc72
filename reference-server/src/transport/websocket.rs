//! A session over a stream of messages: one packet a message, both ways.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::codec::Message;
use crate::server::connection::Connection;
use crate::session::{Flow, Generation};

use super::framed::{Framed, Framing};

/// How many messages are read before what they made the server say is written.
const BATCH: usize = 256;

/// How many bytes may wait for a client that does not read, before it is not read from either.
const HIGH_WATER: usize = 1 << 20;

/// How many bytes are framed before they are written. A packet is shared by all whom it is for, its frames are not.
const CHUNK: usize = 64 * 1024;

/// How long the other side has to close.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// Serves the connection's session over the stream until one of them ends.
pub(super) async fn serve<S, F>(mut connection: Connection, socket: &mut Framed<S, F>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
{
    let mut writing = Writing::Idle;
    let mut framed = 0;
    let ended = poll_fn(|context| pump(&mut connection, socket, &mut writing, &mut framed, context)).await;
    let politely = ended || connection.client().generation != Generation::Rev1;
    if socket.has_left() {
        connection.leave();
    } else {
        drop(connection);
    }
    let _ = tokio::time::timeout(FAREWELL, socket.close(politely)).await;
}

/// Says one thing, if anything, and ends.
pub(super) async fn refuse<S, F>(socket: &mut Framed<S, F>, message: Option<Message>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
{
    if let Some(message) = message {
        socket.queue(&message);
    }
    let _ = tokio::time::timeout(FAREWELL, socket.close(true)).await;
}

/// What becomes of the packets that were taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Writing {
    /// There are none.
    Idle,
    /// They are being written.
    Some,
    /// They are the last.
    Last,
}

/// Reads all that is there, lets it be acted on, then writes all that is to be said, in one go. Reading first also shows
/// that the client is gone before anything is written to it in vain.
///
/// Ready at the end; with `false` another connection has taken over, and this one just ends.
fn pump<S, F>(
    connection: &mut Connection,
    socket: &mut Framed<S, F>,
    writing: &mut Writing,
    framed: &mut usize,
    context: &mut Context<'_>,
) -> Poll<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
{
    loop {
        // What is said from here on wakes this task again.
        let _ = connection.poll_woken(context);
        let mut again = false;
        if *writing == Writing::Idle || connection.client().backlog() < HIGH_WATER {
            let mut read = 0;
            while read < BATCH {
                match socket.poll_read(context) {
                    Poll::Ready(Some(message)) if connection.receive(&message) => {}
                    Poll::Ready(_) => return Poll::Ready(true),
                    Poll::Pending => break,
                }
                read += 1;
            }
            again = read == BATCH;
        }
        let was_writing = *writing != Writing::Idle;
        if was_writing {
            if connection.is_over() && *writing == Writing::Some {
                return Poll::Ready(true);
            }
        } else {
            *writing = match connection.take() {
                Flow::Wait => Writing::Idle,
                Flow::Write => Writing::Some,
                Flow::Last => Writing::Last,
                Flow::Superseded => return Poll::Ready(false),
                Flow::Gone => return Poll::Ready(true),
            };
        }
        match poll_write(connection, socket, framed, context) {
            Poll::Ready(Ok(())) => {
                connection.confirm();
                *framed = 0;
                if *writing == Writing::Last {
                    return Poll::Ready(true);
                }
                *writing = Writing::Idle;
                // What this connection's own messages queued while it was writing has woken nobody.
                again |= was_writing;
            }
            Poll::Ready(Err(_)) => return Poll::Ready(true),
            Poll::Pending => {}
        }
        if !again {
            return Poll::Pending;
        }
    }
}

/// Frames and writes the packets that were taken; `framed` says how many are in the write buffer or beyond.
fn poll_write<S, F>(
    connection: &Connection,
    socket: &mut Framed<S, F>,
    framed: &mut usize,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
{
    let packets = connection.packets();
    loop {
        *framed += socket.queue_some(&packets[*framed..], CHUNK);
        ready!(socket.poll_flush(context))?;
        if *framed == packets.len() {
            return Poll::Ready(Ok(()));
        }
    }
}
