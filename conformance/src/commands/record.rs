//! `record`

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::{CommandError, block_on, print_out, target};
use crate::exit::Exit;
use crate::record::scenario::{RecordError, Recorded, Request, write};
use crate::record::{Caps, Proxy};
use crate::run::boot::{self, Running, Target};
use crate::scenario::Generation;

/// Bytes of one body, and of one frame, that are kept: more than a server takes by itself.
const CAP: usize = 2 << 20;
/// How often it is looked whether nothing goes by any more.
const LOOK: Duration = Duration::from_millis(50);

/// Arguments of `record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Where clients connect to; port 0 is any that is free
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,
    /// The server, which runs already: http://127.0.0.1:3000
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    pub upstream: Option<String>,
    /// Where the case goes; standard output where nothing is said, and what else is printed goes to standard error then
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The last part of the case's id; the file's name where nothing is said
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Which sessions to write where clients of several generations came: rev1, eio3, eio4; the most where nothing is said
    #[arg(long, value_name = "GENERATION")]
    pub generation: Option<Generation>,
    /// End after so long: 10s
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub within: Option<Duration>,
    /// End when nothing but heartbeats has gone by for so long: 2s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub until_idle: Option<Duration>,
    /// Command that starts the server; PORT in its environment is the port to listen on
    #[arg(last = true, value_name = "COMMAND")]
    pub server: Vec<OsString>,
}

/// `record`
///
/// # Errors
///
/// When nothing can be recorded: see the exit codes.
pub fn record(args: &RecordArgs) -> Result<Exit, CommandError> {
    let target = target(args.upstream.as_deref(), None, &args.server)?;
    if target == Target::Embedded {
        return Err(CommandError::new(
            Exit::Usage,
            "no server to record: name one with --upstream http://127.0.0.1:3000, or give its command after `--`",
        ));
    }
    if let Some(path) = &args.output {
        writable(path)?;
    }
    let recorded = block_on(listen(args, &target))??;
    let mut said = String::new();
    for lost in &recorded.lost {
        let _ = writeln!(said, "left out: {lost}");
    }
    let what = format!(
        "{} client{}, {} steps",
        recorded.clients,
        if recorded.clients == 1 { "" } else { "s" },
        recorded.steps
    );
    match &args.output {
        Some(path) => {
            keep(path, &recorded.text)?;
            let name = path.display();
            let _ = writeln!(said, "{what}: {name}");
            let _ = writeln!(said, "replay  sio-conformance run {name}{}", target.arguments());
        }
        None => {
            print_out(&recorded.text);
            let _ = writeln!(said, "{what}");
        }
    }
    print_error(&said);
    Ok(Exit::AsExpected)
}

/// Runs the proxy until it is to end, and writes what went by.
async fn listen(args: &RecordArgs, target: &Target) -> Result<Recorded, CommandError> {
    let booted = |error: boot::BootError| CommandError::new(error.exit(), error.to_string());
    let running = boot::start(target, 1.0).await.map_err(booted)?;
    let recorded = proxied(args, &running).await;
    if let Err(death) = running.alive().await {
        print_error(&format!("note: {death}\n"));
    }
    running.stop().await;
    recorded
}

async fn proxied(args: &RecordArgs, running: &Running) -> Result<Recorded, CommandError> {
    let caps = Caps { body: CAP, frame: CAP };
    // Both are asked for before anybody can send them.
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        return Err(CommandError::new(Exit::Fault, "signals cannot be waited for"));
    };
    let proxy = Proxy::listen(running.address().clone(), args.listen, caps).await;
    let proxy = proxy.map_err(|error| {
        let message = format!(
            "cannot listen at {}: {error}; choose another address with --listen, 127.0.0.1:0 takes any free port",
            args.listen
        );
        CommandError::new(Exit::Usage, message)
    })?;
    let line = format!("{{\"listening\":\"{}\"}}\n", proxy.origin());
    match args.output {
        Some(_) => print_out(&line),
        None => print_error(&line),
    }
    let _ = std::io::stdout().flush();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = after(args.within) => {}
        () = idle(&proxy, args.until_idle) => {}
    }
    let name = match &args.name {
        Some(name) => plain(name),
        None => plain(
            &args
                .output
                .as_deref()
                .and_then(Path::file_stem)
                .map_or_else(|| "recording".to_owned(), |stem| stem.to_string_lossy().into_owned()),
        ),
    };
    let request = Request {
        name: &name,
        generation: args.generation,
        ended: proxy.elapsed(),
        unrecorded: proxy.unrecorded(),
    };
    write(&proxy.exchanges(), &request).map_err(|error| {
        let exit = match error {
            RecordError::Nothing | RecordError::NoneOf(_) => Exit::NoCase,
            RecordError::Malformed(_) => Exit::Fault,
        };
        CommandError::new(exit, error.to_string())
    })
}

