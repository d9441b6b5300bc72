//! What a case asks must not depend on when the server has answered what was asked before.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Longer than the harness takes from one step to the next; the outcome is the same if it is not.
const LATE: Duration = Duration::from_millis(100);

/// Runs the case against a server that answers each request by `answer`, which is given its first line.
fn run(case: &str, answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> (Option<i32>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        thread::scope(|scope| {
            for mut stream in listener.incoming().flatten() {
                let answer = &answer;
                scope.spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    while let Some(Ok(request)) = lines.next() {
                        // What POSTs carry has no line of its own, and stands before the next request.
                        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                        answer(&request, &mut stream);
                    }
                });
            }
        });
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("case.wire"), case).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(["run", "--url", &url, "case.wire"])
        .env("NO_COLOR", "1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn write(stream: &mut TcpStream, status: &str, body: &str) {
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
}

#[test]
fn the_next_request_waits_for_the_rest_of_an_answer() {
    let case = r#"case:  eio4/pieces/refused
title: the body is another than it should be, and the same connection is asked again

a GET /engine.io/
a 400
@ eio4#error/bad-request should
a << {"code":3,"message":"Bad request"}
@ eio4#session/independent
a GET /engine.io/
a 400
"#;
    let (code, report) = run(case, |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\nInva");
        thread::sleep(LATE);
        let _ = stream.write_all(b"lid");
    });
    assert_eq!(code, Some(0), "{report}");
    let lenient = report.contains("1 lenient") && report.contains("bytes do not match");
    assert!(lenient, "{report}");
}

#[test]
fn the_next_request_waits_for_the_answer_to_a_heartbeat() {
    let case = "case:  eio4/pieces/heartbeat\n\na.poll GET /engine.io/?EIO=4&transport=polling&sid=s\na.poll 200\n\
                a.poll < 4hi\na.next GET /next\na.next 200\n";
    let posted = AtomicBool::new(false);
    let (code, report) = run(case, move |request, stream| {
        if request.starts_with("POST") {
            thread::sleep(LATE);
            posted.store(true, Ordering::SeqCst);
            write(stream, "200 OK", "ok");
        } else if request.starts_with("GET /next") {
            let good = posted.load(Ordering::SeqCst);
            write(stream, if good { "200 OK" } else { "409 Too early" }, "");
        } else {
            write(stream, "200 OK", "2\u{1e}4hi");
        }
    });
    assert_eq!(code, Some(0), "{report}");
}
