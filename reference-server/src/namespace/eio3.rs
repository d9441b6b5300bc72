//! What clients of Engine.IO 3 do otherwise: they are in the main namespace from the start, join others with a query, and
//! are forgiven what the original server passes over.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::codec::Malformed;
use crate::codec::socketio::{Body, MAIN, Packet};
use crate::contract;
use crate::server::client::{Client, Urgency};
use crate::transport::request::Query;

use super::engine::{Fault, encode};
use super::{Membership, Namespaces, Socket};

impl Namespaces {
    /// The session has begun.
    pub(crate) fn opened_eio3(&self, client: &Arc<Client>) {
        self.connect_eio3(client, MAIN);
    }

    /// `name` may have a query behind it. Whoever is there already hears nothing.
    pub(super) fn connect_eio3(&self, client: &Arc<Client>, name: &str) {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        if client.joined(name).is_some() {
            return;
        }
        let refuse = |data: &'static str| {
            let refusal = Packet::new(name, Body::ConnectError(data.into()));
            client.push(encode(&refusal), Urgency::Keep);
        };
        let Some(namespace) = self.find(name) else {
            return refuse(r#""Invalid namespace""#);
        };
        if namespace.forbidden {
            return refuse(contract::REFUSAL_EIO3);
        }
        let id = match name {
            MAIN => client.sid.clone(),
            name => format!("{name}#{}", client.sid),
        };
        let query: Map<_, _> = Query(query)
            .parameters()
            .map(|(key, value)| (key.into_owned(), value.into()))
            .collect();
        let membership = Arc::new(Membership {
            namespace,
            id: id.into(),
            pid: None,
            auth: Value::from(query).to_string().into(),
        });
        if client.join(&membership, vec![encode(&Packet::new(name, Body::Connect(None)))]) {
            contract::connected(&Socket::new(client, &membership));
        } else {
            refuse(r#""too many namespaces""#);
        }
    }
}

/// Whether the original server passes over it.
pub(super) fn is_ignored(fault: Fault) -> bool {
    match fault {
        Fault::NotJoined | Fault::WrongDirection => true,
        Fault::Malformed(malformed) => matches!(
            malformed,
            Malformed::Empty | Malformed::UnknownType | Malformed::BadId | Malformed::NoPayload
        ),
        Fault::JoinedTwice | Fault::NoRandomness => false,
    }
}
