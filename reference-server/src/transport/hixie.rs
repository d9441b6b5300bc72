//! The WebSocket drafts of hixie, 75 and 76, that browsers and Flash clients of 2010 and 2011 speak.
//!
//! A message is `0x00`, UTF-8, `0xff`. Draft 76 adds a challenge in the handshake, of which eight bytes follow the head of
//! the request without any `Content-Length`, and `0xff 0x00` to close.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderMap;
use md5::{Digest, Md5};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::codec::Text;

use super::refusal::Hangup;
use super::websocket;

const CLOSE: [u8; 2] = [0xff, 0x00];

/// The two numbers of draft 76 that the client hid in its headers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Challenge(u32, u32);

impl Challenge {
    /// `None` for draft 75, which has no challenge.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<Self>, Hangup> {
        let key = |name| {
            headers
                .get(name)
                .map(|value| number(value.as_bytes()).ok_or(Hangup("bad hixie key")))
        };
        match (key("sec-websocket-key1"), key("sec-websocket-key2")) {
            (None, None) => Ok(None),
            (Some(one), Some(two)) => Ok(Some(Challenge(one?, two?))),
            _ => Err(Hangup("half a hixie key")),
        }
    }

    fn answer(self, last: [u8; 8]) -> [u8; 16] {
        let mut digest = Md5::new();
        digest.update(self.0.to_be_bytes());
        digest.update(self.1.to_be_bytes());
        digest.update(last);
        digest.finalize().into()
    }
}

