//! Bodies that are recorded as they go by, piece by piece and never held back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::task::JoinSet;

use super::log::Recording;

/// A request's body on its way to the server.
pub(super) struct Upload {
    pub(super) incoming: Incoming,
    pub(super) recording: Arc<Recording>,
}

impl Upload {
    /// Takes the body for a server that never gets it.
    pub(super) async fn swallow(mut self) {
        while let Some(Ok(_)) = self.frame().await {}
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        if let Some(data) = data(frame.as_ref()) {
            self.recording.body(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// An answer's body on its way to the page.
pub(super) enum Reply {
    /// All of it.
    Whole(Bytes),
    /// Nothing, and no end. The exchange lasts until the page goes.
    Never {
        /// Keeps the exchange open.
        _recording: Arc<Recording>,
    },
    /// What the server sends.
    Stream {
        /// The server's.
        incoming: Incoming,
        /// Where it is written down.
        recording: Arc<Recording>,
        /// Keeps the server's connection, and ends it when the page goes.
        _server: JoinSet<()>,
    },
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Reply::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Reply::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Reply::Never { .. } => Poll::Pending,
            Reply::Stream {
                incoming, recording, ..
            } => {
                let frame = ready!(Pin::new(incoming).poll_frame(cx));
                if let Some(data) = data(frame.as_ref()) {
                    recording.answer_body(data);
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Reply::Whole(bytes) => bytes.is_empty(),
            Reply::Never { .. } => false,
            Reply::Stream { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Reply::Never { .. } => SizeHint::default(),
            Reply::Stream { incoming, .. } => incoming.size_hint(),
        }
    }
}

fn data(frame: Option<&Result<Frame<Bytes>, hyper::Error>>) -> Option<&Bytes> {
    frame?.as_ref().ok()?.data_ref()
}
