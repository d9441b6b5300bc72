//! Datagrams for WebTransport: each client address has a socket of its own towards the server's port. What is in them is
//! encrypted, so they are passed on or dropped, and counted.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{UdpSocket, lookup_host};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::classify::Subject;
use super::log::{Recording, Request};
use super::serve::Shared;
use super::treat::Treatment;

/// Client addresses at a time; a further one takes the place of any.
const FLOWS: usize = 256;
/// Client addresses that are remembered as cut.
const CUT: usize = 4096;
/// How long a server may say nothing to a client before the flow is forgotten. Connections of QUIC idle out long before.
const SILENT_WITHIN: Duration = Duration::from_secs(60);
/// The largest datagram there is.
const DATAGRAM: usize = 64 * 1024;
const TRANSPORT: &str = "webtransport";

/// The UDP side of a proxy.
pub(super) struct Relay {
    page: UdpSocket,
    shared: Arc<Shared>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    flows: HashMap<SocketAddr, Flow>,
    cut: HashSet<SocketAddr>,
}

struct Flow {
    server: Arc<UdpSocket>,
    recording: Arc<Recording>,
    back: AbortHandle,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.back.abort();
    }
}

impl Relay {
    pub(super) fn new(page: UdpSocket, shared: Arc<Shared>) -> Relay {
        Relay {
            page,
            shared,
            table: Mutex::default(),
        }
    }

    /// Forgets every flow, and drops what their clients send from now on.
    pub(super) fn cut(&self) {
        let mut table = self.table();
        let flows = std::mem::take(&mut table.flows);
        if table.cut.len() + flows.len() > CUT {
            table.cut.clear();
        }
        table.cut.extend(flows.keys());
    }

    /// Passes datagrams on for as long as it is polled.
    pub(super) async fn run(self: Arc<Relay>) {
        let mut backs = JoinSet::new();
        let mut datagram = vec![0; DATAGRAM];
        loop {
            // An error is about a datagram sent before: its receiver is gone, and that is the receiver's own end.
            let Ok((length, client)) = self.page.recv_from(&mut datagram).await else {
                continue;
            };
            while backs.try_join_next().is_some() {}
            if self.table().cut.contains(&client) {
                continue;
            }
            let known = self.table().flows.get(&client).map(Flow::handles);
            let (server, recording) = match known {
                Some(known) => known,
                None => match self.open(client, &mut backs).await {
                    Ok(opened) => opened,
                    Err(_) => continue,
                },
            };
            recording.datagram(true, length);
            if self.passes() {
                let _ = server.send(&datagram[..length]).await;
            }
        }
    }

    async fn open(
        self: &Arc<Relay>,
        client: SocketAddr,
        backs: &mut JoinSet<()>,
    ) -> io::Result<(Arc<UdpSocket>, Arc<Recording>)> {
        let upstream = self.shared.upstream();
        let recording = self.shared.log.begin(Request {
            method: "UDP".to_owned(),
            target: client.to_string(),
            subject: subject(),
            headers: Vec::new(),
            treatment: self.treatment(),
        });
        let server = lookup_host((upstream.host.as_str(), upstream.port)).await?.next();
        let server = server.ok_or(io::ErrorKind::AddrNotAvailable)?;
        let socket = match server {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).await?,
        };
        socket.connect(server).await?;
        let socket = Arc::new(socket);
        let back = Arc::clone(self).back(client, Arc::clone(&socket), Arc::clone(&recording));
        let flow = Flow {
            server: socket,
            recording,
            back: backs.spawn(back),
        };
        let handles = flow.handles();
        let mut table = self.table();
        if table.flows.len() >= FLOWS {
            let any = table.flows.keys().next().copied();
            any.and_then(|any| table.flows.remove(&any));
        }
        table.flows.insert(client, flow);
        Ok(handles)
    }

    /// What the server sends to one client.
    async fn back(self: Arc<Relay>, client: SocketAddr, server: Arc<UdpSocket>, recording: Arc<Recording>) {
        let mut datagram = vec![0; DATAGRAM];
        while let Ok(received) = timeout(SILENT_WITHIN, server.recv(&mut datagram)).await {
            // As above: a port on which nobody listens is no end, a server may be about to start.
            let Ok(length) = received else { continue };
            recording.datagram(false, length);
            if self.passes() {
                let _ = self.page.send_to(&datagram[..length], client).await;
            }
        }
        self.table().flows.remove(&client);
    }

    fn passes(&self) -> bool {
        self.treatment() == Treatment::Pass
    }

    fn treatment(&self) -> Treatment {
        self.shared.rules.of(&subject())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    fn handles(&self) -> (Arc<UdpSocket>, Arc<Recording>) {
        (Arc::clone(&self.server), Arc::clone(&self.recording))
    }
}

fn subject() -> Subject {
    Subject {
        protocol: true,
        transport: Some(TRANSPORT.to_owned()),
        sid: None,
    }
}
