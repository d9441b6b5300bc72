//! HTTP/1.1 with our own bytes: a request may be wrong on purpose, and a response is shown as it came.

use std::fmt::Write as _;

use thiserror::Error;

/// Largest head that is read, in bytes.
pub const HEAD_LIMIT: usize = 64 * 1024;

/// A request as it will be written.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, as written.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In order; names as written.
    pub headers: Vec<(String, String)>,
    /// The body, if one is sent (an empty one announces `Content-Length: 0`).
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request with the headers that every request carries.
    #[must_use]
    pub fn new(method: &str, target: impl Into<String>, authority: &str) -> Request {
        Request {
            method: method.to_owned(),
            target: target.into(),
            headers: vec![("Host".to_owned(), authority.to_owned())],
            body: None,
        }
    }

    /// Replaces a header, adds it, or (with `None`) removes it.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let found = self
            .headers
            .iter()
            .position(|(have, _)| have.eq_ignore_ascii_case(name));
        match (found, value) {
            (Some(at), Some(value)) => self.headers[at] = (name.to_owned(), value.to_owned()),
            (Some(at), None) => {
                self.headers.remove(at);
            }
            (None, Some(value)) => self.headers.push((name.to_owned(), value.to_owned())),
            (None, None) => {}
        }
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The bytes; `Content-Length` is added where there is a body and the headers say nothing about its length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let framed = |name: &str| self.headers.iter().any(|(have, _)| have.eq_ignore_ascii_case(name));
        if let Some(body) = &self.body
            && !framed("content-length")
            && !framed("transfer-encoding")
        {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// The status line and the headers of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The rest of the status line.
    pub reason: String,
    /// The status line says HTTP/1.0, after which a connection ends unless the response keeps it.
    pub old: bool,
    /// In order; names as they came.
    pub headers: Vec<(String, String)>,
}

impl ResponseHead {
    /// The value of a header; several of one name are joined by `, `.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self
            .headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str());
        let first = values.next()?.to_owned();
        Some(values.fold(first, |all, value| all + ", " + value))
    }

    /// Whether the server ends the connection behind this response (RFC 9112, section 9.3).
    #[must_use]
    pub fn ends_connection(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        let says = |word: &str| connection.split(',').any(|it| it.trim().eq_ignore_ascii_case(word));
        says("close") || self.old && !says("keep-alive")
    }

    /// How the body ends, for a request of that method (RFC 9112, section 6.3).
    ///
    /// # Errors
    ///
    /// When `Content-Length` is no number.
    pub fn body(&self, method: &str) -> Result<BodyKind, HttpError> {
        if self.status == 101 {
            return Ok(BodyKind::Tunnel);
        }
        if method == "HEAD" || self.status / 100 == 1 || self.status == 204 || self.status == 304 {
            return Ok(BodyKind::Length(0));
        }
        if self
            .header("transfer-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().ends_with("chunked"))
        {
            return Ok(BodyKind::Chunked);
        }
        match self.header("content-length") {
            Some(value) => value
                .trim()
                .parse()
                .map(BodyKind::Length)
                .map_err(|_| HttpError::ContentLength(shorten(&value))),
            None => Ok(BodyKind::UntilClose),
        }
    }

    /// The head as text, for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{} {}", self.status, self.reason);
        for (name, value) in &self.headers {
            let _ = write!(text, "\n{name}: {value}");
        }
        text
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// After so many bytes.
    Length(usize),
    /// After the chunk of length 0.
    Chunked,
    /// With the connection.
    UntilClose,
    /// Never: the connection speaks another protocol from here (101).
    Tunnel,
}

/// What a server may not send.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HttpError {
    /// No status line of HTTP/1.
    #[error("no HTTP/1 response: the connection starts with {0:?}")]
    StatusLine(String),
    /// A header line without a colon.
    #[error("malformed response header {0:?}")]
    Header(String),
    /// The head goes on and on.
    #[error("response head of more than {HEAD_LIMIT} bytes")]
    HeadTooLarge,
    /// Not a number.
    #[error("malformed content-length {0:?}")]
    ContentLength(String),
    /// Not a hexadecimal number, or no line end where one is due.
    #[error("malformed chunk {0:?}")]
    Chunk(String),
}

/// Reads a head from the start of the buffer: the head and its length, or `None` while it is incomplete.
///
/// # Errors
///
/// As soon as the bytes cannot be a head any more.
pub fn parse_head(buffer: &[u8]) -> Result<Option<(ResponseHead, usize)>, HttpError> {
    let probe = buffer.len().min(5);
    if buffer[..probe] != b"HTTP/"[..probe] {
        return Err(HttpError::StatusLine(shorten(&String::from_utf8_lossy(buffer))));
    }
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() > HEAD_LIMIT {
            Err(HttpError::HeadTooLarge)
        } else {
            Ok(None)
        };
    };
    if end > HEAD_LIMIT {
        return Err(HttpError::HeadTooLarge);
    }
    let text = String::from_utf8_lossy(&buffer[..end]);
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let bad = || HttpError::StatusLine(shorten(status_line));
    let rest = status_line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(1..))
        .ok_or_else(bad)?;
    let rest = rest.strip_prefix(' ').ok_or_else(bad)?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = code.parse().ok().filter(|_| code.len() == 3).ok_or_else(bad)?;
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| HttpError::Header(shorten(line)))?;
            Ok((name.to_owned(), value.trim().to_owned()))
        })
        .collect::<Result<_, HttpError>>()?;
    Ok(Some((
        ResponseHead {
            status,
            reason: reason.to_owned(),
            old: status_line.starts_with("HTTP/1.0"),
            headers,
        },
        end + 4,
    )))
}

