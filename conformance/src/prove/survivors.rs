//! `fixtures/survivors`: changes that no case has to notice, each with a reason.
//!
//! ```text
//! # case-glob           line  change                     reason
//! rev1/ack/data[*]      12    "6:::1" sent twice         # why nobody has to notice
//! rev1/noop/*           *     *came too early            # why
//! ```
//!
//! A line is a [`Glob`] over case ids, the line of the scenario (`*` for any), a glob over the words of the change up to the
//! last ` # `, and a reason.

use thiserror::Error;

use super::Survivor;
use crate::glob::Glob;

/// The known survivors. The empty file (`Known::default()`) lists none.
#[derive(Clone, Debug, Default)]
pub struct Known {
    file: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    case: Glob,
    line: Option<usize>,
    words: Glob,
}

/// A line that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {problem}")]
pub struct KnownError {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: KnownProblem,
}

/// See [`KnownError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KnownProblem {
    /// Not the three fields.
    #[error("write `case-glob  line-or-*  change  # why`")]
    Fields,
    /// No number.
    #[error("`{0}` is no line number: write one, or `*`")]
    Number(String),
    /// No ` # `, or nothing behind it.
    #[error("no reason: write why behind a ` # `")]
    NoReason,
    /// Explains nothing.
    #[error("explains no survivor: remove the line")]
    Stale,
}

impl Known {
    /// `fixtures/survivors` as it was when the program was built.
    ///
    /// # Errors
    ///
    /// Every line that does not parse.
    pub fn embedded() -> Result<Known, Vec<KnownError>> {
        Known::parse("fixtures/survivors", include_str!("../../../fixtures/survivors"))
    }

    /// Parses the text of the file; `file` is its path as messages show it.
    ///
    /// # Errors
    ///
    /// Every line that does not parse.
    pub fn parse(file: &str, text: &str) -> Result<Known, Vec<KnownError>> {
        let (mut lines, mut errors) = (Vec::new(), Vec::new());
        for (index, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match parse_line(text, index + 1) {
                Ok(line) => lines.push(line),
                Err(problem) => errors.push(KnownError {
                    file: file.to_owned(),
                    line: index + 1,
                    problem,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Known {
                file: file.to_owned(),
                lines,
            })
        } else {
            Err(errors)
        }
    }

    /// The survivors that no line explains.
    #[must_use]
    pub fn unexplained<'a>(&self, survivors: &'a [Survivor]) -> Vec<&'a Survivor> {
        survivors
            .iter()
            .filter(|survivor| !self.lines.iter().any(|line| line.explains(survivor)))
            .collect()
    }

    /// The lines that explain none of the survivors of a complete proof.
    #[must_use]
    pub fn stale(&self, survivors: &[Survivor]) -> Vec<KnownError> {
        let stale = self
            .lines
            .iter()
            .filter(|line| !survivors.iter().any(|survivor| line.explains(survivor)));
        let error = |line: &Line| KnownError {
            file: self.file.clone(),
            line: line.number,
            problem: KnownProblem::Stale,
        };
        stale.map(error).collect()
    }
}

impl Line {
    fn explains(&self, survivor: &Survivor) -> bool {
        self.case.names(&survivor.case)
            && self.line.is_none_or(|line| line == survivor.line)
            && self.words.matches(&survivor.words)
    }
}

fn parse_line(text: &str, number: usize) -> Result<Line, KnownProblem> {
    let (fields, reason) = text.rsplit_once(" # ").ok_or(KnownProblem::NoReason)?;
    if reason.trim().is_empty() {
        return Err(KnownProblem::NoReason);
    }
    let (case, rest) = fields
        .trim()
        .split_once(char::is_whitespace)
        .ok_or(KnownProblem::Fields)?;
    let (line, words) = rest
        .trim_start()
        .split_once(char::is_whitespace)
        .ok_or(KnownProblem::Fields)?;
    let line = match line {
        "*" => None,
        number => Some(number.parse().map_err(|_| KnownProblem::Number(number.to_owned()))?),
    };
    Ok(Line {
        number,
        case: Glob::new(case),
        line,
        words: Glob::new(words.trim()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survivor(case: &str, line: usize, words: &str) -> Survivor {
        Survivor {
            case: case.to_owned(),
            file: String::new(),
            line,
            words: words.to_owned(),
        }
    }

    #[test]
    fn a_line_explains_the_survivors_it_names() {
        let text = "# prose\n\na/b[*]  12  \"x # y\" sent twice  # why\na/*  *  *too early # windows\nc * * # never\n";
        let known = Known::parse("survivors", text).unwrap();
        let survivors = [
            survivor("a/b[websocket]", 12, "\"x # y\" sent twice"),
            survivor("a/b[websocket]", 13, "\"x # y\" sent twice"),
            survivor("a/c", 1, "\"2::\" came too early"),
        ];
        assert_eq!(known.unexplained(&survivors), [&survivors[1]]);
        let stale: Vec<String> = known.stale(&survivors).iter().map(ToString::to_string).collect();
        assert_eq!(stale, ["survivors:5: explains no survivor: remove the line"]);
    }

    #[rstest::rstest]
    #[case("a 12 words", KnownProblem::NoReason)]
    #[case("a 12 words #", KnownProblem::NoReason)]
    #[case("a 12 # why", KnownProblem::Fields)]
    #[case("a x words # why", KnownProblem::Number("x".to_owned()))]
    fn what_is_no_line_is_refused(#[case] text: &str, #[case] problem: KnownProblem) {
        let errors = Known::parse("s", text).unwrap_err();
        assert_eq!(
            errors,
            [KnownError {
                file: "s".to_owned(),
                line: 1,
                problem
            }]
        );
    }
}
