//! `prove`: recordings are replayed, good cases leave no survivor, vacuous ones are found out.

use std::sync::Arc;

use conformance::client::TcpConnect;
use conformance::prove::{Pace, Subject, record, replay};
use conformance::scenario::parse::parse;

const POLLING: &str = r#"case: rev1/prove/polling
title: an echo comes back by polling

@ rev1#transport/xhr-polling
a open xhr-polling
a > 3:::hello
a < 3:::hello
a > 5:1+::{"name":"message-with-ack","args":[1,{"a":"b"}]}
a < 6:::1+[1,{"a":"b"}]
a fence
a close
"#;

const MANUAL: &str = r#"case: rev1/prove/manual
title: polls by hand

@ rev1#transport/xhr-polling
a open bare xhr-polling
a.poll GET /socket.io/1/xhr-polling/$sid
a.poll 200
    content-type: text/plain; charset=UTF-8
a.poll << 1::
a.post POST /socket.io/1/xhr-polling/$sid
a.post >> 3:::b
a.post 200
a.post << 1
a.poll GET /socket.io/1/xhr-polling/$sid
a.poll 200
a.poll < 5:::{"name":"news","args":[{"hello":"world"}]}
a.poll < 3:::b
"#;

const WEBSOCKET: &str = r#"case: rev1/prove/websocket
title: two acks in order, and the end

@ rev1#transport/websocket
a open websocket
a > 5:1+::{"name":"message-with-ack","args":["x"]}
a < 6:::1+["x"]
a > 4:::{"n":1}
a < 4:::{"n":1}
a > 5:::{"name":"disconnect-me","args":[]}
a closed
"#;

const TCP: &str = r#"case: rev1/prove/tcp
title: the policy file

@ rev1#flashsocket/policy
a tcp policy
a >> <policy-file-request/>\x00
a <<+ <?xml version="1.0"?>
a <<+ $_</cross-domain-policy>\n
a eof
"#;

const BROADCAST: &str = r#"case: rev1/prove/broadcast
title: a broadcast reaches everybody else

@ feature#broadcast/all-but-sender
a,b,c open
a > 5:1+::{"name":"broadcast","args":["news",{"n":1}]}
a < 6:::1
b,c < 5:::{"name":"news","args":[{"n":1}]}
a,b,c fence
"#;

const WINDOW: &str = r#"case: rev1/prove/window
title: heartbeats come at the interval

@ rev1#heartbeat/interval
a open bare websocket
a < 1::
a < 5:::$_
a mark begun
a [0.7*$interval .. 1.5*$interval since begun] < 2::
a silent 150ms
"#;

fn subject(text: &str, transport: Option<&str>) -> Subject {
    let scenario = parse("tests/x.wire", text).unwrap();
    let case = scenario.headers.case.node.clone();
    let id = transport.map_or(case.clone(), |transport| format!("{case}[{transport}]"));
    Subject {
        id,
        scenario: Arc::new(scenario),
        transport: transport.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_are_replayed() {
    let port: Vec<u16> = std::env::var("PROVE_PEER")
        .unwrap()
        .split(':')
        .map(|p| p.parse().unwrap())
        .collect();
    for (text, transport) in [
        (POLLING, None),
        (MANUAL, None),
        (WEBSOCKET, None),
        (TCP, None),
        (BROADCAST, Some("websocket")),
        (BROADCAST, Some("xhr-polling")),
        (BROADCAST, Some("jsonp-polling")),
        (BROADCAST, Some("htmlfile")),
        (BROADCAST, Some("flashsocket")),
        (WINDOW, None),
    ] {
        let subject = subject(text, transport);
        let connect = TcpConnect {
            host: "127.0.0.1".into(),
            port: port[0],
            policy_port: Some(port[1]),
        };
        let recording = match record(&subject, Arc::new(connect), &Pace::default()).await {
            Ok(recording) => recording,
            Err(error) => {
                println!("{}: {error}", subject.id);
                continue;
            }
        };
        let tape = Arc::new(recording.played.tape.clone());
        let begun = std::time::Instant::now();
        let played = std::thread::spawn(move || (replay(&recording, tape), recording))
            .join()
            .unwrap();
        let took = begun.elapsed();
        match played.0 {
            Ok(again) => println!(
                "{}: {:?} {} of {} consumed, {took:?}",
                subject.id,
                again.failure,
                again.consumed.len(),
                played.1.played.consumed.len()
            ),
            Err(error) => println!("{}: {error}", subject.id),
        }
    }
}
