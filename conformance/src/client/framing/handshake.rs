//! The answer to a handshake: `sid:heartbeat timeout:close timeout:transports` (Handshake).

use std::time::Duration;

use super::{Fault, FramingError};

/// What a session begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The session id.
    pub sid: String,
    /// Within this time a heartbeat is due; `None` where nobody expects any.
    pub heartbeat_timeout: Option<Duration>,
    /// The session outlives its connection for this time; `None` for ever.
    pub close_timeout: Option<Duration>,
    /// The transports the server takes, in its order.
    pub transports: Vec<String>,
}

/// Reads the body of a handshake's answer.
///
/// # Errors
///
/// Not four fields; a session id or transport with characters other than letters, digits, `-` and `_`, or without any; a
/// timeout that is no whole number of seconds.
pub fn parse(body: &str) -> Result<Handshake, FramingError> {
    let fields: Vec<&str> = body.split(':').collect();
    let &[sid, heartbeat, close, transports] = fields.as_slice() else {
        return Err(FramingError::new(body.len(), Fault::Fields));
    };
    if !is_word(sid) {
        return Err(FramingError::new(0, Fault::Sid));
    }
    let at = sid.len() + 1;
    let heartbeat_timeout = timeout(heartbeat, at)?;
    let at = at + heartbeat.len() + 1;
    let close_timeout = timeout(close, at)?;
    let at = at + close.len() + 1;
    if !transports.split(',').all(is_word) {
        return Err(FramingError::new(at, Fault::Transports));
    }
    let transports = transports.split(',').map(str::to_owned).collect();
    Ok(Handshake {
        sid: sid.to_owned(),
        heartbeat_timeout,
        close_timeout,
        transports,
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn timeout(text: &str, at: usize) -> Result<Option<Duration>, FramingError> {
    if text.is_empty() {
        return Ok(None);
    }
    // At most nine digits: thirty years.
    if text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(FramingError::new(at, Fault::Timeout));
    }
    text.parse()
        .map(|seconds| Some(Duration::from_secs(seconds)))
        .map_err(|_| FramingError::new(at, Fault::Timeout))
}
