//! A `websocket` in a draft of hixie.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::codec::Message;
use crate::codec::hixie::{self, Challenge, Frame, Frames};

use super::framed::{End, Framed, Framing};

/// Either draft.
pub(super) struct Hixie(Frames);

impl Hixie {
    pub(super) fn new(limit: usize) -> Self {
        Hixie(Frames::new(limit))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S, Hixie> {
    /// Reads the last part of the challenge, and answers it.
    pub(super) async fn respond(&mut self, challenge: Challenge) -> io::Result<()> {
        let last = self.take().await?;
        self.write(&challenge.answer(last)).await
    }
}

impl Framing for Hixie {
    fn decode(&mut self, read: &mut BytesMut, _out: &mut BytesMut) -> Result<Option<Message>, End> {
        match self.0.next_frame(read).map_err(End::Fault)? {
            Some(Frame::Text(text)) => Ok(Some(text.into())),
            Some(Frame::Close) => Err(End::Left),
            None => Ok(None),
        }
    }

    /// The draft has no binary messages, and neither has the protocol that it carries. The end has no frame, as with the
    /// original: draft 75 has none.
    fn encode(&self, message: &Message, out: &mut BytesMut) {
        if let Message::Text(text) = message {
            hixie::encode(text, out);
        }
    }
}
