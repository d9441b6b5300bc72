//! The smallest changes that a matcher must notice.
//!
//! For `prove`: what a pattern accepted is altered at one place, and a case that accepts that, too, asserts nothing there.
//! Excluded by construction are holes that take everything, and text where such a hole could take the change in.

mod bytes;
mod json;
mod packet;

pub use bytes::{BytesMutation, bytes_mutants, prefix_mutants};

use super::ast::Span;
use super::capture::Captures;
use super::packet::PacketPattern;

/// A packet that a correct matcher refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// What was changed: `$.args[0] is 2, not 1`.
    pub description: String,
    /// The part of the pattern that has to notice.
    pub span: Span,
    /// The changed packet.
    pub text: String,
}

impl PacketPattern {
    /// The packets next to `got`, which the pattern accepts, that it has to refuse: one for each literal, each key, each
    /// exact array or object, each typed hole, and each hole that was bound. `before` is what was bound before `got` was
    /// matched.
    #[must_use]
    pub fn mutants(&self, got: &str, before: &Captures) -> Vec<Mutation> {
        packet::mutants(self, got, before)
    }
}

#[cfg(test)]
mod tests;
