//! `codec` with commands that answer right, wrong, twice, garbage, or not at all.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rstest::rstest;

/// Two questions, with the ids 1 and 2.
const PING: &str = "codec/eio4/packet/ping[*]";
const DECODE: &str = r#"echo '{"id":1,"decoded":{"type":"ping"}}'"#;
const ENCODE: &str = r#"echo '{"id":2,"encoded":"2"}'"#;

fn codec(filter: &str, options: &[&str], script: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(["codec", "--filter", filter])
        .args(options)
        .args(["--", "sh", "-c", script])
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap()
}

/// The exit code, and standard output without the time.
fn outcome(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let text = match text.rsplit_once(" · ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    };
    (output.status.code(), text)
}

#[test]
fn a_parser_that_is_right() {
    let (code, text) = outcome(&codec(PING, &[], &format!("read a; {DECODE}; read b; {ENCODE}")));
    assert!(text.ends_with("2 pass · 0 fail"), "{text}");
    assert_eq!(code, Some(0));
}

#[test]
fn requests_and_answers_are_those_of_the_document() {
    // Its standard input is a pipe, so it can be opened again, and every request is as described.
    let asked = r#"{"id":1,"op":"decode","layer":"eio4/packet","encoded":"2"}"#;
    let script = format!("exec < /dev/stdin; read -r a; [ \"$a\" = '{asked}' ] && {DECODE}; read -r b; {ENCODE}");
    let (code, text) = outcome(&codec(PING, &[], &script));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_parser_that_is_wrong() {
    let script = r#"read a; echo '{"id":1,"decoded":{"type":"pong"}}'; read b; echo '{"id":2,"error":"no"}'"#;
    let (code, text) = outcome(&codec(PING, &[], script));
    assert_eq!(code, Some(1));
    let (tool, suite) = (env!("CARGO_PKG_VERSION"), conformance::suite::DATE);
    let versions = format!("sio-conformance {tool}, suite {suite}");
    insta::assert_snapshot!(text.replace(&versions, "the versions"));
}

#[test]
fn what_is_not_supported_has_not_passed() {
    let script = r#"read a; echo '{"id":1,"unsupported":true}'; read b; echo '{"id":2,"encoded":"2"}'"#;
    let (code, text) = outcome(&codec(PING, &[], script));
    assert!(
        text.ends_with("1 pass · 1 not applicable (no eio4/packet) · 0 fail"),
        "{text}"
    );
    assert_eq!(code, Some(0));
    let none = codec(
        "codec/eio4/packet/ping[decode]",
        &[],
        r#"read a; echo '{"id":1,"unsupported":true}'"#,
    );
    assert_eq!(none.status.code(), Some(5));
}

#[rstest]
#[case::ends("echo oops >&2; exit 3", "\n    | oops\n")]
#[case::is_killed("kill -9 $$", "the command ended (signal: 9 (SIGKILL)), and printed no error")]
#[case::closes("exec >&-; sleep 1000", "the command closed its standard output")]
#[case::garbage("read a; echo hello; sleep 1000", "the answer is not JSON: `hello`")]
#[case::not_an_object("read a; echo 17; sleep 1000", "the answer is not an object with an `id`: `17`")]
#[case::another_id(
    "read a; echo '{\"id\":7,\"decoded\":1}'; sleep 1000",
    "answers request 7, and 1 was asked"
)]
#[case::never("sleep 1000", "no answer within 2.0s")]
#[case::half("read a; printf '{\"id\":1'; sleep 1000", "no answer within 2.0s")]
#[case::endless("while :; do printf '%01000d' 0; done", "a line of more than 1048576 bytes")]
fn a_command_that_does_not_keep_to_it(#[case] script: &str, #[case] says: &str) {
    let begun = Instant::now();
    let output = codec("codec/eio4/packet/ping[decode]", &["--patience", "0.1"], script);
    let (code, text) = outcome(&output);
    assert!(text.contains(says), "{text}");
    assert!(text.contains("codec/eio4/packet/ping[decode]"), "{text}");
    assert_eq!(code, Some(1));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn it_is_started_again_after_a_fault() {
    // It ends at its first question each time; the second is then the first of another.
    let script = format!("read a; case $a in '{{\"id\":1,'*) exit 3;; esac; {ENCODE}");
    let (code, text) = outcome(&codec(PING, &[], &script));
    assert!(text.ends_with("1 pass · 1 fail"), "{text}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_second_answer_counts_against_the_question_it_answers() {
    let script = format!("read a; {DECODE}; {DECODE}; read b; {ENCODE}");
    let (code, text) = outcome(&codec(PING, &[], &script));
    assert!(
        text.contains("codec/eio4/packet/ping[decode]  says more after its answer"),
        "{text}"
    );
    assert!(text.ends_with("1 pass · 1 fail"), "{text}");
    assert_eq!(code, Some(1));

    let script = format!("read a; {DECODE}; read b; {ENCODE}; echo bye");
    let (code, text) = outcome(&codec(PING, &[], &script));
    assert!(
        text.contains("codec/eio4/packet/ping[encode]  says more after its answer: `bye`"),
        "{text}"
    );
    assert_eq!(code, Some(1));
}

#[test]
fn a_command_is_given_up_after_ten_faults_and_that_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let baseline = dir.path().join("known");
    std::fs::write(&baseline, "codec/eio4/packet/message-of-*  fail  # it always ends\n").unwrap();
    let options = ["--baseline", baseline.to_str().unwrap()];
    let (code, text) = outcome(&codec("codec/eio4/packet/message-of-*", &options, "exit 3"));
    assert!(text.contains("10 expected failures"), "{text}");
    assert!(
        text.contains("not asked: the command was given up after 10 faults"),
        "{text}"
    );
    assert_eq!(code, Some(1));
}

#[test]
fn known_failures_are_expected() {
    let dir = tempfile::tempdir().unwrap();
    let baseline = dir.path().join("known");
    std::fs::write(&baseline, "codec/eio4/packet/ping[decode]  fail  # answers pong\n").unwrap();
    let options = ["--baseline", baseline.to_str().unwrap()];
    let script = format!("read a; echo '{{\"id\":1,\"decoded\":1}}'; read b; {ENCODE}");
    let (code, text) = outcome(&codec(PING, &options, &script));
    assert!(text.ends_with("1 pass · 1 expected failure · 0 fail"), "{text}");
    assert_eq!(code, Some(0));
    let (code, text) = outcome(&codec(PING, &options, &format!("read a; {DECODE}; read b; {ENCODE}")));
    assert!(text.contains("lists it as failing: remove the line"), "{text}");
    assert_eq!(code, Some(1));
}

#[test]
fn nothing_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; {DECODE}; {ENCODE}; wait", pid.display());
    codec("codec/eio4/packet/ping[decode]", &["--patience", "0.1"], &script);
    let pid: i32 = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None);
    assert_eq!(gone, Err(nix::errno::Errno::ESRCH));
}

#[test]
fn what_cannot_be_judged() {
    let program = || Command::new(env!("CARGO_BIN_EXE_sio-conformance"));
    let code = |args: &[&str]| program().args(args).output().unwrap().status.code();
    assert_eq!(code(&["codec", "--", "/no/such/program"]), Some(3));
    assert_eq!(code(&["codec"]), Some(2));
    assert_eq!(code(&["codec", "--layer", "sio9", "--", "true"]), Some(2));
    assert_eq!(code(&["codec", "--filter", "nothing", "--", "true"]), Some(5));
    assert_eq!(code(&["show", "codec/no/such"]), Some(5));
}

#[test]
fn a_vector_is_shown_with_its_answer() {
    let program = env!("CARGO_BIN_EXE_sio-conformance");
    let output = Command::new(program)
        .args(["show", "codec/sio5/binary/an-ack"])
        .output()
        .unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}
