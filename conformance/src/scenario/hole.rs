//! Holes: how they are written and what fits in them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use regex::Regex;

use super::SpannedError;
use super::ast::{BaseType, Hole, HoleKind, HoleType, Span};
use super::json::{self, JsString, Number, Value};
use super::words::did_you_mean;

/// The words a type can be.
const TYPES: [(&str, BaseType); 6] = [
    ("str", BaseType::Str),
    ("int", BaseType::Int),
    ("num", BaseType::Num),
    ("bool", BaseType::Bool),
    ("list", BaseType::List),
    ("obj", BaseType::Obj),
];

/// Reads the hole that begins at `start` with `$`; gives the offset behind it, too.
pub(crate) fn parse(source: &str, start: usize, limit: usize) -> Result<(Hole, usize), SpannedError> {
    let rest = &source[start + 1..limit];
    if rest.starts_with('_') {
        return Ok((Hole { name: None, kind: None }, start + 2));
    }
    let named = match rest.bytes().next() {
        Some(first) if first.is_ascii_alphabetic() => rest.bytes().take_while(u8::is_ascii_alphanumeric).count(),
        _ => 0,
    };
    let name = (named > 0).then(|| rest[..named].to_owned());
    let Some(inner) = rest[named..].strip_prefix('(') else {
        if name.is_some() {
            return Ok((Hole { name, kind: None }, start + 1 + named));
        }
        return Err(
            SpannedError::new(Span { start, end: start + 1 }, "`$` begins a hole, and none follows")
                .help("holes are $name, $name(type), $(type), $(/regex/) and $_; a dollar sign is \\$"),
        );
    };
    let open = start + 1 + named + 1;
    let (kind, len) = if inner.starts_with('/') {
        parse_regex(inner, start, open)?
    } else {
        parse_type(inner, open)?
    };
    Ok((Hole { name, kind: Some(kind) }, open + len))
}

/// `/regex/)`: up to the first `/)` whose slash is not escaped.
fn parse_regex(inner: &str, start: usize, open: usize) -> Result<(HoleKind, usize), SpannedError> {
    let bytes = inner.as_bytes();
    let mut close = 1;
    while close < bytes.len() && !bytes[close..].starts_with(b"/)") {
        close += if bytes[close] == b'\\' { 2 } else { 1 };
    }
    if close >= bytes.len() {
        let span = Span {
            start,
            end: open + inner.len(),
        };
        return Err(SpannedError::new(span, "the regex has no end").help("a regex hole is $(/regex/)"));
    }
    let regex = inner[1..close].to_owned();
    if let Err(error) = compile_regex(&regex) {
        return Err(SpannedError::new(
            Span {
                start: open,
                end: open + close + 1,
            },
            error,
        ));
    }
    Ok((HoleKind::Regex(regex), close + 2))
}

/// `int(1..)?)`: a word, a range for numbers, a `?`.
fn parse_type(inner: &str, open: usize) -> Result<(HoleKind, usize), SpannedError> {
    let word_len = inner.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let word = &inner[..word_len];
    let span = Span {
        start: open,
        end: open + word_len,
    };
    let Some((_, base)) = TYPES.into_iter().find(|(name, _)| *name == word) else {
        let error = SpannedError::new(span, format!("unknown type `{word}`"));
        return Err(error.help(did_you_mean(word, TYPES.map(|(name, _)| name))));
    };
    let mut at = word_len;
    let mut range = None;
    if let Some(bounds) = inner[at..].strip_prefix('(') {
        let end = bounds.find(')').unwrap_or(bounds.len());
        range = Some(parse_range(&bounds[..end], base, open + at + 1)?);
        at += 1 + end + 1;
    }
    let optional = inner[at.min(inner.len())..].starts_with('?');
    at += usize::from(optional);
    if !inner[at.min(inner.len())..].starts_with(')') {
        let span = Span {
            start: open,
            end: open + at.min(inner.len()),
        };
        return Err(SpannedError::new(span, "the hole has no closing parenthesis").help("write $name(type)"));
    }
    Ok((HoleKind::Type(HoleType { base, range, optional }), at + 1))
}

