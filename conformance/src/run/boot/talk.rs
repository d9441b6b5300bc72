//! A command that is talked with, a line at a time, over its standard input and output. It is below the guard, as servers are.

use std::ffi::OsString;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, timeout_at};

use super::command::{self, Process};
use super::{Boot, BootError};

/// Bytes of one line that a command may say.
const LINE_BYTES: usize = 1024 * 1024;
/// How many lines after the last question are looked at.
const LAST_LINES: usize = 10;

/// A conversation. Dropping it ends the command, without waiting for its end.
pub struct Talk {
    process: Process,
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    /// What was read behind the last line.
    rest: Vec<u8>,
}

/// Why there is no line.
#[derive(Debug, Error)]
pub enum TalkError {
    /// Nothing, or no whole line, in time.
    #[error("no answer within {0:.1?}")]
    Late(Duration),
    /// It ended, or closed its standard output.
    #[error("the command {}", ended(status.as_deref(), output))]
    Ended {
        /// `exit status: 3`; none where only its output is closed.
        status: Option<String>,
        /// The last lines of its standard error.
        output: Vec<String>,
    },
    /// A line without an end.
    #[error("a line of more than {LINE_BYTES} bytes")]
    Long,
}

impl Talk {
    /// Starts a command.
    ///
    /// # Errors
    ///
    /// When it cannot be run. One that ends at once is found out by the first question.
    pub async fn start(command: &[OsString], boot: &Boot) -> Result<Talk, BootError> {
        let name = command::shown(command);
        if command.is_empty() {
            return Err(BootError::Spawn {
                command: name,
                reason: "there is no command after `--`".to_owned(),
            });
        }
        let started = command::spawn_talking(command, boot).map_err(|source| BootError::Guard { source });
        let (process, socket) = started?;
        process.begun(&name).await?;
        let (from, to) = socket.into_split();
        Ok(Talk {
            process,
            from,
            to,
            rest: Vec::new(),
        })
    }

    /// Says a line; `line` has no end of its own. A command that does not read is found out by [`hear`](Talk::hear).
    pub async fn say(&mut self, line: &str, within: Duration) {
        let line = format!("{line}\n");
        let _ = timeout_at(Instant::now() + within, self.to.write_all(line.as_bytes())).await;
    }

    /// The next line, without its end.
    ///
    /// # Errors
    ///
    /// See [`TalkError`]. After one, there is nothing more to be heard.
    pub async fn hear(&mut self, within: Duration) -> Result<Vec<u8>, TalkError> {
        let deadline = Instant::now() + within;
        let mut chunk = [0; 8192];
        let mut looked_at = 0;
        loop {
            if let Some(at) = self.rest[looked_at..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.rest.drain(..=looked_at + at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            looked_at = self.rest.len();
            if looked_at > LINE_BYTES {
                return Err(TalkError::Long);
            }
            match timeout_at(deadline, self.from.read(&mut chunk)).await {
                Err(_) => return Err(TalkError::Late(within)),
                Ok(Ok(read)) if read > 0 => self.rest.extend_from_slice(&chunk[..read]),
                Ok(_) => {
                    let (status, output) = self.process.end().await;
                    return Err(TalkError::Ended { status, output });
                }
            }
        }
    }

    /// Says that nothing more will be asked, and gives what the command still says, a few lines at most.
    pub async fn last_words(&mut self, within: Duration) -> Vec<Vec<u8>> {
        let deadline = Instant::now() + within;
        let _ = self.to.shutdown().await;
        let mut words = Vec::new();
        while words.len() < LAST_LINES
            && let Ok(line) = self.hear(deadline.saturating_duration_since(Instant::now())).await
        {
            words.push(line);
        }
        words
    }

    /// Ends the command and waits for its end.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// In one line, and below it what was printed.
fn ended(status: Option<&str>, output: &[String]) -> String {
    let how = match status {
        Some(status) => format!("ended ({status})"),
        None => "closed its standard output".to_owned(),
    };
    if output.is_empty() {
        return how + ", and printed no error";
    }
    output.iter().fold(how, |text, line| text + "\n    | " + line)
}
