//! A run against a server that misbehaves below the protocol ends by itself, soon, in little memory, and says what came.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

mod hostile;

/// One case for each way of looking: every transport's session, HTTP by hand, a raw stream, a websocket.
const CASES: [(&str, &str); 10] = [
    (
        "eio4/hostile/session",
        "over: polling websocket upgraded\n\na open\na > 42[\"message\",1]\na < 42[\"message-back\",1]\na fence\n",
    ),
    (
        "eio4/hostile/http",
        "\na GET /socket.io/?EIO=4&transport=polling\na 200\na < 0{\"sid\":$sid(str)}\n",
    ),
    (
        "eio4/hostile/socket",
        "\na open bare websocket\na > 40\na < 40{\"sid\":$(str)}\na closed\n",
    ),
    (
        "eio3/hostile/session",
        "over: polling polling-b64 jsonp websocket upgraded\n\na open\na > 42[\"message\",1]\n\
         a < 42[\"message-back\",1]\na fence\n",
    ),
    (
        "eio3/hostile/http",
        "\na GET /socket.io/?EIO=3&transport=polling&j=0\na 200\na < 0{\"sid\":$sid(str)}\n",
    ),
    ("eio3/hostile/socket", "\na open bare websocket\na < 40\na closed\n"),
    (
        "rev1/hostile/session",
        "over: websocket flashsocket htmlfile xhr-multipart xhr-polling jsonp-polling\n\na open\n\
         a > 3:::hi\na < 3:::hi\na fence\n",
    ),
    ("rev1/hostile/http", "\na GET /socket.io/1/\na 200\na << $_\n"),
    (
        "rev1/hostile/stream",
        "\na.tcp tcp http\na.tcp >> GET /socket.io/1/ HTTP/1.1\\r\\n\\r\\n\na.tcp <<+ HTTP/1.1 200\na.tcp eof\n",
    ),
    (
        "rev1/hostile/socket",
        "\na.ws ws /socket.io/1/websocket/4711\na.ws < 1::\na.ws closed\n",
    ),
];

/// More than any of these runs takes, on a busy machine.
const BOUND: Duration = Duration::from_secs(60);

/// Most memory of a run, in kilobytes.
const MEMORY: i64 = 400_000;

fn run(arguments: &[&str]) -> (Output, Duration) {
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(arguments)
        .stdin(Stdio::null())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output, begun.elapsed())
}

#[test]
fn a_hostile_target_is_judged_and_bounded() {
    let dir = tempfile::tempdir().unwrap();
    for (name, body) in CASES {
        let text = format!("case:  {name}\ntitle: a look at a server that misbehaves\n{body}");
        fs::write(dir.path().join(format!("{}.wire", name.replace('/', "-"))), text).unwrap();
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let (cases, traces) = (dir.path().to_str().unwrap(), elsewhere.path().to_str().unwrap());
    for (name, server) in hostile::all() {
        let arguments = ["run", cases, "--url", &server.url(), "--traces", traces];
        let (output, took) = run(&arguments);
        let report = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{name}: {report}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(report.contains("exit code 1"), "{name}: {report}");
        assert!(took < BOUND, "{name} took {took:?}");
    }
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    assert!(usage.max_rss() < MEMORY, "a run took {} kB", usage.max_rss());
}

#[test]
fn nobody_listens_is_no_verdict() {
    // Bound, so that nobody else gets the port, and not listening.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    let (output, took) = run(&["run", "--url", &url]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains(&url) && took < BOUND, "{message}");
}

#[rstest::rstest]
#[case(&["run", "--transport", "carrier-pigeon"], 2, "known are")]
#[case(&["run", "--url", "ftp://127.0.0.1"], 2, "ftp")]
#[case(&["run", "no/such/file.wire"], 2, "no/such/file.wire")]
#[case(&["run", "--baseline", "no/such/file"], 2, "no/such/file")]
#[case(&["run", "--filter", "no/such/case"], 5, "no case")]
#[case(&["show", "no/such/case"], 5, "no/such/case")]
#[case(&["run", "--", "no-such-command"], 3, "no-such-command")]
#[case(&["run", "--", "false"], 3, "false")]
fn each_kind_of_error_has_its_exit_code(#[case] arguments: &[&str], #[case] code: i32, #[case] word: &str) {
    let (output, _) = run(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(message.contains(word), "{message}");
}
