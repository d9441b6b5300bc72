//! `websocket`: one packet a text message, both ways.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use crate::codec::{Message, Text};
use crate::server::connection::Connection;
use crate::session::{Flow, Generation};

/// How many messages are read before what they made the server say is written.
const BATCH: usize = 256;

/// How many bytes may wait for a client that does not read, before it is not read from either.
const HIGH_WATER: usize = 1 << 20;

/// How long the other side has to close.
const FAREWELL: Duration = Duration::from_secs(1);

/// What carries messages: RFC 6455, or a draft of hixie.
pub(super) trait Socket {
    /// The next message; `None` when no more will come.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>>;

    /// Puts a message into the write buffer; an error shows at the next flush.
    fn queue(&mut self, message: &Message);

    /// Writes the buffer.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Whether the client said goodbye, instead of just being gone.
    fn has_left(&self) -> bool;

    /// Ends the sending side; politely: with whatever the protocol says goodbye with.
    fn close(&mut self, politely: bool) -> impl Future<Output = ()> + Send;
}

/// Serves the connection's session over the socket until one of them ends.
pub(super) async fn serve(mut connection: Connection, socket: &mut impl Socket) {
    let mut writing = Writing::Idle;
    let ended = poll_fn(|context| pump(&mut connection, socket, &mut writing, context)).await;
    let politely = ended || connection.client().generation != Generation::Rev1;
    if socket.has_left() {
        connection.leave();
    } else {
        drop(connection);
    }
    part(socket, politely).await;
}

/// Says one thing, if anything, and ends.
pub(super) async fn refuse(socket: &mut impl Socket, message: Option<Message>) {
    if let Some(message) = message {
        socket.queue(&message);
        let flush = poll_fn(|context| socket.poll_flush(context));
        let _ = tokio::time::timeout(FAREWELL, flush).await;
    }
    part(socket, true).await;
}

async fn part(socket: &mut impl Socket, politely: bool) {
    let farewell = async {
        socket.close(politely).await;
        // Closing on unread bytes would reset the connection, and might cost the client the last ones.
        while poll_fn(|context| socket.poll_read(context)).await.is_some() {}
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}

/// What becomes of the packets in the write buffer.
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
fn pump(
    connection: &mut Connection,
    socket: &mut impl Socket,
    writing: &mut Writing,
    context: &mut Context<'_>,
) -> Poll<bool> {
    loop {
        // What is said from here on wakes this task again.
        let _ = connection.poll_woken(context);
        let mut more = false;
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
            more = read == BATCH;
        }
        if *writing != Writing::Idle {
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
            connection.packets().iter().for_each(|packet| socket.queue(packet));
        }
        if *writing != Writing::Idle {
            match socket.poll_flush(context) {
                Poll::Ready(Ok(())) if *writing == Writing::Last => {
                    connection.confirm();
                    return Poll::Ready(true);
                }
                Poll::Ready(Ok(())) => {
                    connection.confirm();
                    *writing = Writing::Idle;
                    // What this connection's own messages queued meanwhile has woken nobody.
                    more = true;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(true),
                Poll::Pending => {}
            }
        }
        if !more {
            return Poll::Pending;
        }
    }
}

/// A WebSocket of RFC 6455. Its pings are answered.
pub(super) struct Rfc6455 {
    socket: WebSocketStream<TcpStream>,
    /// The code of a close frame that has no fault to tell of.
    goodbye: Option<CloseCode>,
    /// What the client did wrong, for the close frame.
    fault: Option<CloseCode>,
    /// A message could not even be buffered.
    broken: bool,
    left: bool,
}

impl Rfc6455 {
    pub(super) async fn new(stream: TcpStream, read: &Bytes, limit: usize, goodbye: Option<CloseCode>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(16 * 1024)
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit));
        let socket = WebSocketStream::from_partially_read(stream, read.to_vec(), Role::Server, Some(config)).await;
        Rfc6455 {
            socket,
            goodbye,
            fault: None,
            broken: false,
            left: false,
        }
    }
}

impl Socket for Rfc6455 {
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Frame::Text(text))) => return Poll::Ready(Some(text.into())),
                Some(Ok(Frame::Binary(bytes))) => return Poll::Ready(Some(Message::Binary(bytes))),
                Some(Ok(Frame::Close(_))) => self.left = true,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.fault = fault(&error);
                    return Poll::Ready(None);
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn queue(&mut self, message: &Message) {
        let frame = match message {
            Message::Text(text) => Frame::Text(text.clone()),
            Message::Binary(bytes) => Frame::Binary(bytes.clone()),
        };
        self.broken |= Pin::new(&mut self.socket).start_send(frame).is_err();
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.socket).poll_flush(context).map_err(io::Error::other)
    }

    fn has_left(&self) -> bool {
        self.left
    }

    async fn close(&mut self, politely: bool) {
        if politely {
            let code = self.fault.or(self.goodbye);
            let frame = code.map(|code| CloseFrame {
                code,
                reason: Text::default(),
            });
            let _ = self.socket.close(frame).await;
        }
        let _ = self.socket.get_mut().shutdown().await;
    }
}

/// The close code for a message that cannot be taken (RFC 6455, 7.4.1).
fn fault(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}
