//! A server under load: started on a core of its own, watched through `/proc`, ended with this program.

use std::io::{self, Error};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a server has to say that it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Clock ticks of `/proc/PID/stat` in a second, on every Linux there is.
const TICKS: f64 = 100.0;

/// A running server. Dropping it ends it.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    pid: u32,
}

impl Server {
    /// Starts the command on the core. Each step of the way replaces its process, so that the one we know is the server's.
    pub async fn start(command: &str, core: &str) -> io::Result<Server> {
        let mut child = Command::new("taskset")
            .args(["-c", core, "setpriv", "--pdeathsig", "KILL", "--"])
            .args(command.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or_else(|| Error::other("it is gone already"))?;
        let stdout = child.stdout.take().ok_or_else(|| Error::other("no output"))?;
        let mut line = String::new();
        timeout(PATIENCE, BufReader::new(stdout).read_line(&mut line)).await??;
        let address = line.split_once("\"listening\":\"http://");
        let address = address.and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
        let address = address.ok_or_else(|| Error::other(format!("{command}: not ready: {line}")))?;
        Ok(Server { address, child, pid })
    }

    /// Seconds of CPU that it has used.
    pub fn cpu(&self) -> io::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name may hold spaces, but is in parentheses; user and system time are the fields 14 and 15.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks: f64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        Ok(ticks / TICKS)
    }

    /// Bytes of it that are in memory.
    pub fn resident(&self) -> io::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kilobytes.ok_or_else(|| Error::other("the server is gone"))? * 1024.0)
    }

    /// Ends it.
    pub async fn stop(mut self) -> io::Result<()> {
        self.child.kill().await
    }
}
