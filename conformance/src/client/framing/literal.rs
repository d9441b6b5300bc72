//! The string literal inside a script: double quotes and the escapes of JSON.

use super::{Fault, FramingError};

/// Reads the literal that `text` begins with; returns its value and how many bytes it takes.
pub(super) fn read(text: &str) -> Result<(String, usize), FramingError> {
    if !text.starts_with('"') {
        return Err(FramingError::new(0, Fault::Literal));
    }
    let mut chars = text.char_indices().skip(1);
    let end = loop {
        match chars.next() {
            None => return Err(FramingError::new(text.len(), Fault::Truncated)),
            Some((at, '"')) => break at + 1,
            // These end a line, and a literal, in every script engine of the time.
            Some((at, '\u{2028}')) => return Err(FramingError::new(at, Fault::Unsafe("U+2028"))),
            Some((at, '\u{2029}')) => return Err(FramingError::new(at, Fault::Unsafe("U+2029"))),
            Some((_, '\\')) => {
                chars.next();
            }
            Some(_) => {}
        }
    };
    match serde_json::from_str(&text[..end]) {
        Ok(value) => Ok((value, end)),
        Err(_) => Err(FramingError::new(0, Fault::Literal)),
    }
}

/// Where the literal that `bytes` begin with ends, or `None` when that has not come yet.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    bytes.iter().enumerate().skip(1).find_map(|(at, byte)| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends.then_some(at + 1)
    })
}

/// Writes a literal that is safe in a script of its own: U+2028 and U+2029 are escaped.
pub(super) fn write(text: &str) -> String {
    let plain = serde_json::Value::from(text).to_string();
    plain.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
