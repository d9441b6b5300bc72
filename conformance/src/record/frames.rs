//! Reads WebSocket frames off a stream that goes by (RFC 6455, section 5.2), in whatever pieces it comes. Nothing is
//! judged here: what breaks the rules is recorded as it is.

/// Bytes of a frame's payload that are kept, where nothing else is said.
pub(super) const FRAME_CAP: usize = 16 * 1024;

/// A frame, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) opcode: u8,
    pub(super) fin: bool,
    /// Unmasked; at most as many bytes as the tap keeps.
    pub(super) payload: Vec<u8>,
    /// As the head announces it.
    pub(super) length: u64,
}

/// The frames of one direction.
#[derive(Debug)]
pub(super) struct Tap {
    cap: usize,
    head: Vec<u8>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    seen: Seen,
    mask: Option<[u8; 4]>,
    passed: u64,
}

impl Tap {
    /// Keeps so many bytes of each frame's payload.
    pub(super) fn new(cap: usize) -> Tap {
        Tap {
            cap,
            head: Vec::new(),
            current: None,
        }
    }

    /// Takes the next bytes; each frame that ends in them is told to `sink`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut sink: impl FnMut(Seen)) {
        while !bytes.is_empty() {
            let mut current = match self.current.take() {
                Some(current) => current,
                None => {
                    self.head.push(bytes[0]);
                    bytes = &bytes[1..];
                    match Current::from_head(&self.head) {
                        Some(current) => {
                            self.head.clear();
                            current
                        }
                        None => continue,
                    }
                }
            };
            bytes = current.take(bytes, self.cap);
            if current.passed == current.seen.length {
                sink(current.seen);
            } else {
                self.current = Some(current);
            }
        }
    }

    /// The frame that was cut off by the end of the stream.
    pub(super) fn rest(self) -> Option<Seen> {
        self.current.map(|current| current.seen)
    }
}

impl Current {
    /// The frame that this head begins, once the head is whole.
    fn from_head(head: &[u8]) -> Option<Current> {
        let &[first, second, ref rest @ ..] = head else {
            return None;
        };
        let (length, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let mask = match second & 0x80 {
            0 => None,
            _ => Some(*rest.first_chunk()?),
        };
        Some(Current {
            seen: Seen {
                opcode: first & 0x0f,
                fin: first & 0x80 != 0,
                payload: Vec::new(),
                length,
            },
            mask,
            passed: 0,
        })
    }

    /// Takes what belongs to the payload and gives back what is behind it.
    fn take<'a>(&mut self, bytes: &'a [u8], cap: usize) -> &'a [u8] {
        let missing = usize::try_from(self.seen.length - self.passed).unwrap_or(usize::MAX);
        let (mine, behind) = bytes.split_at(missing.min(bytes.len()));
        let kept = &mine[..mine.len().min(cap.saturating_sub(self.seen.payload.len()))];
        match self.mask {
            None => self.seen.payload.extend_from_slice(kept),
            Some(mask) => {
                // What is kept is kept from the start, so its length says where in the mask it goes on.
                let turn = self.seen.payload.len() % mask.len();
                let mask = mask.iter().cycle().skip(turn);
                self.seen
                    .payload
                    .extend(kept.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
            }
        }
        self.passed += mine.len() as u64;
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::websocket::{Opcode, client_frame, server_frame};

    fn seen(bytes: &[u8], piece: usize) -> (Vec<Seen>, Option<Seen>) {
        let (mut tap, mut all) = (Tap::new(FRAME_CAP), Vec::new());
        for piece in bytes.chunks(piece) {
            tap.feed(piece, |frame| all.push(frame));
        }
        (all, tap.rest())
    }

    #[test]
    fn frames_are_read_in_any_pieces() {
        let mut bytes = Vec::new();
        // A fragmented text with a ping in between.
        bytes.extend(b"\x01\x82\x01\x02\x03\x04iG");
        bytes.extend(client_frame(Opcode::Ping, b""));
        bytes.extend(b"\x80\x03lo!");
        bytes.extend(client_frame(Opcode::Binary, &[7; 126]));
        bytes.extend(server_frame(Opcode::Binary, &[8; 65_536]));
        let expected = [
            (1, false, b"hE".to_vec(), 2),
            (9, true, Vec::new(), 0),
            (0, true, b"lo!".to_vec(), 3),
            (2, true, vec![7; 126], 126),
            (2, true, vec![8; FRAME_CAP], 65_536),
        ];
        for piece in [1, 2, 3, 7, bytes.len()] {
            let (frames, rest) = seen(&bytes, piece);
            let frames: Vec<_> = frames
                .into_iter()
                .map(|frame| (frame.opcode, frame.fin, frame.payload, frame.length))
                .collect();
            assert_eq!(frames, expected, "in pieces of {piece}");
            assert_eq!(rest, None);
        }
    }

    #[test]
    fn what_was_cut_off_is_the_rest() {
        let (frames, rest) = seen(b"\x82\xfe\xff\xff\0\0\0\0abc", 4);
        assert_eq!(frames, []);
        let rest = rest.unwrap();
        assert_eq!((rest.payload.as_slice(), rest.length), (b"abc".as_slice(), 65_535));
        assert_eq!(seen(b"\x81\x7f\xff\xff", 1), (Vec::new(), None));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), piece in 1_usize..20) {
            let _ = seen(&bytes, piece);
        }
    }
}
