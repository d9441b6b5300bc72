//! What the packets of revision 1 do to namespaces.

use std::sync::Arc;

use crate::codec::rev1::{Body, Id, Packet, UNAUTHORIZED};
use crate::codec::socketio::MAIN;
use crate::contract;
use crate::server::client::{Client, Urgency};

use super::{Membership, Namespace, Namespaces, Socket};

impl Namespaces {
    /// The session has its first connection.
    pub(crate) fn opened_rev1(&self, client: &Arc<Client>) {
        if let Some(main) = self.find_fixed(MAIN) {
            let membership = membership(&main);
            if client.join(&membership, Vec::new()) {
                contract::connected(&Socket::new(client, &membership));
            }
        }
    }

    /// What a packet of the client does. Heartbeats and the end of the session are the session's.
    pub(crate) fn receive_rev1(&self, client: &Arc<Client>, packet: Packet<'_>) {
        if let Body::Connect(_) = packet.body {
            return self.connect_rev1(client, packet.endpoint);
        }
        let Some(membership) = client.joined(name(packet.endpoint)) else {
            return;
        };
        let socket = Socket::new(client, &membership);
        if let Body::Ack(digits, args) = packet.body {
            return socket.acked(digits, args.unwrap_or_default());
        }
        // A plain id is acknowledged by the server itself, before the handler runs, as the original does.
        let ack = match packet.id {
            Some(Id { digits, data: false }) => {
                socket.acknowledge(digits, None);
                None
            }
            Some(Id { digits, data: true }) => Some(digits),
            None => None,
        };
        match packet.body {
            Body::Message(text) => contract::message(&socket, text, ack),
            Body::Json(json) => contract::json(&socket, json, ack),
            Body::Event { name, args } => contract::event(&socket, &name, &args, ack),
            Body::Disconnect => socket.left(),
            _ => {}
        }
    }

    /// The query is not echoed. Joining twice is answered twice and done once.
    fn connect_rev1(&self, client: &Arc<Client>, endpoint: &str) {
        let Some(namespace) = self.find_fixed(name(endpoint)) else {
            return;
        };
        if namespace.forbidden {
            client.push(
                Packet::new(endpoint, Body::Error(UNAUTHORIZED, "")).encode(),
                Urgency::Keep,
            );
            return;
        }
        if client.joined(MAIN).is_none() {
            return;
        }
        let answer = Packet::new(endpoint, Body::Connect("")).encode();
        let membership = membership(&namespace);
        if client.join(&membership, vec![answer.clone().into()]) {
            contract::connected(&Socket::new(client, &membership));
        } else {
            client.push(answer, Urgency::Keep);
        }
    }
}

/// The namespace of an endpoint: the main one is that of none, and `/` is no endpoint.
fn name(endpoint: &str) -> &str {
    match endpoint {
        "" => MAIN,
        MAIN => "",
        other => other,
    }
}

/// The endpoint of a namespace.
pub(super) fn endpoint(name: &str) -> &str {
    if name == MAIN { "" } else { name }
}

fn membership(namespace: &Arc<Namespace>) -> Arc<Membership> {
    Arc::new(Membership {
        namespace: Arc::clone(namespace),
        id: "".into(),
        pid: None,
        auth: "null".into(),
    })
}
