//! A server that we start: a command below a [`guard`], ready or not.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::guard::{self, Message};
use super::output::Output;
use super::{Address, BaseUrl, Boot, BootError, Death, LINES_SHOWN, Launch, reach, scaled};

/// Between two attempts to connect to a server that is starting.
const PROBE_EVERY: Duration = Duration::from_millis(50);
/// After the port accepts: how long a line that may name the flash policy port is waited for.
const LINE_WITHIN: Duration = Duration::from_millis(500);
/// After the server ended: how long its last lines may take to arrive.
const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// A server below its guard. Dropping it closes the guard's socket, which is what ends the server.
pub(super) struct Process {
    guard: Child,
    state: watch::Receiver<State>,
    /// The guard takes its end for the order to stop.
    control: OwnedWriteHalf,
    output: Output,
    drains: Vec<JoinHandle<()>>,
}

/// The server, as its guard reports it.
#[derive(Clone, Debug)]
enum State {
    Starting,
    Spawned(i32),
    Failed(String),
    Ended(ExitStatus),
    /// The guard went away without a word.
    Lost,
}

/// The readiness line. Other members are a server's own business.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    listening: String,
    flash_policy_port: Option<u16>,
}

/// How long a guard may take to end all that is below it, and to remove the folder. Killed before, it leaves whatever has left
/// the server's group, and the folder; so this is far above what a busy machine needs.
const GUARD_WITHIN: Duration = Duration::from_secs(60);

/// Starts the command and waits until it is ready.
pub(super) async fn start(launch: &Launch, boot: &Boot) -> Result<(Address, Process), BootError> {
    let name = shown(&launch.words);
    if launch.words.is_empty() {
        return Err(BootError::Spawn {
            command: name,
            reason: "there is no command after `--`".to_owned(),
        });
    }
    let port = free_port().map_err(|source| BootError::Guard { source })?;
    let (announce, announced) = watch::channel(None);
    let process = spawn(launch, boot, port, announce).map_err(|source| BootError::Guard { source })?;
    match ready(&process, announced, port, boot).await {
        Ok(address) => Ok((address, process)),
        Err(NotYet::Late(waited)) => {
            let output = process.output.last(LINES_SHOWN);
            process.stop().await;
            Err(BootError::NotReady {
                command: name,
                waited,
                port,
                output,
            })
        }
        Err(NotYet::Wrong { announced, source }) => {
            process.stop().await;
            Err(BootError::Announced {
                command: name,
                announced,
                source,
            })
        }
        Err(NotYet::Ended(State::Failed(reason))) => Err(BootError::Spawn { command: name, reason }),
        Err(NotYet::Ended(State::Ended(status))) => {
            let output = process.drained().await;
            Err(BootError::Exited {
                command: name,
                status: status.to_string(),
                output,
            })
        }
        Err(NotYet::Ended(_)) => {
            let output = process.drained().await.join("; ");
            Err(BootError::Guard {
                source: io::Error::other(format!("it ended at once: {output}")),
            })
        }
    }
}

