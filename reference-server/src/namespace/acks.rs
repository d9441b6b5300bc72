//! Which packets of the server still wait for their ack.

use std::collections::BTreeMap;

/// How many acks a connection may owe; beyond, the oldest is given up.
const OWED: usize = 1000;

/// Handlers `H` by the id of the packet that asked. Ids count from 1 for each connection; each is answered once.
#[derive(Debug)]
pub(crate) struct Acks<H> {
    last: u64,
    waiting: BTreeMap<u64, H>,
}

impl<H> Acks<H> {
    pub(crate) fn new() -> Self {
        Acks {
            last: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// The id under which `handler` waits.
    pub(crate) fn expect(&mut self, handler: H) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, handler);
        if self.waiting.len() > OWED {
            self.waiting.pop_first();
        }
        self.last
    }

    /// The handler that waits under this id. An unknown id and a second ack have none.
    pub(crate) fn take(&mut self, digits: &str) -> Option<H> {
        self.give_up(digits.parse().ok()?)
    }

    /// Waits no longer.
    pub(crate) fn give_up(&mut self, id: u64) -> Option<H> {
        self.waiting.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_counts_once() {
        let mut acks = Acks::new();
        assert_eq!((acks.expect('a'), acks.expect('b')), (1, 2));
        assert_eq!(
            (acks.take("2"), acks.take("2"), acks.take("9"), acks.take("x")),
            (Some('b'), None, None, None)
        );
        assert_eq!((acks.give_up(1), acks.take("1")), (Some('a'), None));
    }

    #[test]
    fn a_client_that_never_answers_is_not_remembered_forever() {
        let mut acks = Acks::new();
        for k in 0..2 * OWED {
            acks.expect(k);
        }
        assert_eq!(
            (acks.waiting.len(), acks.take("1"), acks.take("2000")),
            (OWED, None, Some(1999))
        );
    }
}
