//! JSONP: a payload as the argument of `io.j[i](…)`, and the form body that goes the other way.

use std::borrow::Cow;

use super::{Malformed, Text, script};

/// The script that hands `payload` to callback `index` of the client.
#[must_use]
pub fn encode(index: &str, payload: &str) -> Text {
    let mut out = String::with_capacity(payload.len() + payload.len() / 4 + index.len() + 12);
    out.push_str("io.j[");
    out.push_str(index);
    out.push_str("](");
    script::push_inline_string(&mut out, payload);
    out.push_str(");");
    Text::from(out)
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
    let fields = &mut body.trim_end_matches(['\r', '\n']).split('&');
    let value = fields
        .find_map(|field| field.strip_prefix("d="))
        .and_then(decode_percent);
    serde_json::from_str(&value.ok_or(Malformed::NotAForm)?).map_err(|_| Malformed::NotAForm)
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
