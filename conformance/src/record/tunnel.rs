//! An upgraded connection: bytes both ways, and a tap on each.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::exchange::Side;
use super::frames::Tap;
use super::log::Recording;
use super::wire::Connection;

/// How long a side may still send when the other one is gone.
const GRACE: Duration = Duration::from_secs(2);

/// A WebSocket whose handshake was answered.
pub(super) struct Tunnel {
    pub(super) page: OnUpgrade,
    /// Without a server nothing ever comes.
    pub(super) server: Option<(OnUpgrade, JoinSet<()>)>,
    pub(super) recording: Arc<Recording>,
}

impl Tunnel {
    /// Returns when either side is gone.
    pub(super) async fn run(self, connection: &Connection) {
        let Ok(page) = self.page.await else { return };
        let (page_read, page_write) = tokio::io::split(TokioIo::new(page));
        let recording = &self.recording;
        let mut from_page = Tap::new(recording.frame_cap());
        let mut from_server = Tap::new(recording.frame_cap());
        match self.server {
            None => {
                let _ = copy(page_read, tokio::io::sink(), |bytes| {
                    from_page.feed(bytes, |frame| recording.frame(true, frame));
                })
                .await;
            }
            Some((server, _driver)) => {
                let Ok(server) = server.await else { return };
                let (server_read, server_write) = tokio::io::split(TokioIo::new(server));
                let up = copy(page_read, server_write, |bytes| {
                    from_page.feed(bytes, |frame| recording.frame(true, frame));
                });
                let down = copy(server_read, page_write, |bytes| {
                    from_server.feed(bytes, |frame| recording.frame(false, frame));
                });
                both(up, down, connection, recording).await;
            }
        }
        for (from_page, tap) in [(true, from_page), (false, from_server)] {
            if let Some(rest) = tap.rest() {
                recording.frame(from_page, rest);
            }
        }
    }
}

/// Both directions, until one ends, and what is still under way in the other. An error on one side is a reset on both. The
/// side that ended first is written down.
pub(super) async fn both(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
    connection: &Connection,
    recording: &Recording,
) {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let (first, page_first) = tokio::select! {
        first = &mut up => (first, true),
        first = &mut down => (first, false),
    };
    recording.left(match page_first {
        true => Side::Page,
        false => Side::Server,
    });
    // Behind an error nothing is under way any more.
    let failed = first.is_err() || {
        let second = match page_first {
            true => timeout(GRACE, down).await,
            false => timeout(GRACE, up).await,
        };
        matches!(second, Ok(Err(_)))
    };
    if failed {
        connection.reset();
    }
}

/// Copies until the end of `from`, and tells `to` of it. What goes by is shown to `seen` first, so that the record is
/// never behind what a side has got.
pub(super) async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut seen: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            // The other side may be gone as well, and that is no news.
            let _ = to.shutdown().await;
            return Ok(());
        }
        seen(&buffer[..count]);
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
    }
}
