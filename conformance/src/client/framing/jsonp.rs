//! jsonp-polling: payloads as scripts that call `io.j[index]`, and as the form field `d`.

use super::{Fault, FramingError, literal, utf8};

/// The answer to a handshake with `jsonp=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// `io.j[0]("sid:15:25:websocket");`
    Accepted {
        /// The callback's index.
        index: u64,
        /// The body as [`handshake::parse`](super::handshake::parse) takes it.
        body: String,
    },
    /// `io.j[0](new Error("handshake unauthorized"));`
    Refused {
        /// The callback's index.
        index: u64,
        /// The reason.
        message: String,
    },
}

/// Takes the payload out of a poll's answer, `io.j[5]("…");`: its index and the payload, still framed.
///
/// # Errors
///
/// Anything that is not exactly such a call; a literal that would break the script.
pub fn unwrap_poll(body: &str) -> Result<(u64, String), FramingError> {
    let (index, at) = callee(body)?;
    let (payload, length) = literal::read(&body[at..]).map_err(|error| error.shifted(at))?;
    closed(body, at + length, ");")?;
    Ok((index, payload))
}

/// The answer to a poll: what [`unwrap_poll`] takes apart.
#[must_use]
pub fn wrap_poll(index: u64, payload: &str) -> String {
    format!("io.j[{index}]({});", literal::write(payload))
}

/// Takes the answer to a handshake with `jsonp=` apart.
///
/// # Errors
///
/// Anything that is neither a call with a string nor one with an error object.
pub fn unwrap_handshake(body: &str) -> Result<Handshake, FramingError> {
    const ERROR: &str = "new Error(";
    let (index, at) = callee(body)?;
    if !body[at..].starts_with(ERROR) {
        return unwrap_poll(body).map(|(index, body)| Handshake::Accepted { index, body });
    }
    let at = at + ERROR.len();
    let (message, length) = literal::read(&body[at..]).map_err(|error| error.shifted(at))?;
    closed(body, at + length, "));")?;
    Ok(Handshake::Refused { index, message })
}

/// The form that posts a payload: `d=` and the payload as a JSON string, percent-encoded.
#[must_use]
pub fn post_body(payload: &str) -> String {
    let mut form = String::from("d=");
    for byte in literal::write(payload).bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push_str(&format!("%{byte:02X}"));
        }
    }
    form
}

/// The payload of a posted form.
///
/// # Errors
///
/// No field `d`, a malformed escape, bytes that are not UTF-8, a value that is no JSON string.
pub fn parse_post(form: &str) -> Result<String, FramingError> {
    let mut at = 0;
    for field in form.split('&') {
        if let Some(value) = field.strip_prefix("d=") {
            let at = at + 2;
            let text = percent_decode(value).map_err(|error| error.shifted(at))?;
            let (payload, length) = literal::read(&text).map_err(|error| error.shifted(at))?;
            return closed(&text, length, "").map(|()| payload);
        }
        at += field.len() + 1;
    }
    Err(FramingError::new(0, Fault::Form))
}

/// Reads `io.j[<index>](`; returns the index and where the argument begins.
fn callee(body: &str) -> Result<(u64, usize), FramingError> {
    const CALL: &str = "io.j[";
    let Some(rest) = body.strip_prefix(CALL) else {
        return Err(FramingError::new(0, Fault::Marker("io.j[")));
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let at = CALL.len() + digits;
    let Ok(index) = rest[..digits].parse() else {
        return Err(FramingError::new(CALL.len(), Fault::Index));
    };
    match rest[digits..].strip_prefix("](") {
        Some(_) => Ok((index, at + 2)),
        None if rest[digits..].starts_with(']') => Err(FramingError::new(at, Fault::Marker("]("))),
        None => Err(FramingError::new(at, Fault::Index)),
    }
}

/// Demands that `text` ends with `end` at `at`.
fn closed(text: &str, at: usize, end: &'static str) -> Result<(), FramingError> {
    match text[at..].strip_prefix(end) {
        Some("") => Ok(()),
        Some(_) => Err(FramingError::new(at + end.len(), Fault::Trailing)),
        None => Err(FramingError::new(at, Fault::Marker(end))),
    }
}

fn percent_decode(text: &str) -> Result<String, FramingError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let (decoded, length) = match byte {
            b'+' => (b' ', 1),
            b'%' => (
                hex(text.get(at + 1..at + 3)).ok_or(FramingError::new(at, Fault::Form))?,
                3,
            ),
            other => (*other, 1),
        };
        bytes.push(decoded);
        at += length;
    }
    utf8(bytes, 0)
}

fn hex(digits: Option<&str>) -> Option<u8> {
    let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}
