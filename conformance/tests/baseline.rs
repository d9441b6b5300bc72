//! A baseline from the outside: what `run` makes of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::Command;

const PASSES: &str = "case:  eio4/mine/passes\n\na open websocket\na > 421[\"message-with-ack\",1]\na < 431[1]\n";
const FAILS: &str = "case:  eio4/mine/fails\n\na open websocket\na > 421[\"message-with-ack\",1]\na < 431[2]\n";

/// Runs both cases against the embedded server; the exit code, what was printed, and the events of the cases by id.
fn run(baseline: &str) -> (i32, String, Vec<serde_json::Value>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("passes.wire", PASSES);
    write("fails.wire", FAILS);
    write("known", baseline);
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args([
            "run",
            "--baseline",
            "known",
            "--json",
            "run.jsonl",
            "passes.wire",
            "fails.wire",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (
        output.status.code().unwrap(),
        text,
        cases(&folder.path().join("run.jsonl")),
    )
}

fn cases(file: &Path) -> Vec<serde_json::Value> {
    let Ok(lines) = std::fs::read_to_string(file) else {
        return Vec::new();
    };
    let events = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut cases: Vec<_> = events.filter(|event| event["event"] == "case").collect();
    cases.sort_by_key(|case| case["id"].to_string());
    cases
}

#[rstest::rstest]
#[case::fails(
    "eio4/mine/fails  fail  \"packet does not match\"  # counts from one\n",
    "1 pass · 1 expected failure",
    "expected",
    "known:1: counts from one"
)]
#[case::skipped(
    "eio4/mine/fails skip # it takes the server down\n",
    "1 pass · 1 skipped",
    "skip",
    "known:1: it takes the server down"
)]
fn what_the_baseline_says_is_as_expected_with_its_reason(
    #[case] baseline: &str,
    #[case] counts: &str,
    #[case] outcome: &str,
    #[case] reason: &str,
) {
    let (code, text, cases) = run(baseline);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(counts) && text.contains(" · 0 fail"), "{text}");
    assert_eq!(cases[0]["outcome"], outcome);
    assert_eq!(cases[0]["reason"], reason);
    assert_eq!(cases[1]["reason"], serde_json::Value::Null);
}

#[rstest::rstest]
#[case::unlisted("", "eio4/mine/fails", "packet does not match")]
#[case::passes(
    "eio4/mine/fails fail # a\neio4/mine/passes fail # b\n",
    "eio4/mine/passes",
    "passes, but known:2 lists it as failing: remove the line"
)]
#[case::other_message(
    "eio4/mine/fails fail \"closed\" # a\n",
    "eio4/mine/fails",
    "fails with another message than known:1 lists: listed \"closed\", came \"packet does not match"
)]
#[case::never_passes(
    "eio4/mine/fails flaky # a\n",
    "eio4/mine/fails",
    "failed 5 times of 5, but known:1 lists it as flaky: write `fail`"
)]
fn what_the_baseline_does_not_say_is_red(#[case] baseline: &str, #[case] id: &str, #[case] why: &str) {
    let (code, text, cases) = run(baseline);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(why), "{text}");
    let failed: Vec<&str> = (cases.iter().filter(|case| case["outcome"] == "fail"))
        .filter_map(|case| case["id"].as_str())
        .collect();
    assert_eq!(failed, [id]);
}
