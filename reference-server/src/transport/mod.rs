//! How a session meets bytes on a socket: one file a transport, and what they share.

pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod engine;
pub(crate) mod flashsocket;
pub(crate) mod gzip;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod webtransport;

mod framed;
mod handshake;
mod hixie;
mod long_polling;
mod payload;
mod polling;
mod post;
mod rfc6455;
mod streaming;
mod upgrade;
mod websocket;

pub(crate) use handshake::handshake;
pub(crate) use polling::{jsonp_polling, xhr_polling};
pub(crate) use post::post;
pub(crate) use streaming::{htmlfile, multipart};
pub(crate) use upgrade::upgrade;
