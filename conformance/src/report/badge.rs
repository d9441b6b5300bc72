//! `--badge`: the result in two words, for the front page of a project.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::recorded::{Document, Recorded};
use super::text::count;
use super::{ReportError, Reporter};
use crate::run::event::Summary;

mod svg;

/// What stands on the left.
const LABEL: &str = "socket.io conformance";

/// A file for a badge, and what its suffix says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadgeFile {
    /// `.json`: what shields.io asks of an endpoint.
    Endpoint(PathBuf),
    /// `.svg`: the picture itself.
    Svg(PathBuf),
}

impl BadgeFile {
    /// The file, by its suffix.
    ///
    /// # Errors
    ///
    /// What suffixes there are.
    pub fn parse(path: &str) -> Result<BadgeFile, String> {
        let path = PathBuf::from(path);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Ok(BadgeFile::Endpoint(path)),
            Some("svg") => Ok(BadgeFile::Svg(path)),
            _ => Err("name it .json, for shields.io, or .svg, for the picture itself".to_owned()),
        }
    }
}

/// The badge in this file.
///
/// # Errors
///
/// When the file cannot be created.
pub fn badge(file: &BadgeFile) -> Result<impl Reporter + use<>, ReportError> {
    let (path, render): (&Path, fn(&Badge) -> String) = match file {
        BadgeFile::Endpoint(path) => (path, endpoint),
        BadgeFile::Svg(path) => (path, svg::render),
    };
    Document::create(path, move |run: &Recorded| render(&Badge::of(run)))
}

/// The right half.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Badge {
    message: String,
    state: State,
    /// What judged.
    versions: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Nothing new fails, and something known does.
    Known,
    Bad,
    Unknown,
}

impl Badge {
    fn of(run: &Recorded) -> Badge {
        let summary = run.summary.as_ref();
        // What failed has failed, however few were run.
        let whole = summary.filter(|summary| summary.fail > 0 || !run.is_cut_short());
        let (message, state) = result(whole);
        Badge {
            message,
            state,
            versions: run.versions(),
        }
    }
}

/// In words. None is a run that was cut short.
fn result(summary: Option<&Summary>) -> (String, State) {
    let passed = |it: &Summary| it.pass + it.lenient;
    match summary {
        None => ("no result".to_owned(), State::Unknown),
        Some(it) if it.fail > 0 => (format!("{} failing", it.fail), State::Bad),
        Some(it) if passed(it) + it.expected == 0 => ("nothing run".to_owned(), State::Unknown),
        Some(it) if it.expected > 0 => {
            let known = count(it.expected, "known failure");
            (format!("{} pass, {known}", passed(it)), State::Known)
        }
        Some(it) => (format!("{} pass", passed(it)), State::Good),
    }
}

/// <https://shields.io/badges/endpoint-badge>, which has no place for what judged.
fn endpoint(badge: &Badge) -> String {
    let colour = match badge.state {
        State::Good => "brightgreen",
        State::Known => "yellowgreen",
        State::Bad => "red",
        State::Unknown => "lightgrey",
    };
    let json = json!({"schemaVersion": 1, "label": LABEL, "message": badge.message, "color": colour});
    format!("{json}\n")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::recorded::tests::recorded;
    use super::super::samples;
    use super::*;
    use crate::run::event::Event;

    fn summary(pass: usize, lenient: usize, expected: usize, fail: usize) -> Summary {
        Summary {
            pass,
            lenient,
            expected,
            fail,
            skip: 9,
            ..Summary::default()
        }
    }

    #[rstest]
    #[case(Some(summary(2290, 3, 0, 0)), "2293 pass", State::Good)]
    #[case(Some(summary(2290, 0, 1, 0)), "2290 pass, 1 known failure", State::Known)]
    #[case(Some(summary(2290, 0, 1, 3)), "3 failing", State::Bad)]
    #[case(Some(summary(0, 0, 0, 0)), "nothing run", State::Unknown)]
    #[case(None, "no result", State::Unknown)]
    fn states(#[case] summary: Option<Summary>, #[case] message: &str, #[case] state: State) {
        assert_eq!(result(summary.as_ref()), (message.to_owned(), state));
    }

    #[test]
    fn an_endpoint_of_shields() {
        let run = recorded(&samples::run());
        insta::assert_snapshot!(
            endpoint(&Badge::of(&run)),
            @r#"{"schemaVersion":1,"label":"socket.io conformance","message":"2 failing","color":"red"}"#
        );
    }

    #[test]
    fn an_interrupted_run_has_no_result() {
        let mut events = samples::run();
        events.retain(|event| !matches!(event, Event::Case(_)));
        let mut run = recorded(&events);
        assert_eq!(Badge::of(&run).message, "2 failing");
        run.summary = Some(Summary::default());
        assert_eq!(Badge::of(&run).message, "no result");
    }

    #[test]
    fn the_suffix_decides() {
        assert_eq!(BadgeFile::parse("a/b.json"), Ok(BadgeFile::Endpoint("a/b.json".into())));
        assert_eq!(BadgeFile::parse("b.svg"), Ok(BadgeFile::Svg("b.svg".into())));
        for wrong in ["b.png", "b", ".svg", "b.SVG"] {
            let error = BadgeFile::parse(wrong).unwrap_err();
            assert!(error.contains(".json") && error.contains(".svg"), "{error}");
        }
    }
}
