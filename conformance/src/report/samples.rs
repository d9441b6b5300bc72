//! Events for the tests of every reporter.

use crate::run::event::{CaseReport, Concern, Event, FORMAT_VERSION, Failure, Outcome, Start, Summary};
use crate::scenario::ast::{Authority, Level};

/// One event of each kind, with every field there is: the examples of `docs/json-lines.md`.
pub(crate) fn each() -> Vec<Event> {
    vec![
        start(9),
        Event::CaseStart {
            id: "rev1/ack/data[xhr-polling]".into(),
        },
        Event::Case(failed()),
        Event::Note {
            message: "the server offers no flashsocket".into(),
        },
        Event::Summary(summary()),
    ]
}

/// A run with every outcome.
pub(crate) fn run() -> Vec<Event> {
    let lenient = CaseReport {
        lenient: vec![Failure {
            level: Level::Should,
            authority: Authority::Reference,
            requirements: vec!["rev1#handshake/content-type".into()],
            message: "header `content-type` is missing".into(),
            file: "fixtures/scenarios/rev1/handshake/get.wire".into(),
            line: 6,
            column: 3,
            expected: None,
            got: None,
            rendered: "warning[should]: header `content-type` is missing".into(),
        }],
        ..case("rev1/handshake/get", Outcome::Lenient)
    };
    let reason = |id, outcome, reason: &str| CaseReport {
        reason: Some(reason.into()),
        ..case(id, outcome)
    };
    let cases = [
        case("rev1/room/in[websocket]", Outcome::Pass),
        failed(),
        lenient,
        reason(
            "rev1/ack/none",
            Outcome::Expected,
            "peers/x/baseline:3: never acknowledges",
        ),
        reason(
            "rev1/ack/id",
            Outcome::Fail,
            "passes, but peers/x/baseline:4 lists it as failing: remove the line",
        ),
        reason("rev1/multipart/open", Outcome::Skip, "no xhr-multipart"),
        reason("rev1/multipart/close", Outcome::Skip, "no xhr-multipart"),
        reason("rev1/volatile/all", Outcome::Skip, "no volatile"),
        reason("rev1/close/slow", Outcome::Skip, "peers/x/baseline:9: takes an hour"),
    ];
    let mut events = vec![start(cases.len())];
    for case in cases {
        events.extend([Event::CaseStart { id: case.id.clone() }, Event::Case(case)]);
    }
    events.push(Event::Note {
        message: "the server offers no \u{1b}[31mflashsocket".into(),
    });
    events.push(Event::Summary(summary()));
    events
}

fn start(cases: usize) -> Event {
    Event::Start(Start {
        format: FORMAT_VERSION,
        tool: "0.1.0".into(),
        target: "http://127.0.0.1:3000".into(),
        cases,
        name: Some("my-server 1.2".into()),
        config: None,
        suite: Some("2026-11-28".into()),
        time: Some("2026-11-28T09:58:31Z".into()),
    })
}

fn summary() -> Summary {
    Summary {
        pass: 1,
        lenient: 1,
        expected: 1,
        fail: 2,
        skip: 4,
        reruns: 1,
        flaky: 1,
        duration_ms: 8312,
    }
}

fn case(id: &str, outcome: Outcome) -> CaseReport {
    CaseReport {
        id: id.into(),
        title: "an event comes back".into(),
        outcome,
        duration_ms: 12,
        requirements: Vec::new(),
        failures: Vec::new(),
        lenient: Vec::new(),
        reason: None,
        reruns: 0,
        tries: 1,
        trace: None,
        wire: None,
    }
}

fn failed() -> CaseReport {
    let failure = Failure {
        level: Level::Must,
        authority: Authority::Spec,
        requirements: vec!["rev1#ack/data".into()],
        message: "packet does not match".into(),
        file: "fixtures/scenarios/rev1/ack/data.wire".into(),
        line: 9,
        column: 5,
        expected: Some("6:::1+[\"a\",1]".into()),
        got: Some("6:::1+[]".into()),
        rendered: "error[must]: packet does not match\n --> fixtures/scenarios/rev1/ack/data.wire:9:5".into(),
    };
    CaseReport {
        title: "an acknowledgement carries the arguments".into(),
        duration_ms: 48,
        requirements: vec![Concern {
            id: "rev1#ack/data".into(),
            level: Level::Must,
        }],
        failures: vec![failure],
        reruns: 1,
        tries: 2,
        trace: Some("target/conformance/rev1/ack/data__xhr-polling.wire".into()),
        wire: Some(
            "case:  rev1/ack/data\ntitle: trace of rev1/ack/data[xhr-polling]\n\na open xhr-polling  # +0.4ms\n\
             @ rev1#ack/data\na > 5:1+::{\"name\":\"two\",\"args\":[\"a\",1]}  # +0.9ms\na < 6:::1+[\"a\",1]  # +1.6ms\n\
             # +1.6ms  a < 6:::1+[]\n# packet does not match\n# got 6:::1+[]\n"
                .into(),
        ),
        ..case("rev1/ack/data[xhr-polling]", Outcome::Fail)
    }
}

/// A run whose server sends what could be taken for a report's own syntax.
pub(super) fn hostile() -> Vec<Event> {
    let words =
        "]]>&amp;<b>\u{1b}[31m\u{0}\u{fffe}\u{202e} | ``` # TODO %0A\\ \"'\r\n::error::no\n##[error]no\nnot ok 9\n...";
    let mut fail = failed();
    for failure in &mut fail.failures {
        failure.message = format!("packet does not match: {words}");
        failure.expected = Some("a < 6:::1+[`x`|y]".into());
        failure.got = Some(words.into());
        failure.rendered = format!("error[must]: packet does not match\n  = got {words}");
    }
    let lenient = CaseReport {
        lenient: fail.failures.clone(),
        ..case("rev1/handshake/get", Outcome::Lenient)
    };
    let reason = |id: &str, outcome| CaseReport {
        reason: Some(format!("no {words}")),
        ..case(id, outcome)
    };
    let cases = [
        fail,
        lenient,
        reason("rev1/ack/`a`|<i>#:,%[x]", Outcome::Skip),
        reason("rev1/ack/none", Outcome::Expected),
        reason("rev1/ack/a:b,c%", Outcome::Fail),
    ];
    let mut events = vec![start(cases.len())];
    events.extend(cases.map(Event::Case));
    events.push(Event::Note {
        message: words.to_owned(),
    });
    events.push(Event::Summary(summary()));
    events
}
