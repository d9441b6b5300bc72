//! Walking over JSON text without building anything from it. What these functions walk over has been validated.

use super::Malformed;

/// Whether `text` is one JSON value, of any depth.
///
/// # Errors
///
/// [`Malformed::NotJson`]
pub(super) fn validate(text: &str) -> Result<(), Malformed> {
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| ())
        .map_err(|_| Malformed::NotJson)
}

/// What stands between the brackets of an array; `None` for any other value.
pub(super) fn array(text: &str) -> Option<&str> {
    text.trim_ascii().strip_prefix('[')?.strip_suffix(']')
}

/// Splits the first value off a comma-separated list: the value, and what stands behind the comma, if there is one.
pub(super) fn split_first(list: &str) -> (&str, Option<&str>) {
    let bytes = list.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return (list[..at].trim_ascii(), Some(&list[at + 1..])),
            _ => {}
        }
        at += 1;
    }
    (list.trim_ascii(), None)
}

/// The values of a comma-separated list.
pub(super) fn values(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = (!list.trim_ascii().is_empty()).then_some(list);
    std::iter::from_fn(move || {
        let (value, behind) = split_first(rest?);
        rest = behind;
        Some(value)
    })
}

/// Appends `text` as a string, with no more escapes than it needs.
pub(super) fn push_string(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        // A string always has a text.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// The position of the quote that ends the string which begins at `start`.
pub(super) fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", &[])]
    #[case("  ", &[])]
    #[case("1", &["1"])]
    #[case(r#" "a,\"]" , [1,[2]],{"b":",}"} "#, &[r#""a,\"]""#, "[1,[2]]", r#"{"b":",}"}"#])]
    #[case(r#""\\",2"#, &[r#""\\""#, "2"])]
    fn a_list_is_its_values(#[case] list: &str, #[case] expected: &[&str]) {
        assert_eq!(values(list).collect::<Vec<_>>(), expected);
    }
}
