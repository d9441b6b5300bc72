//! JSONP: a payload as the argument of a call, and the form body that goes the other way. The call is `io.j[i](…)` in
//! revision 1, and `___eio[j](…)` in Engine.IO 3.

use std::borrow::Cow;

use super::{Malformed, Text, script};

/// The script that hands `payload` to callback `index` of the client.
#[must_use]
pub fn encode(index: &str, payload: &str) -> Text {
    call("io.j", index, payload, script::push_inline_string)
}

/// The script that hands an error to callback `index`.
#[must_use]
pub fn encode_error(index: &str, message: &str) -> Text {
    let mut out = String::new();
    script::push_inline_string(&mut out, message);
    Text::from(format!("io.j[{index}](new Error({out}));"))
}

/// Reads the payload of a form body: field `d`, percent-encoded, a JSON string.
///
/// # Errors
///
/// [`Malformed::NotAForm`]: no such field, or its value is badly escaped, or no JSON string.
pub fn decode_form(body: &str) -> Result<String, Malformed> {
    serde_json::from_str(&field(body)?).map_err(|_| Malformed::NotAForm)
}

/// The script that hands `payload` to callback `index` of a client of Engine.IO 3.
#[must_use]
pub fn encode_engine(index: &str, payload: &str) -> Text {
    call("___eio", index, payload, script::push_json_string)
}

/// Reads the payload of a form body of Engine.IO 3: field `d`, percent-encoded. Its newlines stand as `\n`, for browsers
/// change those of forms; where the payload itself has a backslash and an `n`, there is a backslash more.
///
/// # Errors
///
/// [`Malformed::NotAForm`]: no such field, or its value is badly escaped.
pub fn decode_engine_form(body: &str) -> Result<String, Malformed> {
    let value = field(body)?;
    let mut out = String::with_capacity(value.len());
    let mut rest = &*value;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (meant, length) = match rest.as_bytes() {
            [_, b'n', ..] => ("\n", 2),
            [_, b'\\', b'n', ..] => ("\\n", 3),
            _ => ("\\", 1),
        };
        out.push_str(meant);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Ok(out)
}

fn call(callbacks: &str, index: &str, payload: &str, push_string: fn(&mut String, &str)) -> Text {
    let mut out = String::with_capacity(payload.len() + payload.len() / 4 + callbacks.len() + index.len() + 8);
    out.push_str(callbacks);
    out.push('[');
    out.push_str(index);
    out.push_str("](");
    push_string(&mut out, payload);
    out.push_str(");");
    Text::from(out)
}

fn field(body: &str) -> Result<Cow<'_, str>, Malformed> {
    let fields = &mut body.trim_end_matches(['\r', '\n']).split('&');
    let value = fields
        .find_map(|field| field.strip_prefix("d="))
        .and_then(decode_percent);
    value.ok_or(Malformed::NotAForm)
}

/// Undoes `application/x-www-form-urlencoded`, where `+` is a space. `None`: a `%` without two hexadecimal digits, or
/// bytes that are no UTF-8.
#[must_use]
pub fn decode_percent(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        out.push(match byte {
            b'%' => u8::try_from(digit()? * 16 + digit()?).ok()?,
            b'+' => b' ',
            _ => byte,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_payload_is_a_call() {
        assert_eq!(encode("5", "1::").as_str(), r#"io.j[5]("1::");"#);
        assert_eq!(
            encode("0", "3:::</script>\u{2028}").as_str(),
            r#"io.j[0]("3:::<\/script>\u2028");"#
        );
        assert_eq!(
            encode_error("3", "handshake error").as_str(),
            r#"io.j[3](new Error("handshake error"));"#
        );
    }

    #[test]
    fn a_payload_of_engine_io_is_a_call() {
        assert_eq!(
            encode_engine("0", "6:4\"\\\n/\u{2028}").as_str(),
            r#"___eio[0]("6:4\"\\\n/\u2028");"#
        );
    }

    #[rstest]
    #[case("d=3%3A4hi", Ok("3:4hi"))]
    #[case("d=a%5Cnb", Ok("a\nb"))]
    #[case("d=a%5C%5Cnb", Ok("a\\nb"))]
    #[case("d=a%5C%5C%5Cnb", Ok("a\\\\nb"))]
    #[case("d=%5C%22%5C", Ok("\\\"\\"))]
    #[case("e=1", Err(Malformed::NotAForm))]
    fn a_form_of_engine_io_has_its_newlines_escaped(#[case] body: &str, #[case] payload: Result<&str, Malformed>) {
        assert_eq!(decode_engine_form(body).as_deref().map_err(|error| *error), payload);
    }

    #[rstest]
    #[case("d=%223%3A%3A%3Ahi%22", Ok("3:::hi"))]
    #[case("x=1&d=%22a+b%2b%22\r\n", Ok("a b+"))]
    #[case("d=%22%E2%82%AC%5Cn%22", Ok("€\n"))]
    #[case("d=3%3A%3A%3Ahi", Err(Malformed::NotAForm))]
    #[case("d=%2", Err(Malformed::NotAForm))]
    #[case("", Err(Malformed::NotAForm))]
    fn a_form_holds_a_json_string(#[case] body: &str, #[case] payload: Result<&str, Malformed>) {
        assert_eq!(decode_form(body).as_deref().map_err(|error| *error), payload);
    }
}
