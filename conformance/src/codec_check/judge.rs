//! Whether an answer is the right one.

use super::answer::Said;
use super::checks::{Check, Encoded, Expected};
use crate::scenario::json::{self, Value};
use crate::scenario::pattern::show_bytes;

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    /// Right, and written otherwise than writers do.
    Otherwise(Mismatch),
    Wrong(Mismatch),
    /// The command has no such layer, direction or packet.
    Unsupported,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) message: String,
    pub(super) expected: Option<String>,
    pub(super) got: Option<String>,
}

/// Judges what was said in answer to a check.
pub(super) fn judge(check: &Check, said: &Said) -> Verdict {
    let wrong = |message: String| Verdict::Wrong(mismatch(check, message, said));
    match (&check.expected, said) {
        (_, Said::Unsupported) => Verdict::Unsupported,
        // Right in whatever words.
        (Expected::Reject(_), Said::Error(_)) => Verdict::Right,
        (Expected::Decoded(expected), Said::Decoded(got)) if expected == got => Verdict::Right,
        (Expected::Decoded(expected), Said::Decoded(got)) => {
            wrong(format!("decodes to something else, at {}", difference(expected, got)))
        }
        (Expected::Encoded(expected), Said::Encoded(got)) if expected == got => Verdict::Right,
        (Expected::Encoded(expected), Said::Encoded(got)) if same_json(&check.layer, expected, got) => {
            let message = "the same JSON, spelled otherwise".to_owned();
            Verdict::Otherwise(mismatch(check, message, said))
        }
        (Expected::Encoded(expected), Said::Encoded(got)) if expected.bytes == got.bytes => {
            wrong("encodes to other attachments".to_owned())
        }
        (Expected::Encoded(_), Said::Encoded(_)) => wrong("encodes to something else".to_owned()),
        (Expected::Decoded(_) | Expected::Encoded(_), Said::Error(why)) => {
            wrong(format!("refuses what is valid: {why}"))
        }
        (Expected::Reject(category), Said::Decoded(_) | Said::Encoded(_)) => {
            wrong(format!("accepts what it must refuse ({category})"))
        }
        (Expected::Decoded(_), Said::Encoded(_)) | (Expected::Encoded(_), Said::Decoded(_)) => wrong(format!(
            "answers in the other direction: `{}` was asked for",
            check.operation
        )),
    }
}

fn mismatch(check: &Check, message: String, said: &Said) -> Mismatch {
    let expected = match &check.expected {
        Expected::Decoded(value) => value.to_string(),
        Expected::Encoded(encoded) => shown(encoded),
        Expected::Reject(category) => format!("an error ({category})"),
    };
    let got = match said {
        Said::Decoded(value) => value.to_string(),
        Said::Encoded(encoded) => shown(encoded),
        Said::Error(why) => format!("an error ({why})"),
        Said::Unsupported => "unsupported".to_owned(),
    };
    Mismatch {
        message,
        expected: Some(expected),
        got: Some(got),
    }
}

fn shown(encoded: &Encoded) -> String {
    let attachments = encoded
        .attachments
        .iter()
        .map(|bytes| format!(" + {}", show_bytes(bytes)));
    format!("{}{}", show_bytes(&encoded.bytes), attachments.collect::<String>())
}

/// Whether both are the same up to the JSON at their end, and that means the same. Engine.IO's packets have none: to
/// them, what a message says is text.
fn same_json(layer: &str, a: &Encoded, b: &Encoded) -> bool {
    let ends_with_json = matches!(
        layer,
        "rev1/packet"
            | "sio4/packet"
            | "sio4/binary"
            | "sio5/packet"
            | "sio5/binary"
            | "eio3/handshake"
            | "eio4/handshake"
    );
    let (Some((head_a, json_a)), Some((head_b, json_b))) = (parted(&a.bytes), parted(&b.bytes)) else {
        return false;
    };
    ends_with_json && a.attachments == b.attachments && head_a == head_b && json_a == json_b
}

fn parted(bytes: &[u8]) -> Option<(&str, Value)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let at = text.find(['[', '{', '"'])?;
    Some((&text[..at], json::parse(&text[at..]).ok()?))
}