/// The digits of the key as one number, divided by how many spaces there are.
fn number(key: &[u8]) -> Option<u32> {
    let digits = key.iter().filter(|byte| byte.is_ascii_digit());
    let number = digits.fold(0u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    let spaces = key.iter().filter(|byte| **byte == b' ').count() as u64;
    if spaces == 0 || number % spaces != 0 {
        return None;
    }
    u32::try_from(number / spaces).ok()
}

/// A connection in either draft.
pub(super) struct Socket<S> {
    stream: S,
    frames: Frames,
    out: BytesMut,
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(super) fn new(stream: S, read: &Bytes, limit: usize) -> Self {
        let frames = Frames {
            bytes: BytesMut::from(&read[..]),
            scanned: 0,
            limit,
        };
        Socket {
            stream,
            frames,
            out: BytesMut::new(),
            ended: false,
        }
    }

    /// Reads the last part of the challenge, and answers it.
    pub(super) async fn respond(&mut self, challenge: Challenge) -> io::Result<()> {
        while self.frames.bytes.len() < 8 {
            if self.stream.read_buf(&mut self.frames.bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut last = [0; 8];
        self.frames.bytes.copy_to_slice(&mut last);
        self.stream.write_all(&challenge.answer(last)).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> websocket::Socket for Socket<S> {
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Text>> {
        loop {
            match self.frames.next() {
                _ if self.ended => return Poll::Ready(None),
                Frame::Text(text) => return Poll::Ready(Some(text)),
                Frame::Close => {
                    self.out.extend_from_slice(&CLOSE);
                    self.ended = true;
                }
                Frame::Malformed => self.ended = true,
                Frame::Incomplete => {
                    let mut bytes = [0; 4096];
                    let mut read = ReadBuf::new(&mut bytes);
                    let result = ready!(Pin::new(&mut self.stream).poll_read(context, &mut read));
                    self.ended = result.is_err() || read.filled().is_empty();
                    self.frames.bytes.extend_from_slice(read.filled());
                }
            }
        }
    }

    fn queue(&mut self, message: &Text) {
        self.out.reserve(message.len() + 2);
        self.out.put_u8(0x00);
        self.out.put_slice(message.as_str().as_bytes());
        self.out.put_u8(0xff);
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

    /// Without a close frame of its own, as the original: draft 75 has none. One of the client is returned.
    async fn close(&mut self) {
        let _ = self.stream.write_all_buf(&mut self.out).await;
        let _ = self.stream.shutdown().await;
    }
}

/// Bytes that have come, cut into frames.
struct Frames {
    bytes: BytesMut,
    /// How far there is no `0xff`.
    scanned: usize,
    limit: usize,
}

#[derive(Debug, Eq, PartialEq)]
enum Frame {
    Text(Text),
    Close,
    Incomplete,
    Malformed,
}

impl Frames {
    fn next(&mut self) -> Frame {
        loop {
            match self.bytes.first() {
                None => return Frame::Incomplete,
                Some(kind) if kind & 0x80 == 0 => match self.delimited() {
                    Some(frame) => return frame,
                    None => continue,
                },
                Some(_) => match length(&self.bytes[1..]) {
                    None if self.bytes.len() > 10 => return Frame::Malformed,
                    None => return Frame::Incomplete,
                    Some((0, _)) if self.bytes[0] == 0xff => return Frame::Close,
                    Some((length, _)) if length > self.limit => return Frame::Malformed,
                    // No frame with a length means anything yet: it is skipped.
                    Some((length, used)) if self.bytes.len() > length + used => self.bytes.advance(1 + used + length),
                    Some(_) => return Frame::Incomplete,
                },
            }
        }
    }

    /// A frame that ends with `0xff`; `None` if it is not text, which only type 0 is. Bytes that are no UTF-8 become
    /// U+FFFD.
    fn delimited(&mut self) -> Option<Frame> {
        let Some(end) = self.bytes[self.scanned..].iter().position(|byte| *byte == 0xff) else {
            self.scanned = self.bytes.len();
            return Some(if self.scanned > self.limit {
                Frame::Malformed
            } else {
                Frame::Incomplete
            });
        };
        let frame = self.bytes.split_to(self.scanned + end + 1).freeze();
        self.scanned = 0;
        let data = frame.slice(1..frame.len() - 1);
        (frame[0] == 0).then(|| {
            let text = Text::try_from(data.clone());
            Frame::Text(text.unwrap_or_else(|_| String::from_utf8_lossy(&data).as_ref().into()))
        })
    }
}

/// A length in base 128, most significant digit first, and how many bytes it took.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0usize;
    for (k, byte) in bytes.iter().take(9).enumerate() {
        length = length.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            return Some((length, k + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_challenge_of_the_draft() {
        let challenge = Challenge(
            number(b"4 @1  46546xW%0l 1 5").unwrap(),
            number(b"12998 5 Y3 1  .P00").unwrap(),
        );
        assert_eq!(challenge, Challenge(829_309_203, 259_970_620));
        assert_eq!(&challenge.answer(*b"^n:ds[4U"), b"8jKS'y:G*Co,Wxa-");
    }

    #[rstest]
    #[case::no_space(b"123")]
    #[case::no_multiple(b"1 0 1")]
    #[case::too_large(b"99999999999 ")]
    fn other_keys_are_bad(#[case] key: &[u8]) {
        assert_eq!(number(key), None);
    }

    #[rstest]
    #[case(b"\x001::\xff\x002::\xff", &[Frame::Text("1::".into()), Frame::Text("2::".into()), Frame::Incomplete])]
    #[case::half(b"\x001:", &[Frame::Incomplete])]
    #[case::other_type(b"\x07x\xff\x00y\xff", &[Frame::Text("y".into())])]
    #[case::with_length(b"\x80\x02ab\x00y\xff", &[Frame::Text("y".into())])]
    #[case::half_with_length(b"\x80\x02a", &[Frame::Incomplete])]
    #[case::close(b"\xff\x00", &[Frame::Close])]
    #[case::no_utf8(b"\x00a\xc3\xff", &[Frame::Text("a\u{fffd}".into())])]
    #[case::too_long(b"\x00aaaaaaaaaaaaaaaaaa", &[Frame::Malformed])]
    #[case::far_too_long(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &[Frame::Malformed])]
    fn bytes_are_cut_into_frames(#[case] bytes: &[u8], #[case] expected: &[Frame]) {
        let mut frames = Frames {
            bytes: BytesMut::from(bytes),
            scanned: 0,
            limit: 16,
        };
        for frame in expected {
            assert_eq!(&frames.next(), frame);
        }
    }
}
