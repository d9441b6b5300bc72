//! Judges Socket.IO servers.

pub mod client;
pub mod scenario;
