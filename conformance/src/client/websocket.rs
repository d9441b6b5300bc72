//! RFC 6455 from the client's side: frames as bytes, so that a wrong one can be sent and seen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// Largest message that is put together, in bytes.
pub const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// What a frame is (section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of the message before it.
    Continuation,
    /// Text.
    Text,
    /// Binary.
    Binary,
    /// Close.
    Close,
    /// Ping.
    Ping,
    /// Pong.
    Pong,
}

impl Opcode {
    /// The four bits.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0,
            Opcode::Text => 1,
            Opcode::Binary => 2,
            Opcode::Close => 8,
            Opcode::Ping => 9,
            Opcode::Pong => 10,
        }
    }
}

/// A frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub opcode: Opcode,
    /// Whether the message ends here.
    pub fin: bool,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// Reads a server's frame from the start of the buffer: the frame and its length, or `None` while it is incomplete.
///
/// # Errors
///
/// When the bytes break section 5.2: reserved bits, a reserved opcode, a mask, a long or fragmented control frame.
pub fn parse_frame(buffer: &[u8]) -> Result<Option<(Frame, usize)>, String> {
    let &[first, second, ..] = buffer else { return Ok(None) };
    let fin = first & 0x80 != 0;
    if first & 0x70 != 0 {
        return Err(format!("websocket frame {first:#04x} has reserved bits set"));
    }
    let opcode = match first & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        other => return Err(format!("websocket frame has the reserved opcode {other}")),
    };
    if second & 0x80 != 0 {
        return Err("a server's websocket frame must not be masked".to_owned());
    }
    let short = usize::from(second & 0x7f);
    if opcode.bits() >= 8 && (short > 125 || !fin) {
        return Err("a control frame must be short and whole".to_owned());
    }
    let (head, length) = match short {
        126 => match buffer.get(2..4) {
            Some(bytes) => (4, usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))),
            None => return Ok(None),
        },
        127 => match buffer.get(2..10).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) {
            Some(bytes) => (10, usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX)),
            None => return Ok(None),
        },
        _ => (2, short),
    };
    if length > MESSAGE_LIMIT {
        return Err(format!(
            "websocket frame of {length} bytes; the harness reads {MESSAGE_LIMIT} at most"
        ));
    }
    let Some(payload) = buffer.get(head..head + length) else {
        return Ok(None);
    };
    Ok(Some((
        Frame {
            opcode,
            fin,
            payload: payload.to_vec(),
        },
        head + length,
    )))
}

/// A client's frame: whole and masked (section 5.3). The mask is fixed: the harness needs frames that can be read in a
/// capture, and its own scripted peers see the same bytes at every run.
#[must_use]
pub fn client_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = head(opcode, payload.len(), 0x80);
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A server's frame: whole, without a mask. The scripted server of `prove` writes these.
#[must_use]
pub fn server_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(opcode, payload.len(), 0);
    bytes.extend_from_slice(payload);
    bytes
}

fn head(opcode: Opcode, length: usize, mask: u8) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode.bits()];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => bytes.push(mask | short),
        (_, Ok(medium)) => {
            bytes.push(mask | 126);
            bytes.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes
}

/// The key of a connection: 16 bytes made from its name, so that a replay's `Sec-WebSocket-Accept` is the recorded one.
#[must_use]
pub fn key(name: &str) -> String {
    STANDARD.encode(&Sha1::digest(name.as_bytes())[..16])
}

/// The answer a server owes to a key (section 4.2.2).
#[must_use]
pub fn accept(key: &str) -> String {
    let digest = Sha1::digest([key.as_bytes(), b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat());
    STANDARD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_the_example_of_the_rfc() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[rstest::rstest]
    #[case(0)]
    #[case(125)]
    #[case(126)]
    #[case(65_535)]
    #[case(65_536)]
    fn a_frame_is_read_once_it_is_whole(#[case] length: usize) {
        let payload = vec![7; length];
        let bytes = server_frame(Opcode::Text, &payload);
        assert_eq!(parse_frame(&bytes[..bytes.len() - 1]), Ok(None));
        let frame = Frame {
            opcode: Opcode::Text,
            fin: true,
            payload,
        };
        assert_eq!(parse_frame(&bytes), Ok(Some((frame, bytes.len()))));
    }

    #[rstest::rstest]
    #[case(&[0xc1, 0])]
    #[case(&[0x83, 0])]
    #[case(&[0x81, 0x80, 0, 0, 0, 0])]
    #[case(&[0x09, 0])]
    #[case(&[0x89, 126, 0, 200])]
    #[case(&[0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0])]
    fn what_breaks_the_framing_is_refused(#[case] bytes: &[u8]) {
        assert!(parse_frame(bytes).is_err());
    }

    #[test]
    fn a_client_frame_is_masked() {
        let bytes = client_frame(Opcode::Text, b"Hello");
        assert_eq!(
            bytes,
            [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        );
    }
}
