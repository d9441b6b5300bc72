//! The cases as data for other runners: what `copy --json` writes and `docs/ast.md` describes.
//!
//! Types of their own and not those of the tree: the tree may change with the program, and this is an interface.

mod action;
mod step;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ast::{Auto, Level, Scenario};
use super::catalogue::Catalogue;
use super::requirements::Requirement;
use step::Step;

/// The version of the format; raised when a field changes its meaning or goes away.
pub const FORMAT_VERSION: u32 = 1;

/// The whole document.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    format: u32,
    tool: &'static str,
    scenarios: Vec<Exported<'a>>,
    /// By id: those that a scenario names.
    requirements: BTreeMap<&'a str, Stated<'a>>,
}

#[derive(Debug, Serialize)]
struct Exported<'a> {
    id: &'a str,
    file: &'a str,
    generation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    over: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<&'a str>,
    auto: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    affects: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'a str>,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Serialize)]
struct Stated<'a> {
    section: &'a str,
    text: &'a str,
    level: &'static str,
    authority: &'static str,
}

/// What a catalogue holds.
#[must_use]
pub fn export(catalogue: &Catalogue) -> Document<'_> {
    let named: BTreeSet<&str> = catalogue.scenarios.iter().flat_map(|it| named(it)).collect();
    let known = catalogue
        .requirements
        .iter()
        .filter(|it| named.contains(it.id.as_str()));
    Document {
        format: FORMAT_VERSION,
        tool: env!("CARGO_PKG_VERSION"),
        scenarios: catalogue.scenarios.iter().map(|it| scenario(it, catalogue)).collect(),
        requirements: known.map(|it| (it.id.as_str(), stated(it))).collect(),
    }
}

fn scenario<'a>(scenario: &'a Scenario, catalogue: &'a Catalogue) -> Exported<'a> {
    let headers = &scenario.headers;
    let words = |words: &'a [super::ast::Spanned<String>]| words.iter().map(|it| it.node.as_str()).collect();
    let word = |word: &'a Option<super::ast::Spanned<String>>| word.as_ref().map(|it| it.node.as_str());
    let authority = |id: &str| catalogue.requirements.get(id).map(|it| it.authority);
    Exported {
        id: &headers.case.node,
        file: &scenario.source.path,
        generation: headers.generation(),
        title: word(&headers.title),
        needs: words(&headers.needs),
        over: words(&headers.over),
        clients: words(&headers.clients),
        auto: match headers.auto {
            Auto::Heartbeats => "heartbeats",
            Auto::None => "none",
        },
        since: word(&headers.since),
        alone: word(&headers.alone),
        affects: word(&headers.affects),
        fixed: word(&headers.fixed),
        steps: scenario
            .steps()
            .map(|(step, reference)| Step::of(step, reference, scenario, &authority))
            .collect(),
    }
}

fn stated(requirement: &Requirement) -> Stated<'_> {
    Stated {
        section: &requirement.section,
        text: &requirement.text,
        level: Level::word(requirement.level),
        authority: requirement.authority.word(),
    }
}

/// The ids that a scenario's references name.
fn named(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let references = scenario.steps().filter_map(|(_, reference)| reference);
    references.flat_map(|reference| reference.requirements.iter().map(|it| it.node.as_str()))
}

#[cfg(test)]
mod tests;
