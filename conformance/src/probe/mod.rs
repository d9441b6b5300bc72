//! What a server does, found out by asking it: what it offers, and for each feature of the contract one case that shows it.

mod ask;
mod check;
mod findings;
mod table;
mod write;

pub use ask::{offered, probe, unclaimed_features};
pub use check::{Difference, differences};
pub use findings::{Findings, Found, Verdict};
pub use table::{Probe, features, probes};
pub use write::{Door, write};
