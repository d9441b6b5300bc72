//! Who is where: the members of a namespace and its rooms, as sets.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// How many rooms one member can be in.
const ROOMS: usize = 1000;

/// Members `M` by key `K`, each in any number of rooms. A room exists while somebody is in it.
#[derive(Debug)]
pub(crate) struct Rooms<K, M> {
    members: HashMap<K, (M, BTreeSet<String>)>,
    rooms: HashMap<String, HashSet<K>>,
}

impl<K: Clone + Eq + Hash, M> Rooms<K, M> {
    pub(crate) fn new() -> Self {
        Rooms {
            members: HashMap::new(),
            rooms: HashMap::new(),
        }
    }

    pub(crate) fn insert(&mut self, key: K, member: M) {
        self.members.entry(key).or_insert((member, BTreeSet::new()));
    }

    /// Takes a member out of the namespace, and so out of all its rooms.
    pub(crate) fn remove(&mut self, key: &K) {
        let Some((_, rooms)) = self.members.remove(key) else {
            return;
        };
        for room in rooms {
            self.forget(key, &room);
        }
    }

    /// Only a member can be in a room; one that is in too many joins no more.
    pub(crate) fn join(&mut self, key: &K, room: &str) {
        if let Some((_, rooms)) = self.members.get_mut(key).filter(|(_, rooms)| rooms.len() < ROOMS) {
            rooms.insert(room.to_owned());
            self.rooms.entry(room.to_owned()).or_default().insert(key.clone());
        }
    }

    pub(crate) fn leave(&mut self, key: &K, room: &str) {
        if let Some((_, rooms)) = self.members.get_mut(key) {
            rooms.remove(room);
            self.forget(key, room);
        }
    }

    /// The rooms of a member, sorted.
    pub(crate) fn of(&self, key: &K) -> impl Iterator<Item = &str> {
        self.members
            .get(key)
            .into_iter()
            .flat_map(|(_, rooms)| rooms)
            .map(String::as_str)
    }

    /// Whether this member is in the room.
    pub(crate) fn is_in(&self, key: &K, room: &str) -> bool {
        self.rooms.get(room).is_some_and(|keys| keys.contains(key))
    }

    /// Everybody in the namespace, or in the room.
    pub(crate) fn in_room<'a>(&'a self, room: Option<&str>) -> Box<dyn Iterator<Item = &'a M> + 'a> {
        match room {
            None => Box::new(self.members.values().map(|(member, _)| member)),
            Some(room) => {
                let keys = self.rooms.get(room).into_iter().flatten();
                Box::new(keys.filter_map(|key| self.members.get(key)).map(|(member, _)| member))
            }
        }
    }

    pub(crate) fn count(&self, room: &str) -> usize {
        self.rooms.get(room).map_or(0, HashSet::len)
    }

    fn forget(&mut self, key: &K, room: &str) {
        if let Some(keys) = self.rooms.get_mut(room) {
            keys.remove(key);
            if keys.is_empty() {
                self.rooms.remove(room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_a_set_that_ends_with_its_last_member() {
        let mut rooms = Rooms::new();
        rooms.insert(1, 'a');
        rooms.insert(2, 'b');
        rooms.join(&1, "x");
        rooms.join(&1, "x");
        rooms.join(&2, "x");
        rooms.join(&1, "w");
        rooms.join(&3, "x");
        assert_eq!(rooms.count("x"), 2);
        assert_eq!(
            (rooms.is_in(&1, "w"), rooms.is_in(&2, "w"), rooms.is_in(&1, "v")),
            (true, false, false)
        );
        assert_eq!(rooms.of(&1).collect::<Vec<_>>(), ["w", "x"]);
        assert_eq!(rooms.in_room(Some("w")).collect::<Vec<_>>(), [&'a']);
        assert_eq!(rooms.in_room(None).count(), 2);

        rooms.leave(&1, "w");
        rooms.remove(&1);
        rooms.join(&1, "x");
        assert_eq!((rooms.count("x"), rooms.count("w")), (1, 0));
        rooms.remove(&2);
        assert!(rooms.rooms.is_empty() && rooms.members.is_empty());
    }
}
