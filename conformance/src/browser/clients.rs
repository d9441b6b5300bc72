//! The clients that pages load: the official ones of every generation, from a folder into which npm has installed them,
//! and the one that the server itself serves.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::scenario::Generation;

/// Where clients are looked for when nothing else is said.
pub const FOLDER: &str = "ci/clients/browser";

/// A client.
#[derive(Debug, PartialEq, Eq)]
pub struct Client {
    /// As `clients:` and case ids have it: `0.9`, `served`.
    pub name: &'static str,
    /// The generation that it speaks.
    pub generation: Generation,
    /// The release of `socket.io-client`; `None` for what the server serves.
    release: Option<&'static str>,
    /// The transports that it has.
    pub transports: &'static [&'static str],
}

/// Every client. Of the official ones, flashsocket needs Flash.
pub static CLIENTS: [Client; 7] = [
    Client {
        name: "served",
        generation: Generation::Rev1,
        release: None,
        transports: Generation::Rev1.transports(),
    },
    official(
        "0.8",
        Generation::Rev1,
        "0.8.7",
        &["websocket", "htmlfile", "xhr-polling", "jsonp-polling"],
    ),
    official(
        "0.9",
        Generation::Rev1,
        "0.9.17",
        &["websocket", "flashsocket", "htmlfile", "xhr-polling", "jsonp-polling"],
    ),
    official(
        "1.7",
        Generation::Eio3,
        "1.7.4",
        &["polling", "jsonp", "websocket", "upgraded"],
    ),
    official(
        "2.5",
        Generation::Eio3,
        "2.5.0",
        &["polling", "jsonp", "websocket", "upgraded"],
    ),
    official("3.1", Generation::Eio4, "3.1.3", &["polling", "websocket", "upgraded"]),
    official(
        "4.8",
        Generation::Eio4,
        "4.8.4",
        &["polling", "websocket", "webtransport", "upgraded"],
    ),
];

const fn official(
    name: &'static str,
    generation: Generation,
    release: &'static str,
    transports: &'static [&'static str],
) -> Client {
    Client {
        name,
        generation,
        release: Some(release),
        transports,
    }
}

impl Client {
    /// The clients of a generation.
    pub fn of(generation: Generation) -> impl Iterator<Item = &'static Client> {
        CLIENTS.iter().filter(move |client| client.generation == generation)
    }

    /// Whether the transport needs Flash: that of an official client is a movie, that of the server's own is not.
    #[must_use]
    pub fn needs_flash(&self, transport: Option<&str>) -> bool {
        self.release.is_some() && transport == Some("flashsocket")
    }

    /// The path that a page loads it from.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self.release {
            Some(_) => "/__conformance__/client.js",
            None => "/socket.io/socket.io.js",
        }
    }

    /// Its script, or how to get it. `None` where the server serves it.
    ///
    /// # Errors
    ///
    /// It is not there: one line with the command that installs it.
    pub fn script(&self, folder: &Path) -> Result<Option<Bytes>, String> {
        let Some(release) = self.release else { return Ok(None) };
        let package = format!("socket.io-client-{release}");
        let path = self.place(folder, &package);
        match std::fs::read(&path) {
            Ok(script) => Ok(Some(script.into())),
            Err(_) => Err(format!(
                "no client {}: npm install --prefix {} --ignore-scripts {package}@npm:socket.io-client@{release}",
                self.name,
                folder.display()
            )),
        }
    }

    fn place(&self, folder: &Path, package: &str) -> PathBuf {
        folder.join("node_modules").join(package).join("dist/socket.io.js")
    }
}
