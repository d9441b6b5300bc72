//! Handlers that run where the packet is read. The package starts a task for each event that is given to an async
//! function, and two tasks may swap; its handler traits are public, so a handler of another kind can be given to it.

use std::sync::Arc;

use rmpv::Value;
use socketioxide::SocketIo;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, Data, Event, SocketRef, TryData};
use socketioxide::handler::{
    ConnectHandler, DisconnectHandler, FromConnectParts, FromMessageParts, MessageHandler, Value as Packet,
};
use socketioxide::socket::{DisconnectReason, Socket};

use crate::args::{Args, Values};
use crate::contract;

/// A namespace with the contract application.
#[derive(Clone, Copy)]
pub(crate) struct Contract {
    /// Whether events are given to an async function, as the package's documentation does it: a task for each.
    pub(crate) tasks: bool,
}

impl ConnectHandler<LocalAdapter, ()> for Contract {
    fn call(&self, socket: Arc<Socket>, auth: Option<Packet>) {
        let auth = match TryData::<Value>::from_connect_parts(&socket, &auth) {
            Ok(TryData(Ok(auth))) if !auth.is_nil() => auth,
            _ => Value::Map(Vec::new()),
        };
        socket.on_disconnect(Departed);
        // One handler for all events instead of twenty: less to keep for each connection.
        if self.tasks {
            let auth = auth.clone();
            let event = move |io: SocketIo, socket: SocketRef, Event(name), Data(args): Data<Args>, ack: AckSender| async move {
                contract::event(&io, socket, &auth, &name, &args, ack);
            };
            socket.on_fallback(event);
        } else {
            socket.on_fallback(Events(auth.clone()));
        }
        socket.emit("auth", &Values(&[auth])).ok();
    }
}

/// The events of one socket, which said this when it joined.
struct Events(Value);

impl MessageHandler<LocalAdapter, ()> for Events {
    fn call(&self, socket: Arc<Socket>, mut packet: Packet, id: Option<i64>) {
        let Ok(Event(name)) = Event::from_message_parts(&socket, &mut packet, &id) else {
            return;
        };
        let Ok(Data(args)) = Data::<Args>::from_message_parts(&socket, &mut packet, &id) else {
            return;
        };
        let Ok(ack) = AckSender::from_message_parts(&socket, &mut packet, &id);
        let Ok(io) = SocketIo::from_message_parts(&socket, &mut packet, &id);
        contract::event(&io, SocketRef::from(socket), &self.0, &name, &args, ack);
    }
}

/// Joins a room of those that are gone, where nobody is.
struct Departed;

impl DisconnectHandler<LocalAdapter, ()> for Departed {
    fn call_with_defer(&self, socket: Arc<Socket>, _: DisconnectReason, remove: fn(Arc<Socket>)) {
        socket.join("departed");
        remove(socket);
    }
}
