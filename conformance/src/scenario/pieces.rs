//! Runs of literal units and holes, matched against bytes or against UTF-16 code units.
//!
//! A hole binds the least text that fits, from left to right, and a decision once taken stands: with literals between
//! holes that finds what a reader expects, and a hostile text cannot make it slow.

use super::SpannedError;
use super::ast::{Atom, AtomKind, Span};
use super::capture::Captures;
use super::hole::{Fit, shorten};
use super::json::{JsString, Value};
use super::pattern::Mismatch;

/// How many places behind a hole are tried before the text is declared not to fit.
const MAX_TRIES: usize = 10_000;

/// How much text is looked at in those tries, in units.
const MAX_TRIED: usize = 16 << 20;

/// What patterns are made of: bytes, or the code units of a JSON string.
pub(crate) trait Unit: Copy + Eq {
    const NAME: &'static str;
    /// A unit that stands in nothing but free text.
    const ODD: Self;
    /// A unit of the same kind: another digit for a digit.
    fn other(self) -> Self;
    fn string(units: &[Self]) -> Option<JsString>;
    fn raw(value: &Value) -> Vec<Self>;
    fn show(units: &[Self]) -> String;
}

impl Unit for u8 {
    const NAME: &'static str = "byte";
    const ODD: u8 = b'~';

    fn other(self) -> u8 {
        match self {
            b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => self + 1,
            b'9' => b'0',
            0x80.. => self ^ 1,
            _ => b'x',
        }
    }

    fn string(units: &[u8]) -> Option<JsString> {
        std::str::from_utf8(units).ok().map(JsString::from)
    }

    fn raw(value: &Value) -> Vec<u8> {
        value.raw()
    }

    fn show(units: &[u8]) -> String {
        format!("`{}`", shorten(&super::pattern::show_bytes(units), 60))
    }
}

impl Unit for u16 {
    const NAME: &'static str = "code unit";
    const ODD: u16 = b'~' as u16;

    fn other(self) -> u16 {
        match u8::try_from(self) {
            Ok(byte) if byte.is_ascii() => u16::from(byte.other()),
            _ => self ^ 1,
        }
    }

    fn string(units: &[u16]) -> Option<JsString> {
        Some(JsString(units.to_vec()))
    }

    fn raw(value: &Value) -> Vec<u16> {
        match value {
            Value::String(string) => string.0.clone(),
            other => other.to_string().encode_utf16().collect(),
        }
    }

    fn show(units: &[u16]) -> String {
        shorten(&JsString(units.to_vec()).to_string(), 60)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Piece<T> {
    /// Units that must be there, each with the place it was written at.
    Literal { units: Vec<T>, spans: Vec<Span> },
    /// A hole.
    Hole { fit: Fit, span: Span },
}

/// Byte pieces from the atoms of a text.
pub(crate) fn byte_pieces<'a>(atoms: impl IntoIterator<Item = &'a Atom>) -> Result<Vec<Piece<u8>>, SpannedError> {
    let mut pieces = Vec::new();
    for atom in atoms {
        match &atom.kind {
            AtomKind::Byte(byte) => push_unit(&mut pieces, *byte, atom.span),
            AtomKind::Hole(hole) => {
                let fit = Fit::compile(hole).map_err(|message| SpannedError::new(atom.span, message))?;
                pieces.push(Piece::Hole { fit, span: atom.span });
            }
        }
    }
    Ok(pieces)
}

/// Adds a literal unit to the run at the end.
pub(crate) fn push_unit<T>(pieces: &mut Vec<Piece<T>>, unit: T, span: Span) {
    if let Some(Piece::Literal { units, spans }) = pieces.last_mut() {
        units.push(unit);
        spans.push(span);
    } else {
        pieces.push(Piece::Literal {
            units: vec![unit],
            spans: vec![span],
        });
    }
}

/// How much text there is to match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it, to its last unit.
    Whole,
    /// The beginning of it; no more will come.
    Ended,
    /// The beginning of it; more may come.
    Open,
}

pub(crate) enum Step {
    /// That many units were matched.
    Matched(usize),
    NeedMore,
    Mismatch(Mismatch),
}

/// Matches and binds. What was bound before a mismatch stays bound: callers hand in a copy.
pub(crate) fn run<T: Unit>(pieces: &[Piece<T>], got: &[T], extent: Extent, end: Span, captures: &mut Captures) -> Step {
    run_each(pieces, got, extent, end, captures, |_| ())
}

/// [`run`], told where each piece that was found begins.
pub(crate) fn run_each<T: Unit>(
    pieces: &[Piece<T>],
    got: &[T],
    extent: Extent,
    end: Span,
    captures: &mut Captures,
    mut begins: impl FnMut(usize),
) -> Step {
    let mut at = 0;
    for (i, piece) in pieces.iter().enumerate() {
        begins(at);
        let step = match piece {
            Piece::Literal { units, spans } => literal(units, |k| spans[k], got, at, extent),
            Piece::Hole { fit, span } => match fit.name.as_deref().and_then(|name| captures.get(name)) {
                Some(value) => match literal(&T::raw(value), |_| *span, got, at, extent) {
                    Step::Mismatch(_) => unlike_bound(&T::raw(value), *span, got, at),
                    other => other,
                },
                None => free(fit, *span, &pieces[i + 1..], got, at, extent, captures),
            },
        };
        match step {
            Step::Matched(next) => at = next,
            other => return other,
        }
    }
    if extent == Extent::Whole && at < got.len() {
        let rest = &got[at..];
        return Step::Mismatch(Mismatch::at(
            end,
            at,
            format!("{} too many: {}", count::<T>(rest.len()), T::show(rest)),
        ));
    }
    Step::Matched(at)
}

