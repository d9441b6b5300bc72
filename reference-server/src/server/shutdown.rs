//! How tasks learn that the server stops, and how the server learns that they have.

use tokio::sync::watch;

/// Held by every task of a server.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

/// The server's end.
pub(super) struct Stop(watch::Sender<bool>);

impl Shutdown {
    /// Returns when the server stops.
    pub(crate) async fn wait(&mut self) {
        // An error means that the server is gone without a word.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl Stop {
    pub(super) fn new() -> (Stop, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (Stop(sender), Shutdown(receiver))
    }

    /// Tells every task.
    pub(super) fn send(&self) {
        self.0.send_replace(true);
    }

    /// Returns when no task holds a [`Shutdown`] any more.
    pub(super) async fn all_ended(&self) {
        self.0.closed().await;
    }
}
