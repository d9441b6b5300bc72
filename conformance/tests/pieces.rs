//! An answer that comes in pieces: what a case thinks of its beginning must not depend on when its end comes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Longer than the harness takes from one step to the next; the outcome is the same if it is not.
const BETWEEN: Duration = Duration::from_millis(100);

const CASE: &str = r#"case:  eio4/pieces/refused
title: the body is another than it should be, and the same connection is asked again

a GET /engine.io/
a 400
@ eio4#error/bad-request should
a << {"code":3,"message":"Bad request"}
@ eio4#session/independent
a GET /engine.io/
a 400
"#;

/// Answers every request with a refusal, its body in two pieces.
fn refuse(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\nInva");
            thread::sleep(BETWEEN);
            let _ = stream.write_all(b"lid");
        }
    }
}

#[test]
fn the_next_request_waits_for_the_rest_of_an_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || refuse(stream));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("refused.wire"), CASE).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(["run", "--url", &url, "refused.wire"])
        .env("NO_COLOR", "1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(
        report.contains("1 lenient") && report.contains("bytes do not match"),
        "{report}"
    );
}
