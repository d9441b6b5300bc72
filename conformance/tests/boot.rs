//! Targets are reached, started, watched and ended; a killed harness leaves no server behind.
//!
//! What a server still runs is seen by a FIFO that it and everything it starts hold open: its end is read when the last
//! of them is gone, zombies not counted.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::ffi::OsString;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use conformance::run::boot::{BaseUrl, Boot, BootError, Death, Launch, Running, Target};
use nix::sys::stat::Mode;

/// Far above anything that should happen, so that a slow machine does not matter.
const LONG: Duration = Duration::from_secs(60);

fn boot() -> Boot {
    Boot {
        guard: Some(PathBuf::from(env!("CARGO_BIN_EXE_sio-conformance"))),
        ready_within: LONG,
        ..Boot::new(1.0)
    }
}

fn shell(script: &str) -> Target {
    Target::Command(["sh", "-c", script].map(OsString::from).to_vec().into())
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

/// The reading end of a FIFO.
struct Fifo {
    path: PathBuf,
    chunks: mpsc::Receiver<Option<String>>,
}

impl Fifo {
    fn new(dir: &Path) -> Fifo {
        let path = dir.join("alive");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        let (send, chunks) = mpsc::channel();
        let opened = path.clone();
        std::thread::spawn(move || {
            let mut file = std::fs::File::open(opened).unwrap();
            let mut bytes = [0; 1024];
            while let Ok(n) = file.read(&mut bytes) {
                let text = (n > 0).then(|| String::from_utf8_lossy(&bytes[..n]).into_owned());
                if send.send(text).is_err() || n == 0 {
                    break;
                }
            }
        });
        Fifo { path, chunks }
    }

    fn starts(&self) {
        assert_eq!(self.chunks.recv_timeout(LONG).unwrap().as_deref(), Some("up\n"));
    }

    fn ends(&self) {
        assert_eq!(self.chunks.recv_timeout(LONG).unwrap(), None);
    }

    /// A server that listens where `listener` does, holds the FIFO open, and has a child that does so too.
    fn server(&self, listener: &TcpListener, before: &str) -> Target {
        let (path, port) = (self.path.display(), port_of(listener));
        shell(&format!(
            "{before} exec 9>{path}; echo up >&9; echo '{{\"listening\":\"http://127.0.0.1:{port}\"}}'; sleep 1000 & wait"
        ))
    }
}

/// Returns when the target is gone.
async fn gone(running: &Running) -> Death {
    loop {
        match running.alive().await {
            Ok(()) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(death) => return death,
        }
    }
}

#[tokio::test]
async fn a_url_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = BaseUrl::parse(&format!("http://127.0.0.1:{}", port_of(&listener)))
        .unwrap()
        .with_policy_port(Some(843));
    let running = boot().start(&Target::Url(url)).await.unwrap();
    assert_eq!(
        (running.address().port, running.address().policy_port),
        (port_of(&listener), Some(843))
    );
    running.alive().await.unwrap();
    drop(listener);
    assert!(matches!(running.alive().await, Err(Death::Unreachable { .. })));
    running.stop().await;
}

#[tokio::test]
async fn nobody_listens() {
    // Bound, so that nobody else gets the port, and not listening.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port();
    let url = BaseUrl::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = boot().start(&Target::Url(url)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("nobody listens at http://127.0.0.1:{port}: start your server first, or give its command after `--`")
    );
}

#[tokio::test]
async fn the_embedded_server_starts() {
    let running = boot().start(&Target::Embedded).await.unwrap();
    assert_ne!(running.address().port, 0);
    running.alive().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_line_says_where_a_command_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port_of(&listener);
    let script = format!(
        "echo welcome; echo '{{\"listening\":\"http://0.0.0.0:{port}\",\"flashPolicyPort\":4711,\"pid\":1}}'; exec sleep 1000"
    );
    let running = boot().start(&shell(&script)).await.unwrap();
    let address = running.address();
    assert_eq!(
        (address.host.as_str(), address.port, address.policy_port),
        ("127.0.0.1", port, Some(4711))
    );
    running.stop().await;
}

#[tokio::test]
async fn a_port_that_accepts_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    // Written whole, or not at all.
    let path = file.display();
    let target = shell(&format!(
        "echo $PORT >{path}.new; mv {path}.new {path}; exec sleep 1000"
    ));
    let (send, bound) = mpsc::channel();
    std::thread::spawn(move || {
        let port: u16 = loop {
            match std::fs::read_to_string(&file) {
                Ok(text) => break text.trim().parse().unwrap(),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        send.send(TcpListener::bind(("127.0.0.1", port)).unwrap()).unwrap();
    });
    let running = boot().start(&target).await.unwrap();
    let listener = bound.recv_timeout(LONG).unwrap();
    assert_eq!(
        (running.address().port, running.address().policy_port),
        (port_of(&listener), None)
    );
    running.stop().await;
}

#[tokio::test]
async fn a_command_that_ends_at_once_shows_its_last_lines() {
    let error = boot()
        .start(&shell("echo starting; echo boom >&2; exit 3"))
        .await
        .err()
        .unwrap();
    let BootError::Exited { status, mut output, .. } = error else {
        panic!("{error}")
    };
    output.sort();
    assert_eq!(
        (status.as_str(), output.join("|").as_str()),
        ("exit status: 3", "boom|starting")
    );
}

#[tokio::test]
async fn a_command_that_is_none() {
    let missing = Target::Command(vec!["./no-such-server".into()].into());
    let error = boot().start(&missing).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot run `./no-such-server`: No such file or directory (os error 2)"
    );
    let error = boot().start(&Target::Command(Launch::default())).await.err().unwrap();
    assert!(matches!(error, BootError::Spawn { .. }), "{error}");
}

