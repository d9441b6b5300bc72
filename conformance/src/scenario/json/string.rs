//! Strings as UTF-16 code units.

use std::fmt::{self, Write as _};

/// A JavaScript string: UTF-16 code units, in which a lone surrogate is legal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JsString(pub Vec<u16>);

impl JsString {
    /// The text; a lone surrogate becomes U+FFFD.
    #[must_use]
    pub fn to_string_lossy(&self) -> String {
        String::from_utf16_lossy(&self.0)
    }

    /// The text in UTF-8, a lone surrogate as the three bytes UTF-8 would give it.
    #[must_use]
    pub fn to_wtf8(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len());
        for unit in char::decode_utf16(self.0.iter().copied()) {
            match unit {
                Ok(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(lone) => {
                    let unit = lone.unpaired_surrogate();
                    bytes.extend([
                        0xe0 | (unit >> 12) as u8,
                        0x80 | (unit >> 6 & 0x3f) as u8,
                        0x80 | (unit & 0x3f) as u8,
                    ]);
                }
            }
        }
        bytes
    }

    /// What stands between the quotes of a JSON string.
    #[must_use]
    pub fn escaped(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for unit in char::decode_utf16(self.0.iter().copied()) {
            match unit {
                Ok('"') => out.push_str("\\\""),
                Ok('\\') => out.push_str("\\\\"),
                Ok('\n') => out.push_str("\\n"),
                Ok('\r') => out.push_str("\\r"),
                Ok('\t') => out.push_str("\\t"),
                Ok(c) if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
                Ok(c) => out.push(c),
                Err(lone) => drop(write!(out, "\\u{:04x}", lone.unpaired_surrogate())),
            }
        }
        out
    }
}

impl From<&str> for JsString {
    fn from(text: &str) -> JsString {
        JsString(text.encode_utf16().collect())
    }
}

impl From<String> for JsString {
    fn from(text: String) -> JsString {
        JsString::from(text.as_str())
    }
}

/// As a JSON string, quotes included.
impl fmt::Display for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escaped())
    }
}

impl fmt::Debug for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
