//! Changes of JSON.

use super::super::ast::{BaseType, Span};
use super::super::capture::Captures;
use super::super::hole::{Fit, FitKind, full_match, show};
use super::super::json::{JsString, Number, Value};
use super::super::json_pattern::{Member, Node, NodeKind};
use super::super::pieces::Piece;
use super::bytes::piece_mutants;

/// A value that a correct matcher refuses.
pub(super) struct JsonMutation {
    /// The way to the change, without the `$`.
    pub(super) path: String,
    pub(super) change: String,
    pub(super) span: Span,
    pub(super) value: Value,
}

/// The values next to `got`, which the pattern accepts, that it has to refuse.
pub(super) fn node_mutants(node: &Node, got: &Value, before: &Captures) -> Vec<JsonMutation> {
    match (&node.kind, got) {
        (NodeKind::Array { items, open }, Value::Array(values)) => {
            array_mutants(node.span, items, *open, values, before)
        }
        (NodeKind::Object { members, open }, Value::Object(values)) => {
            object_mutants(node.span, members, *open, values, before)
        }
        (NodeKind::String(pieces), Value::String(string)) => string_mutants(node.span, pieces, string, before),
        (NodeKind::Hole(fit), got) => hole_mutants(fit, got, before)
            .into_iter()
            .map(|it| replaced(node.span, it))
            .collect(),
        _ => others(got).into_iter().map(|it| replaced(node.span, it)).collect(),
    }
}

fn array_mutants(span: Span, items: &[Node], open: bool, got: &[Value], before: &Captures) -> Vec<JsonMutation> {
    let mut mutants = Vec::new();
    for (i, (item, value)) in items.iter().zip(got).enumerate() {
        for mutant in node_mutants(item, value, before) {
            let mut values = got.to_vec();
            values[i] = mutant.value;
            mutants.push(JsonMutation {
                path: format!("[{i}]{}", mutant.path),
                change: mutant.change,
                span: mutant.span,
                value: Value::Array(values),
            });
        }
    }
    if !open {
        let mut values = got.to_vec();
        values.resize(items.len() + 1, Value::Null);
        mutants.push(whole(span, "has an element too many", Value::Array(values)));
    }
    if let Some(last) = items.iter().rposition(|item| !optional(item)) {
        mutants.push(whole(
            items[last].span,
            "lacks an element",
            Value::Array(got[..last].to_vec()),
        ));
    }
    mutants
}

fn object_mutants(
    span: Span,
    members: &[Member],
    open: bool,
    got: &[(JsString, Value)],
    before: &Captures,
) -> Vec<JsonMutation> {
    let mut mutants = Vec::new();
    for member in members {
        let Some(at) = got.iter().position(|(key, _)| *key == member.key) else {
            continue;
        };
        for mutant in node_mutants(&member.value, &got[at].1, before) {
            let mut values = got.to_vec();
            values[at].1 = mutant.value;
            mutants.push(JsonMutation {
                path: format!(".{}{}", member.key.to_string_lossy(), mutant.path),
                change: mutant.change,
                span: mutant.span,
                value: Value::Object(values),
            });
        }
        if !optional(&member.value) {
            let mut values = got.to_vec();
            values.remove(at);
            mutants.push(whole(
                member.key_span,
                &format!("lacks the key {}", member.key),
                Value::Object(values),
            ));
        }
    }
    if !open {
        let mut key = "extra".to_owned();
        while got.iter().any(|(name, _)| *name == JsString::from(key.as_str()))
            || members.iter().any(|it| it.key == JsString::from(key.as_str()))
        {
            key.push('_');
        }
        let mut values = got.to_vec();
        values.push((JsString::from(key), Value::Null));
        mutants.push(whole(span, "has a key too many", Value::Object(values)));
    }
    mutants
}

