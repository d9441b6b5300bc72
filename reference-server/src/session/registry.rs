//! Which session a session id names.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Twenty characters of `[A-Za-z0-9_-]` from the system's source of randomness: nobody can guess one.
///
/// # Errors
///
/// When the system has no randomness to give.
pub(crate) fn new_sid() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 15];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Sessions by id, at most `capacity` of them.
pub(crate) struct Registry<S> {
    sessions: RwLock<HashMap<Box<str>, S>>,
    capacity: usize,
}

impl<S: Clone> Registry<S> {
    pub(crate) fn new(capacity: usize) -> Self {
        Registry {
            sessions: RwLock::default(),
            capacity,
        }
    }

    /// Whether there was room.
    pub(crate) fn insert(&self, sid: &str, session: S) -> bool {
        let mut sessions = self.write();
        let room = sessions.len() < self.capacity;
        if room {
            sessions.insert(sid.into(), session);
        }
        room
    }

    pub(crate) fn get(&self, sid: &str) -> Option<S> {
        self.read().get(sid).cloned()
    }

    pub(crate) fn remove(&self, sid: &str) {
        self.write().remove(sid);
    }

    pub(crate) fn all(&self) -> Vec<S> {
        self.read().values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.read().len()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Box<str>, S>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Box<str>, S>> {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_fit_into_a_path() {
        let ids: HashSet<String> = (0..1000).map(|_| new_sid().unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 20));
        assert!(
            ids.iter()
                .flat_map(|id| id.bytes())
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }

    #[test]
    fn a_full_registry_takes_no_more_until_one_leaves() {
        let registry = Registry::new(1);
        assert!(registry.insert("a", 1));
        assert!(!registry.insert("b", 2));
        registry.remove("a");
        assert!(registry.insert("b", 2));
        assert_eq!(
            (registry.get("a"), registry.get("b"), registry.len()),
            (None, Some(2), 1)
        );
    }
}
