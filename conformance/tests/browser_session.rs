//! Browsers are started, driven and ended; nothing of them outlives a stop, or a harness that is killed.
//!
//! What belongs to a browser is seen by the folder for temporary files that its test gives it: that is in the arguments or
//! in the environment of each of its processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use conformance::browser::engine::Engine;
use conformance::browser::session::{Session, SessionError, Tab};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// Far above anything that should happen, so that a slow machine does not matter.
const LONG: Duration = Duration::from_secs(60);
const PATIENCE: f64 = 3.0;
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const HARNESS: &str = env!("CARGO_BIN_EXE_sio-conformance");

/// One browser at a time: several that start at once are too slow for a small machine.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits for its turn, or says what is missing here. `SIO_REQUIRED_BROWSERS` names those that must not be missing.
async fn turn(engine: Engine) -> Option<MutexGuard<'static, ()>> {
    // Programs are also looked for in `target`.
    std::env::set_current_dir(ROOT).unwrap();
    if let Err(missing) = engine.find() {
        let required = std::env::var("SIO_REQUIRED_BROWSERS").unwrap_or_default();
        assert!(!required.split(',').any(|name| name == engine.name()), "{missing}");
        eprintln!("not run on {engine}: {missing}");
        return None;
    }
    Some(TURN.lock().await)
}

async fn start(engine: Engine) -> Session {
    let begun = Instant::now();
    let session = Session::start(engine, false, PATIENCE, Some(Path::new(HARNESS)))
        .await
        .unwrap();
    eprintln!("{} started within {:.2?}", session.version(), begun.elapsed());
    session
}

/// A page with a cookie, at every path of a port of its own. It is served for as long as the test runs.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let page = "<!doctype html><title>a page</title><p>It is read.</p>";
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: taste=sweet";
                let length = page.len();
                let _ = write!(
                    stream,
                    "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
                );
            });
        }
    });
    origin
}

/// The arguments of every process that names `folder` in them or in its environment, this one excepted. A process that
/// has ended and was not waited for has neither.
fn processes_of(folder: &Path) -> Vec<String> {
    let name = folder.as_os_str().as_encoded_bytes();
    let names = |bytes: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let own = PathBuf::from(format!("/proc/{}", std::process::id()));
    let found = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let process = entry.path();
        let arguments = std::fs::read(process.join("cmdline")).ok()?;
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        let mine = process != own && (names(&arguments) || names(&environment));
        mine.then(|| String::from_utf8_lossy(&arguments).replace('\0', " "))
    });
    found.collect()
}

