//! A `websocket` in a draft of hixie.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::codec::Message;
use crate::codec::hixie::{self, Challenge, Frame, Frames};

use super::websocket;

/// A connection in either draft.
pub(super) struct Socket<S> {
    stream: S,
    frames: Frames,
    out: BytesMut,
    ended: bool,
    left: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// `read` is what came behind the head of the request.
    pub(super) fn new(stream: S, read: &[u8], limit: usize) -> Self {
        let mut frames = Frames::new(limit);
        frames.push(read);
        Socket {
            stream,
            frames,
            out: BytesMut::new(),
            ended: false,
            left: false,
        }
    }

    /// Reads the last part of the challenge, and answers it.
    pub(super) async fn respond(&mut self, challenge: Challenge) -> io::Result<()> {
        let mut bytes = [0; 64];
        let last = loop {
            if let Some(last) = self.frames.take() {
                break last;
            }
            match self.stream.read(&mut bytes).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.frames.push(&bytes[..read]),
            }
        };
        self.stream.write_all(&challenge.answer(last)).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> websocket::Socket for Socket<S> {
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        while !self.ended {
            match self.frames.next_frame() {
                Ok(Some(Frame::Text(text))) => return Poll::Ready(Some(text.into())),
                Ok(Some(Frame::Close)) => {
                    self.ended = true;
                    self.left = true;
                }
                Ok(None) => {
                    let mut bytes = [0; 4096];
                    let mut read = ReadBuf::new(&mut bytes);
                    let result = ready!(Pin::new(&mut self.stream).poll_read(context, &mut read));
                    self.ended = result.is_err() || read.filled().is_empty();
                    self.frames.push(read.filled());
                }
                Err(_) => self.ended = true,
            }
        }
        Poll::Ready(None)
    }

    /// The draft has no binary messages, and neither has the protocol that it carries.
    fn queue(&mut self, message: &Message) {
        if let Message::Text(text) = message {
            hixie::encode(text, &mut self.out);
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.out))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.out.advance(written),
            }
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn has_left(&self) -> bool {
        self.left
    }

    /// Without a closing frame, as the original: draft 75 has none.
    async fn close(&mut self, _politely: bool) {
        let _ = self.stream.write_all_buf(&mut self.out).await;
        let _ = self.stream.shutdown().await;
    }
}
