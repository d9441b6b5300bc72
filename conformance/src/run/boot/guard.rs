//! The process between the harness and the server it started:
//! `sio-conformance __guard [--remove DIR] [--talk] -- COMMAND…`.
//!
//! However the harness ends, SIGKILL included, the kernel closes its end of the control socket. The guard sees that and
//! ends the server's process group, and whatever has left the group: it adopts every process below it that loses its
//! parent. The socket is the guard's standard input; what the guard tells the harness goes
//! back over it, one `Message` a line. Standard output and error belong to the server alone. With `--talk`, standard output
//! is a socket too: what comes from it is the server's standard input, what the server prints goes there.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::exit::Exit;

/// The hidden subcommand.
pub const COMMAND: &str = "__guard";

/// The option before a folder that is removed at the end.
pub(super) const REMOVE: &str = "--remove";

/// The option for a command that is talked with over its standard input and output.
pub(super) const TALK: &str = "--talk";

/// How long the last words of a command that has ended may take to be passed on.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How often what is left is killed, and how long that may take to happen.
const ROUNDS: usize = 100;
const ROUND: Duration = Duration::from_millis(20);

/// What the server gets between SIGTERM and SIGKILL.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// Runs the guard; `args` are what follows [`COMMAND`]. Call it outside of any tokio runtime.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter().peekable();
    let remove = args
        .next_if(|arg| arg == REMOVE)
        .and_then(|_| args.next())
        .map(PathBuf::from);
    let talks = args.next_if(|arg| arg == TALK).is_some();
    let command: Vec<OsString> = args.skip_while(|arg| arg == "--").collect();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fault(&error),
    };
    let watched = runtime.block_on(watch(&command, talks));
    if let Some(folder) = remove {
        let _ = std::fs::remove_dir_all(folder);
    }
    match watched {
        Ok(()) => Exit::AsExpected.into(),
        Err(error) => fault(&error),
    }
}

fn fault(error: &io::Error) -> ExitCode {
    eprintln!("sio-conformance {COMMAND}: {error}");
    Exit::Fault.into()
}

/// Starts the server and returns when it and its process group are gone.
async fn watch(command: &[OsString], talks: bool) -> io::Result<()> {
    let mut control = control_socket()?;
    let Some((program, args)) = command.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command"));
    };
    // Before the server exists: a signal in between must not leave it behind.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;

    // What leaves the group and loses its parent becomes our child.
    let _ = set_child_subreaper(true);
    let mut command = Command::new(program);
    command.args(args).process_group(0);
    if talks {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
    } else {
        command.stdin(Stdio::null());
    }
    let mut server = match command.spawn() {
        Ok(server) => server,
        Err(error) => return tell(&mut control, &Message::Failed(error.to_string())).await,
    };
    let pid = server.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
    let words = if talks { pass_on(&mut server)? } else { None };
    // A harness that is gone is noticed below, by the end of the socket.
    let _ = tell(&mut control, &Message::Spawned(pid)).await;

    let ended = tokio::select! {
        ended = server.wait() => Some(ended?),
        () = closed(&mut control) => None,
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        _ = hangup.recv() => None,
    };
    let ended = match ended {
        Some(status) => status,
        None => {
            signal_group(pid, Signal::SIGTERM);
            match timeout(GRACE, server.wait()).await {
                Ok(status) => status?,
                Err(_) => {
                    signal_group(pid, Signal::SIGKILL);
                    server.wait().await?
                }
            }
        }
    };
    // The group ends with its leader: what the server started and left running goes too.
    signal_group(pid, Signal::SIGKILL);
    kill_descendants().await;
    if let Some(words) = words {
        let _ = timeout(LAST_WORDS, words).await;
    }
    let _ = tell(&mut control, &Message::Ended(ended)).await;
    Ok(())
}

/// Passes on what the harness says to the command and what the command says to the harness; the task ends when the command
/// has said all. Pipes and not the socket itself, for programs open `/dev/stdin`.
fn pass_on(server: &mut Child) -> io::Result<Option<JoinHandle<()>>> {
    let (Some(mut stdin), Some(mut stdout)) = (server.stdin.take(), server.stdout.take()) else {
        return Ok(None);
    };
    let (mut from, mut to) = socket(io::stdout().as_fd())?.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from, &mut stdin).await;
    });
    Ok(Some(tokio::spawn(async move {
        let _ = tokio::io::copy(&mut stdout, &mut to).await;
        let _ = to.shutdown().await;
    })))
}