/// Asks until `seen` is content with the processes of the folder; there is nothing to await in those of others.
fn until(folder: &Path, what: &str, seen: impl Fn(&[String]) -> bool) {
    let deadline = Instant::now() + LONG;
    loop {
        let processes = processes_of(folder);
        if seen(&processes) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: {processes:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn title(session: &Session, tab: &Tab) -> Value {
    session.eval(tab, "return document.title", Vec::new()).await.unwrap()
}

#[rstest]
#[case::chromium(Engine::Chromium)]
#[case::firefox(Engine::Firefox)]
#[tokio::test]
async fn scripts_run_in_tabs(#[case] engine: Engine) {
    let Some(_turn) = turn(engine).await else { return };
    let origin = site();
    let session = start(engine).await;
    let first = session.first_tab();
    session.goto(&first, &format!("{origin}/one")).await.unwrap();
    assert_eq!(title(&session, &first).await, "a page");

    let later = "return await new Promise((go) => setTimeout(() => go([arguments[0], arguments[1].b]), 20))";
    let value = session
        .eval(&first, later, vec![json!("é\u{2028}"), json!({"b": [1, null]})])
        .await;
    assert_eq!(value.unwrap(), json!(["é\u{2028}", [1, null]]));
    let nothing = session.eval(&first, "let nothing // at all", Vec::new()).await;
    assert_eq!(nothing.unwrap(), Value::Null);

    for (body, said) in [
        ("throw new TypeError('no such thing')", "no such thing"),
        ("await Promise.reject('told so')", "told so"),
        ("return nobody.home", "nobody"),
        ("this is no script", ""),
    ] {
        let error = session.eval(&first, body, Vec::new()).await.unwrap_err();
        assert!(
            matches!(&error, SessionError::Script(text) if text.contains(said)) && !error.is_broken(),
            "{body}: {error:?}"
        );
    }

    let second = session.new_tab().await.unwrap();
    session.goto(&second, &format!("{origin}/two")).await.unwrap();
    let path = "return location.pathname";
    for (tab, expected) in [(&first, "/one"), (&second, "/two"), (&first, "/one")] {
        assert_eq!(session.eval(tab, path, Vec::new()).await.unwrap(), expected);
    }
    let taste = "return document.cookie";
    assert_eq!(session.eval(&second, taste, Vec::new()).await.unwrap(), "taste=sweet");
    session.clear_cookies(&second).await.unwrap();
    assert_eq!(session.eval(&second, taste, Vec::new()).await.unwrap(), "");
    session.close_tab(&second).await.unwrap();
    let error = session.eval(&second, path, Vec::new()).await.unwrap_err();
    assert!(error.is_broken(), "{error:?}");
    let third = session.new_tab().await.unwrap();
    session.goto(&third, &format!("{origin}/three")).await.unwrap();
    assert_eq!(session.eval(&third, path, Vec::new()).await.unwrap(), "/three");

    let png = session.screenshot(&first).await.unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{} bytes", png.len());
    session.stop().await;
}

/// A harness that plays cases with the client that the embedded server serves; its temporary files are in `folder`.
fn harness(engine: Engine, transport: &str, folder: &Path) -> Command {
    let mut command = Command::new(HARNESS);
    let filter = format!("rev1/browser/event[{transport},served,{engine}]");
    command
        .args([
            "browser",
            "--patience",
            "3",
            "--filter",
            &filter,
            "--browser",
            engine.name(),
        ])
        .arg("--traces")
        .arg(folder.join("traces"))
        .current_dir(ROOT)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0);
    command
}

/// No process is left, and no file but what the run came to.
fn nothing_is_left(folder: &Path) {
    until(folder, "these are left", <[String]>::is_empty);
    let traces = folder.join("traces");
    let files = [folder, traces.as_path()]
        .into_iter()
        .filter_map(|it| std::fs::read_dir(it).ok());
    let files: Vec<PathBuf> = files.flatten().flatten().map(|entry| entry.path()).collect();
    let others: Vec<&PathBuf> = files
        .iter()
        .filter(|it| **it != traces && **it != traces.join("last-run.json"))
        .collect();
    assert_eq!(others, Vec::<&PathBuf>::new());
}

#[rstest]
#[case::chromium(Engine::Chromium)]
#[case::firefox(Engine::Firefox)]
#[tokio::test]
async fn a_run_that_ends_leaves_nothing(#[case] engine: Engine) {
    let Some(_turn) = turn(engine).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let ended = harness(engine, "websocket", folder.path()).status().unwrap();
    assert!(ended.success(), "{ended}");
    nothing_is_left(folder.path());
}

#[rstest]
#[case::chromium_starting(Engine::Chromium, "chromedriver")]
#[case::chromium(Engine::Chromium, "--type=renderer")]
#[case::firefox_starting(Engine::Firefox, "geckodriver")]
#[case::firefox(Engine::Firefox, "-contentproc")]
#[tokio::test]
async fn a_run_that_is_killed_leaves_nothing(#[case] engine: Engine, #[case] seen: &str) {
    let Some(_turn) = turn(engine).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut run = harness(engine, "*", folder.path()).spawn().unwrap();
    until(folder.path(), seen, |processes| {
        processes.iter().any(|process| process.contains(seen))
    });
    run.kill().unwrap();
    run.wait().unwrap();
    nothing_is_left(folder.path());
}

#[tokio::test]
async fn a_run_that_is_interrupted_leaves_nothing() {
    let engine = Engine::Chromium;
    let Some(_turn) = turn(engine).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = harness(engine, "*", folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(folder.path(), "a page", |processes| {
        processes.iter().any(|process| process.contains("--type=renderer"))
    });
    // As a terminal does when a person presses Ctrl-C, but to the harness alone.
    kill(Pid::from_raw(run.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{}: {said}", output.status);
    assert!(said.contains("interrupted"), "{said}");
    nothing_is_left(folder.path());
}

/// It fails by chance: for a person who asks for it.
#[tokio::test]
#[ignore = "WebKitGTK fails by chance"]
async fn webkit() {
    scripts_run_in_tabs(Engine::Webkit).await;
    a_run_that_ends_leaves_nothing(Engine::Webkit).await;
    a_run_that_is_killed_leaves_nothing(Engine::Webkit, "WebKitWebProcess").await;
}
