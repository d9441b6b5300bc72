//! The framing of a WebTransport stream: a header with the kind and length of each packet (Packet encoding, WebTransport).
//!
//! The first byte has the kind in bit 7 (1 is binary) and the length below; 126 says that two bytes with the length follow,
//! 127 that eight do, both big-endian.

use super::engine::{Message, packet};
use super::{Fault, FramingError, Pending, utf8};

const BINARY: u8 = 0x80;
const LENGTH_IN_TWO: u8 = 126;
const LENGTH_IN_EIGHT: u8 = 127;

/// One packet behind its header. The length is written in the shortest form.
#[must_use]
pub fn frame(message: &Message) -> Vec<u8> {
    let (flag, payload) = match message {
        Message::Text(text) => (0, text.as_bytes()),
        Message::Binary(bytes) => (BINARY, bytes.as_slice()),
    };
    let mut bytes = Vec::with_capacity(9 + payload.len());
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < LENGTH_IN_TWO => bytes.push(flag | short),
        (_, Ok(length)) => {
            bytes.push(flag | LENGTH_IN_TWO);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            bytes.push(flag | LENGTH_IN_EIGHT);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// Reads packets from the bytes of a stream as they come.
#[derive(Debug)]
pub struct Deframer {
    pending: Pending,
    limit: u64,
}

impl Deframer {
    /// A stream at its first byte; a packet has at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Deframer {
        Deframer {
            pending: Pending::default(),
            limit: limit as u64,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.push(bytes);
    }

    /// The next packet, or `None` until all of it has come.
    ///
    /// # Errors
    ///
    /// A length of zero or beyond the limit, as soon as it is there; a text that is not UTF-8, or whose packet type is not
    /// known.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means not yet")]
    pub fn next(&mut self) -> Result<Option<Message>, FramingError> {
        self.pending.check()?;
        let Some((binary, header, length)) = header(&self.pending.bytes) else {
            return Ok(None);
        };
        if length == 0 || length > self.limit {
            return self.pending.fail(0, Fault::Length);
        }
        let Some(end) = usize::try_from(length).ok().map(|length| header + length) else {
            return self.pending.fail(0, Fault::Length);
        };
        if self.pending.bytes.len() < end {
            return Ok(None);
        }
        self.pending.take(header);
        let offset = self.pending.offset;
        let payload = self.pending.take(end - header);
        if binary {
            return Ok(Some(Message::Binary(payload)));
        }
        let text = utf8(payload, offset)?;
        packet(&text).map_err(|error| error.shifted(offset))?;
        Ok(Some(Message::Text(text)))
    }

    /// How many bytes, counted from the first, the packets so far have used up.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.pending.offset
    }

    /// Whether no bytes of an unfinished packet are left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.bytes.is_empty()
    }
}

/// Whether the packet is binary, and the lengths of its header and of what follows; `None` while the header is not whole.
fn header(bytes: &[u8]) -> Option<(bool, usize, u64)> {
    let (first, rest) = bytes.split_first()?;
    let (header, length) = match first & !BINARY {
        LENGTH_IN_TWO => (3, u16::from_be_bytes(*rest.first_chunk()?).into()),
        LENGTH_IN_EIGHT => (9, u64::from_be_bytes(*rest.first_chunk()?)),
        short => (1, short.into()),
    };
    Some((first & BINARY != 0, header, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_byte_by_byte() {
        let packets = [
            Message::Text("4a".to_owned()),
            Message::Binary(vec![7; 300]),
            Message::Text("4".repeat(70_000)),
        ];
        let mut stream = Deframer::new(70_000);
        let mut read = Vec::new();
        for byte in packets.iter().flat_map(frame) {
            stream.push(&[byte]);
            read.extend(stream.next().unwrap());
        }
        assert_eq!(read, packets);
        assert!(stream.is_empty());
        assert_eq!(stream.consumed(), 1 + 2 + 3 + 300 + 9 + 70_000);
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_bytes_come() {
        let mut stream = Deframer::new(300);
        stream.push(&frame(&Message::Text("4".repeat(300))));
        assert!(stream.next().unwrap().is_some());
        stream.push(&[LENGTH_IN_TWO, 1, 45]);
        let error = FramingError::new(303, Fault::Length);
        assert_eq!(stream.next(), Err(error));
    }

    proptest::proptest! {
        #[test]
        fn any_stream_is_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            let mut stream = Deframer::new(50);
            stream.push(&bytes);
            while let Ok(Some(_)) = stream.next() {}
        }
    }
}
