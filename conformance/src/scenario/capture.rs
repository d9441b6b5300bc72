//! What holes bind.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::json::Value;

/// Names and what they hold. Cloning is cheap: the map is shared until one of the clones changes.
///
/// Matching is transactional: it binds into its own clone and hands that over only when everything fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Captures {
    bound: Arc<BTreeMap<String, Value>>,
}

impl Captures {
    /// Nothing is bound.
    #[must_use]
    pub fn new() -> Captures {
        Captures::default()
    }

    /// What the name holds.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.bound.get(name)
    }

    /// Binds the name, over whatever it held.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        Arc::make_mut(&mut self.bound).insert(name.into(), value);
    }

    /// Whether the name is bound.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.bound.contains_key(name)
    }

    /// Every name and what it holds, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.bound.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// These, and over them everything that `over` binds: how a client's own captures lie over the case's.
    #[must_use]
    pub fn layered(&self, over: &Captures) -> Captures {
        let mut all = self.clone();
        for (name, value) in over.iter() {
            all.insert(name, value.clone());
        }
        all
    }
}
