//! Runs to the JSON in the page. Names are short and what repeats stands once: a page of several full runs is opened by hand.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::lines::{Line, Lines};
use super::{Knowledge, Left, Proof, Run};
use crate::run::event::{CaseReport, Concern, Failure, Outcome};
use crate::scenario::ast::{Authority, Level};

/// The longest text of a diagnostic in the page, in bytes. What a server sent is in there.
const TEXT: usize = 16 * 1024;

/// Everything the script of the page reads.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    /// Columns, in the order given.
    runs: Vec<RunData<'a>>,
    /// Titles of the documents of requirements.
    documents: BTreeMap<&'a str, DocumentData<'a>>,
    /// By id; scenarios refer to them by number.
    requirements: Vec<RequirementData<'a>>,
    /// By id.
    scenarios: Vec<ScenarioData<'a>>,
    /// The lines of all traces.
    lines: Vec<String>,
}

#[derive(Serialize)]
struct RunData<'a> {
    name: &'a str,
    target: &'a str,
    tool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    /// How many cases were selected.
    selected: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    /// The run did not come to its end.
    cut: bool,
    notes: &'a [String],
}

#[derive(Serialize)]
struct DocumentData<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
}

#[derive(Serialize)]
struct RequirementData<'a> {
    id: &'a str,
    /// Empty for one that this version does not know.
    section: &'a str,
    text: &'a str,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Authority>,
    /// How many scenarios of the suite name it, whether these runs have them or not.
    named: usize,
}

#[derive(Serialize)]
struct ScenarioData<'a> {
    id: &'a str,
    title: &'a str,
    /// Number of the requirement, and how binding it is for the case.
    needs: Vec<(usize, Level)>,
    cases: Vec<CaseData<'a>>,
}

#[derive(Serialize)]
struct CaseData<'a> {
    /// What stands in brackets: the transport, for pages the client and the browser, too.
    over: &'a str,
    /// One for each run.
    results: Vec<Option<ResultData<'a>>>,
    /// Changes noticed, and not noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<(u64, u64)>,
}

#[derive(Serialize)]
struct ResultData<'a> {
    outcome: Outcome,
    ms: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureData<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lenient: Vec<FailureData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    reruns: u32,
    /// Where the trace was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    /// The trace itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wire: Vec<Line>,
    /// A data URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<String>,
}

#[derive(Serialize)]
struct FailureData<'a> {
    level: Level,
    by: Authority,
    needs: Vec<usize>,
    message: &'a str,
    file: &'a str,
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<&'a str>,
    text: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Puts the page's data together.
pub(super) fn data<'a>(
    runs: &'a [Run],
    knowledge: &'a Knowledge,
    proof: &Proof,
    left: &mut dyn FnMut(&str) -> Left,
) -> Data<'a> {
    let requirements = requirements(runs, knowledge);
    let numbers: BTreeMap<&str, usize> = requirements.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
    let mut lines = Lines::default();
    let mut scenarios: Vec<ScenarioData<'a>> = Vec::new();
    for (id, reports) in by_scenario(runs) {
        let newest = reports.values().flatten().flatten().copied().next_back();
        let concerns = newest
            .map(|report| report.requirements.as_slice())
            .filter(|concerns| !concerns.is_empty());
        // Runs of earlier versions do not say it.
        let concerns = concerns
            .or(knowledge.concerns.get(id).map(Vec::as_slice))
            .unwrap_or(&[]);
        let cases = reports.into_iter().map(|(over, reports)| {
            let newest = reports.iter().flatten().copied().next_back();
            CaseData {
                over,
                proof: newest.and_then(|report| proof.cases.get(&report.id)).copied(),
                results: reports
                    .iter()
                    .map(|report| report.map(|report| result(report, &numbers, &mut lines, left)))
                    .collect(),
            }
        });
        scenarios.push(ScenarioData {
            id,
            title: newest.map_or("", |report| report.title.as_str()),
            needs: concerns
                .iter()
                .filter_map(|it| Some((*numbers.get(it.id.as_str())?, it.level)))
                .collect(),
            cases: cases.collect(),
        });
    }
    let documents = knowledge.requirements.documents().map(|(name, about)| {
        let about = DocumentData {
            title: &about.title,
            source: about.source.as_deref(),
        };
        (name, about)
    });
    Data {
        runs: runs.iter().map(run).collect(),
        documents: documents.collect(),
        requirements,
        scenarios,
        lines: lines.into_lines(),
    }
}

