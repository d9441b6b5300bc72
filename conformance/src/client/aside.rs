//! What the runner says by itself on a connection on which a case writes a frame in pieces: it waits, for it would fall
//! between them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::core::{Client, Shared};
use super::tape::lock;

/// What waits, for each part on which there are pieces to come.
#[derive(Debug, Default)]
pub(super) struct Asides(Mutex<BTreeMap<String, Vec<Vec<u8>>>>);

impl Asides {
    /// Takes what is to be written if it has to wait; gives it back if not.
    pub(super) fn hold(&self, part: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
        match lock(&self.0).get_mut(part) {
            Some(held) => {
                held.push(bytes);
                None
            }
            None => Some(bytes),
        }
    }
}

impl Client {
    /// Writes pieces of a frame, or whole ones, below the framing of a part's connection. While more are `to_come`, answers
    /// to heartbeats and pings wait.
    ///
    /// # Errors
    ///
    /// When there is no such connection.
    pub fn piece(&self, part: &str, bytes: Vec<u8>, to_come: bool) -> Result<(), super::ClientError> {
        let asides = &self.shared().asides.0;
        if to_come {
            lock(asides).entry(part.to_owned()).or_default();
        }
        self.write(part, bytes)?;
        if !to_come {
            for held in lock(asides).remove(part).unwrap_or_default() {
                self.write(part, held)?;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// Writes what the runner says by itself, once no piece is to come on that part.
    pub(super) fn say(&self, part: &str, bytes: Vec<u8>) -> Result<(), super::ClientError> {
        match self.asides.hold(part, bytes) {
            Some(bytes) => self.write(part, bytes),
            None => Ok(()),
        }
    }
}
