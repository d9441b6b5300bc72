//! `flashsocket` is `websocket` under another name; what is its own is the policy that Flash asks for first.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::server::shutdown::Shutdown;

/// Lets the pages of any domain open sockets to any port: what a page may do is decided at its handshake.
const POLICY: &[u8] = b"<?xml version=\"1.0\"?><!DOCTYPE cross-domain-policy SYSTEM \
    \"http://www.macromedia.com/xml/dtds/cross-domain-policy.dtd\"><cross-domain-policy>\
    <allow-access-from domain=\"*\" to-ports=\"*\"/></cross-domain-policy>";

/// How many may be served at a time, and how long each may take.
const ROOM: usize = 256;
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends the policy to whoever connects, without waiting for `<policy-file-request/>\0`, as the original does.
pub(crate) async fn serve_policy(listener: TcpListener, mut stopped: Shutdown) {
    let room = Arc::new(Semaphore::new(ROOM));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped.wait() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(PATIENCE, answer(stream)).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!("policy port: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// What the client sends is read to its end: closing on unread bytes could cost it the answer.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(POLICY).await?;
    stream.shutdown().await?;
    let mut request = [0; 256];
    while stream.read(&mut request).await? > 0 {}
    Ok(())
}
