//! JSON as the wire has it.
//!
//! Ours rather than a library's because three things must survive that libraries smooth over: numbers of any size and
//! precision, strings as UTF-16 code units (a lone surrogate is legal), and duplicate keys (an error).

mod locate;
mod number;
mod parse;
mod string;

use std::fmt;

pub use locate::PathStep;
pub(crate) use locate::locate;
pub use number::Number;
pub(crate) use parse::escape;
pub use parse::{JsonError, parse};
pub use string::JsString;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 128;

/// A JSON value. Two are equal when they mean the same: numbers by decimal value, objects without regard to order.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it was written.
    Number(Number),
    /// A string.
    String(JsString),
    /// An array.
    Array(Vec<Value>),
    /// An object; its members in the order of the text.
    Object(Vec<(JsString, Value)>),
}

impl Value {
    /// A string value.
    #[must_use]
    pub fn string(text: &str) -> Value {
        Value::String(JsString::from(text))
    }

    /// An integer value.
    #[must_use]
    pub fn integer(n: i64) -> Value {
        Value::Number(Number::from(n))
    }

    /// The member of an object.
    #[must_use]
    pub fn member(&self, key: &JsString) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// `null`, `a bool`, `a number`, `a string`, `an array`, `an object`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The value as it stands in plain text: a string's characters, anything else as JSON. A lone surrogate becomes the
    /// three bytes that UTF-8 would give it.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        match self {
            Value::String(string) => string.to_wtf8(),
            other => other.to_string().into_bytes(),
        }
    }

    /// The number as a float, where it is one; a numeric string counts too, because a number captured from plain text is
    /// a string.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        let text = match self {
            Value::Number(number) => number.raw().to_owned(),
            Value::String(string) => string.to_string_lossy(),
            _ => return None,
        };
        text.parse::<f64>().ok().filter(|it| it.is_finite())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => {
                let (mut a, mut b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
                a.sort_by(|x, y| x.0.cmp(&y.0));
                b.sort_by(|x, y| x.0.cmp(&y.0));
                a == b
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

/// Compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(it) => write!(f, "{it}"),
            Value::Number(it) => write!(f, "{it}"),
            Value::String(it) => write!(f, "{it}"),
            Value::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Value::Object(members) => {
                f.write_str("{")?;
                for (i, (key, value)) in members.iter().enumerate() {
                    write!(f, "{}{key}:{value}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("}")
            }
        }
    }
}