async fn after(within: Option<Duration>) {
    match within {
        Some(within) => sleep(within).await,
        None => std::future::pending().await,
    }
}

async fn idle(proxy: &Proxy, quiet: Option<Duration>) {
    let Some(quiet) = quiet else {
        return std::future::pending().await;
    };
    while proxy.quiet().is_none_or(|it| it < quiet) {
        sleep(LOOK).await;
    }
}

/// A name as an id may have it.
fn plain(name: &str) -> String {
    let letters = name.chars().map(|c| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
        _ => '-',
    });
    let plain: String = letters.take(100).collect();
    match plain.trim_matches('-') {
        "" => "recording".to_owned(),
        plain => plain.to_owned(),
    }
}

/// Says now, and not when the recording is over, that the file cannot be written.
fn writable(path: &Path) -> Result<(), CommandError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let wrong = |why: &str| {
        let message = format!("cannot write {}: {why}", path.display());
        Err(CommandError::new(Exit::Usage, message))
    };
    if path.is_dir() {
        return wrong("it is a folder; name a file in it");
    }
    if !folder.is_dir() {
        return wrong(&format!("there is no folder {}", folder.display()));
    }
    Ok(())
}

/// Writes the file in one go: whoever looks sees all of it or what was there before.
pub(super) fn keep(path: &Path, text: &str) -> Result<(), CommandError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
    written.map_err(|error| {
        // It is of no use to anybody.
        let _ = std::fs::remove_file(&partial);
        CommandError::new(Exit::Usage, format!("cannot write {}: {error}", path.display()))
    })
}

/// A reader that has gone away is no error.
pub(super) fn print_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; write it like 127.0.0.1:4000"))?;
    found.into_iter().next().ok_or_else(|| "no such host".to_owned())
}

/// `10s`, `500ms`, `2m`; at most a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text {
        _ if text.ends_with("ms") => (text.strip_suffix("ms"), 0.001),
        _ if text.ends_with('s') => (text.strip_suffix('s'), 1.0),
        _ => (text.strip_suffix('m'), 60.0),
    };
    let number = number.and_then(|number| number.parse::<f64>().ok());
    let number = number.ok_or_else(|| format!("{text:?} is no time; write 10s, 500ms or 2m"))?;
    match number * unit {
        seconds if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("must be at most a day".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("10s", Ok(Duration::from_secs(10)))]
    #[case("1.5s", Ok(Duration::from_millis(1500)))]
    #[case("500ms", Ok(Duration::from_millis(500)))]
    #[case("2m", Ok(Duration::from_secs(120)))]
    #[case("10", Err("\"10\" is no time; write 10s, 500ms or 2m".to_owned()))]
    #[case("-1s", Err("must be at most a day".to_owned()))]
    fn times(#[case] text: &str, #[case] expected: Result<Duration, String>) {
        assert_eq!(duration(text), expected);
    }

    #[rstest]
    #[case("trace", "trace")]
    #[case("My Trace_2", "my-trace-2")]
    #[case("…", "recording")]
    fn names(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(plain(name), expected);
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wire");
        keep(&path, "one").unwrap();
        keep(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let error = keep(&dir.path().join("no/a.wire"), "three").unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(writable(dir.path()).unwrap_err().exit, Exit::Usage);
        assert_eq!(writable(&dir.path().join("no/a.wire")).unwrap_err().exit, Exit::Usage);
    }
}