/// The command as a person would type it.
pub(super) fn shown(command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

impl Process {
    /// Starts the guard; its standard output is set up.
    fn start(mut guard: Command) -> io::Result<Process> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (told, control) = UnixStream::from_std(ours)?.into_split();
        let mut guard = guard
            .stdin(OwnedFd::from(theirs))
            .stderr(Stdio::piped())
            // Ctrl-C at a terminal reaches the harness alone; the guard learns of it by the socket.
            .process_group(0)
            .spawn()?;
        let output = Output::default();
        let stderr = guard.stderr.take();
        let stderr = stderr.ok_or_else(|| io::Error::other("no pipe to the server"))?;
        let drain = output
            .clone()
            .drain(stderr, |line| tracing::debug!(target: "server", "{line}"));
        let (report, state) = watch::channel(State::Starting);
        tokio::spawn(listen(told, report));
        Ok(Process {
            guard,
            state,
            control,
            output,
            drains: vec![tokio::spawn(drain)],
        })
    }

    /// Waits until the guard has started the command, or could not.
    pub(super) async fn begun(&self, command: &str) -> Result<(), BootError> {
        let mut state = self.state.clone();
        let begun = timeout(GUARD_WITHIN, state.wait_for(|state| !matches!(state, State::Starting)));
        match begun.await {
            Ok(Ok(state)) => match &*state {
                State::Failed(reason) => Err(BootError::Spawn {
                    command: command.to_owned(),
                    reason: reason.clone(),
                }),
                State::Lost => Err(BootError::Guard {
                    source: io::Error::other("it ended at once"),
                }),
                State::Starting | State::Spawned(_) | State::Ended(_) => Ok(()),
            },
            _ => Err(BootError::Guard {
                source: io::Error::other("it says nothing"),
            }),
        }
    }

    /// How the command ended, if it does so soon, and the last lines it printed.
    pub(super) async fn end(&mut self) -> (Option<String>, Vec<String>) {
        let deadline = Instant::now() + DRAIN_WITHIN;
        let ended = self
            .state
            .wait_for(|state| matches!(state, State::Ended(_) | State::Lost));
        let status = match timeout_at(deadline, ended).await {
            Ok(Ok(state)) => match &*state {
                State::Ended(status) => Some(status.to_string()),
                _ => None,
            },
            _ => None,
        };
        for drain in std::mem::take(&mut self.drains) {
            let _ = timeout_at(deadline, drain).await;
        }
        (status, self.output.last(LINES_SHOWN))
    }

    pub(super) fn alive(&self) -> Result<(), Death> {
        let status = match &*self.state.borrow() {
            State::Starting | State::Spawned(_) => return Ok(()),
            State::Ended(status) => status.to_string(),
            State::Failed(reason) => reason.clone(),
            State::Lost => "its guard is gone".to_owned(),
        };
        Err(Death::Ended {
            status,
            output: self.output.last(LINES_SHOWN),
        })
    }

    pub(super) async fn stop(self) {
        let Process {
            mut guard,
            state,
            control,
            ..
        } = self;
        drop(control);
        if timeout(guard::GRACE + GUARD_WITHIN, guard.wait()).await.is_err() {
            tracing::warn!("the guard of the server does not end: killing both");
            if let State::Spawned(pid) = *state.borrow() {
                guard::signal_group(pid, Signal::SIGKILL);
            }
            let _ = guard.start_kill();
        }
    }

    /// The last lines of a server that ended, all of them read.
    async fn drained(self) -> Vec<String> {
        let deadline = Instant::now() + DRAIN_WITHIN;
        for drain in self.drains {
            let _ = timeout_at(deadline, drain).await;
        }
        self.output.last(LINES_SHOWN)
    }
}

fn spawn(
    launch: &Launch,
    boot: &Boot,
    port: u16,
    announce: watch::Sender<Option<Announcement>>,
) -> io::Result<Process> {
    let mut guard = guard_of(&launch.words, boot, &[])?;
    if let Some(folder) = &launch.folder {
        guard.current_dir(folder);
    }
    guard
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .env("PORT", port.to_string())
        .env("HOST", Ipv4Addr::LOCALHOST.to_string())
        .stdout(Stdio::piped());
    let mut process = Process::start(guard)?;
    let stdout = process.guard.stdout.take();
    let stdout = stdout.ok_or_else(|| io::Error::other("no pipe to the server"))?;
    process
        .drains
        .push(tokio::spawn(process.output.clone().drain(stdout, move |line| {
            tracing::debug!(target: "server", "{line}");
            if let Ok(announcement) = serde_json::from_str::<Announcement>(line) {
                announce.send_replace(Some(announcement));
            }
        })));
    Ok(process)
}

/// Starts a command that is talked with, over this socket.
pub(super) fn spawn_talking(command: &[OsString], boot: &Boot) -> io::Result<(Process, UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut guard = guard_of(command, boot, &[guard::TALK.as_ref()])?;
    guard.stdout(OwnedFd::from(theirs));
    Ok((Process::start(guard)?, UnixStream::from_std(ours)?))
}

/// The guard's own command line.
fn guard_of(command: &[OsString], boot: &Boot, options: &[&OsStr]) -> io::Result<Command> {
    let program = match &boot.guard {
        Some(path) => path.clone(),
        None => std::env::current_exe()?,
    };
    let remove = boot
        .remove
        .iter()
        .flat_map(|folder| [guard::REMOVE.as_ref(), folder.as_os_str()]);
    let mut guard = Command::new(program);
    guard
        .arg(guard::COMMAND)
        .args(remove)
        .args(options)
        .arg("--")
        .args(command);
    Ok(guard)
}