fn string_mutants(span: Span, pieces: &[Piece<u16>], got: &JsString, before: &Captures) -> Vec<JsonMutation> {
    let texts = piece_mutants(pieces, &got.0, span, before)
        .into_iter()
        .map(|mutant| JsonMutation {
            path: String::new(),
            change: mutant.description,
            span: mutant.span,
            value: Value::String(JsString(mutant.units)),
        });
    texts
        .chain([replaced(span, other_type(&Value::String(got.clone())))])
        .collect()
}

/// Values that do not fit the hole; none for a hole that takes everything.
fn hole_mutants(fit: &Fit, got: &Value, before: &Captures) -> Vec<Value> {
    if fit.name.as_deref().is_some_and(|name| before.contains(name)) {
        return others(got);
    }
    let text = |text: &str| Value::string(text);
    let (base, lo, hi, optional) = match &fit.kind {
        FitKind::Any => return Vec::new(),
        FitKind::Regex(regex) => {
            let Value::String(string) = got else { return Vec::new() };
            let near = [
                JsString::from(format!("{}~", string.to_string_lossy())),
                JsString::default(),
            ];
            let near = near.into_iter().filter(|it| !full_match(regex, it)).map(Value::String);
            return near.chain([Value::Null]).collect();
        }
        FitKind::Type { base, lo, hi, optional } => (base, lo, hi, *optional),
    };
    let mut wrong = match base {
        BaseType::Str => vec![Value::integer(0)],
        BaseType::Int => vec![text(&got.to_string()), Value::Number(half())],
        BaseType::Num => vec![text(&got.to_string())],
        BaseType::Bool => vec![text("true")],
        BaseType::List => vec![Value::Object(Vec::new())],
        BaseType::Obj => vec![Value::Array(Vec::new())],
    };
    if !optional {
        wrong.push(Value::Null);
    }
    let beyond = |bound: &Option<Number>, by: i64| {
        bound
            .as_ref()
            .and_then(|it| it.raw().parse::<i64>().ok())
            .and_then(|it| it.checked_add(by))
            .map(Value::integer)
    };
    wrong.extend(beyond(lo, -1));
    wrong.extend(beyond(hi, 1));
    wrong
}

/// Another value of the same type, where there is one, and a value of another type.
fn others(got: &Value) -> Vec<Value> {
    let same = match got {
        Value::Null => None,
        Value::Bool(it) => Some(Value::Bool(!it)),
        Value::Number(it) => Some(Value::integer(i64::from(*it == Number::from(0)))),
        Value::String(it) => Some(Value::String(JsString([it.0.as_slice(), &[u16::from(b'~')]].concat()))),
        Value::Array(items) => Some(Value::Array([items.as_slice(), &[Value::Null]].concat())),
        Value::Object(members) => {
            let key = JsString::from("~".repeat(1 + members.iter().map(|(key, _)| key.0.len()).max().unwrap_or(0)));
            Some(Value::Object([members.as_slice(), &[(key, Value::Null)]].concat()))
        }
    };
    same.into_iter().chain([other_type(got)]).collect()
}

/// The value a lax comparison would take for it.
fn other_type(got: &Value) -> Value {
    match got {
        Value::Null => Value::Bool(false),
        Value::Bool(_) | Value::Number(_) => Value::string(&got.to_string()),
        Value::String(it) => Number::new(&it.to_string_lossy()).map_or(Value::Null, Value::Number),
        Value::Array(_) => Value::Object(Vec::new()),
        Value::Object(_) => Value::Array(Vec::new()),
    }
}

fn half() -> Number {
    Number::new("0.5").unwrap_or_else(|| Number::from(0))
}

fn optional(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Hole(fit) if fit.optional())
}

fn replaced(span: Span, value: Value) -> JsonMutation {
    whole(span, &format!("is {}", show(&value)), value)
}

fn whole(span: Span, change: &str, value: Value) -> JsonMutation {
    JsonMutation {
        path: String::new(),
        change: change.to_owned(),
        span,
        value,
    }
}