#[tokio::test]
async fn a_command_that_is_never_ready_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = Fifo::new(dir.path());
    let script = format!("exec 9>{}; echo up >&9; echo hm; exec sleep 1000", fifo.path.display());
    let boot = Boot {
        ready_within: Duration::from_secs(1),
        ..boot()
    };
    let error = boot.start(&shell(&script)).await.err().unwrap();
    assert!(
        matches!(&error, BootError::NotReady { output, .. } if output == &["hm"]),
        "{error}"
    );
    fifo.starts();
    fifo.ends();
}

#[tokio::test]
async fn an_announced_url_that_is_none() {
    let script = r#"echo '{"listening":"https://127.0.0.1:1"}'; exec sleep 1000"#;
    let error = boot().start(&shell(script)).await.err().unwrap();
    assert!(matches!(error, BootError::Announced { .. }), "{error}");
}

#[tokio::test]
async fn a_death_during_the_run_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    nix::unistd::mkfifo(&go, Mode::S_IRWXU).unwrap();
    let script = format!(
        "echo '{{\"listening\":\"http://127.0.0.1:{}\"}}'; read line <{}; echo out of memory >&2; kill -9 $$",
        port_of(&listener),
        go.display()
    );
    let running = boot().start(&shell(&script)).await.unwrap();
    running.alive().await.unwrap();
    tokio::task::spawn_blocking(move || std::fs::write(go, "now\n").unwrap())
        .await
        .unwrap();
    let death = tokio::time::timeout(LONG, gone(&running)).await.unwrap();
    assert!(
        matches!(&death, Death::Ended { status, .. } if status == "signal: 9 (SIGKILL)"),
        "{death}"
    );
}

#[tokio::test]
async fn stop_ends_the_whole_group_even_against_its_will() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for before in ["", "trap '' TERM;"] {
        let dir = tempfile::tempdir().unwrap();
        let fifo = Fifo::new(dir.path());
        let running = boot().start(&fifo.server(&listener, before)).await.unwrap();
        fifo.starts();
        running.stop().await;
        fifo.ends();
    }
}

#[tokio::test]
async fn stop_ends_what_has_left_the_group() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let fifo = Fifo::new(dir.path());
    let left = dir.path().join("left");
    nix::unistd::mkfifo(&left, Mode::S_IRWXU).unwrap();
    // A group of its own, before the server says that it listens, and a parent that has ended.
    let (path, left) = (fifo.path.display(), left.display());
    let before = format!("exec 9>{path}; (setsid sh -c 'echo >{left}; exec sleep 1000' &); read line <{left};");
    let running = boot().start(&fifo.server(&listener, &before)).await.unwrap();
    fifo.starts();
    running.stop().await;
    fifo.ends();
}

#[tokio::test]
async fn a_dropped_target_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let fifo = Fifo::new(dir.path());
    drop(boot().start(&fifo.server(&listener, "")).await.unwrap());
    fifo.starts();
    fifo.ends();
}

#[tokio::test]
async fn a_killed_guard_leaves_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let fifo = Fifo::new(dir.path());
    let go = dir.path().join("go");
    nix::unistd::mkfifo(&go, Mode::S_IRWXU).unwrap();
    // The parent of the server is its guard.
    let before = format!("(read line <{}; kill -9 $PPID) &", go.display());
    let running = boot().start(&fifo.server(&listener, &before)).await.unwrap();
    fifo.starts();
    tokio::task::spawn_blocking(move || std::fs::write(go, "now\n").unwrap())
        .await
        .unwrap();
    tokio::task::spawn_blocking(move || fifo.ends()).await.unwrap();
    let death = tokio::time::timeout(LONG, gone(&running)).await.unwrap();
    assert!(death.to_string().contains("its guard is gone"), "{death}");
}

#[test]
fn a_killed_harness_leaves_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let fifo = Fifo::new(dir.path());
    // It says that it listens, where nobody answers: the run goes on for as long as its cases wait.
    let Target::Command(Launch { words, .. }) = fifo.server(&listener, "trap '' TERM;") else {
        unreachable!()
    };
    let mut harness = Command::new(env!("CARGO_BIN_EXE_sio-conformance"))
        .args(["run", "--"])
        .args(&words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    fifo.starts();
    harness.kill().unwrap();
    harness.wait().unwrap();
    fifo.ends();
}
