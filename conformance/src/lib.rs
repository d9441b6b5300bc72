//! Judges Socket.IO servers.

pub mod exit;
pub mod expect;
pub mod glob;
pub mod report;

/// From a plan to events.
pub mod run {
    pub mod boot;
    pub mod event;
}
/// The `.wire` language.
pub mod scenario {
    pub mod ast;
}
