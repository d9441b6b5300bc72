//! JSON with holes.
//!
//! Numbers compare by decimal value, strings by UTF-16 code units, objects without regard to order. An object or array
//! matches exactly unless it ends in `...`.

mod parse;

use std::fmt;

use super::SpannedError;
use super::ast::{Atom, Span};
use super::capture::Captures;
use super::hole::{Fit, show};
use super::json::{self, JsString, Number, PathStep, Value};
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
        self.compare(got, captures).map_err(|(mismatch, _)| mismatch)
    }

    /// Reads JSON, lets `complete` add what the packet's grammar implies, and compares. `offset` is where the JSON stands in
    /// what was received.
    pub(crate) fn matches_text(
        &self,
        got: &str,
        offset: usize,
        complete: impl FnOnce(&mut Value),
        captures: &mut Captures,
    ) -> Result<(), Mismatch> {
        let mut value = json::parse(got).map_err(|error| {
            let message = format!("the data is not JSON: {}", error.message);
            Mismatch::at(self.root.span, offset + error.offset, message)
        })?;
        complete(&mut value);
        self.compare(&value, captures).map_err(|(mismatch, path)| Mismatch {
            offset: Some(offset + json::locate(got, &path.0)),
            ..mismatch
        })
    }

    fn compare(&self, got: &Value, captures: &mut Captures) -> Result<(), (Mismatch, Path)> {
        let mut bound = captures.clone();
        let mut path = Path::default();
        if let Err(difference) = self.root.matches(got, &mut path, &mut bound) {
            let mismatch = Mismatch {
                path: path.to_string(),
                ..Mismatch::new(difference.span, difference.message)
            };
            return Err((mismatch, path));
        }
        *captures = bound;
        Ok(())
    }
}

/// The way from the root to the value being compared; left as it was where a difference is found.
#[derive(Default)]
struct Path(Vec<PathStep>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|step| match step {
            PathStep::Index(index) => write!(f, "[{index}]"),
            PathStep::Key(key) => {
                let text = key.to_string_lossy();
                let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
                if plain {
                    write!(f, ".{text}")
                } else {
                    write!(f, "[{key}]")
                }
            }
        })
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
        if let Some(name) = &fit.name
            && let Some(bound) = captures.get(name)
        {
            if bound != got {
                return refuse(format!("expected {} (${name}), got {}", show(bound), show(got)));
            }
            return fit.json(got).or_else(refuse);
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
                    path.0.push(PathStep::Index(i));
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
                    path.0.push(PathStep::Key(member.key.clone()));
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
mod tests;
