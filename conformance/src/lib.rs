//! Judges Socket.IO servers.