/// The literal that follows a free hole: runs and bound holes up to the next free hole, and whether none is left.
fn anchor<T: Unit>(pieces: &[Piece<T>], own: Option<&str>, captures: &Captures) -> (Vec<T>, bool) {
    let mut anchor = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal { units, .. } => anchor.extend_from_slice(units),
            Piece::Hole { fit, .. } => match fit.name.as_deref().and_then(|name| captures.get(name)) {
                Some(value) if fit.name.as_deref() != own => anchor.extend(T::raw(value)),
                _ => return (anchor, false),
            },
        }
    }
    (anchor, true)
}

fn literal<T: Unit>(units: &[T], span: impl Fn(usize) -> Span, got: &[T], at: usize, extent: Extent) -> Step {
    let rest = &got[at..];
    let same = units.iter().zip(rest).take_while(|(a, b)| a == b).count();
    if same == units.len() {
        return Step::Matched(at + same);
    }
    let place = span(same).to(span(units.len() - 1));
    let expected = T::show(&units[same..]);
    if same < rest.len() {
        let message = format!("expected {expected}, got {}", T::show(&rest[same..]));
        return Step::Mismatch(Mismatch::at(place, at + same, message));
    }
    match extent {
        Extent::Open => Step::NeedMore,
        Extent::Whole | Extent::Ended => Step::Mismatch(Mismatch::at(
            place,
            at + same,
            format!("expected {expected}, got nothing more"),
        )),
    }
}

/// A capture is shown as a whole, not from the first unit that differs.
fn unlike_bound<T: Unit>(units: &[T], span: Span, got: &[T], at: usize) -> Step {
    let rest = &got[at..(at + units.len()).min(got.len())];
    Step::Mismatch(Mismatch::at(
        span,
        at,
        format!("expected {}, got {}", T::show(units), T::show(rest)),
    ))
}

fn free<T: Unit>(
    fit: &Fit,
    span: Span,
    following: &[Piece<T>],
    got: &[T],
    at: usize,
    extent: Extent,
    captures: &mut Captures,
) -> Step {
    let (anchor, last) = anchor(following, fit.name.as_deref(), captures);
    let rest = &got[at..];
    let mut take = |len: usize| -> Result<Step, String> {
        let Some(text) = T::string(&rest[..len]) else {
            let plain = fit.any() && fit.name.is_none();
            return if plain {
                Ok(Step::Matched(at + len))
            } else {
                Err("the text is not UTF-8".to_owned())
            };
        };
        let value = fit.text(&text)?;
        if let Some(name) = &fit.name {
            captures.insert(name.clone(), value);
        }
        Ok(Step::Matched(at + len))
    };
    if last && (extent == Extent::Whole || anchor.is_empty()) {
        if extent == Extent::Open {
            return Step::NeedMore;
        }
        if !rest.ends_with(&anchor) {
            let message = format!(
                "expected something that ends in {}, got {}",
                T::show(&anchor),
                T::show(rest)
            );
            return Step::Mismatch(Mismatch::at(span, at, message));
        }
        return take(rest.len() - anchor.len())
            .unwrap_or_else(|message| Step::Mismatch(Mismatch::at(span, at, message)));
    }
    let mut refused = None;
    let (mut tries, mut tried) = (0, 0);
    for len in 0..=rest.len() {
        if !rest[len..].starts_with(&anchor) {
            continue;
        }
        match take(len) {
            Ok(step) => return step,
            Err(message) => refused = refused.or(Some(message)),
        }
        tries += 1;
        tried += len;
        if tries == MAX_TRIES || tried > MAX_TRIED {
            break;
        }
    }
    if extent == Extent::Open && tries < MAX_TRIES && tried <= MAX_TRIED {
        // The anchor begins nowhere in these, so they belong to the hole.
        let begun = T::string(&rest[..(rest.len() + 1).saturating_sub(anchor.len()).min(rest.len())]);
        match begun.and_then(|begun| fit.cannot_begin(&begun)) {
            None => return Step::NeedMore,
            Some(message) => return Step::Mismatch(Mismatch::at(span, at, message)),
        }
    }
    let message = refused.unwrap_or_else(|| {
        format!(
            "expected something followed by {}, got {}",
            T::show(&anchor),
            T::show(rest)
        )
    });
    Step::Mismatch(Mismatch::at(span, at, message))
}

fn count<T: Unit>(units: usize) -> String {
    format!("{units} {}{}", T::NAME, if units == 1 { "" } else { "s" })
}
