use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use super::super::{JsonLines, Reporter as _, samples, saved};
use super::*;
use crate::run::event::{CaseReport, Failure, Start};
use crate::scenario::ast::{Authority, Level};

/// What a server might send to a reader of the page.
const HOSTILE: &str = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} \u{202e}\" onload='x' &amp; \u{1b}[31m";

fn runs(events: &[Event]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for event in events {
        match event {
            Event::Start(start) => runs.push(Run::begun(start)),
            event => runs.last_mut().unwrap().take(event),
        }
    }
    runs
}

/// What the program knows; read once, for it takes a second.
fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::of(&Catalogue::embedded().unwrap()));
    &KNOWLEDGE
}

fn nothing_left(_: &str) -> Left {
    Left::default()
}

/// The JSON in the page, without the requirements, of which there are many.
fn data_of(page: &str) -> Value {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// A run in which everything that comes from outside is hostile.
fn hostile() -> Vec<Event> {
    let case = CaseReport {
        id: format!("rev1/ack/data[{HOSTILE}]"),
        title: HOSTILE.into(),
        outcome: crate::run::event::Outcome::Fail,
        duration_ms: 1,
        requirements: vec![Concern {
            id: HOSTILE.into(),
            level: Level::Must,
        }],
        failures: vec![Failure {
            level: Level::Must,
            authority: Authority::Spec,
            requirements: vec![HOSTILE.into()],
            message: HOSTILE.into(),
            file: HOSTILE.into(),
            line: 1,
            column: 1,
            expected: Some(HOSTILE.into()),
            got: Some(HOSTILE.into()),
            rendered: HOSTILE.into(),
        }],
        lenient: Vec::new(),
        reason: Some(HOSTILE.into()),
        reruns: 0,
        tries: 1,
        trace: Some(HOSTILE.into()),
        wire: Some(format!("case:  x\n\na < {HOSTILE}  # +1ms\n# +1.0ms  {HOSTILE}\n")),
    };
    let start = Start {
        format: 1,
        tool: HOSTILE.into(),
        target: HOSTILE.into(),
        cases: 1,
        name: Some(HOSTILE.into()),
        config: None,
        suite: Some(HOSTILE.into()),
        time: Some(HOSTILE.into()),
    };
    let message = HOSTILE.to_owned();
    vec![Event::Start(start), Event::Case(case), Event::Note { message }]
}

#[test]
fn the_data_of_a_run() {
    let runs = runs(&samples::run());
    let mut proof = Proof::default();
    proof.cases.insert("rev1/ack/data[xhr-polling]".to_owned(), (12, 1));
    let knowledge = Knowledge::default();
    let data = data::data(&runs, &knowledge, &proof, &mut nothing_left);
    insta::assert_json_snapshot!(serde_json::to_value(&data).unwrap());
}

#[test]
fn a_reader_without_scripts_sees_counts_and_failures() {
    insta::assert_snapshot!(plain::plain(&runs(&samples::run())));
}

#[test]
fn the_page_knows_the_requirements() {
    let page = html(
        &runs(&samples::run()),
        knowledge(),
        &Proof::default(),
        &mut nothing_left,
    );
    let data = data_of(&page);
    let requirements = data["requirements"].as_array().unwrap();
    let (at, known) = requirements
        .iter()
        .enumerate()
        .find(|(_, it)| it["id"] == "rev1#ack/data")
        .unwrap();
    assert!(known["text"].as_str().unwrap().len() > 20, "{known}");
    assert!(known["named"].as_u64().unwrap() > 0, "{known}");
    let scenarios = data["scenarios"].as_array().unwrap();
    let scenario = scenarios.iter().find(|it| it["id"] == "rev1/ack/data").unwrap();
    assert_eq!(scenario["needs"][0], serde_json::json!([at, "must"]));
    assert_eq!(scenario["cases"][0]["results"][0]["failures"][0]["needs"][0], at);
    assert_eq!(data["documents"]["rev1"]["title"], "Socket.IO protocol, revision 1");
}

#[test]
fn a_run_of_an_earlier_version_has_its_requirements_from_the_suite() {
    let events: Vec<Event> = ["{\"event\":\"start\",\"format\":1,\"tool\":\"0.0.1\",\"target\":\"embedded\",\"cases\":2}",
        "{\"event\":\"case\",\"id\":\"rev1/ack/data[websocket]\",\"title\":\"t\",\"outcome\":\"pass\",\"duration_ms\":1}"]
    .iter()
    .map(|line| Event::read(line).unwrap().unwrap())
    .collect();
    let page = html(&runs(&events), knowledge(), &Proof::default(), &mut nothing_left);
    let data = data_of(&page);
    assert_eq!(data["runs"][0]["name"], "embedded");
    assert_eq!(data["runs"][0]["cut"], true);
    assert!(!data["scenarios"][0]["needs"].as_array().unwrap().is_empty());
}

#[test]
fn nothing_that_comes_from_outside_is_markup() {
    let mut left = |_: &str| Left {
        picture: None,
        console: Some(HOSTILE.to_owned()),
    };
    let page = html(&runs(&hostile()), knowledge(), &Proof::default(), &mut left);
    let innocent = html(&[], knowledge(), &Proof::default(), &mut nothing_left);
    // Whatever the runs hold, there is as much markup as without them; the table for readers without scripts has its own.
    for tag in ["<script", "</script", "<!--", "alert(1)</"] {
        assert_eq!(page.matches(tag).count(), innocent.matches(tag).count(), "{tag}");
    }
    for invisible in ['\u{2028}', '\u{2029}', '\u{1b}'] {
        assert!(!page.contains(invisible), "{invisible:?}");
    }
    let head = page.split_once("<script type=").unwrap().0;
    assert!(!head.contains('\u{202e}') && !head.contains("onload='x'"), "{head}");
    // And the script reads what was sent.
    let data = data_of(&page);
    assert_eq!(data["runs"][0]["name"], HOSTILE);
    let result = &data["scenarios"][0]["cases"][0]["results"][0];
    assert_eq!(result["failures"][0]["got"], HOSTILE);
    assert_eq!(result["console"], HOSTILE);
    let lines = data["lines"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.as_str().unwrap().contains("<script>alert(1)"))
    );
}

