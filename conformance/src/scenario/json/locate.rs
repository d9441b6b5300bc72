//! Where in a text a value stands.

use super::JsString;
use super::parse::{JsonError, Parser};

/// One step from a value to a value within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// A member of an object.
    Key(JsString),
    /// An element of an array.
    Index(usize),
}

/// The offset of the value at the end of the path, or of the last value on the way that is there.
pub(crate) fn locate(text: &str, path: &[PathStep]) -> usize {
    let mut parser = Parser::new(text);
    let mut found = 0;
    for step in path {
        parser.space();
        found = parser.at;
        match follow(&mut parser, step) {
            Ok(true) => {}
            Ok(false) | Err(_) => return found,
        }
    }
    parser.space();
    if path.is_empty() {
        found
    } else {
        parser.at.min(text.len())
    }
}

/// Goes to the value that the step leads to, where there is one.
fn follow(parser: &mut Parser<'_>, step: &PathStep) -> Result<bool, JsonError> {
    // Over the bracket.
    parser.at += 1;
    let mut index = 0;
    loop {
        parser.space();
        let here = match step {
            PathStep::Index(wanted) => *wanted == index,
            PathStep::Key(wanted) => {
                if parser.peek() != Some(b'"') {
                    return Ok(false);
                }
                let key = parser.string()?;
                parser.space();
                parser.eat(b':');
                parser.space();
                key == *wanted
            }
        };
        if here {
            return Ok(true);
        }
        parser.value()?;
        parser.space();
        if !parser.eat(b',') {
            return Ok(false);
        }
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_value() {
        let text = r#" {"a": [1, {"b" : 25}], "c": 2}"#;
        let key = |key: &str| PathStep::Key(JsString::from(key));
        let at = |path: &[PathStep]| &text[locate(text, path)..];
        assert_eq!(at(&[key("a"), PathStep::Index(1), key("b")]), "25}], \"c\": 2}");
        assert_eq!(at(&[key("c")]), "2}");
        assert_eq!(at(&[key("a"), PathStep::Index(7)]), "[1, {\"b\" : 25}], \"c\": 2}");
        assert_eq!(locate("nonsense", &[key("a")]), 0);
        assert_eq!(locate("", &[PathStep::Index(0)]), 0);
    }
}
