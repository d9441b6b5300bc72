//! A `websocket` of RFC 6455. Its pings are answered.

use bytes::BytesMut;

use crate::codec::rfc6455::{Frame, Frames, close_code, encode, encode_close, encode_close_answer, encode_pong};
use crate::codec::{Malformed, Message};

use super::framed::{End, Framing};

/// How many bytes may wait to be written for a ping to be answered: only the last of several has to be (section 5.5.3).
const ROOM: usize = 64 * 1024;

pub(super) struct Rfc6455 {
    frames: Frames,
    /// The code of a close frame that has no fault to tell of.
    goodbye: Option<u16>,
}

impl Rfc6455 {
    pub(super) fn new(limit: usize, goodbye: Option<u16>) -> Self {
        Rfc6455 {
            frames: Frames::new(limit),
            goodbye,
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
        encode(message, out);
    }

    fn goodbye(&self, fault: Option<Malformed>, out: &mut BytesMut) {
        encode_close(fault.map(close_code).or(self.goodbye), out);
    }
}
