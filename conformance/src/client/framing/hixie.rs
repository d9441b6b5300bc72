//! The client's side of the WebSocket draft hixie-76: keys, digest and frames.

use md5::{Digest, Md5};

use super::{Fault, FramingError, Pending, utf8};

/// The closing frame, both ways.
pub const CLOSING: [u8; 2] = [0xff, 0x00];

/// What a client sends to prove that the server speaks the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// `Sec-WebSocket-Key1`.
    pub key1: String,
    /// `Sec-WebSocket-Key2`.
    pub key2: String,
    /// The eight bytes behind the request's head.
    pub key3: [u8; 8],
}

impl Keys {
    /// Keys as a browser makes them; the same seed gives the same keys.
    #[must_use]
    pub fn from_seed(seed: u64) -> Keys {
        let mut random = Random(seed);
        let (key1, key2) = (key(&mut random), key(&mut random));
        Keys {
            key1,
            key2,
            key3: random.next().to_be_bytes(),
        }
    }

    /// The sixteen bytes the server must answer with.
    ///
    /// # Errors
    ///
    /// A key without spaces or digits, or whose number is too large or no multiple of its spaces.
    pub fn digest(&self) -> Result<[u8; 16], FramingError> {
        let mut hash = Md5::new();
        hash.update(number(&self.key1)?.to_be_bytes());
        hash.update(number(&self.key2)?.to_be_bytes());
        hash.update(self.key3);
        Ok(hash.finalize().into())
    }
}

/// One frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// `00`, the text, `ff`.
    Text(String),
    /// `ff 00`.
    Close,
}

/// The frame that carries a text.
#[must_use]
pub fn frame(text: &str) -> Vec<u8> {
    [b"\x00", text.as_bytes(), b"\xff"].concat()
}

/// Reads frames from the bytes behind the handshake as they come.
#[derive(Debug, Default)]
pub struct Deframer {
    pending: Pending,
}

impl Deframer {
    /// A stream at its first byte.
    #[must_use]
    pub fn new() -> Deframer {
        Deframer::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.push(bytes);
    }

    /// The next frame, or `None` until its end has come.
    ///
    /// # Errors
    ///
    /// A byte that begins no frame, a text that is not UTF-8, more than 16 MiB without an end.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means not yet")]
    pub fn next(&mut self) -> Result<Option<Frame>, FramingError> {
        self.pending.check()?;
        match self.pending.bytes.as_slice() {
            [] | [0xff] => Ok(None),
            [0xff, 0x00, ..] => {
                self.pending.take(2);
                Ok(Some(Frame::Close))
            }
            [0x00, rest @ ..] => {
                let Some(length) = rest.iter().position(|byte| *byte == 0xff) else {
                    return Ok(None);
                };
                let offset = self.pending.offset + 1;
                let mut text = self.pending.take(length + 2);
                text.truncate(length + 1);
                utf8(text.split_off(1), offset).map(|text| Some(Frame::Text(text)))
            }
            _ => self.pending.fail(0, Fault::Marker("a frame's first byte")),
        }
    }

    /// How many bytes, counted from the first, the items so far have used up.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.pending.offset
    }

    /// Whether no bytes of an unfinished frame are left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.bytes.is_empty()
    }
}

/// The number in a key: its digits, divided by how many spaces it has.
fn number(key: &str) -> Result<u32, FramingError> {
    let bad = FramingError::new(0, Fault::Key);
    let digits: String = key.chars().filter(char::is_ascii_digit).collect();
    let spaces = key.bytes().filter(|b| *b == b' ').count() as u64;
    let product: u64 = digits.parse().map_err(|_| bad.clone())?;
    if spaces == 0 || !product.is_multiple_of(spaces) {
        return Err(bad);
    }
    u32::try_from(product / spaces).map_err(|_| bad)
}

/// A key: a multiple of its spaces, the digits strewn with other characters, spaces never at an edge.
fn key(random: &mut Random) -> String {
    let spaces = 1 + random.below(12);
    let product = random.below(u64::from(u32::MAX) / spaces) * spaces;
    let mut characters = product.to_string().into_bytes();
    let mut strew = |byte: u8, edge: u64, random: &mut Random| {
        let at = edge + random.below(characters.len() as u64 + 1 - 2 * edge);
        characters.insert(usize::try_from(at).unwrap_or_default(), byte);
    };
    for _ in 0..2 + random.below(10) {
        let letter = b'A' + u8::try_from(random.below(26)).unwrap_or_default();
        strew(letter, 0, random);
    }
    for _ in 0..spaces {
        strew(b' ', 1, random);
    }
    characters.into_iter().map(char::from).collect()
}

/// SplitMix64: small, and good enough for keys whose only secret is that no cache knows them.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_draft() {
        let keys = Keys {
            key1: "4 @1  46546xW%0l 1 5".to_owned(),
            key2: "12998 5 Y3 1  .P00".to_owned(),
            key3: *b"^n:ds[4U",
        };
        assert_eq!(&keys.digest().unwrap(), b"8jKS'y:G*Co,Wxa-");
    }

    #[test]
    fn made_keys_are_good_ones() {
        for seed in 0..1000 {
            let keys = Keys::from_seed(seed);
            keys.digest().unwrap();
            assert_eq!(keys.key1, keys.key1.trim());
            assert_eq!(keys, Keys::from_seed(seed));
        }
    }
}