/// One line from the guard to the harness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The server runs, in a process group of this id.
    Spawned(i32),
    /// The command cannot be run, and why.
    Failed(String),
    /// The server ended.
    Ended(ExitStatus),
}

impl Message {
    pub(super) fn parse(line: &str) -> Option<Message> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "spawned" => rest.parse().ok().map(Message::Spawned),
            "failed" => Some(Message::Failed(rest.to_owned())),
            "ended" => rest.parse().ok().map(|raw| Message::Ended(ExitStatus::from_raw(raw))),
            _ => None,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Spawned(pid) => write!(f, "spawned {pid}"),
            Message::Failed(reason) => write!(f, "failed {}", reason.replace('\n', " ")),
            Message::Ended(status) => write!(f, "ended {}", status.into_raw()),
        }
    }
}

async fn tell(control: &mut UnixStream, message: &Message) -> io::Result<()> {
    control.write_all(format!("{message}\n").as_bytes()).await
}

/// Signals every process of the group; a group that is gone already is what we want.
pub(super) fn signal_group(pid: i32, signal: Signal) {
    // 0 and 1 would mean the caller's own group and every process there is.
    if pid > 1 {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

/// Kills what is left below this process. Each round brings those whose parents the last one ended.
async fn kill_descendants() {
    let mut calm = 0;
    for _ in 0..ROUNDS {
        let children = descendants();
        // One look may miss a process whose parent ends while we look; by the next, it is a child of ours.
        calm = if children.is_empty() { calm + 1 } else { 0 };
        if calm == 2 {
            return;
        }
        for child in children {
            let _ = kill(child, Signal::SIGKILL);
        }
        // Those that became our children have to be waited for.
        let nobody = Some(WaitPidFlag::WNOHANG);
        while matches!(waitpid(None::<Pid>, nobody), Ok(status) if status != WaitStatus::StillAlive) {}
        tokio::time::sleep(ROUND).await;
    }
}

/// Every process below this one that has not ended.
fn descendants() -> Vec<Pid> {
    let processes: Vec<(i32, i32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name in parentheses may hold anything; behind it stand the state and the parent.
            let mut fields = status.rsplit_once(')')?.1.split_whitespace();
            let alive = fields.next() != Some("Z");
            let parent = fields.next()?.parse().ok()?;
            alive.then_some((pid, parent))
        })
        .collect();
    let mut found = vec![Pid::this().as_raw()];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let children = processes.iter().filter(|(pid, of)| *of == parent && *pid != parent);
        found.extend(children.map(|(pid, _)| *pid));
        at += 1;
    }
    found.into_iter().skip(1).map(Pid::from_raw).collect()
}

/// Standard input, as the socket it is.
fn control_socket() -> io::Result<UnixStream> {
    socket(io::stdin().as_fd())
}

fn socket(descriptor: BorrowedFd<'_>) -> io::Result<UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(descriptor.try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

/// Returns when the harness is gone or asks for the end.
async fn closed(control: &mut UnixStream) {
    let mut bytes = [0; 64];
    while matches!(control.read(&mut bytes).await, Ok(n) if n > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        for message in [
            Message::Spawned(4711),
            Message::Failed("No such file or directory (os error 2)".into()),
            Message::Ended(ExitStatus::from_raw(3 << 8)),
            Message::Ended(ExitStatus::from_raw(9)),
        ] {
            assert_eq!(Message::parse(&message.to_string()), Some(message));
        }
        assert_eq!(Message::parse("listening somewhere"), None);
    }

    #[test]
    fn what_has_left_the_group_is_below_us_for_as_long_as_it_lives() {
        let script = "setsid sh -c 'echo $$; exec sleep 1000' & wait";
        let mut child = std::process::Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.as_mut().unwrap();
        io::BufRead::read_line(&mut io::BufReader::new(output), &mut line).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let grandchild = Pid::from_raw(line.trim().parse().unwrap());
        assert_eq!(nix::unistd::getsid(Some(grandchild)), Ok(grandchild));
        let found = descendants();
        assert!(found.contains(&pid) && found.contains(&grandchild), "{found:?}");

        kill(grandchild, Signal::SIGKILL).unwrap();
        // The shell ends with it. Nobody has waited for the shell yet.
        let ended = nix::sys::wait::Id::Pid(pid);
        nix::sys::wait::waitid(ended, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
        let found = descendants();
        assert!(!found.contains(&pid) && !found.contains(&grandchild), "{found:?}");
        child.wait().unwrap();
    }
}
