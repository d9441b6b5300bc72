//! Packets on a stream: a header with the kind and the length of the payload, then the payload (eio4, "WebTransport").

use bytes::{Buf, BytesMut};

use super::{Malformed, Message, Text};

/// The bit of the first byte that says that the payload is binary.
const BINARY: u8 = 0x80;

/// Appends a message behind its header.
pub fn encode(message: &Message, out: &mut BytesMut) {
    let (bytes, kind): (&[u8], u8) = match message {
        Message::Text(text) => (text.as_bytes(), 0),
        Message::Binary(bytes) => (bytes, BINARY),
    };
    match (u8::try_from(bytes.len()), u16::try_from(bytes.len())) {
        (Ok(length @ ..126), _) => out.extend_from_slice(&[kind | length]),
        (_, Ok(length)) => {
            out.extend_from_slice(&[kind | 126]);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.extend_from_slice(&[kind | 127]);
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

/// Takes a stream apart, however its bytes come.
#[derive(Debug)]
pub struct Frames {
    limit: usize,
}

impl Frames {
    /// A payload may have up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Frames { limit }
    }

    /// The next message that is whole; its bytes are taken away.
    ///
    /// # Errors
    ///
    /// [`Malformed::BadLength`] where there is no payload, [`Malformed::TooLong`], [`Malformed::NotText`]
    pub fn next_message(&self, bytes: &mut BytesMut) -> Result<Option<Message>, Malformed> {
        let Some(first) = bytes.first() else {
            return Ok(None);
        };
        let (binary, short) = (first & BINARY != 0, first & !BINARY);
        let (header, length) = match (short, bytes.get(1..3), bytes.get(1..9)) {
            (126, Some(&[a, b]), _) => (3, u64::from(u16::from_be_bytes([a, b]))),
            (127, _, Some(&[a, b, c, d, e, f, g, h])) => (9, u64::from_be_bytes([a, b, c, d, e, f, g, h])),
            (126 | 127, _, _) => return Ok(None),
            (short, _, _) => (1, u64::from(short)),
        };
        let length = usize::try_from(length).map_err(|_| Malformed::TooLong)?;
        match length {
            0 => return Err(Malformed::BadLength),
            _ if length > self.limit => return Err(Malformed::TooLong),
            _ if bytes.len() - header < length => return Ok(None),
            _ => {}
        }
        bytes.advance(header);
        let payload = bytes.split_to(length).freeze();
        if binary {
            return Ok(Some(Message::Binary(payload)));
        }
        Text::try_from(payload)
            .map(|text| Some(Message::Text(text)))
            .map_err(|_| Malformed::NotText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_in_pieces() {
        let mut wire = BytesMut::new();
        let message = Message::Text("4".repeat(300).into());
        encode(&message, &mut wire);
        encode(&message, &mut wire);
        let mut bytes = BytesMut::new();
        let mut messages = 0;
        for byte in &wire {
            bytes.extend_from_slice(&[*byte]);
            while let Some(there) = Frames::new(300).next_message(&mut bytes).unwrap() {
                assert_eq!(there, message);
                messages += 1;
            }
        }
        assert_eq!((messages, bytes.is_empty()), (2, true));
        assert_eq!(Frames::new(299).next_message(&mut wire), Err(Malformed::TooLong));
    }
}
