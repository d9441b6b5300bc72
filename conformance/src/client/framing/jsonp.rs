//! Payloads as scripts that call a function by its index, and as the form field `d`: the transport jsonp-polling of revision
//! 1, and polling with `j=` in Engine.IO 3.

use super::{Fault, FramingError, literal, utf8};

/// Whose functions a script calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// Revision 1: `io.j[0]`.
    Rev1,
    /// Engine.IO 3: `___eio[0]`.
    Eio3,
}

impl Callee {
    /// What stands before the index.
    fn opening(self) -> &'static str {
        match self {
            Callee::Rev1 => "io.j[",
            Callee::Eio3 => "___eio[",
        }
    }
}

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

/// Takes the payload out of a poll's answer, such as `io.j[5]("…");`: its index and the payload, still framed.
///
/// # Errors
///
/// Anything that is not exactly such a call; a literal that would break the script.
pub fn unwrap_poll(callee: Callee, body: &str) -> Result<(u64, String), FramingError> {
    let (index, at) = called(callee, body)?;
    let (payload, length) = literal::read(&body[at..]).map_err(|error| error.shifted(at))?;
    closed(body, at + length, ");")?;
    Ok((index, payload))
}

/// The answer to a poll: what [`unwrap_poll`] takes apart.
#[must_use]
pub fn wrap_poll(callee: Callee, index: u64, payload: &str) -> String {
    format!("{}{index}]({});", callee.opening(), literal::write(payload))
}

/// Takes the answer to a handshake with `jsonp=` apart.
///
/// # Errors
///
/// Anything that is neither a call with a string nor one with an error object.
pub fn unwrap_handshake(body: &str) -> Result<Handshake, FramingError> {
    const ERROR: &str = "new Error(";
    let (index, at) = called(Callee::Rev1, body)?;
    if !body[at..].starts_with(ERROR) {
        return unwrap_poll(Callee::Rev1, body).map(|(index, body)| Handshake::Accepted { index, body });
    }
    let at = at + ERROR.len();
    let (message, length) = literal::read(&body[at..]).map_err(|error| error.shifted(at))?;
    closed(body, at + length, "));")?;
    Ok(Handshake::Refused { index, message })
}

/// The form that posts a payload: `d=` and the payload, percent-encoded. In revision 1 it is a JSON string; in Engine.IO 3
/// its newlines are escaped, for a form field would change them: `\n` for one, and a backslash more before what looks so.
#[must_use]
pub fn post_body(callee: Callee, payload: &str) -> String {
    let value = match callee {
        Callee::Rev1 => literal::write(payload),
        Callee::Eio3 => payload.replace("\\n", "\\\n").replace('\n', "\\n"),
    };
    let mut form = String::from("d=");
    for byte in value.bytes() {
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
/// No field `d`, a malformed escape, bytes that are not UTF-8; in revision 1, a value that is no JSON string.
pub fn parse_post(callee: Callee, form: &str) -> Result<String, FramingError> {
    let mut at = 0;
    for field in form.split('&') {
        if let Some(value) = field.strip_prefix("d=") {
            let at = at + 2;
            let text = percent_decode(value).map_err(|error| error.shifted(at))?;
            if callee == Callee::Eio3 {
                return Ok(newlines(&text));
            }
            let (payload, length) = literal::read(&text).map_err(|error| error.shifted(at))?;
            return closed(&text, length, "").map(|()| payload);
        }
        at += field.len() + 1;
    }
    Err(FramingError::new(0, Fault::Form))
}

/// Undoes the escapes of Engine.IO 3: of the backslashes before an `n`, one alone makes a newline, and of more one goes.
fn newlines(text: &str) -> String {
    let mut payload = String::with_capacity(text.len());
    let mut backslashes = 0;
    for c in text.chars() {
        if c == 'n' && backslashes > 0 {
            payload.pop();
        }
        match c {
            'n' if backslashes == 1 => payload.push('\n'),
            c => payload.push(c),
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    payload
}

/// Reads `io.j[<index>](`; returns the index and where the argument begins.
fn called(callee: Callee, body: &str) -> Result<(u64, usize), FramingError> {
    let opening = callee.opening();
    let Some(rest) = body.strip_prefix(opening) else {
        return Err(FramingError::new(0, Fault::Marker(opening)));
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let at = opening.len() + digits;
    let Ok(index) = rest[..digits].parse() else {
        return Err(FramingError::new(opening.len(), Fault::Index));
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("4a\nb", "d=4a%5Cnb")]
    #[case("4a\\nb", "d=4a%5C%5Cnb")]
    #[case("4a\\\\nb", "d=4a%5C%5C%5Cnb")]
    #[case("4a\\b", "d=4a%5Cb")]
    fn a_form_escapes_newlines(#[case] payload: &str, #[case] form: &str) {
        assert_eq!(post_body(Callee::Eio3, payload), form);
        assert_eq!(parse_post(Callee::Eio3, form).unwrap(), payload);
    }

    proptest::proptest! {
        #[test]
        fn parse_undoes_post(payload in "[n\\\\\n4\"\u{2028}é+ ]{0,12}", eio3 in proptest::bool::ANY) {
            let callee = if eio3 { Callee::Eio3 } else { Callee::Rev1 };
            // The escapes of Engine.IO 3 cannot tell a backslash before a newline from one before an `n`.
            proptest::prop_assume!(!eio3 || !payload.contains("\\\n"));
            let form = post_body(callee, &payload);
            proptest::prop_assert_eq!(parse_post(callee, &form).unwrap(), payload.clone());
            let script = wrap_poll(callee, 7, &payload);
            proptest::prop_assert_eq!(unwrap_poll(callee, &script).unwrap(), (7, payload));
        }
    }
}
