//! Judges Socket.IO servers.

pub mod client;
