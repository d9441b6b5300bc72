//! A stream of bytes that carries messages, in one framing or another.
//!
//! Neither direction has a buffer while nothing is under way: most connections are idle most of the time.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::codec::{Malformed, Message};

/// The most bytes of one read.
const READ: usize = 16 * 1024;

/// The most bytes that a framing adds to a message.
const HEADER: usize = 10;

/// How messages stand in the stream.
pub(super) trait Framing {
    /// Whether the end waits until the client has ended its side, too: closing a TCP connection on unread bytes resets it,
    /// and might cost the client the last ones.
    const LINGERS: bool = true;

    /// The next message that is whole; its bytes are taken away. What has to be answered at once is appended to `out`.
    fn decode(&mut self, read: &mut BytesMut, out: &mut BytesMut) -> Result<Option<Message>, End>;

    /// Appends a message.
    fn encode(&self, message: &Message, out: &mut BytesMut);

    /// Appends what is said at the end, unless it was the client who ended it.
    fn goodbye(&self, _fault: Option<Malformed>, _out: &mut BytesMut) {}
}

/// Why no more messages come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// The client said goodbye.
    Left,
    /// The client is just gone.
    Gone,
    /// What it sends makes no sense.
    Fault(Malformed),
}

/// The stream, and what is half read and half written.
pub(super) struct Framed<S, F> {
    stream: S,
    framing: F,
    read: BytesMut,
    out: BytesMut,
    end: Option<End>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, F: Framing> Framed<S, F> {
    /// `read` is what has come already.
    pub(super) fn new(stream: S, read: &[u8], framing: F) -> Self {
        Framed {
            stream,
            framing,
            read: read.into(),
            out: BytesMut::new(),
            end: None,
        }
    }

    /// The next message; `None` when no more will come.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        while self.end.is_none() {
            match self.framing.decode(&mut self.read, &mut self.out) {
                Ok(Some(message)) => return Poll::Ready(Some(message)),
                Ok(None) => ready!(self.poll_fill(context)),
                Err(end) => self.end = Some(end),
            }
        }
        Poll::Ready(None)
    }

    /// Puts a message into the write buffer.
    pub(super) fn queue(&mut self, message: &Message) {
        self.framing.encode(message, &mut self.out);
    }

    /// Puts messages into the write buffer until it holds so many bytes, and says how many it took. The buffer is made
    /// as large as it has to be at once.
    pub(super) fn queue_some(&mut self, messages: &[Message], bytes: usize) -> usize {
        let mut size = self.out.len();
        let mut count = 0;
        while let Some(message) = messages.get(count).filter(|_| size < bytes) {
            size += message.len() + HEADER;
            count += 1;
        }
        self.out.reserve(size - self.out.len());
        messages.iter().take(count).for_each(|message| self.queue(message));
        count
    }

    /// Writes the buffer.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.out))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.out.advance(written),
            }
        }
        self.out = BytesMut::new();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// The first bytes of the stream, which stand before any frame.
    pub(super) async fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        loop {
            if let Some(first) = self.read.first_chunk().copied() {
                self.read.advance(N);
                return Ok(first);
            }
            if self.end.is_some() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            poll_fn(|context| self.poll_fill(context)).await;
        }
    }

    /// Writes bytes that belong to no frame.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// What is below.
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Whether the client said goodbye, instead of just being gone.
    pub(super) fn has_left(&self) -> bool {
        self.end == Some(End::Left)
    }

    /// Ends the sending side, politely with a goodbye, and waits until the client has ended its own, where that matters.
    pub(super) async fn close(&mut self, politely: bool) {
        if politely && !self.has_left() {
            let fault = match self.end {
                Some(End::Fault(fault)) => Some(fault),
                _ => None,
            };
            self.framing.goodbye(fault, &mut self.out);
        }
        let _ = poll_fn(|context| self.poll_flush(context)).await;
        let _ = self.stream.shutdown().await;
        while F::LINGERS && self.end != Some(End::Gone) {
            poll_fn(|context| self.poll_fill(context)).await;
            self.read.clear();
        }
    }

    /// Reads what there is; at the end of the stream, notes it.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [const { MaybeUninit::uninit() }; READ];
        let mut read = ReadBuf::uninit(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(context, &mut read) {
            Poll::Pending => {
                if self.read.is_empty() {
                    self.read = BytesMut::new();
                }
                return Poll::Pending;
            }
            Poll::Ready(Ok(())) if !read.filled().is_empty() => self.read.extend_from_slice(read.filled()),
            Poll::Ready(_) => self.end = Some(End::Gone),
        }
        Poll::Ready(())
    }
}