/// Keeps the state up to date until the guard hangs up. A guard that was killed leaves the server to us.
async fn listen(told: OwnedReadHalf, report: watch::Sender<State>) {
    let mut lines = BufReader::new(told.take(64 * 1024)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match Message::parse(&line) {
            Some(Message::Spawned(pid)) => report.send_replace(State::Spawned(pid)),
            Some(Message::Failed(reason)) => report.send_replace(State::Failed(reason)),
            Some(Message::Ended(status)) => report.send_replace(State::Ended(status)),
            None => continue,
        };
    }
    let last = report.borrow().clone();
    if let State::Spawned(pid) = last {
        guard::signal_group(pid, Signal::SIGKILL);
    }
    if matches!(last, State::Starting | State::Spawned(_)) {
        report.send_replace(State::Lost);
    }
}

/// How a server shows that it is ready.
enum Found {
    Line(Announcement),
    Port(Address),
}

/// Why a server is not ready.
enum NotYet {
    Late(Duration),
    Ended(State),
    Wrong { announced: String, source: super::UrlError },
}

async fn ready(
    process: &Process,
    mut announced: watch::Receiver<Option<Announcement>>,
    port: u16,
    boot: &Boot,
) -> Result<Address, NotYet> {
    let within = scaled(boot.ready_within, boot.patience);
    let loopback = |host: IpAddr| Address {
        host: host.to_string(),
        port,
        policy_port: None,
    };
    let (v4, v6) = (
        loopback(Ipv4Addr::LOCALHOST.into()),
        loopback(Ipv6Addr::LOCALHOST.into()),
    );
    let mut state = process.state.clone();
    let mut begun = process.state.clone();
    let attempt = async {
        // A server may be sooner than its guard's word of it. Should the guard be killed, that word says whom to end.
        let _ = begun.wait_for(|state| !matches!(state, State::Starting)).await;
        let found = tokio::select! {
            line = announcement(&mut announced) => Found::Line(line),
            // A server that listens on `localhost` may have got either.
            () = accepts(&v4) => Found::Port(v4),
            () = accepts(&v6) => Found::Port(v6),
        };
        let Announcement {
            listening,
            flash_policy_port,
        } = match found {
            Found::Line(line) => line,
            Found::Port(address) => {
                match timeout(scaled(LINE_WITHIN, boot.patience), announcement(&mut announced)).await {
                    Ok(line) => line,
                    Err(_) => return Ok(address),
                }
            }
        };
        let url = BaseUrl::parse(&listening).map_err(|source| NotYet::Wrong {
            announced: listening.clone(),
            source,
        })?;
        let address = url.with_policy_port(flash_policy_port).address().clone();
        accepts(&address).await;
        Ok(address)
    };
    let ended = async {
        match state
            .wait_for(|state| !matches!(state, State::Starting | State::Spawned(_)))
            .await
        {
            Ok(state) => state.clone(),
            Err(_) => State::Lost,
        }
    };
    tokio::select! {
        ready = timeout(within, attempt) => ready.unwrap_or(Err(NotYet::Late(within))),
        state = ended => Err(NotYet::Ended(state)),
    }
}

/// Returns when the server has said where it listens.
async fn announcement(announced: &mut watch::Receiver<Option<Announcement>>) -> Announcement {
    if let Ok(said) = announced.wait_for(Option::is_some).await
        && let Some(announcement) = said.clone()
    {
        return announcement;
    }
    // Standard output is closed: no line will ever come.
    std::future::pending().await
}

/// Returns when a connection was accepted. There is nothing to await before that, so it asks again and again.
async fn accepts(address: &Address) {
    while reach(address, Duration::from_secs(1)).await.is_err() {
        sleep(PROBE_EVERY).await;
    }
}

/// A port nobody has, below the range that the system takes the ports of outgoing connections from: one of that range
/// may be another process's before the command listens, and a stranger would be judged.
fn free_port() -> io::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    const TRIES: u16 = 64;
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let first = u16::from_be_bytes(random) % COUNT;
    let ports = (0..TRIES).map(|n| FIRST + (first + n * 97) % COUNT);
    let mut last = io::ErrorKind::AddrInUse.into();
    for port in ports {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener.local_addr()?.port()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
