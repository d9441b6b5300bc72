//! JSON with holes.
//!
//! Numbers compare by decimal value, strings by UTF-16 code units, objects without regard to order. An object or array
//! matches exactly unless it ends in `...`.

mod parse;

use super::SpannedError;
use super::ast::{Atom, Span};
use super::capture::Captures;
use super::hole::{Fit, show};
use super::json::{JsString, Number, Value};
use super::pattern::Mismatch;
use super::pieces::{Extent, Piece, Step, run};

/// A JSON value in which holes may stand for values and for parts of strings.
#[derive(Clone, Debug)]
pub struct JsonPattern {
    pub(crate) root: Node,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Number(Number),
    String(Vec<Piece<u16>>),
    Array { items: Vec<Node>, open: bool },
    Object { members: Vec<Member>, open: bool },
    Hole(Fit),
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: JsString,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

impl JsonPattern {
    /// Reads a pattern from text whose wire escapes are resolved; `end` is where more text would stand.
    ///
    /// # Errors
    ///
    /// The text is not JSON with holes.
    pub fn parse(atoms: &[Atom], end: Span) -> Result<JsonPattern, SpannedError> {
        parse::pattern(atoms, end)
    }

    /// The text the pattern was read from.
    #[must_use]
    pub fn span(&self) -> Span {
        self.root.span
    }

    /// Compares a value with the pattern, and binds the holes where it fits.
    ///
    /// # Errors
    ///
    /// It does not fit; nothing was bound.
    pub fn matches(&self, got: &Value, captures: &mut Captures) -> Result<(), Mismatch> {
        let mut bound = captures.clone();
        let mut path = Path::default();
        self.root
            .matches(got, &mut path, &mut bound)
            .map_err(|difference| Mismatch {
                path: path.to_string(),
                ..Mismatch::new(difference.span, difference.message)
            })?;
        *captures = bound;
        Ok(())
    }
}

/// The way from the root to the value being compared; left as it was where a difference is found.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn key(key: &JsString) -> String {
        let text = key.to_string_lossy();
        let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        if plain { format!(".{text}") } else { format!("[{key}]") }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${}", self.0.concat())
    }
}

struct Difference {
    span: Span,
    message: String,
}

impl Node {
    fn matches(&self, got: &Value, path: &mut Path, captures: &mut Captures) -> Result<(), Difference> {
        match (&self.kind, got) {
            (NodeKind::Null, Value::Null) => Ok(()),
            (NodeKind::Bool(a), Value::Bool(b)) if a == b => Ok(()),
            (NodeKind::Number(a), Value::Number(b)) if a == b => Ok(()),
            (NodeKind::String(pieces), Value::String(string)) => {
                match run(pieces, &string.0, Extent::Whole, self.span, captures) {
                    Step::Matched(_) => Ok(()),
                    _ if pieces.iter().all(|it| matches!(it, Piece::Literal { .. })) => Err(self.unlike(got)),
                    Step::Mismatch(mismatch) => Err(Difference {
                        span: mismatch.span,
                        message: mismatch.message,
                    }),
                    Step::NeedMore => Err(self.unlike(got)),
                }
            }
            (NodeKind::Array { items, open }, Value::Array(values)) => {
                self.match_array(items, *open, values, path, captures)
            }
            (NodeKind::Object { members, open }, Value::Object(_)) => {
                self.match_object(members, *open, got, path, captures)
            }
            (NodeKind::Hole(fit), got) => self.match_hole(fit, got, captures),
            _ => Err(self.unlike(got)),
        }
    }

    fn match_hole(&self, fit: &Fit, got: &Value, captures: &mut Captures) -> Result<(), Difference> {
        let refuse = |message| {
            Err(Difference {
                span: self.span,
                message,
            })
        };
        if let Some(name) = &fit.name {
            if let Some(bound) = captures.get(name) {
                if bound != got {
                    return refuse(format!("expected {} (${name}), got {}", show(bound), show(got)));
                }
                return fit.json(got).or_else(refuse);
            }
        }
        if let Err(message) = fit.json(got) {
            return refuse(message);
        }
        if let Some(name) = &fit.name {
            captures.insert(name.clone(), got.clone());
        }
        Ok(())
    }

