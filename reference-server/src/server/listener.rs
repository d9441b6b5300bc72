//! Accepts connections, and serves HTTP/1.1 on each until it ends, becomes a WebSocket, or the server stops.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hub::Hub;
use super::service;
use super::shutdown::Shutdown;
use super::stream::Stream;

/// The most bytes of a request head.
const HEAD: usize = 32 * 1024;

/// How long to wait after a failed accept: the system is out of descriptors, and some may come free.
const RETRY: Duration = Duration::from_millis(50);

pub(super) async fn run(listener: TcpListener, hub: Arc<Hub>, mut stopped: Shutdown) {
    let room = Arc::new(Semaphore::new(hub.options.max_connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = stopped.wait() => return,
        };
        let (hub, stopped) = (Arc::clone(&hub), stopped.clone());
        match accepted {
            Ok((stream, permit)) => {
                tokio::spawn(async move {
                    serve(stream, hub, stopped).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!("accept: {error}");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, Option<OwnedSemaphorePermit>)> {
    let permit = Arc::clone(room).acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

async fn serve(stream: TcpStream, hub: Arc<Hub>, mut stopped: Shutdown) {
    let _ = stream.set_nodelay(true);
    let timeout = hub.options.request_timeout;
    let stop = stopped.clone();
    let service = service_fn(move |request| service::respond(Arc::clone(&hub), stop.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(HEAD)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(Stream::new(stream, timeout)), service)
        .with_upgrades();
    tokio::pin!(connection);
    let result = tokio::select! {
        result = &mut connection => result,
        () = stopped.wait() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(super::FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        tracing::debug!("connection: {error}");
    }
}
