//! Patterns over case ids, as `--filter` and the baseline have them: `*` is any run of characters, `/` included, `?` is
//! one character, and everything else is itself, brackets too. The whole id must fit.

use std::fmt;

use crate::suite::Renamed;

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<char>);

impl Glob {
    /// Every text is a glob.
    #[must_use]
    pub fn new(text: &str) -> Glob {
        Glob(text.chars().collect())
    }

    /// Whether the case with this id is meant, by its name or an earlier one.
    #[must_use]
    pub fn names(&self, id: &str) -> bool {
        self.matches(id) || Renamed::embedded().former(id).any(|old| self.matches(&old))
    }

    /// Whether the whole text fits. Takes time in the product of both lengths at most.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let id: Vec<char> = text.chars().collect();
        let (mut glob_at, mut id_at) = (0, 0);
        // Where the last `*` stands, and how much of the id it has taken.
        let mut star: Option<(usize, usize)> = None;
        while id_at < id.len() {
            match self.0.get(glob_at) {
                Some('*') => {
                    star = Some((glob_at, id_at));
                    glob_at += 1;
                }
                Some(c) if *c == '?' || *c == id[id_at] => {
                    glob_at += 1;
                    id_at += 1;
                }
                _ => match star {
                    Some((star_at, taken)) => {
                        star = Some((star_at, taken + 1));
                        glob_at = star_at + 1;
                        id_at = taken + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[glob_at..].iter().all(|c| *c == '*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|c| write!(f, "{c}"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("rev1/ack/data[websocket]", "rev1/ack/data[websocket]", true)]
    #[case("rev1/ack/data[websocket]", "rev1/ack/dataw", false)]
    #[case("rev1/*[xhr-polling]", "rev1/ack/data[xhr-polling]", true)]
    #[case("rev1/*a*", "rev1/ack/dat", true)]
    #[case("rev1/*x*", "rev1/ack/dat", false)]
    #[case("rev?/ack", "rev1/ack", true)]
    #[case("rev1/ack", "rev1/ack/data", false)]
    #[case("*", "", true)]
    #[case("?", "é", true)]
    #[case("", "a", false)]
    #[case("*ab", "aab", true)]
    fn globs(#[case] glob: &str, #[case] id: &str, #[case] matches: bool) {
        assert_eq!(Glob::new(glob).matches(id), matches);
    }
}
