//! Values of a payload: which there are, one changed wherever it stands, and what is smaller.

use serde_json::{Map, Number, Value};

/// Stands around the number of a hole within a string.
pub(super) const IN_STRING: char = '\u{e000}';
/// Stands around the number of a hole that is a value.
pub(super) const AS_VALUE: char = '\u{e001}';
/// Stands for `...`.
pub(super) const MORE: &str = "\u{e002}";

/// A change of every place where a value stands.
pub(super) enum Change<'a> {
    Gone(&'a Value),
    Becomes(&'a Value, &'a Value),
    Bytes(&'a [u8], &'a [u8]),
}

/// Whether a value is a mark, or holds one, or stands for an attachment: it stays.
pub(super) fn stays(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains([IN_STRING, AS_VALUE]) || text == MORE,
        Value::Object(members) => members.contains_key("_placeholder"),
        _ => false,
    }
}

/// The values of a payload that may change, and those within them.
pub(super) fn collect(value: &Value, event: bool, depth: usize, found: &mut Vec<Value>) {
    let take = |value: &Value, found: &mut Vec<Value>| {
        if !stays(value) && !found.contains(value) {
            found.push(value.clone());
        }
        collect(value, event, depth + 1, found);
    };
    match value {
        Value::Array(items) => {
            let named = usize::from(event && depth == 0);
            items.iter().skip(named).for_each(|item| take(item, found));
        }
        Value::Object(_) if stays(value) => {}
        Value::Object(members) if event && depth == 0 => {
            // The arguments go one by one.
            if let Some(arguments) = members.get("args") {
                collect(arguments, event, depth + 1, found);
            }
        }
        Value::Object(members) => members.values().for_each(|item| take(item, found)),
        Value::String(_) if depth == 0 => take_plain(value, found),
        _ => {}
    }
}

pub(super) fn take_plain(value: &Value, found: &mut Vec<Value>) {
    if !found.contains(value) {
        found.push(value.clone());
    }
}

/// Changes every such value in a payload, but for the name of an event.
pub(super) fn rewrite(value: &mut Value, event: bool, depth: usize, change: &Change<'_>) {
    let (from, to) = match change {
        Change::Gone(from) => (*from, None),
        Change::Becomes(from, to) => (*from, Some(*to)),
        Change::Bytes(..) => return,
    };
    match value {
        Value::Array(items) => {
            let named = usize::from(event && depth == 0).min(items.len());
            let mut kept: Vec<Value> = items.drain(..named).collect();
            for mut item in items.drain(..) {
                if item == *from {
                    kept.extend(to.cloned());
                } else {
                    rewrite(&mut item, event, depth + 1, change);
                    kept.push(item);
                }
            }
            *items = kept;
        }
        Value::Object(members) => {
            let named = event && depth == 0;
            let mut kept = Map::new();
            for (key, mut item) in std::mem::take(members) {
                if !named && item == *from {
                    if let Some(to) = to {
                        kept.insert(key, to.clone());
                    }
                    continue;
                }
                if !named || key == "args" {
                    rewrite(&mut item, event, depth + 1, change);
                }
                kept.insert(key, item);
            }
            *members = kept;
        }
        Value::String(_) if depth == 0 && value == from => {
            if let Some(to) = to {
                *value = to.clone();
            }
        }
        _ => {}
    }
}

/// Smaller values of the same type, the smallest first.
pub(super) fn less(value: &Value) -> Vec<Value> {
    let smaller = match value {
        Value::String(text) => {
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            vec![Value::from(""), Value::from("a"), Value::from(half)]
        }
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Vec::new(),
            Some(1.0) => vec![Value::Number(Number::from(0))],
            _ => vec![Value::Number(Number::from(0)), Value::Number(Number::from(1))],
        },
        Value::Array(items) if !items.is_empty() => vec![Value::Array(Vec::new())],
        Value::Object(members) if !members.is_empty() => vec![Value::Object(Map::new())],
        Value::Bool(true) => vec![Value::Bool(false)],
        _ => Vec::new(),
    };
    smaller.into_iter().filter(|it| size(it) < size(value)).collect()
}

/// How much of a line it is; of two of the same length, zero and false are the smaller ones.
pub(super) fn size(value: &Value) -> usize {
    let length = value.to_string().len() * 2;
    match value {
        Value::Number(number) if number.as_f64() != Some(0.0) => length + 1,
        Value::String(text) if text != "a" => length + 1,
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_means_smaller() {
        for value in ["\"hello\"", "7", "true", "[1,2]", "{\"a\":1}", "1.5"] {
            let value: Value = serde_json::from_str(value).unwrap();
            let mut at = value.clone();
            // Any way down ends.
            for _ in 0..100 {
                match less(&at).pop() {
                    Some(next) => at = next,
                    None => break,
                }
            }
            assert_eq!(less(&at), Vec::<Value>::new(), "{value}");
        }
    }
}