/// Where two values first differ, as a path: `$.data[0]`.
fn difference(expected: &Value, got: &Value) -> String {
    let mut path = "$".to_owned();
    let (mut expected, mut got) = (expected, got);
    loop {
        let step = match (expected, got) {
            (Value::Object(members), Value::Object(others)) => {
                let missing = |(name, _): &&(json::JsString, Value)| expected.member(name).is_none();
                let differs = members.iter().find(|(name, value)| got.member(name) != Some(value));
                let name = differs.or_else(|| others.iter().find(missing)).map(|(name, _)| name);
                name.map(|name| {
                    (
                        format!(".{}", name.to_string_lossy()),
                        expected.member(name),
                        got.member(name),
                    )
                })
            }
            (Value::Array(items), Value::Array(others)) => {
                let index = (0..items.len().max(others.len())).find(|index| items.get(*index) != others.get(*index));
                index.map(|index| (format!("[{index}]"), items.get(index), others.get(index)))
            }
            _ => None,
        };
        let Some((part, a, b)) = step else { return path };
        path += &part;
        let (Some(a), Some(b)) = (a, b) else { return path };
        (expected, got) = (a, b);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::answer::Answer;
    use super::super::checks::Operation;
    use super::*;

    fn check(expected: Expected, layer: &str) -> Check {
        Check {
            id: "codec/a/b[decode]".into(),
            title: "b".into(),
            layer: layer.into(),
            operation: Operation::Decode,
            file: "fixtures/packets/a/b.json".into(),
            line: 4,
            question: Vec::new(),
            expected,
        }
    }

    fn outcome(check: &Check, answer: &str) -> String {
        let answer = Answer::parse(format!("{{\"id\":1,{answer}}}").as_bytes()).unwrap();
        match judge(check, &answer.said) {
            Verdict::Right => "right".to_owned(),
            Verdict::Otherwise(mismatch) => format!("otherwise: {}", mismatch.message),
            Verdict::Wrong(mismatch) => mismatch.message,
            Verdict::Unsupported => "unsupported".to_owned(),
        }
    }

    #[rstest]
    #[case(r#""decoded":{"b":[1.0,{"c":"\u0064"}],"a":1e0}"#, "right")]
    #[case(r#""decoded":{"a":1,"b":[1,{"c":"e"}]}"#, "decodes to something else, at $.b[1].c")]
    #[case(r#""decoded":{"a":1}"#, "decodes to something else, at $.b")]
    #[case(
        r#""decoded":{"a":1,"b":[1,{"c":"d"}],"x":null}"#,
        "decodes to something else, at $.x"
    )]
    #[case(r#""decoded":{"a":1,"b":[1]}"#, "decodes to something else, at $.b[1]")]
    #[case(r#""decoded":null"#, "decodes to something else, at $")]
    #[case(r#""error":"no""#, "refuses what is valid: no")]
    #[case(r#""encoded":"x""#, "answers in the other direction: `decode` was asked for")]
    #[case(r#""unsupported":true"#, "unsupported")]
    fn decoded(#[case] answer: &str, #[case] verdict: &str) {
        let value = json::parse(r#"{"a":1,"b":[1,{"c":"d"}]}"#).unwrap();
        assert_eq!(
            outcome(&check(Expected::Decoded(value), "sio5/packet"), answer),
            verdict
        );
    }

    #[rstest]
    #[case("sio5/packet", r#""encoded":"2/a,[\"é\",{\"b\":1,\"c\":2}]""#, "right")]
    #[case(
        "sio5/packet",
        r#""encodedHex":"322f612c5b22c3a9222c7b2262223a312c2263223a327d5d""#,
        "right"
    )]
    #[case(
        "sio5/packet",
        r#""encoded":"2/a,[\"\\u00e9\", {\"c\":2,\"b\":1}]""#,
        "otherwise: the same JSON, spelled otherwise"
    )]
    #[case(
        "eio4/packet",
        r#""encoded":"2/a,[\"\\u00e9\", {\"c\":2,\"b\":1}]""#,
        "encodes to something else"
    )]
    #[case(
        "sio5/packet",
        r#""encoded":"2/b,[\"é\",{\"b\":1,\"c\":2}]""#,
        "encodes to something else"
    )]
    #[case(
        "sio5/packet",
        r#""encoded":"2/a,[\"é\",{\"b\":1,\"c\":2}]","attachmentsHex":["01"]"#,
        "encodes to other attachments"
    )]
    fn encoded(#[case] layer: &str, #[case] answer: &str, #[case] verdict: &str) {
        let expected = Encoded {
            bytes: "2/a,[\"é\",{\"b\":1,\"c\":2}]".into(),
            attachments: Vec::new(),
        };
        assert_eq!(outcome(&check(Expected::Encoded(expected), layer), answer), verdict);
    }

    #[rstest]
    #[case(r#""error":"whatever""#, "right")]
    #[case(r#""decoded":null"#, "accepts what it must refuse (type)")]
    #[case(r#""unsupported":true"#, "unsupported")]
    fn rejects(#[case] answer: &str, #[case] verdict: &str) {
        assert_eq!(
            outcome(&check(Expected::Reject("type".into()), "sio5/packet"), answer),
            verdict
        );
    }
}
