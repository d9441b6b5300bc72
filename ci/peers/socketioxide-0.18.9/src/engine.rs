//! Raw Engine.IO on `/engine.io/`: every message comes back, text as text and binary as binary.

use std::sync::Arc;

use bytes::Bytes;
use engineioxide::Str;
use engineioxide::config::EngineIoConfig;
use engineioxide::handler::EngineIoHandler;
use engineioxide::layer::EngineIoLayer;
use engineioxide::socket::{DisconnectReason, Socket};

#[derive(Clone, Debug)]
pub(crate) struct Echo;

impl EngineIoHandler for Echo {
    type Data = ();

    fn on_connect(self: Arc<Self>, _: Arc<Socket<()>>) {}

    fn on_disconnect(&self, _: Arc<Socket<()>>, _: DisconnectReason) {}

    fn on_message(self: &Arc<Self>, text: Str, socket: Arc<Socket<()>>) {
        socket.emit(text).ok();
    }

    fn on_binary(self: &Arc<Self>, data: Bytes, socket: Arc<Socket<()>>) {
        socket.emit_binary(data).ok();
    }
}

pub(crate) fn layer() -> EngineIoLayer<Echo> {
    let config = EngineIoConfig::builder()
        .req_path("/engine.io".to_owned())
        .ping_interval(crate::PING_INTERVAL)
        .ping_timeout(crate::PING_TIMEOUT)
        .max_payload(crate::MAX_PAYLOAD as u64)
        .ws_max_message_size(crate::MAX_PAYLOAD)
        .ws_max_frame_size(crate::MAX_PAYLOAD)
        .max_buffer_size(crate::BUFFER)
        .build();
    EngineIoLayer::from_config(Arc::new(Echo), config)
}
