//! How a client of Engine.IO 4 joins a namespace: it asks to, and may come back as the socket that it was.

use std::borrow::Cow;
use std::sync::Arc;

use crate::codec::socketio::{Body, Packet};
use crate::contract;
use crate::server::client::{Client, Urgency, lock, now};
use crate::session::{Input, new_sid};

use super::engine::{Fault, encode};
use super::{Membership, Namespaces, Socket};

impl Namespaces {
    pub(super) fn connect_eio4(
        &self,
        client: &Arc<Client>,
        name: &str,
        auth: Option<Cow<'_, str>>,
    ) -> Result<(), Fault> {
        let refuse = |data: &'static str| {
            let refusal = Packet::new(name, Body::ConnectError(data.into()));
            client.push(encode(&refusal), Urgency::Keep);
            Ok(())
        };
        let Some(namespace) = self.find(name) else {
            return refuse(r#"{"message":"Invalid namespace"}"#);
        };
        if namespace.forbidden {
            return refuse(contract::REFUSAL);
        }
        let auth = auth.unwrap_or("{}".into());
        let joined = {
            // Nothing is sent in the namespace between what was missed and what comes.
            let mut recovery = namespace.recovery.as_ref().map(lock);
            let restored = recovery.as_mut().and_then(|recovery| recovery.restore(now(), &auth));
            let (ids, rooms, mut greeting) = match restored {
                Some((pid, saved, missed)) => ((saved.id, Some(pid.into())), saved.rooms, missed),
                None => {
                    let random = || new_sid().map(String::into_boxed_str).map_err(|_| Fault::NoRandomness);
                    let pid = recovery.is_some().then(random).transpose()?;
                    ((random()?, pid), Vec::new(), Vec::new())
                }
            };
            greeting.push(encode(&Packet::new(name, Body::Connect(Some(welcome(&ids).into())))));
            let (id, pid) = ids;
            let membership = Arc::new(Membership {
                namespace: Arc::clone(&namespace),
                id,
                pid,
                auth: auth.into(),
            });
            client.join(&membership, greeting).then(|| {
                let mut all = namespace.write();
                rooms.iter().for_each(|room| all.join(&client.key(), room));
                membership
            })
        };
        let Some(membership) = joined else {
            return refuse(r#"{"message":"too many namespaces"}"#);
        };
        client.handle(Input::Joined);
        contract::connected(&Socket::new(client, &membership));
        Ok(())
    }
}

fn welcome((id, pid): &(Box<str>, Option<Box<str>>)) -> String {
    match pid {
        Some(pid) => format!(r#"{{"sid":"{id}","pid":"{pid}"}}"#),
        None => format!(r#"{{"sid":"{id}"}}"#),
    }
}
