//! The patterns of a case, each compiled once however often it is looked at, and by however many plays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::client::tape::lock;
use crate::scenario::ast::Text;
use crate::scenario::packet::PacketPattern;
use crate::scenario::{Generation, SpannedError};

/// Shared by the plays of one case.
#[derive(Debug, Default)]
pub struct Patterns {
    /// By place. Not every text is the only one there: a runner's own steps have the place of what they stand for.
    packets: Mutex<HashMap<(usize, usize), (Text, Compiled)>>,
}

type Compiled = Arc<Result<PacketPattern, SpannedError>>;

impl Patterns {
    /// The pattern of an expected packet.
    pub(crate) fn packet(&self, generation: Generation, text: &Text) -> Compiled {
        let place = (text.span.start, text.span.end);
        let mut packets = lock(&self.packets);
        if let Some((_, pattern)) = packets.get(&place).filter(|(known, _)| known == text) {
            return pattern.clone();
        }
        let pattern = Arc::new(PacketPattern::compile(generation, text));
        packets.insert(place, (text.clone(), pattern.clone()));
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ast::Span;
    use crate::scenario::capture::Captures;

    #[test]
    fn another_text_of_the_same_place_has_a_pattern_of_its_own() {
        let patterns = Patterns::default();
        let pattern = |text: &str| patterns.packet(Generation::Eio4, &Text::literal(text, Span::default()));
        let first = pattern("3one");
        assert!(Arc::ptr_eq(&first, &pattern("3one")));
        let other = pattern("3two");
        let pattern = other.as_ref().as_ref().unwrap();
        assert_eq!(pattern.matches("3two", &mut Captures::new()), Ok(()));
        assert!(pattern.matches("3one", &mut Captures::new()).is_err());
    }
}
