//! What `copy` writes can be run, and is JSON.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Output};

fn conformance(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_sio-conformance");
    Command::new(program)
        .args(args)
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap()
}

#[test]
fn a_copied_case_runs() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let copied = conformance(&["copy", folder]);
    assert_eq!(copied.status.code(), Some(0));
    let told = String::from_utf8(copied.stdout).unwrap();
    let scenarios = format!("{folder}/scenarios");
    assert!(told.contains(&format!(" files in {scenarios}\n")), "{told}");

    let traces = dir.path().join("traces");
    let traces = ["--traces", traces.to_str().unwrap()];
    let run = |file: &str| conformance(&[&["run", &format!("{scenarios}/{file}")][..], &traces].concat());
    let output = run("rev1/ack/data.wire");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(" pass · ") && text.contains(" · 0 fail"), "{text}");
}

#[test]
fn the_cases_are_one_document_on_standard_output_and_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cases.json");
    let shown = conformance(&["copy", "--json"]).stdout;
    let document: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(document["format"], 1);
    let copy = || conformance(&["copy", "--json", file.to_str().unwrap()]).status.code();
    assert_eq!(copy(), Some(0));
    assert_eq!(std::fs::read(&file).unwrap(), shown);
    std::fs::write(&file, "mine").unwrap();
    assert_eq!(copy(), Some(2));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    assert_eq!(conformance(&["copy"]).status.code(), Some(2));
}