    fn match_array(
        &self,
        items: &[Node],
        open: bool,
        values: &[Value],
        path: &mut Path,
        captures: &mut Captures,
    ) -> Result<(), Difference> {
        for (i, item) in items.iter().enumerate() {
            match values.get(i) {
                Some(value) => {
                    path.0.push(format!("[{i}]"));
                    item.matches(value, path, captures)?;
                    path.0.pop();
                }
                None if item.absent(captures) => {}
                None => {
                    return Err(Difference {
                        span: item.span,
                        message: format!("missing element {i}"),
                    });
                }
            }
        }
        match values.get(items.len()) {
            Some(extra) if !open => {
                let message = format!("extra element {}: {}", items.len(), show(extra));
                Err(Difference {
                    span: self.span,
                    message,
                })
            }
            _ => Ok(()),
        }
    }

    fn match_object(
        &self,
        members: &[Member],
        open: bool,
        got: &Value,
        path: &mut Path,
        captures: &mut Captures,
    ) -> Result<(), Difference> {
        for member in members {
            match got.member(&member.key) {
                Some(value) => {
                    path.0.push(Path::key(&member.key));
                    member.value.matches(value, path, captures)?;
                    path.0.pop();
                }
                None if member.value.absent(captures) => {}
                None => {
                    let message = format!("missing key {}", member.key);
                    return Err(Difference {
                        span: member.key_span,
                        message,
                    });
                }
            }
        }
        let Value::Object(values) = got else { return Ok(()) };
        match values
            .iter()
            .find(|(key, _)| !members.iter().any(|member| member.key == *key))
        {
            Some((key, value)) if !open => Err(Difference {
                span: self.span,
                message: format!("extra key {key}: {}", show(value)),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the value may be missing; binds null to it if so.
    fn absent(&self, captures: &mut Captures) -> bool {
        let NodeKind::Hole(fit) = &self.kind else { return false };
        let Some(name) = fit.name.as_ref().filter(|_| fit.optional()) else {
            return fit.optional();
        };
        match captures.get(name) {
            Some(bound) => *bound == Value::Null,
            None => {
                captures.insert(name.clone(), Value::Null);
                true
            }
        }
    }

    fn unlike(&self, got: &Value) -> Difference {
        let expected = match &self.kind {
            NodeKind::Null => "null".to_owned(),
            NodeKind::Bool(it) => it.to_string(),
            NodeKind::Number(it) => it.to_string(),
            NodeKind::String(pieces) => match pieces.as_slice() {
                [] => "\"\"".to_owned(),
                [Piece::Literal { units, .. }] => show(&Value::String(JsString(units.clone()))),
                _ => "a string".to_owned(),
            },
            NodeKind::Array { .. } => "an array".to_owned(),
            NodeKind::Object { .. } => "an object".to_owned(),
            NodeKind::Hole(_) => "something else".to_owned(),
        };
        Difference {
            span: self.span,
            message: format!("expected {expected}, got {}", show(got)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::text;
    use super::*;
    use rstest::rstest;

    fn pattern(source: &str) -> Result<JsonPattern, SpannedError> {
        let mut problems = Vec::new();
        let text = text::parse(
            source,
            Span {
                start: 0,
                end: source.len(),
            },
            &mut problems,
        );
        assert_eq!(problems, []);
        JsonPattern::parse(&text.atoms, text.span)
    }

    fn bound() -> Captures {
        let mut captures = Captures::new();
        captures.insert("fresh", Value::string("k7"));
        captures.insert("n", Value::integer(5));
        captures
    }

    #[rstest]
    #[case("null", "null")]
    #[case("[1,2.0,true]", "[1.0,2,true]")]
    #[case(r#"{"a":1,"b":[]}"#, r#"{"b":[],"a":1}"#)]
    #[case(r#"{"a":1,...}"#, r#"{"b":[],"a":1}"#)]
    #[case("{...}", "{}")]
    #[case("[1,...]", "[1]")]
    #[case("[...]", "[1,2]")]
    #[case("$_", "{}")]
    #[case(r#"[$(str),$(int),$(num),$(bool),$(list),$(obj)]"#, r#"["",10e-1,1.5,false,[1],{}]"#)]
    #[case("[$(int(1..)),$(int(..5)),$(num(1..2))]", "[1,5,1.5]")]
    #[case(r#"{"a":$(int?)}"#, "{}")]
    #[case(r#"{"a":$(int?)}"#, r#"{"a":null}"#)]
    #[case("[1,$(int?)]", "[1]")]
    #[case("[$x,$x]", "[{\"a\":1},{\"a\":1.0}]")]
    #[case("[$n]", "[5.0]")]
    #[case("$(/[a-z]+/)", r#""abc""#)]
    #[case(r#""room-$fresh""#, r#""room-k7""#)]
    #[case(r#""$a-$b""#, r#""x-y-z""#)]
    #[case(r#""id $n""#, r#""id 5""#)]
    #[case(r#""\\u00e9\ud834\udd1e\\n""#, r#""é𝄞\n""#)]
    #[case(r#""\\ud834""#, r#""\ud834""#)]
    fn fits(#[case] source: &str, #[case] got: &str) {
        pattern(source)
            .unwrap()
            .matches(&json::parse(got).unwrap(), &mut bound())
            .unwrap();
    }

    #[rstest]
    #[case("1", "2", "$: expected 1, got 2", "1")]
    #[case(
        r#"{"a":[1,{"n":$(int)}]}"#,
        r#"{"a":[1,{"n":"25000"}]}"#,
        "$.a[1].n: expected int, got \"25000\"",
        "$(int)"
    )]
    #[case(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "$: missing key \"b\"", "\"b\"")]
    #[case(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, "$: extra key \"b\": 2", "{\"a\":1}")]
    #[case("[1,2]", "[1]", "$: missing element 1", "2")]
    #[case("[1]", "[1,[]]", "$: extra element 1: []", "[1]")]
    #[case("[1,2,...]", "[1]", "$: missing element 1", "2")]
    #[case("$(int)", "1.5", "$: expected int, got 1.5", "$(int)")]
    #[case("$(int(1..))", "0", "$: expected int(1..), got 0", "$(int(1..))")]
    #[case("[$x,$x]", "[1,2]", "$[1]: expected 1 ($x), got 2", "$x")]
    #[case("$n", "\"5\"", "$: expected 5 ($n), got \"5\"", "$n")]
    #[case(r#"{"a b":null}"#, r#"{"a b":0}"#, "$[\"a b\"]: expected null, got 0", "null")]
    #[case(r#""room-$fresh""#, r#""room-k8""#, "$: expected \"k7\", got \"k8\"", "$fresh")]
    #[case("$(/[a-z]+/)", r#""abc1""#, "$: expected /[a-z]+/, got \"abc1\"", "$(/[a-z]+/)")]
    #[case(r#""abc""#, r#""abd""#, "$: expected \"abc\", got \"abd\"", "\"abc\"")]
    fn does_not_fit(#[case] source: &str, #[case] got: &str, #[case] message: &str, #[case] place: &str) {
        let mut captures = bound();
        let mismatch = pattern(source)
            .unwrap()
            .matches(&json::parse(got).unwrap(), &mut captures)
            .unwrap_err();
        assert_eq!(mismatch.to_string(), message);
        assert_eq!(&source[mismatch.span.range()], place);
        assert_eq!(captures, bound());
    }

    #[rstest]
    #[case("[1,", "ends where a value should stand")]
    #[case("{\"a\":1,\"a\":2}", "duplicate key \"a\"")]
    #[case("[..., 1]", "nothing may follow `...`")]
    #[case("{\"$a\":1}", "a key cannot hold a hole")]
    #[case("tru", "expected a value")]
    #[case("[1] 2", "something follows the value")]
    #[case("\"a", "ends within a string")]
    #[case(r#""\\q""#, "unknown escape in a string")]
    #[case("[01]", "malformed number")]
    fn no_pattern(#[case] source: &str, #[case] message: &str) {
        assert_eq!(pattern(source).unwrap_err().message, message);
    }
}
