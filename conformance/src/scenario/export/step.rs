//! Steps: who, when, what, and by which requirement.

use std::time::Duration;

use serde::Serialize;

use super::action::Action;
use crate::scenario::ast::{self, Authority, Lane, Reference, Scenario, Source, Term, TermBase};

#[derive(Debug, Serialize)]
pub(super) struct Step<'a> {
    span: Span,
    lanes: Vec<Who<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requirements: Vec<&'a str>,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<&'static str>,
    action: Action<'a>,
}

/// The first and the last character's place, both from 1, columns in characters; the end is behind the last one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Debug, Serialize)]
struct Who<'a> {
    client: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Window<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    lo: Option<Vec<Summand<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hi: Option<Vec<Summand<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a str>,
}

/// `factor` times a capture, or times milliseconds.
#[derive(Debug, Serialize)]
struct Summand<'a> {
    factor: f64,
    #[serde(flatten)]
    base: Base<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Base<'a> {
    Capture(&'a str),
    Ms(f64),
}

impl<'a> Step<'a> {
    pub(super) fn of(
        step: &'a ast::Step,
        reference: Option<&'a Reference>,
        scenario: &'a Scenario,
        authority_of: &dyn Fn(&str) -> Option<Authority>,
    ) -> Step<'a> {
        let requirements = reference.map_or(&[][..], |reference| &reference.requirements);
        let own = reference.and_then(|reference| reference.authority);
        let known = || requirements.iter().find_map(|id| authority_of(&id.node));
        let level = reference.and_then(|reference| reference.level);
        Step {
            span: Span::of(step.span, &scenario.source),
            lanes: step.lanes.iter().map(Who::of).collect(),
            window: step.window.as_ref().map(Window::of),
            requirements: requirements.iter().map(|it| it.node.as_str()).collect(),
            level: level.unwrap_or(scenario.headers.level).word(),
            authority: own.or_else(known).map(Authority::word),
            action: Action::of(&step.action, &scenario.source),
        }
    }
}

impl Span {
    pub(super) fn of(span: ast::Span, source: &Source) -> Span {
        let (line, column) = source.line_column(span.start);
        let (end_line, end_column) = source.line_column(span.end);
        Span {
            line,
            column,
            end_line,
            end_column,
        }
    }
}

impl<'a> Who<'a> {
    fn of(lane: &'a Lane) -> Who<'a> {
        Who {
            client: &lane.client,
            part: lane.part.as_deref(),
        }
    }
}

impl<'a> Window<'a> {
    fn of(window: &'a ast::Window) -> Window<'a> {
        let sum = |sum: &'a ast::Sum| sum.terms.iter().map(Summand::of).collect();
        Window {
            lo: window.lo.as_ref().map(sum),
            hi: window.hi.as_ref().map(sum),
            since: window.since.as_deref(),
        }
    }
}

impl<'a> Summand<'a> {
    fn of(term: &'a Term) -> Summand<'a> {
        Summand {
            factor: term.factor,
            base: match &term.base {
                TermBase::Capture(name) => Base::Capture(name),
                TermBase::Duration(duration) => Base::Ms(milliseconds(*duration)),
            },
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
