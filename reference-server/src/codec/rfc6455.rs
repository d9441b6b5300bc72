//! The frames of WebSocket, as a server reads and writes them (RFC 6455, section 5). No extension is ever agreed on, so
//! nothing is compressed and the reserved bits are zero.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BufMut, Bytes, BytesMut};

use sha1::{Digest, Sha1};

use super::{Malformed, Message, Text};

/// What the server appends to the key of a handshake.
const HANDSHAKE: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What the client sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// A message, whose fragments are put together.
    Message(Message),
    /// To be answered with a pong of the same payload.
    Ping(Bytes),
    /// Nothing to do.
    Pong,
    /// The end, to be answered with a close of the same payload: nothing, or a code and a reason.
    Close(Bytes),
}

/// Takes a stream apart, however its bytes come.
#[derive(Debug)]
pub struct Frames {
    limit: usize,
    /// The fragments of a message that is not complete.
    fragments: Option<Box<Fragments>>,
}

#[derive(Debug)]
struct Fragments {
    binary: bool,
    payload: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Header {
    last: bool,
    opcode: u8,
    /// How many bytes the header has.
    size: usize,
    /// How many bytes the payload has.
    length: usize,
    mask: [u8; 4],
}

impl Frames {
    /// A message may have up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Frames { limit, fragments: None }
    }

    /// The next frame, or message of several, that is whole; its bytes are taken away.
    ///
    /// # Errors
    ///
    /// [`Malformed::NoFrame`], [`Malformed::TooLong`], [`Malformed::NotText`]; [`close_code`] has the code for each, and
    /// there is no way to go on.
    pub fn next_frame(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, Malformed> {
        while let Some(header) = Header::read(bytes)? {
            self.check(&header)?;
            if bytes.len() - header.size < header.length {
                return Ok(None);
            }
            bytes.advance(header.size);
            let mut payload = bytes.split_to(header.length);
            unmask(&mut payload, header.mask);
            let payload = match header.opcode {
                PING => return Ok(Some(Frame::Ping(payload.freeze()))),
                PONG => return Ok(Some(Frame::Pong)),
                CLOSE => return close(payload.freeze()).map(Some),
                _ => payload,
            };
            if let Some(message) = self.assemble(&header, payload)? {
                return Ok(Some(Frame::Message(message)));
            }
        }
        Ok(None)
    }

    /// Section 5.4: fragments of one message follow each other, with nothing but control frames between them. A message
    /// that will be too long is refused before it has come.
    fn check(&self, header: &Header) -> Result<(), Malformed> {
        match header.opcode {
            CLOSE | PING | PONG => return Ok(()),
            CONTINUATION if self.fragments.is_none() => return Err(Malformed::NoFrame),
            TEXT | BINARY if self.fragments.is_some() => return Err(Malformed::NoFrame),
            _ => {}
        }
        let there = self.fragments.as_ref().map_or(0, |fragments| fragments.payload.len());
        if header.length > self.limit.saturating_sub(there) {
            return Err(Malformed::TooLong);
        }
        Ok(())
    }

    fn assemble(&mut self, header: &Header, payload: BytesMut) -> Result<Option<Message>, Malformed> {
        let (binary, payload) = match (self.fragments.take(), header.last) {
            (None, true) => (header.opcode == BINARY, payload.freeze()),
            (fragments, last) => {
                let mut fragments = fragments.unwrap_or_else(|| {
                    Box::new(Fragments {
                        binary: header.opcode == BINARY,
                        payload: Vec::new(),
                    })
                });
                fragments.payload.extend_from_slice(&payload);
                if !last {
                    self.fragments = Some(fragments);
                    return Ok(None);
                }
                (fragments.binary, fragments.payload.into())
            }
        };
        if binary {
            return Ok(Some(Message::Binary(payload)));
        }
        let text = Text::try_from(payload).map_err(|_| Malformed::NotText)?;
        Ok(Some(Message::Text(text)))
    }
}

impl Header {
    /// Section 5.2; `None` if it is not there as a whole.
    fn read(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk() else {
            return Ok(None);
        };
        let (opcode, last) = (first & 0x0f, first & FINAL != 0);
        let control = matches!(opcode, CLOSE | PING | PONG);
        let known = control || matches!(opcode, CONTINUATION | TEXT | BINARY);
        // What a client sends is masked (section 5.1); control frames are short and in one piece (section 5.5).
        let short = second & !MASKED;
        if !known || first & RESERVED != 0 || second & MASKED == 0 || (control && (!last || short > 125)) {
            return Err(Malformed::NoFrame);
        }
        let (length, rest) = match short {
            126 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            short => (u64::from(short), rest),
        };
        let length = usize::try_from(length).map_err(|_| Malformed::TooLong)?;
        Ok(rest.split_first_chunk().map(|(mask, rest)| Header {
            last,
            opcode,
            size: bytes.len() - rest.len(),
            length,
            mask: *mask,
        }))
    }
}

/// What proves that a handshake was understood (section 4.2.2).
#[must_use]
pub fn accept_key(key: &[u8]) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(HANDSHAKE).finalize();
    STANDARD.encode(digest)
}

/// Appends a message in one frame.
pub fn encode(message: &Message, out: &mut BytesMut) {
    match message {
        Message::Text(text) => encode_frame(TEXT, text.as_bytes(), out),
        Message::Binary(bytes) => encode_frame(BINARY, bytes, out),
    }
}

/// Appends the answer to a ping.
pub fn encode_pong(payload: &[u8], out: &mut BytesMut) {
    encode_frame(PONG, payload, out);
}

/// Appends a close frame with a code, or without.
pub fn encode_close(code: Option<u16>, out: &mut BytesMut) {
    match code {
        Some(code) => encode_frame(CLOSE, &code.to_be_bytes(), out),
        None => encode_frame(CLOSE, &[], out),
    }
}

