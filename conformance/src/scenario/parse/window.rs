//! `[lo .. hi since mark]`, and durations.

use std::time::Duration;

use super::super::SpannedError;
use super::super::ast::{Span, Sum, Term, TermBase, Window};
use super::Parser;
use super::arguments::is_name;

const HELP: &str =
    "write [lo .. hi] or [lo .. hi since mark]; a bound is a sum like 0.8*$interval+150ms, and one may be absent";

impl Parser<'_> {
    /// `span` holds the brackets, too.
    pub(super) fn window(&mut self, span: Span) -> Result<Window, SpannedError> {
        let text = self.text(span);
        let inner = &text[1..text.len() - 1];
        let error = |message: &str| SpannedError::new(span, message).help(HELP);
        let (bounds, since) = match inner.split_once(" since ") {
            Some((bounds, mark)) => (bounds, Some(mark.trim())),
            None => (inner, None),
        };
        if let Some(mark) = since.filter(|it| !is_name(it)) {
            return Err(error(&format!("malformed mark `{mark}`")));
        }
        let Some((lo, hi)) = bounds.split_once("..") else {
            return Err(error("the window has no `..`"));
        };
        let bound = |text: &str| -> Result<Option<Sum>, SpannedError> {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            let sum = sum(text).ok_or_else(|| error(&format!("malformed bound `{text}`")))?;
            Ok(Some(sum))
        };
        let (lo, hi) = (bound(lo)?, bound(hi)?);
        if lo.is_none() && hi.is_none() {
            return Err(error("the window has no bound"));
        }
        Ok(Window {
            lo,
            hi,
            since: since.map(str::to_owned),
            span,
        })
    }
}

/// `0.8*$interval+$timeout-50ms`
fn sum(text: &str) -> Option<Sum> {
    let mut terms = Vec::new();
    let mut rest = text;
    loop {
        let (sign, after) = match rest.as_bytes().first()? {
            b'-' => (-1.0, &rest[1..]),
            b'+' if !terms.is_empty() => (1.0, &rest[1..]),
            _ if terms.is_empty() => (1.0, rest),
            _ => return None,
        };
        let after = after.trim_start();
        let end = after.find(['+', '-']).unwrap_or(after.len());
        terms.push(term(after[..end].trim(), sign)?);
        rest = &after[end..];
        if rest.is_empty() {
            return Some(Sum { terms });
        }
    }
}

fn term(text: &str, sign: f64) -> Option<Term> {
    let (factor, base) = match text.split_once('*') {
        Some((factor, base)) => {
            let factor = factor.trim();
            let plain = !factor.is_empty() && factor.bytes().all(|it| it.is_ascii_digit() || it == b'.');
            (
                factor.parse::<f64>().ok().filter(|it| plain && it.is_finite())?,
                base.trim(),
            )
        }
        None => (1.0, text),
    };
    let base = match base.strip_prefix('$') {
        Some(name) => {
            let letters = name.bytes().all(|it| it.is_ascii_alphanumeric());
            TermBase::Capture(
                (letters && name.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| name.to_owned())?,
            )
        }
        None => TermBase::Duration(duration(base)?),
    };
    Some(Term {
        factor: sign * factor,
        base,
    })
}

/// `150ms`, `2s`, `12.4ms`: to the nanosecond, at most a day.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit, decimals) = match text.strip_suffix("ms") {
        Some(number) => (number, 1_000_000, 6),
        None => (text.strip_suffix('s')?, 1_000_000_000, 9),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > decimals {
        return None;
    }
    let scale = 10_u64.pow((decimals - fraction.len()) as u32);
    let nanos = whole
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)?
        .checked_add(fraction.parse::<u64>().ok()? * scale)?;
    Some(Duration::from_nanos(nanos)).filter(|it| *it <= Duration::from_secs(86_400))
}
