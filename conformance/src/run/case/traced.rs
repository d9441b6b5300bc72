//! What an expectation took, in the words of the language.

use std::fmt;

use super::attempt::{Consumed, short_hex};
use crate::scenario::ast::Action;
use crate::scenario::pattern::show_bytes;

/// By what expectation, and what.
pub(super) struct Traced<'a>(pub(super) &'a Action, pub(super) &'a Consumed);

impl fmt::Display for Traced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Traced(action, consumed) = self;
        match consumed {
            Consumed::Packet { text, .. } if matches!(action, Action::ExpectBytes(_)) => {
                write!(f, "<< {}", show_bytes(text.as_bytes()))
            }
            Consumed::Packet { text, .. } | Consumed::Fence { text, .. } => {
                write!(f, "< {}", show_bytes(text.as_bytes()))
            }
            Consumed::Binary { bytes, .. } => write!(f, "<b {}", short_hex(bytes)),
            Consumed::Status { head, .. } => write!(f, "{}", head.status),
            Consumed::Bytes { bytes, whole: true, .. } => write!(f, "<< {}", show_bytes(bytes)),
            Consumed::Bytes { bytes, .. } => write!(f, "<<+ {}", show_bytes(bytes)),
            Consumed::End(_) if matches!(action, Action::Eof) => f.write_str("eof"),
            Consumed::End(_) => f.write_str("closed"),
            Consumed::Silence { .. } => f.write_str("silent 0ms"),
        }
    }
}
