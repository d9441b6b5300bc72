//! A server whose process had no time has given up a client that did nothing: the case is judged again before it counts.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const OPEN: &str = r#""upgrades":[],"pingInterval":100,"pingTimeout":400,"maxPayload":1000000}"#;
const JOINED: &str = "40{\"sid\":\"a\"}\u{1e}42[\"auth\",{}]";

/// What each poll of a session is answered with, and after how many milliseconds. Its second heartbeat is late by three
/// quarters of the timeout; then the session is gone.
const POLLS: [(u64, &str); 3] = [(0, JOINED), (100, "2"), (400, "2")];

/// The polls of each session so far.
type Sessions = Arc<Mutex<BTreeMap<String, usize>>>;

fn answer(mut stream: TcpStream, sessions: &Sessions) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = reader.read_exact(&mut body);
    let sid = head.split("sid=").nth(1).and_then(|rest| rest.split(['&', ' ']).next());
    let (status, text) = match sid {
        _ if !head.contains("EIO=4&transport=polling") => (400, String::new()),
        Some(_) if head.starts_with("POST") => (200, "ok".to_owned()),
        Some(sid) => {
            let number = {
                let mut sessions = sessions.lock().unwrap();
                let polls = sessions.entry(sid.to_owned()).or_default();
                *polls += 1;
                *polls - 1
            };
            match POLLS.get(number) {
                Some((after, text)) => {
                    thread::sleep(Duration::from_millis(*after));
                    (200, (*text).to_owned())
                }
                None => (400, String::new()),
            }
        }
        None => (
            200,
            format!("0{{\"sid\":\"{}\",{OPEN}", stream.peer_addr().unwrap().port()),
        ),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} -\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
}

#[test]
fn a_case_that_failed_while_the_server_was_late_runs_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let sessions = Sessions::default();
        for stream in listener.incoming().flatten() {
            let sessions = Arc::clone(&sessions);
            thread::spawn(move || answer(stream, &sessions));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let case = "case:  eio4/late/heartbeats\n\na open polling\na < 2\na < 2\na < 2\n";
    std::fs::write(folder.path().join("late.wire"), case).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(["run", "--url", &url, "--json", "run.jsonl", "late.wire"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let events = std::fs::read_to_string(folder.path().join("run.jsonl")).unwrap();
    let case = events
        .lines()
        .find(|line| line.starts_with("{\"event\":\"case\""))
        .unwrap();
    let case: serde_json::Value = serde_json::from_str(case).unwrap();
    assert_eq!(output.status.code(), Some(1), "always late is a failure: {case}");
    assert_eq!(case["reruns"], 2, "{case}");
}
