//! `sio-conformance browser` as a person meets it: a case that fails, and what is not there. Chromium is needed.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A page that says what nobody expects, and one that never comes to what is expected.
const FAILING: &str = "case:  rev1/mine/fails\ntitle: a page that does not come to it\nclients: served\n\n\
                       page goto\npage eval s = connect()\n    console.log(\"hello\")\npage until opened(s)\n\
                       page until heard(s, \"never\")\n    [[1]]\n";

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sio-conformance"));
    command
        .args(["browser", "--browser", "chromium", "--traces"])
        .arg(folder.join("traces"))
        .args(args)
        .current_dir(ROOT)
        .env("TMPDIR", folder)
        .stdin(Stdio::null());
    command
}

fn browser(folder: &Path, args: &[&str]) -> Output {
    command(folder, args)
        .output()
        .unwrap_or_else(|error| panic!("cannot start the program: {error}"))
}

/// Whether there is no Chromium. Where `SIO_REQUIRED_BROWSERS` is set, it must be there.
fn is_missing(output: &Output) -> bool {
    let said = text(&output.stderr);
    let missing = said.contains("apt-get install chromium");
    assert!(!missing || std::env::var("SIO_REQUIRED_BROWSERS").is_err(), "{said}");
    if missing {
        eprintln!("not run: {said}");
    }
    missing
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_failure_leaves_what_a_person_wants_to_see() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("fails.wire");
    std::fs::write(&file, FAILING).unwrap_or_else(|error| panic!("{error}"));
    let output = browser(folder.path(), &["--patience", "0.3", &file.display().to_string()]);
    let said = text(&output.stdout);
    if is_missing(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{said}{}", text(&output.stderr));
    let left = folder.path().join("traces/rev1/mine/fails__served_chromium");
    for (part, what) in [
        ("the page does not come to this", "the fault"),
        ("$: missing element 0", "where"),
        ("= got    []", "what came"),
        (&format!("= page   {}/", left.display()), "the folder"),
        ("1 scenarios × 1 engines (chromium) × 1 clients (served)", "the size"),
        (
            &format!("sio-conformance browser {}", file.display()),
            "the next command",
        ),
    ] {
        assert!(said.contains(part), "{what} is missing: {part}\n{said}");
    }
    let read = |name: &str| {
        let path = left.join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    assert!(read("page.png").starts_with(b"\x89PNG"));
    assert_eq!(text(&read("page.console.txt")), "log: hello\n");
    let sockets = text(&read("page.sockets.json"));
    assert!(
        sockets.contains("\"transport\": \"websocket\"") && sockets.contains("\"news\""),
        "{sockets}"
    );
    let requests = text(&read("page.requests.txt"));
    assert!(
        requests.contains("GET /socket.io/1/websocket/") && requests.contains("< 1::"),
        "{requests}"
    );
    assert!(text(&read("trace.wire")).contains("page eval s = connect()"));
}

#[test]
fn what_is_missing_says_how_to_get_it_and_is_no_success() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let nowhere = folder.path().join("clients").display().to_string();
    let output = browser(
        folder.path(),
        &["--clients", &nowhere, "--filter", "eio3/browser/upgrade*"],
    );
    assert_eq!(output.status.code(), Some(5));
    let said = text(&output.stderr);
    assert!(said.contains("no case can run here"), "{said}");
    assert!(
        said.contains("npm install --prefix") || said.contains("apt-get install chromium"),
        "{said}"
    );
}

#[test]
fn a_browser_that_is_not_where_the_environment_says_is_missing() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let nowhere = folder.path().join("chromium").display().to_string();
    let output = command(folder.path(), &["--filter", "rev1/browser/event[websocket,served*"])
        .env("SIO_CHROMIUM", &nowhere)
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    let told = format!("no chromium at {nowhere}, as SIO_CHROMIUM says: apt-get install chromium chromium-driver");
    assert!(said.contains(&told), "{said}");
}

#[test]
fn a_client_that_throws_is_told_by_its_own_words() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let script = folder.path().join("broken.js");
    std::fs::write(&script, "throw new TypeError('no such planet');\n").unwrap_or_else(|error| panic!("{error}"));
    let client = format!("4.8={}", script.display());
    let filter = "eio4/browser/event[websocket,4.8,chromium]";
    let output = browser(folder.path(), &["--client", &client, "--filter", filter]);
    if is_missing(&output) {
        return;
    }
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}{}", text(&output.stderr));
    assert!(said.contains("io is not defined"), "{said}");
    let left = folder.path().join("traces/eio4/browser/event__websocket_4.8_chromium");
    let console = std::fs::read(left.join("page.console.txt")).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        text(&console).contains("uncaught: Uncaught TypeError: no such planet"),
        "{}",
        text(&console)
    );
}

#[test]
fn cases_without_pages_run_beside_those_that_need_a_browser() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("fails.wire");
    std::fs::write(&file, FAILING).unwrap_or_else(|error| panic!("{error}"));
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(["run", "fixtures/scenarios/rev1/ack/data.wire"])
        .arg(&file)
        .arg("--traces")
        .arg(folder.path().join("traces"))
        .current_dir(ROOT)
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    assert!(said.contains(" pass"), "{said}");
    assert!(said.contains("rev1/mine/fails needs a browser"), "{said}");
}

#[test]
fn a_case_with_pages_is_none_for_run() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("fails.wire");
    std::fs::write(&file, FAILING).unwrap_or_else(|error| panic!("{error}"));
    let output = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .arg("run")
        .arg(&file)
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("rev1/mine/fails needs a browser: sio-conformance browser"),
        "{said}"
    );
}