fn parse_range(bounds: &str, base: BaseType, at: usize) -> Result<(Option<String>, Option<String>), SpannedError> {
    let span = Span {
        start: at,
        end: at + bounds.len(),
    };
    if !matches!(base, BaseType::Int | BaseType::Num) {
        return Err(SpannedError::new(span, "only int and num take a range").help("delete the parentheses"));
    }
    let range = bounds.split_once("..").filter(|(lo, hi)| {
        let number = |it: &str| it.is_empty() || Number::new(it).is_some();
        number(lo) && number(hi) && !(lo.is_empty() && hi.is_empty())
    });
    let Some((lo, hi)) = range else {
        return Err(SpannedError::new(span, "malformed range").help("write int(1..), int(..5) or int(1..5)"));
    };
    let bound = |it: &str| (!it.is_empty()).then(|| it.to_owned());
    Ok((bound(lo), bound(hi)))
}

/// As it is written.
impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.kind) {
            (None, None) => f.write_str("$_"),
            (name, None) => write!(f, "${}", name.as_deref().unwrap_or_default()),
            (name, Some(kind)) => write!(f, "${}({kind})", name.as_deref().unwrap_or_default()),
        }
    }
}

impl fmt::Display for HoleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoleKind::Regex(regex) => write!(f, "/{regex}/"),
            HoleKind::Type(it) => it.fmt(f),
        }
    }
}

impl fmt::Display for HoleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = TYPES
            .iter()
            .find(|(_, base)| *base == self.base)
            .map_or("", |(word, _)| word);
        f.write_str(word)?;
        if let Some((lo, hi)) = &self.range {
            write!(
                f,
                "({}..{})",
                lo.as_deref().unwrap_or_default(),
                hi.as_deref().unwrap_or_default()
            )?;
        }
        f.write_str(if self.optional { "?" } else { "" })
    }
}

/// A hole, ready to judge values.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub(crate) name: Option<String>,
    pub(crate) kind: FitKind,
    expected: String,
}

#[derive(Clone, Debug)]
pub(crate) enum FitKind {
    Any,
    Regex(Regex),
    Type {
        base: BaseType,
        lo: Option<Number>,
        hi: Option<Number>,
        optional: bool,
    },
}

impl Fit {
    /// Fails where the regex is none, which the parser would have said.
    pub(crate) fn compile(hole: &Hole) -> Result<Fit, String> {
        let kind = match &hole.kind {
            None => FitKind::Any,
            Some(HoleKind::Regex(regex)) => FitKind::Regex(compile_regex(regex)?),
            Some(HoleKind::Type(it)) => {
                let (lo, hi) = it.range.clone().unwrap_or_default();
                let number = |it: Option<String>| it.and_then(|it| Number::new(&it));
                FitKind::Type {
                    base: it.base,
                    lo: number(lo),
                    hi: number(hi),
                    optional: it.optional,
                }
            }
        };
        let expected = hole
            .kind
            .as_ref()
            .map_or_else(|| "anything".to_owned(), ToString::to_string);
        Ok(Fit {
            name: hole.name.clone(),
            kind,
            expected,
        })
    }

    /// Whether nothing at all may stand in the hole's place (`int?`).
    pub(crate) fn optional(&self) -> bool {
        matches!(self.kind, FitKind::Type { optional: true, .. })
    }

    /// Whether every value fits.
    pub(crate) fn any(&self) -> bool {
        matches!(self.kind, FitKind::Any)
    }

