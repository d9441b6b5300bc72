//! The program: how it says that it is ready, how it fails, how it stops.

#![expect(clippy::unwrap_used, reason = "what does not hold ends the test")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sio-reference-server"));
    program.env_remove("PORT").env_remove("RUST_LOG");
    program
}

fn started(program: &mut Command) -> (Child, Value) {
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn failed(program: &mut Command) -> Output {
    program.stdin(Stdio::null()).output().unwrap()
}

/// Below the ports that systems hand out, so nobody is given it before the server takes it.
fn free_port() -> u16 {
    (20_000..32_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

#[test]
fn it_says_where_it_listens_and_stops_when_told() {
    let (mut child, ready) = started(program().args(["--contract", "--port", "0"]));
    let address = ready["listening"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    let policy = ready["flashPolicyPort"].as_u64().unwrap();
    let mut text = String::new();
    std::net::TcpStream::connect(format!("127.0.0.1:{policy}"))
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.starts_with("<?xml"));

    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn the_port_comes_from_the_environment_unless_it_is_an_argument() {
    let port = free_port();
    let (mut child, ready) = started(
        program()
            .env("PORT", port.to_string())
            .args(["--flash-policy-port", "off"]),
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        ready,
        serde_json::json!({ "listening": format!("http://127.0.0.1:{port}") })
    );

    let mut program = program();
    let (mut child, ready) = started(
        program
            .env("PORT", "1")
            .args(["--port", "0", "--flash-policy-port", "0"]),
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(ready["listening"], "http://127.0.0.1:1");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = failed(program().args(["--contract", "--port", &address.port().to_string()]));
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.starts_with(&format!("sio-reference-server: cannot listen on {address}: ")),
        "{said}"
    );
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    for arguments in [
        ["--port", "x"],
        ["--close-timeout", "-1"],
        ["--flash-policy-port", "on"],
        ["--nonsense", "1"],
    ] {
        let output = failed(program().args(arguments));
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(2), &b""[..]),
            "{arguments:?}"
        );
    }
}
