//! The WebSocket drafts of hixie, 75 and 76, that browsers and Flash clients of 2010 and 2011 speak.
//!
//! A message is `0x00`, UTF-8, `0xff`. Draft 76 adds `0xff 0x00` to close, and a challenge in the handshake, of which eight
//! bytes follow the head of the request.

use bytes::{Buf, BufMut, BytesMut};
use md5::{Digest, Md5};

use super::{Malformed, Text};

/// The frame that closes.
pub const CLOSE: [u8; 2] = [0xff, 0x00];

/// The two numbers of draft 76 that the client hides in its headers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Challenge(u32, u32);

/// What the other side sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// A message.
    Text(Text),
    /// The end.
    Close,
}

/// Cuts bytes into frames, as they come.
#[derive(Debug)]
pub struct Frames {
    /// How far there is no `0xff`.
    scanned: usize,
    limit: usize,
}

impl Challenge {
    /// Reads `Sec-WebSocket-Key1` and `-Key2`: the digits of each as one number, divided by how many spaces there are.
    ///
    /// # Errors
    ///
    /// [`Malformed::BadKey`]: no digits or no spaces, a number beyond 32 bits, or one that the spaces do not divide.
    pub fn new(key1: &[u8], key2: &[u8]) -> Result<Self, Malformed> {
        match (number(key1), number(key2)) {
            (Some(one), Some(two)) => Ok(Challenge(one, two)),
            _ => Err(Malformed::BadKey),
        }
    }

    /// What the server answers, once it has the eight bytes.
    #[must_use]
    pub fn answer(self, last: [u8; 8]) -> [u8; 16] {
        let mut digest = Md5::new();
        digest.update(self.0.to_be_bytes());
        digest.update(self.1.to_be_bytes());
        digest.update(last);
        digest.finalize().into()
    }
}

impl Frames {
    /// Messages may have up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Frames { scanned: 0, limit }
    }

    /// The next frame, whose bytes are taken away; `None` if it has not come.
    ///
    /// # Errors
    ///
    /// [`Malformed::NoFrame`], [`Malformed::TooLong`], [`Malformed::NotText`]; there is no way to go on.
    pub fn next_frame(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, Malformed> {
        match **bytes {
            [] | [0xff] => return Ok(None),
            [0xff, 0x00, ..] => {
                bytes.advance(CLOSE.len());
                return Ok(Some(Frame::Close));
            }
            [0x00, ..] => {}
            _ => return Err(Malformed::NoFrame),
        }
        let Some(end) = bytes[self.scanned..].iter().position(|byte| *byte == 0xff) else {
            self.scanned = bytes.len();
            return if self.scanned <= self.limit {
                Ok(None)
            } else {
                Err(Malformed::TooLong)
            };
        };
        let frame = bytes.split_to(self.scanned + end + 1).freeze();
        self.scanned = 0;
        let text = frame.slice(1..frame.len() - 1);
        Text::try_from(text)
            .map(Frame::Text)
            .map(Some)
            .map_err(|_| Malformed::NotText)
    }
}

/// Appends a message.
pub fn encode(text: &str, out: &mut BytesMut) {
    out.reserve(text.len() + 2);
    out.put_u8(0x00);
    out.put_slice(text.as_bytes());
    out.put_u8(0xff);
}

fn number(key: &[u8]) -> Option<u32> {
    let mut digits = key.iter().filter(|byte| byte.is_ascii_digit()).peekable();
    digits.peek()?;
    let number = digits.fold(0u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    let spaces = key.iter().filter(|byte| **byte == b' ').count() as u64;
    if spaces == 0 || number % spaces != 0 {
        return None;
    }
    u32::try_from(number / spaces).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_pieces() {
        let (mut frames, mut bytes) = (Frames::new(8), BytesMut::new());
        let mut push = |more: &[u8]| {
            bytes.extend_from_slice(more);
            frames.next_frame(&mut bytes)
        };
        for byte in b"\x003:::\xc3\xa9" {
            assert_eq!(push(&[*byte]), Ok(None));
        }
        assert_eq!(push(b"\xff\xff"), Ok(Some(Frame::Text("3:::é".into()))));
        assert_eq!(push(b""), Ok(None));
        assert_eq!(push(b"\x00"), Ok(Some(Frame::Close)));
        assert_eq!(push(b"\x00123456789"), Err(Malformed::TooLong));
    }
}
