//! `prove`: cases that look at what they should leave no survivor, and those that do not are found out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use conformance::exit::Exit;
use conformance::prove::{Known, Options, ProveReport, RecordError, prove};
use conformance::scenario::catalogue::Case;
use conformance::scenario::parse::parse;

const POLLING: &str = r#"case: rev1/prove/polling
title: packets share a poll, in order and framed

@ rev1#xhr-polling/between-polls
a open bare xhr-polling
a.poll GET /socket.io/1/xhr-polling/$sid
a.poll 200
    content-type: text/plain; charset=UTF-8
    x-unknown: -
a.poll < 1::
a.post POST /socket.io/1/xhr-polling/$sid
a.post >> \ufffd5\ufffd3:::a\ufffd5\ufffd3:::b
a.post 200
a.post << 1
a.poll GET /socket.io/1/xhr-polling/$sid
a.poll < 5:::{"name":"news","args":[{"hello":"world"}]}
a.poll < 3:::a
a.poll < 3:::b
"#;

const WEBSOCKET: &str = r#"case: rev1/prove/websocket
title: an ack with its data, an echo, and the end

@ rev1#ack/data
a open websocket
a > 5:1+::{"name":"message-with-ack","args":["x",{"n":1}]}
a < 6:::1+["x",{"n":1}]
@ rev1#json/echo should
a > 4:::{"n":1}
a < 4:::{"n":1}
a fence
@ rev1#disconnect/whole
a > 5:::{"name":"disconnect-me","args":[]}
a closed
"#;

const TCP: &str = r#"case: rev1/prove/tcp
title: the policy file ends its connection

@ rev1#flashsocket/policy
a tcp policy
a >> <policy-file-request/>\x00
a <<+ <?xml version="1.0"?>
a <<+ $(/[^?]*/)</cross-domain-policy>
a eof
"#;

const BROADCAST: &str = r#"case: rev1/prove/broadcast
title: a broadcast reaches everybody else, once
over:  websocket flashsocket htmlfile xhr-multipart xhr-polling jsonp-polling
alone: it reaches everybody in the namespace

@ feature#broadcast/all-but-sender
a,b,c open
a > 5:1+::{"name":"broadcast","args":["news",{"n":1}]}
a < 6:::1
b,c < 5:::{"name":"news","args":[{"n":1}]}
a,b,c fence
"#;

const WINDOW: &str = r#"case: rev1/prove/window
title: a heartbeat comes after an interval

@ rev1#heartbeat/interval
a open websocket
a mark begun
a [0.7*$interval .. 2*$interval since begun] < 2::
a silent 150ms
"#;

/// What Engine.IO 3 has of its own: the server connects by itself, and the length of a payload, its octets, scripts and the
/// type of a binary frame are around the same packets.
const UNASKED: &str = r#"case: eio3/prove/unasked
title: a connection and a namespace with a query
over:  polling polling-b64 jsonp websocket upgraded

@ sio4#connect/automatic
a open bare
a any order
    < 40
    < 42["auth",{}]
a > 40/custom?token=abc
a any order
    < 40/custom,
    < 42/custom,["auth",{"token":"abc"}]
a fence
"#;

const BINARY: &str = r#"case: eio3/prove/binary
title: binary there and back, beside text outside of ASCII
over:  polling polling-b64 jsonp websocket upgraded

@ sio4#binary/event
a open
a > 451-["message","é😀\u2028",{"_placeholder":true,"num":0}]
a >b 010203
a < 451-["message-back","é😀\u2028",{"_placeholder":true,"num":0}]
a <b 010203
a fence
"#;

/// Several pings of the runner's own pass, at other moments in a replay than in the recording.
const LONG: &str = r#"case: eio3/prove/long
title: a session lives on by its pings
over:  polling polling-b64 jsonp websocket upgraded

@ eio3#heartbeat/ping
a open
a silent 400ms
a > 42["message",1]
a < 42["message-back",1]
a wait 350ms
a > 42["message",2]
a < 42["message-back",2]
a fence
"#;

const SILENT_CLIENT: &str = r#"case: eio3/prove/silent-client
title: without pings the session ends
over:  polling websocket
auto:  none

@ eio3#heartbeat/timeout
a open
a > 2
a < 3
a [0.8*$interval+$timeout .. $interval+2*$timeout] closed
"#;