/// Undoes chunked transfer coding, as bytes come.
#[derive(Debug, Default)]
pub struct Dechunker {
    /// Bytes of the current chunk that are still due; its line end included.
    due: usize,
    started: bool,
}

/// What [`Dechunker::take`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk {
    /// More bytes are needed.
    NeedMore,
    /// Data.
    Data(Vec<u8>),
    /// The last chunk.
    End,
}

impl Dechunker {
    /// Takes the next piece from the front of the buffer.
    ///
    /// # Errors
    ///
    /// When a chunk's size line is malformed.
    pub fn take(&mut self, buffer: &mut Vec<u8>) -> Result<Chunk, HttpError> {
        if self.due > 2 {
            if buffer.is_empty() {
                return Ok(Chunk::NeedMore);
            }
            let n = buffer.len().min(self.due - 2);
            self.due -= n;
            return Ok(Chunk::Data(buffer.drain(..n).collect()));
        }
        if self.started {
            if buffer.len() < self.due {
                return Ok(Chunk::NeedMore);
            }
            if buffer[..self.due] != b"\r\n"[..self.due] {
                return Err(HttpError::Chunk(shorten(&String::from_utf8_lossy(buffer))));
            }
            buffer.drain(..self.due);
            self.started = false;
            self.due = 0;
        }
        let Some(end) = buffer.windows(2).position(|window| window == b"\r\n") else {
            return if buffer.len() > 1024 {
                Err(HttpError::Chunk(shorten(&String::from_utf8_lossy(buffer))))
            } else {
                Ok(Chunk::NeedMore)
            };
        };
        let line = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)
            .ok()
            .filter(|size| *size < usize::MAX / 2)
            .ok_or_else(|| HttpError::Chunk(shorten(&line)))?;
        if size == 0 {
            // Trailers end with an empty line.
            let Some(done) = buffer[end..].windows(4).position(|window| window == b"\r\n\r\n") else {
                return Ok(Chunk::NeedMore);
            };
            buffer.drain(..end + done + 4);
            return Ok(Chunk::End);
        }
        buffer.drain(..end + 2);
        self.started = true;
        self.due = size + 2;
        self.take(buffer)
    }
}

/// The start of a text, for a message.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_says_whether_it_is_the_last() {
        let ends = |head: &str| {
            parse_head(format!("{head}\r\n\r\n").as_bytes())
                .unwrap()
                .unwrap()
                .0
                .ends_connection()
        };
        assert!(!ends("HTTP/1.1 200 OK"));
        assert!(!ends("HTTP/1.1 200 OK\r\nConnection: keep-alive"));
        assert!(ends("HTTP/1.1 200 OK\r\nConnection: x, Close"));
        assert!(ends("HTTP/1.0 200 OK"));
        assert!(!ends("HTTP/1.0 200 OK\r\nConnection: Keep-Alive"));
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: a\r\nx: b\r\n\r\nabc";
        assert_eq!(parse_head(&bytes[..20]), Ok(None));
        let (head, length) = parse_head(bytes).unwrap().unwrap();
        assert_eq!(
            (head.status, head.reason.as_str(), length),
            (200, "OK", bytes.len() - 3)
        );
        assert_eq!(head.header("X"), Some("a, b".to_owned()));
        assert_eq!(head.body("GET"), Ok(BodyKind::Length(3)));
        assert_eq!(head.body("HEAD"), Ok(BodyKind::Length(0)));
    }

    #[rstest::rstest]
    #[case(b"SSH-2.0-x\r\n")]
    #[case(b"HTTP/1.1 2000 OK\r\n\r\n")]
    #[case(b"HTTP/2 200\r\n\r\n")]
    #[case(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    fn what_is_no_head_is_refused(#[case] bytes: &[u8]) {
        assert!(parse_head(bytes).is_err());
    }

    #[test]
    fn chunks_are_undone_wherever_they_are_cut() {
        let bytes = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nrest";
        for cut in 0..bytes.len() {
            let (mut dechunker, mut data, mut buffer) = (Dechunker::default(), Vec::new(), Vec::new());
            let mut ended = false;
            for piece in [&bytes[..cut], &bytes[cut..]] {
                buffer.extend_from_slice(piece);
                while !ended {
                    match dechunker.take(&mut buffer).unwrap() {
                        Chunk::Data(bytes) => data.extend(bytes),
                        Chunk::End => ended = true,
                        Chunk::NeedMore => break,
                    }
                }
            }
            assert!(ended);
            assert_eq!(data, b"abc0123456789");
            assert_eq!(buffer, b"rest");
        }
    }

    #[test]
    fn a_bad_chunk_size_is_refused() {
        assert!(Dechunker::default().take(&mut b"zz\r\nabc".to_vec()).is_err());
        assert!(Dechunker::default().take(&mut vec![b'1'; 2000]).is_err());
    }
}
