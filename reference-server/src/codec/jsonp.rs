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
/// [`Malformed::NotAForm`]: no such field, or its value is no JSON string.
pub fn decode_form(body: &str) -> Result<String, Malformed> {
    let value = body
        .trim_end_matches(['\r', '\n'])
        .split('&')
        .find_map(|field| field.strip_prefix("d="));
    let value = decode_percent(value.ok_or(Malformed::NotAForm)?);
    serde_json::from_str(&value).map_err(|_| Malformed::NotAForm)
}

/// Undoes `application/x-www-form-urlencoded`: `+` is a space, a bad escape stands for itself, bytes that are no UTF-8
/// become U+FFFD.
#[must_use]
pub fn decode_percent(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut k = 0;
    while let Some(&byte) = bytes.get(k) {
        let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        match (byte, digit(k + 1), digit(k + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                k += 3;
                continue;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
        k += 1;
    }
    Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
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