#[test]
fn the_script_makes_text_and_no_markup() {
    let page = html(&[], &Knowledge::default(), &Proof::default(), &mut nothing_left);
    for door in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "srcdoc",
    ] {
        assert!(!page.contains(door), "{door}");
    }
    for elsewhere in ["fetch(", "XMLHttpRequest", "import(", "@import", "src=\"http", "<link"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    assert!(page.split("url(").skip(1).all(|rest| rest.starts_with('#')));
    assert!(page.contains("default-src &#39;none&#39;"));
}

#[test]
fn the_same_runs_make_the_same_page_in_whatever_order_cases_ended() {
    let mut events = samples::run();
    let page = |events: &[Event]| html(&runs(events), knowledge(), &Proof::default(), &mut nothing_left);
    let first = page(&events);
    let last = events.len() - 2;
    events[1..last].reverse();
    assert_eq!(page(&events), first);
    let scenarios = data_of(&first)["scenarios"].as_array().unwrap().clone();
    let ids: Vec<&str> = scenarios.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn a_saved_run_makes_the_page_that_the_run_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let mut json = JsonLines::create(&path("run.jsonl")).unwrap();
    let mut live = Html::create(&path("live.html"), knowledge().clone(), Proof::default()).unwrap();
    for event in samples::run() {
        json.event(&event);
        live.event(&event);
    }
    json.finish().unwrap();
    live.finish().unwrap();
    let mut again = Html::create(&path("again.html"), knowledge().clone(), Proof::default()).unwrap();
    saved::replay(&saved::read(&path("run.jsonl")).unwrap(), &mut again);
    again.finish().unwrap();
    let page = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    assert_eq!(page("live.html"), page("again.html"));
    assert!(page("live.html").contains("<title>2 fail · my-server 1.2</title>"));
}

#[test]
fn several_runs_are_columns() {
    let events = [samples::run(), samples::run()].concat();
    let data = data_of(&html(
        &runs(&events),
        &Knowledge::default(),
        &Proof::default(),
        &mut nothing_left,
    ));
    assert_eq!(data["runs"].as_array().unwrap().len(), 2);
    for scenario in data["scenarios"].as_array().unwrap() {
        for case in scenario["cases"].as_array().unwrap() {
            assert_eq!(case["results"].as_array().unwrap().len(), 2, "{case}");
        }
    }
}

#[test]
fn pictures_go_into_the_page() {
    let runs = runs(&samples::run());
    let mut left = |trace: &str| Left {
        picture: Some(trace.as_bytes().to_vec()),
        console: None,
    };
    let page = html(&runs, &Knowledge::default(), &Proof::default(), &mut left);
    assert!(page.contains("\"picture\":\"data:image/png;base64,dGFyZ2V0L2Nv"));
}

#[test]
fn a_page_that_cannot_be_created_is_named() {
    let error = Html::create(Path::new("none/x.html"), Knowledge::default(), Proof::default())
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "cannot write none/x.html");
}
