//! Judges Socket.IO servers.

pub mod scenario;
