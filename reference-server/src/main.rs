//! `sio-reference-server`: the contract application on every generation.

use std::io::Write as _;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use reference_server::{Options, Server};
use serde_json::json;

/// The server cannot listen where it should.
const CANNOT_START: u8 = 3;

/// The minimal Socket.IO server that does every generation right.
///
/// Prints one JSON line {"listening":"http://ADDRESS:PORT","flashPolicyPort":PORT} when it is ready; with --webtransport
/// also "webtransportCertificateHash", the SHA-256 of its certificate in hexadecimal.
#[derive(Parser)]
#[command(name = "sio-reference-server", version)]
struct Arguments {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    host: Option<IpAddr>,
    /// Port to listen on, 0 for a free one [default: 3000]
    #[arg(long, env = "PORT")]
    port: Option<u16>,
    /// The short timings of the contract, and its one allowed origin
    #[arg(long)]
    contract: bool,
    /// Port of the flash policy server, 0 for a free one, or "off" [default: 10843, with --contract 0]
    #[arg(long, value_name = "PORT", value_parser = policy_port)]
    flash_policy_port: Option<PolicyPort>,
    /// How often the server beats, in seconds; 0 for never [default: 25, with --contract 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    heartbeat_interval: Option<Duration>,
    /// How long the client has to answer a beat, in seconds [default: 60, with --contract 2]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    heartbeat_timeout: Option<Duration>,
    /// How long a session outlives its connection, in seconds [default: 60, with --contract 2]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    close_timeout: Option<Duration>,
    /// How long an idle poll is held, in seconds [default: 20, with --contract 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    polling_duration: Option<Duration>,
    /// How long a handshake waits for its first connection, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    handshake_timeout: Option<Duration>,
    /// How often the server pings clients of Engine.IO 4, and those of version 3 ping it, in seconds; 0 for never
    /// [default: 25, with --contract 0.3]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    ping_interval: Option<Duration>,
    /// How long such a client has to answer a ping, or may be late with its own, in seconds [default: 20, with --contract
    /// 0.2]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    ping_timeout: Option<Duration>,
    /// How long a client of Engine.IO 4 may be in no namespace, in seconds [default: 45, with --contract 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    connect_timeout: Option<Duration>,
    /// How long an upgrade to another transport may take, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    upgrade_timeout: Option<Duration>,
    /// For how long a client of Engine.IO 4 may come back as the same socket, in seconds [default: not at all]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    recovery: Option<Duration>,
    /// Serve WebTransport as well, on the UDP port of the same number
    #[arg(long)]
    webtransport: bool,
    /// How long a request head or body may take, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    request_timeout: Option<Duration>,
    /// An origin whose pages may connect, as http://host:port; repeat for several [default: all]
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// The most bytes of a request body or a WebSocket message [default: 1000000]
    #[arg(long, value_name = "BYTES")]
    max_payload: Option<usize>,
    /// The most bytes that wait for one client [default: 16777216]
    #[arg(long, value_name = "BYTES")]
    max_backlog: Option<usize>,
    /// The most sessions at a time [default: 100000]
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,
    /// The most HTTP connections at a time [default: 100000]
    #[arg(long, value_name = "N")]
    max_connections: Option<usize>,
}

#[derive(Clone, Copy)]
struct PolicyPort(Option<u16>);

/// How many tasks run before those that the network woke get a turn. Tokio adapts this to how long a task takes, which
/// has some clients of many wait ten times as long as the others.
const TURN: u32 = 4;

fn main() -> ExitCode {
    let options = Arguments::parse().options();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match runtime() {
        Ok(runtime) => runtime.block_on(serve(options)),
        Err(error) => {
            eprintln!("sio-reference-server: cannot start: {error}");
            ExitCode::from(CANNOT_START)
        }
    }
}

/// On a single core, a scheduler for several has nothing to give: the queue of its one worker is short, and the tasks that
/// have waited longest in it are put behind others when many are woken at once. The plain one takes them in their order.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let alone = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder = if alone {
        tokio::runtime::Builder::new_current_thread()
    } else {
        let mut several = tokio::runtime::Builder::new_multi_thread();
        several.global_queue_interval(TURN);
        several
    };
    builder.enable_all().build()
}

async fn serve(options: Options) -> ExitCode {
    let server = match Server::start(options).await {
        Ok(server) => server,
        Err(error) => {
            eprintln!("sio-reference-server: cannot listen on {error}");
            return ExitCode::from(CANNOT_START);
        }
    };
    let mut ready = json!({ "listening": format!("http://{}", server.address()) });
    if let Some(policy) = server.policy_address() {
        ready["flashPolicyPort"] = json!(policy.port());
    }
    if let Some(hash) = server.certificate_hash() {
        ready["webtransportCertificateHash"] = json!(hash);
    }
    // Whoever started it may have closed the pipe; that is no reason not to serve.
    let _ = writeln!(std::io::stdout(), "{ready}");
    told_to_stop().await;
    server.shutdown().await;
    ExitCode::SUCCESS
}

impl Arguments {
    fn options(self) -> Options {
        let base = if self.contract {
            Options {
                port: Options::default().port,
                ..Options::contract()
            }
        } else {
            Options::default()
        };
        Options {
            host: self.host.unwrap_or(base.host),
            port: self.port.unwrap_or(base.port),
            policy_port: self.flash_policy_port.map_or(base.policy_port, |PolicyPort(port)| port),
            heartbeat_interval: self.heartbeat_interval.unwrap_or(base.heartbeat_interval),
            heartbeat_timeout: self.heartbeat_timeout.unwrap_or(base.heartbeat_timeout),
            close_timeout: self.close_timeout.unwrap_or(base.close_timeout),
            polling_duration: self.polling_duration.unwrap_or(base.polling_duration),
            handshake_timeout: self.handshake_timeout.unwrap_or(base.handshake_timeout),
            ping_interval: self.ping_interval.unwrap_or(base.ping_interval),
            ping_timeout: self.ping_timeout.unwrap_or(base.ping_timeout),
            connect_timeout: self.connect_timeout.unwrap_or(base.connect_timeout),
            upgrade_timeout: self.upgrade_timeout.unwrap_or(base.upgrade_timeout),
            recovery: self.recovery.or(base.recovery),
            webtransport: self.webtransport || base.webtransport,
            request_timeout: self.request_timeout.unwrap_or(base.request_timeout),
            origins: if self.origins.is_empty() {
                base.origins
            } else {
                Some(self.origins)
            },
            max_payload: self.max_payload.unwrap_or(base.max_payload),
            max_backlog: self.max_backlog.unwrap_or(base.max_backlog),
            max_sessions: self.max_sessions.unwrap_or(base.max_sessions),
            max_connections: self.max_connections.unwrap_or(base.max_connections),
        }
    }
}

fn policy_port(text: &str) -> Result<PolicyPort, String> {
    match text {
        "off" => Ok(PolicyPort(None)),
        _ => text
            .parse()
            .map(|port| PolicyPort(Some(port)))
            .map_err(|_| "not a port and not \"off\"".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| "not a number of seconds up to a day".to_owned())
}

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
