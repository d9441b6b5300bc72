//! The minimal Socket.IO server that does every generation right.
//!
//! A tour, in the order in which bytes travel: `server` accepts a connection and parses HTTP; `transport` knows how a
//! session meets bytes on a socket, one file a transport; [`codec`] turns bytes into packets; `session` is the state
//! machine of one session id, without IO or clock; `namespace` hands packets to the sockets of a namespace, and
//! `contract` is the application that answers them. The way back is the same in reverse: what a handler sends waits in
//! the session, and the connection writes it in one go when the handlers are done. `browser` is what a browser gets to run.

pub mod codec;

mod browser;
mod contract;
mod namespace;
mod options;
mod server;
mod session;
mod transport;

pub use options::Options;
pub use server::Server;
