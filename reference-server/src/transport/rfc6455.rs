//! A `websocket` of RFC 6455. Its pings are answered.

use bytes::BytesMut;

use crate::codec::rfc6455::{Frame, Frames, close_code, encode, encode_close, encode_close_answer, encode_pong};
use crate::codec::{Malformed, Message, eio3};

use super::framed::{End, Framing};

/// How many bytes may wait to be written for a ping to be answered: only the last of several has to be (section 5.5.3).
const ROOM: usize = 64 * 1024;

pub(super) struct Rfc6455 {
    frames: Frames,
    /// The code of a close frame that has no fault to tell of.
    goodbye: Option<u16>,
    /// eio3: how binary data is written.
    binary: Option<eio3::Form>,
}

impl Rfc6455 {
    pub(super) fn new(limit: usize, goodbye: Option<u16>) -> Self {
        Rfc6455 {
            frames: Frames::new(limit),
            goodbye,
            binary: None,
        }
    }

    /// The same, for messages of Engine.IO 3.
    pub(super) fn eio3(limit: usize, binary: eio3::Form) -> Self {
        Rfc6455 {
            binary: Some(binary),
            ..Rfc6455::new(limit, None)
        }
    }
}

impl Framing for Rfc6455 {
    fn decode(&mut self, read: &mut BytesMut, out: &mut BytesMut) -> Result<Option<Message>, End> {
        while let Some(frame) = self.frames.next_frame(read).map_err(End::Fault)? {
            match frame {
                Frame::Message(message) => return Ok(Some(message)),
                Frame::Ping(payload) if out.len() < ROOM => encode_pong(&payload, out),
                Frame::Ping(_) | Frame::Pong => {}
                Frame::Close(payload) => {
                    encode_close_answer(&payload, out);
                    return Err(End::Left);
                }
            }
        }
        Ok(None)
    }

    fn encode(&self, message: &Message, out: &mut BytesMut) {
        match self.binary {
            Some(form) if message.text().is_none() => encode(&eio3::encode(message, form), out),
            _ => encode(message, out),
        }
    }

    fn goodbye(&self, fault: Option<Malformed>, out: &mut BytesMut) {
        encode_close(fault.map(close_code).or(self.goodbye), out);
    }
}
