//! What the packets of Socket.IO 5 do to namespaces. What a client must not send ends its session.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::codec::socketio::{Body, Packet};
use crate::codec::{Malformed, Message, eio4};
use crate::contract;
use crate::server::client::{Client, Urgency, lock, now};
use crate::session::{Encoded, Input, Reason, new_sid};

use super::{Membership, Namespaces, Socket};

/// How many attachments a packet of a client may have.
const ATTACHMENTS: usize = 10;

/// Why a session ends over a packet.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("a packet for a namespace that the client is not in")]
    NotJoined,
    #[error("a second CONNECT")]
    JoinedTwice,
    #[error("a packet that only servers send")]
    WrongDirection,
    #[error("no randomness for a socket id")]
    NoRandomness,
}

impl Namespaces {
    /// What a message of the client does.
    pub(crate) fn receive_eio4(&self, client: &Arc<Client>, message: eio4::Packet<'_>) {
        let result = match message {
            eio4::Packet::Message(text) => self.receive_text(client, text),
            eio4::Packet::Binary(bytes) => self.receive_attachment(client, bytes),
            _ => Ok(()),
        };
        if let Err(fault) = result {
            tracing::debug!(sid = client.sid, "closed: {fault}");
            client.handle(Input::Close(Reason::Server));
        }
    }

    fn receive_text(&self, client: &Arc<Client>, text: &str) -> Result<(), Fault> {
        if lock(&client.reassembly).is_pending() {
            return Err(Malformed::AttachmentDue.into());
        }
        let (packet, attachments) = Packet::decode(text)?;
        match attachments {
            0 => self.act(client, packet),
            1..=ATTACHMENTS => {
                lock(&client.reassembly).begin(text, attachments);
                Ok(())
            }
            _ => Err(Malformed::BadAttachments.into()),
        }
    }

    fn receive_attachment(&self, client: &Arc<Client>, bytes: Bytes) -> Result<(), Fault> {
        let complete = lock(&client.reassembly).attach(bytes)?;
        let Some((text, attachments)) = complete else {
            return Ok(());
        };
        let packet = Packet::decode_again(&text)?;
        self.act(client, packet.attach(attachments)?)
    }

    fn act(&self, client: &Arc<Client>, packet: Packet<'_>) -> Result<(), Fault> {
        match (packet.body, client.joined(packet.namespace)) {
            (Body::Connect(_), Some(_)) => return Err(Fault::JoinedTwice),
            (Body::Connect(auth), None) => return self.connect_eio4(client, packet.namespace, auth),
            (Body::ConnectError(_), _) => return Err(Fault::WrongDirection),
            (_, None) => return Err(Fault::NotJoined),
            (Body::Event { name, args }, Some(membership)) => {
                contract::event(&Socket::new(client, &membership), &name, &args, packet.id);
            }
            (Body::Ack(args), Some(membership)) => {
                Socket::new(client, &membership).acked(packet.id.unwrap_or_default(), args);
            }
            (Body::Disconnect, Some(membership)) => Socket::new(client, &membership).left(),
        }
        Ok(())
    }

    fn connect_eio4(&self, client: &Arc<Client>, name: &str, auth: Option<Cow<'_, str>>) -> Result<(), Fault> {
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

/// The messages that carry a packet.
pub(super) fn encode(packet: &Packet<'_>) -> Encoded {
    let mut text = String::with_capacity(1 + packet.size());
    text.push('4');
    packet.write(&mut text);
    Encoded {
        head: Message::Text(text.into()),
        attachments: packet.attachments().to_vec(),
    }
}
