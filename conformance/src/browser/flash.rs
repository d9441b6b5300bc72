//! Flash for pages: the official clients of revision 1 have flashsocket in a browser of today, with Ruffle in the place of
//! the plugin.
//!
//! Ruffle cannot open TCP connections. It opens a WebSocket to a bridge, and the bridge passes the bytes on to the page's
//! proxy, which sees them as a Flash client would send them.

use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::record::LocalFile;

/// Where pages find Ruffle.
pub const FOLDER: &str = "/__conformance__/ruffle/";

/// Where the clients look for their Flash movie.
const MOVIES: [&str; 2] = ["WebSocketMain.swf", "WebSocketMainInsecure.swf"];

/// Connections of a page at a time.
const CONNECTIONS: usize = 64;

/// Ruffle and the movies, as the page's proxy serves them.
#[derive(Clone, Debug, Default)]
pub struct Flash {
    files: Vec<(String, &'static str, Bytes)>,
}

impl Flash {
    /// Reads Ruffle from a folder in which npm has installed it, and the movies from that of the clients.
    ///
    /// # Errors
    ///
    /// Something is not there: one line with the command that installs it.
    pub fn read(folder: &Path, clients: &Path) -> Result<Flash, String> {
        let ruffle = folder.join("node_modules/@ruffle-rs/ruffle");
        let missing = |error: io::Error| {
            format!(
                "no Ruffle ({error}): npm install --prefix {} --ignore-scripts @ruffle-rs/ruffle@0.6.0",
                folder.display()
            )
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&ruffle).map_err(missing)? {
            let entry = entry.map_err(missing)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = match name.rsplit_once('.') {
                Some((_, "js")) => "text/javascript; charset=utf-8",
                Some((_, "wasm")) => "application/wasm",
                _ => continue,
            };
            let body = std::fs::read(entry.path()).map_err(missing)?;
            files.push((format!("{FOLDER}{name}"), kind, body.into()));
        }
        for name in MOVIES {
            let path = clients.join("node_modules/socket.io-client-0.9.17/dist").join(name);
            let body = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let place = format!("/socket.io/static/flashsocket/{name}");
            files.push((place, "application/x-shockwave-flash", body.into()));
        }
        Ok(Flash { files })
    }

    /// What the page's proxy answers by itself.
    pub(super) fn files(&self) -> impl Iterator<Item = LocalFile> {
        self.files.iter().map(|(path, content_type, body)| LocalFile {
            path: path.clone(),
            content_type,
            body: body.clone(),
        })
    }
}

/// WebSockets in, TCP connections to one port of 127.0.0.1 out. Dropping it ends it.
pub(super) struct Bridge {
    port: u16,
    task: JoinHandle<()>,
}

impl Bridge {
    pub(super) async fn start(target: u16) -> io::Result<Bridge> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                if open.len() < CONNECTIONS {
                    open.spawn(pass(stream, target));
                }
            }
        });
        Ok(Bridge { port, task })
    }

    pub(super) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until either side ends.
async fn pass(stream: TcpStream, target: u16) {
    let Ok(page) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else {
        return;
    };
    let (mut to_page, mut from_page) = page.split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        while let Some(Ok(message)) = from_page.next().await {
            let bytes = match message {
                Message::Binary(bytes) => bytes,
                Message::Text(text) => text.into(),
                Message::Close(_) => break,
                _ => continue,
            };
            if to_server.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if to_page.send(Message::binary(buffer[..read].to_vec())).await.is_err() {
                break;
            }
        }
        let _ = to_page.close().await;
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}
