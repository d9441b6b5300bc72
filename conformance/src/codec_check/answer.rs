//! What a command may answer.

use thiserror::Error;

use super::checks::{Encoded, member, string};
use crate::scenario::json::{self, Value};

/// Characters of a line that a message quotes.
const QUOTED: usize = 200;

/// One line of a command.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The request's.
    pub(super) id: u64,
    pub(super) said: Said,
}

#[derive(Clone, Debug)]
pub(super) enum Said {
    Decoded(Value),
    Encoded(Encoded),
    Error(String),
    Unsupported,
}

/// A line that is no answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Garbage {
    #[error("not JSON: `{0}` (what is no answer belongs on standard error)")]
    NotJson(String),
    #[error("not an object with an `id`: `{0}`")]
    NoId(String),
    #[error("{0}: `{1}`")]
    Shape(String, String),
}

impl Answer {
    /// Reads a line.
    pub(super) fn parse(line: &[u8]) -> Result<Answer, Garbage> {
        let text = String::from_utf8_lossy(line);
        let quoted = || quoted(&text);
        // What is not UTF-8 is no JSON either.
        let value = std::str::from_utf8(line).ok().and_then(|text| json::parse(text).ok());
        let value = value.ok_or_else(|| Garbage::NotJson(quoted()))?;
        let id = match member(&value, "id") {
            Some(Value::Number(number)) => number.raw().parse().ok(),
            _ => None,
        };
        let id = id.ok_or_else(|| Garbage::NoId(quoted()))?;
        let encoded = Encoded::of(&value).map_err(|problem| Garbage::Shape(problem, quoted()))?;
        let said = [
            member(&value, "decoded").cloned().map(Said::Decoded),
            encoded.map(Said::Encoded),
            member(&value, "error").map(|_| Said::Error(string(&value, "error").unwrap_or_default())),
            (member(&value, "unsupported") == Some(&Value::Bool(true))).then_some(Said::Unsupported),
        ];
        let mut said = said.into_iter().flatten();
        match (said.next(), said.next()) {
            (Some(said), None) => Ok(Answer { id, said }),
            (None, _) => {
                let problem = "none of `decoded`, `encoded`, `encodedHex`, `error` and `unsupported`";
                Err(Garbage::Shape(problem.to_owned(), quoted()))
            }
            _ => Err(Garbage::Shape("more than one answer".to_owned(), quoted())),
        }
    }
}

/// The beginning of a line, as a message shows it.
pub(super) fn quoted(line: &str) -> String {
    match line.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"id":1,"decoded":null}"#)]
    #[case(r#"{"id":1,"encoded":"x","more":true}"#)]
    #[case(r#"{"id":1,"encodedHex":"FF00","attachmentsHex":["01"]}"#)]
    #[case(r#"{"id":1,"error":"why"}"#)]
    #[case(r#"{"id":1,"error":null}"#)]
    #[case(r#" {"unsupported":true,"id":1} "#)]
    fn answers(#[case] line: &str) {
        assert_eq!(Answer::parse(line.as_bytes()).unwrap().id, 1);
    }

    #[test]
    fn what_is_no_answer() {
        let lines: [&[u8]; 11] = [
            b"",
            b"listening on 3000",
            b"\xff",
            b"[1]",
            br#"{"decoded":1}"#,
            br#"{"id":"1","decoded":1}"#,
            br#"{"id":1}"#,
            br#"{"id":1,"unsupported":false}"#,
            br#"{"id":1,"decoded":1,"error":"x"}"#,
            br#"{"id":1,"encodedHex":"xy"}"#,
            br#"{"id":1,"id":2,"decoded":1}"#,
        ];
        let shown: Vec<String> = lines
            .iter()
            .map(|line| Answer::parse(line).unwrap_err().to_string())
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        not JSON: `` (what is no answer belongs on standard error)
        not JSON: `listening on 3000` (what is no answer belongs on standard error)
        not JSON: `�` (what is no answer belongs on standard error)
        not an object with an `id`: `[1]`
        not an object with an `id`: `{"decoded":1}`
        not an object with an `id`: `{"id":"1","decoded":1}`
        none of `decoded`, `encoded`, `encodedHex`, `error` and `unsupported`: `{"id":1}`
        none of `decoded`, `encoded`, `encodedHex`, `error` and `unsupported`: `{"id":1,"unsupported":false}`
        more than one answer: `{"id":1,"decoded":1,"error":"x"}`
        `encodedHex` is not hexadecimal: `{"id":1,"encodedHex":"xy"}`
        not JSON: `{"id":1,"id":2,"decoded":1}` (what is no answer belongs on standard error)
        "#);
    }

    #[test]
    fn a_long_line_is_not_quoted_whole() {
        let error = Answer::parse("x".repeat(10_000).as_bytes()).unwrap_err().to_string();
        assert!(error.len() < 400, "{error}");
    }
}
