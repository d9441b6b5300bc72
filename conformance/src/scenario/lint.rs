//! The rules a file can break although every line of it parses.

use super::SpannedError;
use super::ast::Scenario;

/// Everything that makes the file unusable. `flow` asks for the rules, too, that make sense only where every line was
/// read: what was bound, opened or marked before.
pub(crate) fn errors(_scenario: &Scenario, _flow: bool) -> Vec<SpannedError> {
    Vec::new()
}

/// What is legal, and probably not what was meant.
#[must_use]
pub fn warnings(_scenario: &Scenario) -> Vec<super::diagnostic::Diagnostic> {
    Vec::new()
}
