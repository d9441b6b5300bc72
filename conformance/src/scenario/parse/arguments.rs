//! What stands behind a verb: durations, codes, names, hexadecimal digits.

use std::time::Duration;

use super::super::SpannedError;
use super::super::ast::Spanned;
use super::super::words::did_you_mean;
use super::Cursor;
use super::window::duration;

/// The longest `wait` or `silent`.
const LONGEST: Duration = Duration::from_secs(600);

/// One word of a few.
pub(super) fn one_of(
    cursor: &mut Cursor<'_>,
    verb: &Spanned<&str>,
    known: &[&'static str],
) -> Result<String, SpannedError> {
    let word = cursor.word().unwrap_or(Spanned {
        node: "",
        span: verb.span,
    });
    if known.contains(&word.node) {
        return Ok(word.node.to_owned());
    }
    let error = SpannedError::new(word.span, format!("`{}` does not know `{}`", verb.node, word.node));
    Err(error.help(did_you_mean(word.node, known.iter().copied())))
}

/// A duration that a case may wait.
pub(super) fn bounded(cursor: &mut Cursor<'_>, verb: &Spanned<&str>) -> Result<Duration, SpannedError> {
    let word = cursor.word().unwrap_or(Spanned {
        node: "",
        span: verb.span,
    });
    let Some(duration) = duration(word.node) else {
        let error = SpannedError::new(word.span, format!("`{}` needs a duration", verb.node));
        return Err(error.help("write it as 150ms or 2s"));
    };
    if duration > LONGEST {
        return Err(SpannedError::new(word.span, "longer than ten minutes")
            .help("every wait has a bound; this one is too long"));
    }
    Ok(duration)
}

/// The name of a mark.
pub(super) fn mark(cursor: &mut Cursor<'_>, verb: &Spanned<&str>) -> Result<String, SpannedError> {
    match cursor.word() {
        Some(word) if is_name(word.node) => Ok(word.node.to_owned()),
        Some(word) => Err(SpannedError::new(word.span, format!("malformed mark `{}`", word.node))
            .help("names of marks are lower case, digits and hyphens")),
        None => Err(SpannedError::new(verb.span, "`mark` has no name").help("write `mark pong`")),
    }
}

/// A status code of three digits.
pub(super) fn status(word: &Spanned<&str>) -> Result<u16, SpannedError> {
    let code = word
        .node
        .parse()
        .ok()
        .filter(|it| (100..=999).contains(it) && word.node.len() == 3);
    code.ok_or_else(|| {
        SpannedError::new(word.span, format!("`{}` is no status", word.node)).help("a status is three digits: 200")
    })
}

/// Pairs of hexadecimal digits, with spaces between them or without.
pub(super) fn hex(word: &Spanned<&str>) -> Result<Vec<u8>, SpannedError> {
    let digits: Vec<u8> = word.node.bytes().filter(|it| *it != b' ').collect();
    let help = "write each byte as two hexadecimal digits: 01 ff";
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(SpannedError::new(word.span, "this is not hexadecimal").help(help));
    }
    if digits.len() % 2 == 1 {
        return Err(SpannedError::new(word.span, "an odd number of hexadecimal digits").help(help));
    }
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    Ok(digits
        .chunks(2)
        .map(|pair| value(pair[0]) << 4 | value(pair[1]))
        .collect())
}

/// Names of lanes and marks.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}
