//! What the packets of Socket.IO 4 and 5 do to namespaces. What a client must not send ends its session.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::socketio::{Body, Packet, Revision};
use crate::codec::{Malformed, Message, eio4};
use crate::contract;
use crate::server::client::{Client, lock};
use crate::session::{Encoded, Generation, Input, Reason};

use super::{Namespaces, Socket, eio3};

/// How many attachments a packet of a client may have.
const ATTACHMENTS: usize = 10;

/// Why a session ends over a packet.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Fault {
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
    pub(crate) fn receive_engine(&self, client: &Arc<Client>, message: eio4::Packet<'_>) {
        let result = match message {
            eio4::Packet::Message(text) => self.receive_text(client, text),
            eio4::Packet::Binary(bytes) => self.receive_attachment(client, bytes),
            _ => Ok(()),
        };
        if let Err(fault) = result
            && !(client.generation == Generation::Eio3 && eio3::is_ignored(fault))
        {
            tracing::debug!(sid = client.sid, "closed: {fault}");
            client.handle(Input::Close(Reason::Server));
        }
    }

    fn receive_text(&self, client: &Arc<Client>, text: &str) -> Result<(), Fault> {
        if lock(&client.reassembly).is_pending() {
            return Err(Malformed::AttachmentDue.into());
        }
        let (packet, attachments) = Packet::decode(text, revision(client))?;
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
        let packet = Packet::decode_again(&text, revision(client))?;
        self.act(client, packet.attach(attachments)?)
    }

    fn act(&self, client: &Arc<Client>, packet: Packet<'_>) -> Result<(), Fault> {
        match (packet.body, client.joined(packet.namespace)) {
            (Body::Connect(_), _) if client.generation == Generation::Eio3 => {
                self.connect_eio3(client, packet.namespace);
            }
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
}

fn revision(client: &Client) -> Revision {
    match client.generation {
        Generation::Eio3 => Revision::Four,
        Generation::Rev1 | Generation::Eio4 => Revision::Five,
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
