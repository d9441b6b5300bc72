//! `conformance.toml` from the outside: written by `probe` and `init`, read by `run`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output};

use reference_server::{Options, Server};

/// Runs the program in a folder.
fn tool(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("conformance.toml"), config).unwrap();
    folder
}

#[test]
fn what_probe_writes_of_the_embedded_server_is_everything() {
    let folder = tempfile::tempdir().unwrap();
    let written = tool(folder.path(), &["probe", "-o", "conformance.toml"]);
    assert_eq!(code(&written), 0, "{}", stderr(&written));
    insta::assert_snapshot!(stdout(&written), @r#"
    wrote conformance.toml
      rev1  over websocket, flashsocket, htmlfile, xhr-multipart, xhr-polling, jsonp-polling; 13 of 13 features
      eio3  over polling, polling-b64, jsonp, websocket, upgraded; 16 of 16 features
      eio4  over polling, websocket, webtransport, upgraded; 18 of 18 features
    "#);
    let text = std::fs::read_to_string(folder.path().join("conformance.toml")).unwrap();
    assert!(
        !text.contains("cannot run") && !text.contains("packet does not match"),
        "{text}"
    );

    let again = tool(folder.path(), &["probe"]);
    assert_eq!(stdout(&again), text, "the same server gets the same file");
    let refused = tool(folder.path(), &["probe", "-o", "conformance.toml"]);
    assert_eq!(code(&refused), 2);
    assert!(
        stderr(&refused).contains("conformance.toml is there already"),
        "{}",
        stderr(&refused)
    );
}

/// A server without recovery and without WebTransport, that runs already.
async fn server() -> (Server, String) {
    let options = Options {
        port: 0,
        ..Options::contract()
    };
    let server = Server::start(options).await.unwrap();
    let url = format!("http://{}", server.address());
    (server, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_claim_fails_and_what_is_not_claimed_is_not_run() {
    let (server, url) = server().await;
    let claims = "transports = [\"polling\", \"websocket\", \"webtransport\"]\nfeatures = [\"recovery\", \"binary\"]\n";
    let folder = folder(&format!("[server]\nurl = \"{url}\"\n[generations.eio4]\n{claims}"));
    let ran = tokio::task::spawn_blocking(move || {
        let tool = |args: &[&str]| tool(folder.path(), args);
        let cases = [
            "eio4/recovery/offered",
            "eio4/rooms/to*",
            "eio4/event/message*",
            "rev1/ack/data*",
        ];
        let filters = cases.iter().flat_map(|glob| ["--filter", glob]);
        let run: Vec<&str> = ["run"].into_iter().chain(filters).collect();
        let without = ["run", "--no-config", "--filter", "eio4/rooms/list*"];
        [tool(&["probe", "--check"]), tool(&run), tool(&without)]
    });
    let [checked, claimed, without] = ran.await.unwrap();
    server.shutdown().await;

    assert_eq!(code(&checked), 1, "{}", stderr(&checked));
    insta::assert_snapshot!(stdout(&checked), @r#"
    false claims
      eio4 webtransport: not offered
      eio4 recovery: eio4/recovery/offered: packet does not match: $: missing key "pid" at `< 40{"sid":$(/.+/),"pid":$(/.+/)}`: got 40{"sid":"…"}
    not claimed, and there
      rev1
      eio3
      eio4 upgraded
      eio4 namespaces
      eio4 dynamic
      eio4 refusal
      eio4 refusal-data
      eio4 rooms
      eio4 except
      eio4 broadcast
      eio4 volatile
      eio4 lifecycle
      eio4 server-acks
      eio4 order
      eio4 disconnect
      eio4 close
      eio4 handshake
      eio4 engine
      eio4 cors
    "#);

    let text = stdout(&claimed);
    assert_eq!(code(&claimed), 1, "{text}");
    let (_, closing) = text.split_once("not run\n").unwrap();
    let closing = closing.split_once("\nexit code").unwrap().0;
    insta::assert_snapshot!(closing, @r#"
        20  no rev1
         3  no rooms
         2  no upgraded

    notes
      the server answers to rev1, which conformance.toml does not claim
      the server answers to eio3, which conformance.toml does not claim
      the server answers to upgraded of eio4, which conformance.toml does not claim

    failed
      eio4/event/message[webtransport]  no session: the server does not answer  (fixtures/scenarios/eio4/event/message.wire:5)
      eio4/recovery/offered  packet does not match: $: missing key "pid"  (fixtures/scenarios/eio4/recovery/offered.wire:9)
    "#);
    assert!(text.starts_with(&format!("judging {url} on ")), "{text}");

    assert!(
        stdout(&without).starts_with("judging embedded on "),
        "{}",
        stdout(&without)
    );
    assert_eq!(code(&without), 0);
}

#[test]
fn a_full_run_tells_what_is_there_without_a_claim() {
    // Of revision 1 alone, without a feature: most cases are not applicable, and the run is short.
    let folder = folder("name = \"ours\"\n[generations.rev1]\ntransports = [\"websocket\"]\nfeatures = []\n");
    let ran = tool(folder.path(), &["run"]);
    let text = stdout(&ran);
    assert_eq!(code(&ran), 0, "{text}");
    assert!(text.starts_with("judging ours (embedded) on "), "{text}");
    let note = "the server answers to namespaces, refusal, rooms, broadcast, volatile, lifecycle, server-acks, order, disconnect, \
                close, handshake, cors, authorization of rev1, which conformance.toml does not claim";
    assert!(text.contains(note), "{text}");
    assert!(
        text.contains("the server answers to eio4, which conformance.toml does not claim"),
        "{text}"
    );
    assert!(text.contains("no rooms"), "{text}");
}

#[test]
fn a_case_that_is_newer_than_the_suite_is_told_and_does_not_fail() {
    let folder = folder("suite = \"2026-11-28\"\n");
    let case = "case:  eio4/mine/new\nsince: 2026-11-29\nover:  websocket\n\na open\na > 421[\"message-with-ack\",1]\na < 431[2]\n";
    let old = case.replace("11-29", "11-28").replace("mine/new", "mine/old");
    std::fs::write(folder.path().join("new.wire"), case).unwrap();
    std::fs::write(folder.path().join("old.wire"), old).unwrap();
    let ran = tool(folder.path(), &["run", "new.wire"]);
    let text = stdout(&ran);
    assert_eq!(code(&ran), 0, "{text}");
    assert!(
        text.contains("warnings\n  eio4/mine/new[websocket]  packet does not match"),
        "{text}"
    );
    assert!(
        text.contains("newer than suite 2026-11-28: the case came with 2026-11-29"),
        "{text}"
    );
    assert!(text.contains("1 expected failure"), "{text}");
    assert_eq!(code(&tool(folder.path(), &["run", "old.wire"])), 1);
    assert_eq!(code(&tool(folder.path(), &["run", "--no-config", "new.wire"])), 1);
}

#[test]
fn a_command_of_a_file_runs_in_the_files_folder_with_its_environment() {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let config = "[server]\ncommand = [\"./serve\", \"a b\"]\nenv = { WORD = \"w\" }\n";
    std::fs::write(inner.join("conformance.toml"), config).unwrap();
    let script = "#!/bin/sh\nprintf '%s %s' \"$1\" \"$WORD\" > seen\nexit 7\n";
    std::fs::write(inner.join("serve"), script).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(inner.join("serve"), permissions).unwrap();
    let ran = tool(outer.path(), &["run", "--config", "inner/conformance.toml"]);
    assert_eq!(code(&ran), 3, "{}", stderr(&ran));
    assert_eq!(std::fs::read_to_string(inner.join("seen")).unwrap(), "a b w");
}

#[test]
fn a_wrong_file_is_shown_with_its_place() {
    let folder = folder("[run]\njob = 3\npatience = \"x\"\n");
    for command in ["run", "browser", "probe"] {
        let ran = tool(folder.path(), &[command]);
        assert_eq!(code(&ran), 2, "{command}");
        let text = stderr(&ran);
        assert!(
            text.contains("conformance.toml:2:1") && text.contains("did you mean `jobs`?"),
            "{command}: {text}"
        );
        assert!(text.contains("2 error(s) in conformance.toml"), "{command}: {text}");
    }
    let missing = tool(folder.path(), &["run", "--config", "none.toml"]);
    assert_eq!(code(&missing), 2);
    assert!(
        stderr(&missing).contains("cannot read none.toml"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn init_writes_a_file_once_that_says_nothing_yet() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&tool(folder.path(), &["init"])), 0);
    let path = folder.path().join("conformance.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let ran = tool(folder.path(), &["run", "--filter", "eio4/ack/data*"]);
    assert_eq!(code(&ran), 0, "{}", stdout(&ran));
    assert!(stdout(&ran).contains(", by conformance.toml ("), "{}", stdout(&ran));
    assert_eq!(code(&tool(folder.path(), &["init"])), 2);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(code(&tool(folder.path(), &["init", "other.toml"])), 0);
}

#[test]
fn there_is_nothing_to_check_without_claims() {
    let folder = folder("[run]\n");
    let ran = tool(folder.path(), &["probe", "--check"]);
    assert_eq!(code(&ran), 2);
    assert!(
        stderr(&ran).contains("conformance.toml claims nothing"),
        "{}",
        stderr(&ran)
    );
}