    /// Why no text that begins like this can fit, as far as that can be said before all of it is there.
    pub(crate) fn cannot_begin(&self, begun: &JsString) -> Option<String> {
        let FitKind::Type { base, .. } = &self.kind else {
            return None;
        };
        let text = begun.to_string_lossy();
        let possible = match base {
            BaseType::Int => text.bytes().all(|it| it.is_ascii_digit() || it == b'-'),
            BaseType::Num => text.bytes().all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it)),
            BaseType::Bool => "true".starts_with(&text) || "false".starts_with(&text),
            BaseType::List => text.is_empty() || text.starts_with('['),
            BaseType::Obj => text.is_empty() || text.starts_with('{'),
            BaseType::Str => true,
        };
        (!possible).then(|| {
            format!(
                "expected {}, got {}",
                self.expected,
                show(&Value::String(begun.clone()))
            )
        })
    }

    /// Whether a JSON value fits; if not, what was expected instead.
    pub(crate) fn json(&self, got: &Value) -> Result<(), String> {
        let fits = match (&self.kind, got) {
            (FitKind::Any, _) | (FitKind::Type { optional: true, .. }, Value::Null) => true,
            (FitKind::Regex(regex), Value::String(string)) => full_match(regex, string),
            (FitKind::Regex(_), _) => false,
            (FitKind::Type { base, lo, hi, .. }, got) => match (base, got) {
                (BaseType::Str, Value::String(_))
                | (BaseType::Bool, Value::Bool(_))
                | (BaseType::List, Value::Array(_))
                | (BaseType::Obj, Value::Object(_)) => true,
                (BaseType::Int | BaseType::Num, Value::Number(number)) => {
                    (*base == BaseType::Num || number.is_integer())
                        && lo.as_ref().is_none_or(|lo| lo <= number)
                        && hi.as_ref().is_none_or(|hi| number <= hi)
                }
                _ => false,
            },
        };
        if fits {
            Ok(())
        } else {
            Err(format!("expected {}, got {}", self.expected, show(got)))
        }
    }

    /// Whether a piece of text fits, and the value it binds: a string where the hole asks for none or for a string, else
    /// what the text means as JSON. In text a `str` is not empty, and an optional hole may be.
    pub(crate) fn text(&self, got: &JsString) -> Result<Value, String> {
        let mismatch = || format!("expected {}, got {}", self.expected, show(&Value::String(got.clone())));
        match &self.kind {
            FitKind::Any => Ok(Value::String(got.clone())),
            FitKind::Regex(regex) if full_match(regex, got) => Ok(Value::String(got.clone())),
            FitKind::Type { optional: true, .. } if got.0.is_empty() => Ok(Value::Null),
            FitKind::Type {
                base: BaseType::Str, ..
            } if !got.0.is_empty() => Ok(Value::String(got.clone())),
            FitKind::Regex(_)
            | FitKind::Type {
                base: BaseType::Str, ..
            } => Err(mismatch()),
            FitKind::Type { .. } => {
                let text = got.to_string_lossy();
                if text.starts_with([' ', '\n', '\r', '\t']) || text.ends_with([' ', '\n', '\r', '\t']) {
                    return Err(mismatch());
                }
                let value = json::parse(&text).map_err(|_| mismatch())?;
                self.json(&value).map_err(|_| mismatch())?;
                Ok(value)
            }
        }
    }
}

/// How many expressions a thread keeps compiled.
const KEPT: usize = 256;

thread_local! {
    /// A case is played thousands of times when it is proved, and to compile costs more than to match.
    static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

fn compile_regex(regex: &str) -> Result<Regex, String> {
    if let Some(compiled) = COMPILED.with_borrow(|kept| kept.get(regex).cloned()) {
        return Ok(compiled);
    }
    Regex::new(regex).map_err(|error| {
        let text = error.to_string();
        format!(
            "malformed regex: {}",
            text.lines().last().unwrap_or_default().trim_start_matches("error: ")
        )
    })?;
    let whole = Regex::new(&format!(r"\A(?:{regex})\z")).map_err(|_| "malformed regex".to_owned())?;
    COMPILED.with_borrow_mut(|kept| {
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(regex.to_owned(), whole.clone());
    });
    Ok(whole)
}

pub(crate) fn full_match(regex: &Regex, string: &JsString) -> bool {
    String::from_utf16(&string.0).is_ok_and(|text| regex.is_match(&text))
}

/// A value for a person: compact JSON, cut in the middle where it is long.
pub(crate) fn show(value: &Value) -> String {
    shorten(&value.to_string(), 80)
}

/// The text, or its start and its end around `…`.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit * 2 / 3).collect();
    let tail: String = text.chars().skip(length - limit / 3).collect();
    format!("{head}…{tail}")
}
