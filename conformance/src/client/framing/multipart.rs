//! xhr-multipart: each packet one part of a `multipart/x-mixed-replace` body that never ends.

use super::{Fault, FramingError, Pending, find, utf8};

/// Reads the body of an xhr-multipart response as it comes. Lines may end with LF, as the original wrote them, or CRLF.
#[derive(Debug)]
pub struct Stream {
    pending: Pending,
    delimiter: Vec<u8>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Start,
    Parts,
    Ended,
}

impl Stream {
    /// A stream at its first byte, for a response with this Content-Type.
    ///
    /// # Errors
    ///
    /// Another media type, or no boundary.
    pub fn new(content_type: &str) -> Result<Stream, FramingError> {
        let missing = FramingError::new(0, Fault::Boundary);
        let (media, parameters) = content_type.split_once(';').ok_or(missing.clone())?;
        if !media.trim().eq_ignore_ascii_case("multipart/x-mixed-replace") {
            return Err(missing);
        }
        let boundary = parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
            .map(|(_, value)| value.trim_matches('"'))
            .filter(|value| !value.is_empty() && value.len() <= 70)
            .ok_or(missing)?;
        let delimiter = format!("--{boundary}").into_bytes();
        Ok(Stream {
            pending: Pending::default(),
            delimiter,
            state: State::Start,
        })
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.push(bytes);
    }

    /// The next packet, or `None` until the boundary behind it has come.
    ///
    /// # Errors
    ///
    /// A body that does not begin with the boundary, a part without a text/plain header, bytes that are not UTF-8, bytes
    /// behind the closing boundary, more than 16 MiB without an end.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means not yet")]
    pub fn next(&mut self) -> Result<Option<String>, FramingError> {
        self.pending.check()?;
        match self.state {
            State::Start => {
                self.pending.skip_whitespace();
                let known = self.pending.bytes.len().min(self.delimiter.len());
                if self.pending.bytes[..known] != self.delimiter[..known] {
                    return self.pending.fail(0, Fault::Prelude);
                }
                let Some(length) = self.delimiter_line(0)? else {
                    return Ok(None);
                };
                self.pending.take(length);
                if self.state == State::Start {
                    self.state = State::Parts;
                }
                self.next()
            }
            State::Parts => self.part(),
            State::Ended if self.is_empty() => Ok(None),
            State::Ended => self.pending.fail(0, Fault::Trailing),
        }
    }

    /// How many bytes, counted from the first, the items so far have used up.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.pending.offset
    }

    /// Whether no bytes are left that make no whole part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.bytes.iter().all(u8::is_ascii_whitespace)
    }

    fn part(&mut self) -> Result<Option<String>, FramingError> {
        let Some((head, blank)) = head(&self.pending.bytes) else {
            return Ok(None);
        };
        let header = String::from_utf8_lossy(&self.pending.bytes[..head]).to_ascii_lowercase();
        if !header
            .lines()
            .any(|line| line.trim_end().starts_with("content-type: text/plain"))
        {
            return self.pending.fail(0, Fault::Marker("Content-Type: text/plain"));
        }
        let mut from = head + blank;
        loop {
            let Some(line) = find(&self.pending.bytes[from..], b"\n--").map(|at| from + at) else {
                return Ok(None);
            };
            from = line + 1;
            let rest = &self.pending.bytes[line + 1..];
            let known = rest.len().min(self.delimiter.len());
            if rest[..known] != self.delimiter[..known] {
                continue;
            }
            let Some(length) = self.delimiter_line(line + 1)? else {
                return Ok(None);
            };
            let offset = self.pending.offset + head + blank;
            let mut part = self.pending.take(line + 1 + length);
            part.truncate(line);
            if part.last() == Some(&b'\r') {
                part.pop();
            }
            return utf8(part.split_off(head + blank), offset).map(Some);
        }
    }

    /// The length of the boundary line at `at`, its line end included; notes the closing boundary.
    fn delimiter_line(&mut self, at: usize) -> Result<Option<usize>, FramingError> {
        let length = self.delimiter.len();
        let Some(rest) = self.pending.bytes.get(at + length..) else {
            return Ok(None);
        };
        match rest {
            [] | [b'\r' | b'-'] => Ok(None),
            [b'\n', ..] => Ok(Some(length + 1)),
            [b'\r', b'\n', ..] => Ok(Some(length + 2)),
            [b'-', b'-', ..] => {
                self.state = State::Ended;
                Ok(Some(length + 2))
            }
            _ => self
                .pending
                .fail(at + length, Fault::Marker("the end of the boundary line")),
        }
    }
}

/// The part that carries a packet, with the boundary that closes it: what [`Stream`] reads.
#[must_use]
pub fn part(boundary: &str, packet: &str) -> String {
    format!("Content-Type: text/plain\n\n{packet}\n--{boundary}\n")
}

/// Where the headers of a part end, and how long the empty line behind them is.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    let lf = find(bytes, b"\n\n").map(|at| (at, 2));
    let crlf = find(bytes, b"\r\n\r\n").map(|at| (at, 4));
    lf.into_iter().chain(crlf).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_whole_however_the_bytes_come() {
        let packets = ["1::", "3:::a\n\nb\n--c", "3:::\u{1f600}"];
        let body = packets.iter().fold("--socketio\n".to_owned(), |body, packet| {
            body + &part("socketio", packet)
        });
        for step in [1, 5, 4096] {
            let mut stream = Stream::new("multipart/x-mixed-replace;boundary=\"socketio\"").unwrap();
            let mut seen = Vec::new();
            for chunk in body.as_bytes().chunks(step) {
                stream.push(chunk);
                while let Some(packet) = stream.next().unwrap() {
                    seen.push(packet);
                }
            }
            assert_eq!(seen, packets);
            assert!(stream.is_empty());
        }
    }
}
