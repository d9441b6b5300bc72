//! Judges Socket.IO servers of any generation, over every transport.
//!
//! | module | what |
//! |---|---|
//! | [`scenario`] | the `.wire` language, and the catalogue of cases written in it |
//! | [`client`] | connections with their own bytes, and what came on them |
//! | [`run`] | plan, targets, and the player of one case |

pub mod client;
pub mod run;
pub mod scenario;
