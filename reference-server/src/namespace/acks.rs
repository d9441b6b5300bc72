//! Which packets of the server still wait for their ack.

use std::collections::BTreeMap;

/// How many acks a connection may owe; beyond, the oldest is given up.
const OWED: usize = 1000;

/// What waits, `H`, by the id of the packet that asked. Ids count from 1 for each connection; each is answered once.
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

    /// What waits under this id, if it may have the ack. An unknown id and a second ack have nothing.
    pub(crate) fn take(&mut self, digits: &str, may: impl FnOnce(&H) -> bool) -> Option<H> {
        let id = digits.parse().ok()?;
        self.waiting.get(&id).filter(|waiting| may(waiting))?;
        self.give_up(id)
    }

    /// Keeps only what is to wait on.
    pub(crate) fn retain(&mut self, waits: impl Fn(&H) -> bool) {
        self.waiting.retain(|_, waiting| waits(waiting));
    }

    /// Waits no longer.
    pub(crate) fn give_up(&mut self, id: u64) -> Option<H> {
        self.waiting.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<H>(acks: &mut Acks<H>, digits: &str) -> Option<H> {
        acks.take(digits, |_| true)
    }

    #[test]
    fn an_ack_counts_once() {
        let mut acks = Acks::new();
        assert_eq!((acks.expect('a'), acks.expect('b')), (1, 2));
        assert_eq!(acks.take("2", |waiting| *waiting == 'a'), None);
        assert_eq!((take(&mut acks, "2"), take(&mut acks, "2")), (Some('b'), None));
        assert_eq!((take(&mut acks, "9"), take(&mut acks, "x")), (None, None));
        assert_eq!((acks.give_up(1), take(&mut acks, "1")), (Some('a'), None));
        acks.expect('c');
        acks.retain(|waiting| *waiting != 'c');
        assert_eq!(take(&mut acks, "3"), None);
    }

    #[test]
    fn a_client_that_never_answers_is_not_remembered_forever() {
        let mut acks = Acks::new();
        for k in 0..2 * OWED {
            acks.expect(k);
        }
        assert_eq!(acks.waiting.len(), OWED);
        assert_eq!((take(&mut acks, "1"), take(&mut acks, "2000")), (None, Some(1999)));
    }
}
