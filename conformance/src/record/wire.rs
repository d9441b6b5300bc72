//! The TCP connections of a proxy: what is open, what it carries, and how it ends with a reset instead of a goodbye.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// A TCP stream that can be given bytes back, and that is reset when it is dropped after [`Wire::reset`].
pub(super) struct Wire {
    stream: TcpStream,
    unread: Bytes,
    reset: Arc<AtomicBool>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, reset: &Arc<AtomicBool>) -> Wire {
        // Latency is what is watched here; a socket that refuses the option works as well.
        let _ = stream.set_nodelay(true);
        Wire {
            stream,
            unread: Bytes::new(),
            reset: Arc::clone(reset),
        }
    }

    /// These are read next. Only for bytes that were just read from here.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        self.unread = bytes;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let count = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread[..count]);
        self.unread.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An orderly end in front of the reset would be all that the other side reads.
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The open connections of pages.
#[derive(Default)]
pub(super) struct Connections {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Entry>>,
}

struct Entry {
    /// Of the last request.
    transport: Option<String>,
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    reset: Arc<AtomicBool>,
    cut: Notify,
}

impl Connections {
    pub(super) fn open(self: &Arc<Connections>) -> Connection {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let signal = Arc::<Signal>::default();
        let entry = Entry {
            transport: None,
            signal: Arc::clone(&signal),
        };
        self.with(|open| open.insert(id, entry));
        Connection {
            id,
            signal,
            all: Arc::clone(self),
        }
    }

    /// Resets the connections whose last request was of that transport, idle ones too; `"*"` every one.
    pub(super) fn cut(&self, transport: &str) {
        self.with(|open| {
            for entry in open.values() {
                if transport == "*" || entry.transport.as_deref() == Some(transport) {
                    entry.signal.reset.store(true, Ordering::Relaxed);
                    entry.signal.cut.notify_one();
                }
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<u64, Entry>) -> T) -> T {
        work(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One open connection of a page, with the connection to the server that belongs to it.
pub(super) struct Connection {
    id: u64,
    signal: Arc<Signal>,
    all: Arc<Connections>,
}

impl Connection {
    /// From now on it carries this transport. To be said before the treatment is looked up: whoever changes the treatment
    /// and then cuts must not miss a request in between.
    pub(super) fn carries(&self, transport: Option<&str>) {
        self.all.with(|open| {
            if let Some(entry) = open.get_mut(&self.id) {
                entry.transport = transport.map(str::to_owned);
            }
        });
    }

    /// Returns when the connection is to end.
    pub(super) async fn cut(&self) {
        self.signal.cut.notified().await;
    }

    /// Its end will be a reset, on both sides.
    pub(super) fn reset(&self) {
        self.signal.reset.store(true, Ordering::Relaxed);
    }

    pub(super) fn wire(&self, stream: TcpStream) -> Wire {
        Wire::new(stream, &self.signal.reset)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.with(|open| open.remove(&self.id));
    }
}
