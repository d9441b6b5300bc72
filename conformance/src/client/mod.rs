//! How the harness speaks to a server.

pub mod framing;
