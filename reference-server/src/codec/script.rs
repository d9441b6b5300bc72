//! Text as a string literal that is JSON and JavaScript at once.

/// Appends `text` as a JSON string literal. U+2028 and U+2029, which JSON allows and old JavaScript does not, are escaped.
pub(super) fn push_json_string(out: &mut String, text: &str) {
    push(out, text, |_| false);
}

/// The same, and safe inside `<script>`: `</` becomes `<\/`.
pub(super) fn push_inline_string(out: &mut String, text: &str) {
    push(out, text, |before| before == Some(b'<'));
}

/// The same with every `/` as `\/`.
pub(super) fn push_slashless_string(out: &mut String, text: &str) {
    push(out, text, |_| true);
}

fn push(out: &mut String, text: &str, escape_slash: impl Fn(Option<u8>) -> bool) {
    let bytes = text.as_bytes();
    let mut plain = 0;
    out.push('"');
    for (k, byte) in bytes.iter().enumerate() {
        let (escape, width) = match byte {
            b'"' => ("\\\"", 1),
            b'\\' => ("\\\\", 1),
            b'\n' => ("\\n", 1),
            b'\r' => ("\\r", 1),
            b'\t' => ("\\t", 1),
            0x08 => ("\\b", 1),
            0x0c => ("\\f", 1),
            0..0x20 => ("", 1),
            b'/' if escape_slash(k.checked_sub(1).map(|k| bytes[k])) => ("\\/", 1),
            0xe2 if bytes[k..].starts_with("\u{2028}".as_bytes()) => ("\\u2028", 3),
            0xe2 if bytes[k..].starts_with("\u{2029}".as_bytes()) => ("\\u2029", 3),
            _ => continue,
        };
        out.push_str(&text[plain..k]);
        match escape {
            "" => out.push_str(&format!("\\u{byte:04x}")),
            _ => out.push_str(escape),
        }
        plain = k + width;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a/b</c\"\\", "\"a/b</c\\\"\\\\\"", "\"a/b<\\/c\\\"\\\\\"", "\"a\\/b<\\/c\\\"\\\\\"")]
    #[case(
        "\u{1}\n\u{2028}é\u{2029}€",
        "\"\\u0001\\n\\u2028é\\u2029€\"",
        "\"\\u0001\\n\\u2028é\\u2029€\"",
        "\"\\u0001\\n\\u2028é\\u2029€\""
    )]
    fn three_degrees_of_escaping(
        #[case] text: &str,
        #[case] json: &str,
        #[case] inline: &str,
        #[case] slashless: &str,
    ) {
        let written = |push: fn(&mut String, &str)| {
            let mut out = String::new();
            push(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
            out
        };
        assert_eq!(written(push_json_string), json);
        assert_eq!(written(push_inline_string), inline);
        assert_eq!(written(push_slashless_string), slashless);
    }
}
