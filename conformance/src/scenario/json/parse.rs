//! Text to value.

use std::collections::HashSet;

use super::{JsString, MAX_DEPTH, Number, Value, number};

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at offset {offset}")]
pub struct JsonError {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// A lowercase fragment.
    pub message: String,
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
///
/// The text is not JSON, an object has a key twice, or it nests deeper than [`MAX_DEPTH`].
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut parser = Parser::new(text);
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.error("something follows the value"));
    }
    Ok(value)
}

pub(super) struct Parser<'a> {
    text: &'a str,
    pub(super) at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Parser<'a> {
        Parser { text, at: 0, depth: 0 }
    }

    pub(super) fn value(&mut self) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{') => self.nested(Parser::object),
            Some(b'[') => self.nested(Parser::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("ends where a value should stand")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, JsonError>) -> Result<Value, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("nests too deep"));
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key"));
            }
            let key = self.string()?;
            if !seen.insert(key.clone()) {
                return Err(JsonError {
                    offset: start,
                    message: format!("duplicate key {key}"),
                });
            }
            self.space();
            if !self.eat(b':') {
                return Err(self.error("expected `:`"));
            }
            self.space();
            members.push((key, self.value()?));
            self.space();
            if self.eat(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
            self.space();
        }
    }

    fn array(&mut self) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
            self.space();
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let rest = &self.text[self.at..];
        let number = number::scan(rest.as_bytes()).and_then(|end| Number::new(&rest[..end]));
        let number = number.ok_or_else(|| self.error("malformed number"))?;
        self.at += number.raw().len();
        Ok(Value::Number(number))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    pub(super) fn string(&mut self) -> Result<JsString, JsonError> {
        self.at += 1;
        let mut units = Vec::new();
        while let Some(c) = self.text.get(self.at..).and_then(|it| it.chars().next()) {
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(JsString(units));
                }
                '\\' => {
                    let Some((unit, len)) = escape(&self.text.as_bytes()[self.at..]) else {
                        return Err(self.error("unknown escape in a string"));
                    };
                    units.push(unit);
                    self.at += len;
                }
                c if c < ' ' => return Err(self.error("control character in a string")),
                c => {
                    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
                    self.at += c.len_utf8();
                }
            }
        }
        Err(self.error("ends within a string"))
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn error(&self, message: &str) -> JsonError {
        JsonError {
            offset: self.at,
            message: message.to_owned(),
        }
    }
}

/// The code unit of the JSON escape that begins the bytes, and how many bytes it takes.
pub(crate) fn escape(bytes: &[u8]) -> Option<(u16, usize)> {
    let unit = match bytes.get(1)? {
        b'u' => {
            let digits = bytes.get(2..6)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let digits = std::str::from_utf8(digits).ok()?;
            return Some((u16::from_str_radix(digits, 16).ok()?, 6));
        }
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        plain @ (b'"' | b'\\' | b'/') => *plain,
        _ => return None,
    };
    Some((u16::from(unit), 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"name":"news","args":[{"hello":"world"}]}"#)]
    #[case(r#"[null,true,false,-1.50e+3,"é𝄞\ud834"]"#)]
    #[case(r#"{"":{},"a":[]}"#)]
    fn compact_json_prints_as_it_was(#[case] text: &str) {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }

    #[rstest]
    #[case(" [ 1 , 2 ] ", "[1,2]")]
    #[case(r#""\u00e9\/\b\ud834\udd1e""#, "\"é/\\u0008𝄞\"")]
    fn space_and_escapes_do_not_survive(#[case] text: &str, #[case] compact: &str) {
        assert_eq!(parse(text).unwrap().to_string(), compact);
    }

    #[rstest]
    #[case("", 0, "ends where a value should stand")]
    #[case("[1,]", 3, "expected a value")]
    #[case("{\"a\":1,\"a\":2}", 7, "duplicate key \"a\"")]
    #[case("{a:1}", 1, "expected a key")]
    #[case("1 2", 2, "something follows the value")]
    #[case("\"a", 2, "ends within a string")]
    #[case("\"\\x\"", 1, "unknown escape in a string")]
    #[case("\"\\u+123\"", 1, "unknown escape in a string")]
    #[case("\"\n\"", 1, "control character in a string")]
    #[case("[01]", 1, "malformed number")]
    #[case("nul", 0, "expected a value")]
    fn no_json(#[case] text: &str, #[case] offset: usize, #[case] message: &str) {
        assert_eq!(
            parse(text).unwrap_err(),
            JsonError {
                offset,
                message: message.to_owned()
            }
        );
    }

    #[test]
    fn depth_is_capped() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(100_000)).unwrap_err().message, "nests too deep");
    }

    #[test]
    fn objects_are_equal_in_any_order() {
        assert_eq!(
            parse(r#"{"a":1,"b":[2]}"#).unwrap(),
            parse(r#"{"b":[2.0],"a":1e0}"#).unwrap()
        );
        assert_ne!(parse(r#"{"a":1}"#).unwrap(), parse(r#"{"a":1,"b":2}"#).unwrap());
    }
}
