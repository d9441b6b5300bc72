//! Cases that have been renamed: whoever knows one by its old name still finds it.

use std::sync::LazyLock;

static EMBEDDED: LazyLock<Renamed> = LazyLock::new(|| Renamed::parse(include_str!("../../../fixtures/renamed")));

/// Old names and new ones, without transports.
#[derive(Debug, Default)]
pub struct Renamed(Vec<(String, String)>);

impl Renamed {
    /// `fixtures/renamed` as it was when the program was built.
    #[must_use]
    pub fn embedded() -> &'static Renamed {
        &EMBEDDED
    }

    /// Two names a line, the old one first; lines that are empty or begin with `#` say nothing.
    fn parse(text: &str) -> Renamed {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once(char::is_whitespace));
        Renamed(
            pairs
                .map(|(old, new)| (old.to_owned(), new.trim().to_owned()))
                .collect(),
        )
    }

    /// What a case was called before; the transport of `id` goes along.
    pub fn former<'a>(&'a self, id: &'a str) -> impl Iterator<Item = String> + 'a {
        let (bare, transport) = parts(id);
        let mine = self.0.iter().filter(move |(_, new)| new == bare);
        mine.map(move |(old, _)| format!("{old}{transport}"))
    }

    /// What the case is called now that once had this name, with a transport or without; `None` where it never had another.
    #[must_use]
    pub fn now(&self, id: &str) -> Option<String> {
        let (bare, transport) = parts(id);
        let (_, new) = self.0.iter().find(|(old, _)| old == bare)?;
        Some(format!("{new}{transport}"))
    }
}

/// A scenario's id, and the rest: `[websocket]`, or nothing.
fn parts(id: &str) -> (&str, &str) {
    id.split_at(id.find('[').unwrap_or(id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::catalogue::Catalogue;

    #[test]
    fn a_case_is_found_by_its_old_names() {
        let renamed = Renamed::parse("# old  new\n\nrev1/a/b  rev1/c/d\nrev1/a/first  rev1/c/d\n");
        assert_eq!(
            renamed.now("rev1/a/b[websocket]").as_deref(),
            Some("rev1/c/d[websocket]")
        );
        assert_eq!(renamed.now("rev1/a/b").as_deref(), Some("rev1/c/d"));
        assert_eq!(renamed.now("rev1/c/d"), None);
        let former: Vec<String> = renamed.former("rev1/c/d[websocket]").collect();
        assert_eq!(former, ["rev1/a/b[websocket]", "rev1/a/first[websocket]"]);
        assert_eq!(renamed.former("rev1/a/b").count(), 0);
    }

    #[test]
    fn every_new_name_is_a_case_and_no_old_one_is() {
        let catalogue = Catalogue::embedded().unwrap();
        for (old, new) in &Renamed::embedded().0 {
            assert!(catalogue.scenario(new).is_some(), "{new}");
            assert!(catalogue.scenario(old).is_none(), "{old}");
        }
    }
}