/// Appends the answer to a close frame: the same, unless its code is none that may be sent (section 7.4).
pub fn encode_close_answer(payload: &[u8], out: &mut BytesMut) {
    match payload.first_chunk().map(|code| u16::from_be_bytes(*code)) {
        None | Some(1000..=1003 | 1007..=1014 | 3000..=4999) => encode_frame(CLOSE, payload, out),
        Some(_) => encode_close(Some(1002), out),
    }
}

/// The code for the close frame after this error (section 7.4.1).
#[must_use]
pub fn close_code(error: Malformed) -> u16 {
    match error {
        Malformed::TooLong => 1009,
        Malformed::NotText => 1007,
        _ => 1002,
    }
}

fn encode_frame(opcode: u8, payload: &[u8], out: &mut BytesMut) {
    out.reserve(payload.len() + 10);
    out.put_u8(FINAL | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => out.put_u8(length),
        (_, Ok(length)) => {
            out.put_u8(126);
            out.put_u16(length);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(payload.len() as u64);
        }
    }
    out.put_slice(payload);
}

/// Section 5.5.1: nothing, or a code and UTF-8.
fn close(payload: Bytes) -> Result<Frame, Malformed> {
    match &payload[..] {
        [_] => Err(Malformed::NoFrame),
        [_, _, reason @ ..] if std::str::from_utf8(reason).is_err() => Err(Malformed::NotText),
        _ => Ok(Frame::Close(payload)),
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = payload.as_chunks_mut();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut plain = BytesMut::new();
        encode_frame(0, payload, &mut plain);
        let header = plain.len() - payload.len();
        let mut frame = vec![first, plain[1] | MASKED];
        frame.extend_from_slice(&plain[2..header]);
        frame.extend_from_slice(&MASK);
        let mut payload = payload.to_vec();
        unmask(&mut payload, MASK);
        frame.extend(payload);
        frame
    }

    fn text(text: &str) -> Frame {
        Frame::Message(Message::Text(text.into()))
    }

    #[rstest]
    #[case::short(5)]
    #[case::long(126)]
    #[case::longer(65_536)]
    fn a_frame_comes_in_pieces(#[case] length: usize) {
        let payload = "é".repeat(length / 2);
        let wire = [masked(0x81, payload.as_bytes()), masked(0x82, b"")].concat();
        let (mut frames, mut bytes) = (Frames::new(65_536), BytesMut::new());
        let mut found = Vec::new();
        for byte in wire {
            bytes.put_u8(byte);
            found.extend(frames.next_frame(&mut bytes).unwrap());
        }
        assert_eq!(found, [text(&payload), Frame::Message(Message::Binary(Bytes::new()))]);
        assert!(bytes.is_empty());
    }

    #[test]
    fn fragments_are_one_message_and_may_have_control_frames_between_them() {
        let wire = [
            masked(0x01, b"a\xc3"),
            masked(0x89, b"x"),
            masked(0x00, b""),
            masked(0x8a, b""),
            masked(0x80, b"\xa9"),
            masked(0x88, b"\x03\xe8bye"),
        ];
        let (mut frames, mut bytes) = (Frames::new(3), BytesMut::from(&wire.concat()[..]));
        let mut next = || frames.next_frame(&mut bytes);
        assert_eq!(next(), Ok(Some(Frame::Ping(Bytes::from_static(b"x")))));
        assert_eq!(next(), Ok(Some(Frame::Pong)));
        assert_eq!(next(), Ok(Some(text("aé"))));
        assert_eq!(next(), Ok(Some(Frame::Close(Bytes::from_static(b"\x03\xe8bye")))));
        assert_eq!(next(), Ok(None));
    }

    #[rstest]
    #[case::unmasked(b"\x81\x00".to_vec(), 1002)]
    #[case::reserved_bit(masked(0xc1, b"x"), 1002)]
    #[case::reserved_opcode(masked(0x83, b"x"), 1002)]
    #[case::continuation_of_nothing(masked(0x80, b"x"), 1002)]
    #[case::message_within_a_message([masked(0x01, b"x"), masked(0x81, b"x")].concat(), 1002)]
    #[case::fragmented_ping(masked(0x09, b"x"), 1002)]
    #[case::long_ping(masked(0x89, &[0; 126]), 1002)]
    #[case::half_a_close_code(masked(0x88, b"\x03"), 1002)]
    #[case::reason(masked(0x88, b"\x03\xe8\xff"), 1007)]
    #[case::not_text(masked(0x81, b"\xff"), 1007)]
    #[case::too_long(masked(0x82, &[0; 9])[..6].to_vec(), 1009)]
    #[case::endless(b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0".to_vec(), 1009)]
    #[case::too_long_together([masked(0x02, &[0; 5]), masked(0x80, &[0; 4])].concat(), 1009)]
    fn what_is_no_frame_has_a_code(#[case] wire: Vec<u8>, #[case] code: u16) {
        let (mut frames, mut bytes) = (Frames::new(8), BytesMut::from(&wire[..]));
        assert_eq!(frames.next_frame(&mut bytes).map_err(close_code), Err(code));
    }

    #[test]
    fn the_key_of_the_example_is_accepted() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[rstest]
    #[case(b"", b"\x88\x00")]
    #[case(b"\x03\xe8x", b"\x88\x03\x03\xe8x")]
    #[case(b"\x03\xed", b"\x88\x02\x03\xea")]
    fn a_close_is_answered_with_the_same_where_it_may_be(#[case] payload: &[u8], #[case] answer: &[u8]) {
        let mut out = BytesMut::new();
        encode_close_answer(payload, &mut out);
        assert_eq!(out, answer);
    }
}
