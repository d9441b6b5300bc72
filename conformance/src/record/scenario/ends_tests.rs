//! How clients leave, from exchanges that no timing of a machine can change.

use std::time::Duration;

use super::super::exchange::{Answer, Exchange, Frame, Side};
use super::{Recorded, Request, write};

const POLL: &str = "/socket.io/?EIO=4&transport=polling&sid=S";
const SOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const TEXT: u8 = 1;
const CLOSE: u8 = 8;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn open(sid: &str) -> String {
    format!(r#"0{{"sid":"{sid}","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000}}"#)
}

/// A request, and its answer two milliseconds later.
fn asked(at: u64, method: &str, target: &str, body: &str, answer: &str) -> Exchange {
    let answer = Answer {
        at: ms(at + 2),
        status: 200,
        headers: Vec::new(),
        body: answer.as_bytes().to_vec(),
        body_length: answer.len() as u64,
        pieces: vec![(ms(at + 2), answer.len())],
    };
    Exchange {
        number: 0,
        at: ms(at),
        method: method.to_owned(),
        target: target.to_owned(),
        transport: Some("polling".to_owned()),
        sid: target.split_once("&sid=").map(|(_, sid)| sid.to_owned()),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        body_length: body.len() as u64,
        answer: Some(answer),
        frames: Vec::new(),
        from_page: 0,
        from_server: 0,
        ended: Some(ms(at + 2)),
        left: None,
        treatment: None,
    }
}

/// A request that its client gave up.
fn given_up(at: u64, method: &str, body: &str, ended: u64) -> Exchange {
    Exchange {
        answer: None,
        ended: Some(ms(ended)),
        ..asked(at, method, POLL, body, "")
    }
}

/// A WebSocket with frames of the client (`true`) and the server.
fn socket(at: u64, target: &str, frames: &[(u64, bool, u8, &[u8])], left: (Side, u64)) -> Exchange {
    let frame = |(at, from_page, opcode, payload): &(u64, bool, u8, &[u8])| Frame {
        at: ms(*at),
        from_page: *from_page,
        opcode: *opcode,
        fin: true,
        payload: payload.to_vec(),
        length: payload.len() as u64,
    };
    let mut exchange = asked(at, "GET", target, "", "");
    if let Some(answer) = &mut exchange.answer {
        answer.status = 101;
    }
    Exchange {
        transport: Some("websocket".to_owned()),
        frames: frames.iter().map(frame).collect(),
        ended: Some(ms(left.1)),
        left: Some((left.0, ms(left.1))),
        ..exchange
    }
}

/// A client that polls, and is in the main namespace after 10 ms.
fn polling() -> Vec<Exchange> {
    vec![
        asked(0, "GET", "/socket.io/?EIO=4&transport=polling", "", &open("S")),
        asked(3, "POST", POLL, "40", "ok"),
        asked(6, "GET", POLL, "", r#"40{"sid":"s"}"#),
    ]
}

/// One that comes over a WebSocket, and asks and is answered at that time.
fn asks_at(at: u64) -> Exchange {
    let frames: [(u64, bool, u8, &[u8]); 3] = [
        (1, false, TEXT, &open("T").into_bytes()),
        (at, true, TEXT, br#"420["count","red"]"#),
        (at + 1, false, TEXT, b"430[0]"),
    ];
    socket(1, SOCKET, &frames, (Side::Page, at + 100))
}

fn recorded(mut exchanges: Vec<Exchange>) -> Recorded {
    for (number, exchange) in (1..).zip(&mut exchanges) {
        exchange.number = number;
    }
    let request = Request {
        name: "ends",
        generation: None,
        ended: ms(2000),
        unrecorded: 0,
    };
    write(&exchanges, &request).unwrap_or_else(|error| panic!("{error}\n{error:?}"))
}

fn line(recorded: &Recorded, start: &str) -> usize {
    let found = recorded.text.lines().position(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line {start}\n{}", recorded.text))
}

#[test]
fn a_client_that_was_lost_after_its_upgrade_is_dropped_where_it_was_lost() {
    let frames: [(u64, bool, u8, &[u8]); 3] = [
        (21, true, TEXT, b"2probe"),
        (22, false, TEXT, b"3probe"),
        (26, true, TEXT, b"5"),
    ];
    let mut exchanges = polling();
    exchanges.push(socket(20, &format!("{SOCKET}&sid=S"), &frames, (Side::Page, 40)));
    // The poll that the client still made while it was upgraded.
    exchanges.push(asked(23, "GET", POLL, "", "6"));
    exchanges.push(asks_at(200));
    let recorded = recorded(exchanges);
    assert!(
        line(&recorded, "a drop") < line(&recorded, "b > 420"),
        "{}",
        recorded.text
    );
}

#[test]
fn a_message_over_the_limit_comes_before_the_end_that_it_makes() {
    let frames: [(u64, bool, u8, &[u8]); 3] = [
        (1, false, TEXT, &open("T").into_bytes()),
        (10, false, CLOSE, &1009_u16.to_be_bytes()),
        (12, true, TEXT, br#"42["message","too long"]"#),
    ];
    let recorded = recorded(vec![socket(1, SOCKET, &frames, (Side::Server, 13))]);
    assert!(
        line(&recorded, "a > 42") < line(&recorded, "a closed 1009"),
        "{}",
        recorded.text
    );
}

#[rstest::rstest]
#[case::packet_by_packet(None)]
#[case::request_by_request(Some("x-mine"))]
fn what_a_server_says_to_a_client_that_is_gone_is_not_expected(#[case] header: Option<&str>) {
    let frames: [(u64, bool, u8, &[u8]); 4] = [
        (1, false, TEXT, &open("T").into_bytes()),
        (10, true, TEXT, b"41"),
        (22, false, TEXT, br#"42["late"]"#),
        (25, false, CLOSE, &1000_u16.to_be_bytes()),
    ];
    let mut exchange = socket(1, SOCKET, &frames, (Side::Page, 20));
    exchange
        .headers
        .extend(header.map(|name| (name.to_owned(), "yes".to_owned())));
    let recorded = recorded(vec![exchange]);
    let late = ["late", "closed"].iter().any(|said| recorded.text.contains(said));
    assert!(!late, "{}", recorded.text);
    assert!(recorded.text.contains(" drop"), "{}", recorded.text);
}

#[rstest::rstest]
#[case::at_once(51, Some("b wait 50ms"))]
#[case::soon(80, Some("b wait 50ms"))]
#[case::later(120, Some("b wait 70ms"))]
fn who_asks_after_a_client_left_waits_a_moment(#[case] at: u64, #[case] wait: Option<&str>) {
    let mut exchanges = polling();
    exchanges.push(asked(50, "POST", POLL, "41", "ok"));
    exchanges.push(asks_at(at));
    let recorded = recorded(exchanges);
    let lines: Vec<&str> = recorded.text.lines().collect();
    let before = lines[line(&recorded, "b > 420") - 1].split("  #").next();
    assert_eq!(before, wait, "{}", recorded.text);
}

/// As a client does whose process ends.
#[test]
fn a_post_that_a_client_gave_up_as_it_left_is_a_part_of_its_leaving() {
    let mut exchanges = polling();
    exchanges.push(given_up(20, "GET", "", 31));
    exchanges.push(given_up(29, "POST", r#"42["last"]"#, 30));
    let left = recorded(exchanges.clone());
    assert!(!left.text.contains("request by request"), "{}", left.text);
    assert!(line(&left, "a > 42") < line(&left, "a drop"), "{}", left.text);
    // It went on: then nobody knows what became of the packet.
    exchanges.push(asked(40, "GET", POLL, "", r#"42["news"]"#));
    let stayed = recorded(exchanges);
    assert!(stayed.text.contains("a POST was not answered"), "{}", stayed.text);
}

/// As the client of 0.9 does in Node: it gives its poll up, and says goodbye on a connection of its own.
#[test]
fn a_goodbye_that_comes_after_the_poll_was_given_up_is_said() {
    let target = "/socket.io/1/xhr-polling/S";
    let polled = |exchange: Exchange| Exchange {
        target: target.to_owned(),
        transport: Some("xhr-polling".to_owned()),
        sid: Some("S".to_owned()),
        ..exchange
    };
    let handshake = Exchange {
        transport: None,
        ..asked(0, "GET", "/socket.io/1/", "", "S:15:25:xhr-polling")
    };
    let left = recorded(vec![
        handshake,
        polled(asked(3, "GET", target, "", "1::")),
        polled(given_up(6, "GET", "", 8)),
        polled(asked(10, "POST", target, "0::", "1")),
    ]);
    assert!(left.text.contains("\na close"), "{}", left.text);
    assert!(!left.text.contains("\na drop"), "{}", left.text);
}

/// It ended between two polls.
#[test]
fn a_client_that_does_not_poll_any_more_is_gone() {
    let mut exchanges = polling();
    exchanges.push(asks_at(900));
    let left = recorded(exchanges.clone());
    assert!(line(&left, "a drop") < line(&left, "b > 420"), "{}", left.text);
    // It had a poll open until the recording was over.
    exchanges.push(given_up(9, "GET", "", 2000));
    let stayed = recorded(exchanges);
    assert!(line(&stayed, "b > 420") < line(&stayed, "a drop"), "{}", stayed.text);
}

/// A replay whose poll is answered with nothing but a noop polls again, as clients do that stay.
#[test]
fn a_noop_that_answers_the_last_poll_is_written() {
    let mut exchanges = polling();
    exchanges[0].headers = vec![("x-mine".to_owned(), "yes".to_owned())];
    exchanges.push(asked(20, "GET", POLL, "", "6"));
    exchanges.push(asked(30, "GET", POLL, "", "6"));
    exchanges.push(asked(31, "POST", POLL, "1", "ok"));
    let left = recorded(exchanges);
    let noops = left.text.lines().filter(|line| line.starts_with("a.poll < 6")).count();
    assert_eq!(noops, 1, "{}", left.text);
    // Nor may the goodbye overtake that poll.
    assert_eq!(
        line(&left, "a.post wait 50ms") + 1,
        line(
            &left,
            "a.post POST /socket.io/?EIO=4&transport=polling&sid=$sid  # +31ms"
        )
    );
}