/// Takes two packets and does not look which of them comes first.
const NO_ORDER: &str = r#"case: rev1/prove/no-order
title: two echoes

@ rev1#message/echo
a open websocket
a > 5:::{"name":"burst","args":[2,"n"]}
a < 5:::{"name":"n","args":[$_]}
a < 5:::{"name":"n","args":[$_]}
"#;

/// A step that may fail takes away what a duplicate would show.
const EATEN: &str = r#"case: rev1/prove/eaten
title: an echo, and something that never comes

@ rev1#message/echo
a open websocket
a > 3:::a
a < 3:::a
@ rev1#message/never may
a < 3:::never
"#;

const WRONG: &str = r#"case: rev1/prove/wrong
title: expects another echo

@ rev1#message/echo
a open websocket
a > 3:::a
a < 3:::b
"#;

fn case(text: &str, transport: Option<&str>) -> Case {
    let scenario = parse("case.wire", text).unwrap();
    let id = scenario.headers.case.node.clone();
    Case {
        id: transport.map_or(id.clone(), |transport| format!("{id}[{transport}]")),
        scenario: Arc::new(scenario),
        transport: transport.map(str::to_owned),
    }
}

fn report(cases: Vec<Case>, known: &str) -> ProveReport {
    let options = Options {
        known: Known::parse("survivors", known).unwrap(),
        everything: true,
        ..Options::default()
    };
    prove(cases, &options).unwrap()
}

fn survivors(report: &ProveReport) -> Vec<String> {
    report.survivors.iter().map(ToString::to_string).collect()
}

#[test]
fn cases_that_look_at_what_they_should_leave_no_survivor() {
    let mut cases: Vec<Case> = [POLLING, WEBSOCKET, TCP, WINDOW]
        .iter()
        .map(|text| case(text, None))
        .collect();
    let transports = [
        "websocket",
        "flashsocket",
        "htmlfile",
        "xhr-multipart",
        "xhr-polling",
        "jsonp-polling",
    ];
    cases.extend(transports.iter().map(|transport| case(BROADCAST, Some(transport))));
    let report = report(cases, "");
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.cases, report.exit()), (10, Exit::AsExpected));
    assert!(report.mutants > 200, "{report}");
}

#[test]
fn so_do_those_of_engine_io_3_over_every_transport() {
    let mut cases = Vec::new();
    for text in [UNASKED, BINARY, LONG, SILENT_CLIENT] {
        let scenario = parse("case.wire", text).unwrap();
        let transports = scenario.headers.over.iter();
        cases.extend(transports.map(|transport| case(text, Some(&transport.node))));
    }
    let report = report(cases, "");
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.cases, report.exit()), (17, Exit::AsExpected));
    assert!(report.mutants > 200, "{report}");
}

#[test]
fn an_order_that_nobody_looks_at_survives() {
    let report = report(vec![case(NO_ORDER, None)], "");
    let words = r#"case.wire:8: "5:::{"name":"n","args":[1]}" came before "5:::{"name":"n","args":[0]}""#;
    assert_eq!(survivors(&report), [words], "{report}");
    assert_eq!(report.exit(), Exit::Unexpected);
}

#[test]
fn a_duplicate_that_a_failing_step_takes_away_survives() {
    let report = report(vec![case(EATEN, None)], "");
    assert_eq!(survivors(&report), [r#"case.wire:7: "3:::a" sent twice"#], "{report}");
}

#[test]
fn a_reason_explains_a_survivor_and_only_that() {
    let known = "rev1/prove/eaten 7 *sent twice # the last step may fail\nrev1/prove/* 9 * # never\n";
    let report = report(vec![case(EATEN, None)], known);
    assert_eq!((survivors(&report), report.explained), (vec![], 1));
    let stale: Vec<String> = report.stale.iter().map(ToString::to_string).collect();
    assert_eq!(stale, ["survivors:2: explains no survivor: remove the line"]);
    assert_eq!(report.exit(), Exit::Unexpected);
}

#[test]
fn a_case_that_fails_by_itself_proves_nothing() {
    let report = report(vec![case(WRONG, None)], "");
    assert!(matches!(report.unproved.as_slice(), [(id, RecordError::Failed(_))] if id == "rev1/prove/wrong"));
    assert_eq!((report.cases, report.exit()), (0, Exit::Unexpected));
}