/// As it stands in a `<script>`: nothing in it can end the element, or a line of a script.
pub(super) fn embedded(data: &Data<'_>) -> String {
    // Only strings hold such characters, and there is nothing in it that cannot be written.
    serde_json::to_string(data)
        .unwrap_or_else(|_| "null".to_owned())
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// By scenario and by what stands in brackets: the report of each run.
type ByScenario<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<Option<&'a CaseReport>>>>;

fn by_scenario(runs: &[Run]) -> ByScenario<'_> {
    let mut scenarios = ByScenario::new();
    for (at, run) in runs.iter().enumerate() {
        for report in run.cases.values() {
            let (id, over) = parted(&report.id);
            let reports = scenarios.entry(id).or_default().entry(over).or_default();
            reports.resize(runs.len(), None);
            reports[at] = Some(report);
        }
    }
    scenarios
}

/// `rev1/ack/data[websocket]` is `rev1/ack/data` and `websocket`.
fn parted(id: &str) -> (&str, &str) {
    id.strip_suffix(']')
        .and_then(|id| id.split_once('['))
        .unwrap_or((id, ""))
}

fn requirements<'a>(runs: &'a [Run], knowledge: &'a Knowledge) -> Vec<RequirementData<'a>> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for concern in knowledge.concerns.values().flatten() {
        *named.entry(&concern.id).or_default() += 1;
    }
    let mut all: BTreeMap<&str, RequirementData<'a>> = BTreeMap::new();
    for it in knowledge.requirements.iter() {
        let known = RequirementData {
            id: &it.id,
            section: &it.section,
            text: &it.text,
            level: it.level,
            by: Some(it.authority),
            named: named.get(it.id.as_str()).copied().unwrap_or_default(),
        };
        all.insert(&it.id, known);
    }
    for Concern { id, level } in runs
        .iter()
        .flat_map(|run| run.cases.values())
        .flat_map(|it| &it.requirements)
    {
        all.entry(id).or_insert(RequirementData {
            id,
            section: "",
            text: "",
            level: *level,
            by: None,
            named: 0,
        });
    }
    all.into_values().collect()
}

fn run(run: &Run) -> RunData<'_> {
    RunData {
        name: run.name(),
        target: &run.start.target,
        tool: &run.start.tool,
        suite: run.start.suite.as_deref(),
        time: run.start.time.as_deref(),
        selected: run.start.cases,
        ms: run.summary.as_ref().map(|summary| summary.duration_ms),
        cut: run.is_cut(),
        notes: &run.notes,
    }
}

fn result<'a>(
    report: &'a CaseReport,
    numbers: &BTreeMap<&str, usize>,
    lines: &mut Lines,
    left: &mut dyn FnMut(&str) -> Left,
) -> ResultData<'a> {
    let failure = |failure: &'a Failure| FailureData {
        level: failure.level,
        by: failure.authority,
        needs: failure
            .requirements
            .iter()
            .filter_map(|id| numbers.get(id.as_str()).copied())
            .collect(),
        message: capped(&failure.message),
        file: &failure.file,
        line: failure.line,
        expected: failure.expected.as_deref().map(capped),
        got: failure.got.as_deref().map(capped),
        text: capped(&failure.rendered),
    };
    let left = report.trace.as_deref().map(left).unwrap_or_default();
    ResultData {
        outcome: report.outcome,
        ms: report.duration_ms,
        failures: report.failures.iter().map(failure).collect(),
        lenient: report.lenient.iter().map(failure).collect(),
        reason: report.reason.as_deref(),
        reruns: report.reruns,
        trace: report.trace.as_deref(),
        wire: report.wire.as_deref().map(|wire| lines.pack(wire)).unwrap_or_default(),
        picture: left
            .picture
            .map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png))),
        console: left.console,
    }
}

fn capped(text: &str) -> &str {
    let end = (0..=TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}
