//! Text and the holes in it.

use std::ops::Deref;
use std::sync::OnceLock;

use super::Span;

/// Text after its escapes were resolved: bytes and holes, each with its place in the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// In order.
    pub atoms: Atoms,
    /// The whole text; where it is empty, the place where it would stand.
    pub span: Span,
}

impl Text {
    /// A text without holes that stands for the place `span`.
    #[must_use]
    pub fn literal(text: &str, span: Span) -> Text {
        let atoms = text
            .bytes()
            .map(|byte| Atom {
                kind: AtomKind::Byte(byte),
                span,
            })
            .collect();
        Text { atoms, span }
    }

    /// Its bytes, without its holes.
    pub fn literals(&self) -> impl Iterator<Item = u8> {
        self.atoms.iter().filter_map(|atom| match atom.kind {
            AtomKind::Byte(byte) => Some(byte),
            AtomKind::Hole(_) => None,
        })
    }

    /// The text with its long repetitions cut short: for what only asks how it is built.
    #[must_use]
    pub fn outline(&self) -> Text {
        Text {
            atoms: self.atoms.outline(),
            span: self.span,
        }
    }

    /// Its holes, without writing out what is repeated; only bytes are.
    pub fn holes(&self) -> impl Iterator<Item = (&Hole, Span)> {
        let held: Box<dyn Iterator<Item = &Atom> + '_> = if self.atoms.runs.is_empty() {
            Box::new(self.atoms.iter())
        } else {
            Box::new(self.atoms.runs.iter().flat_map(|(atoms, _)| atoms))
        };
        held.filter_map(|atom| match &atom.kind {
            AtomKind::Hole(hole) => Some((&**hole, atom.span)),
            AtomKind::Byte(_) => None,
        })
    }
}

/// How many repetitions an outline keeps.
const OUTLINED: usize = 1024;

/// Atoms in order. A long repetition is held once, and written out when somebody reads.
#[derive(Debug, Default)]
pub struct Atoms {
    /// What is repeated, and how often; empty where nothing is.
    runs: Vec<(Vec<Atom>, usize)>,
    all: OnceLock<Vec<Atom>>,
}

impl Atoms {
    /// From pieces, each so often. What is short is written out at once.
    pub(crate) fn from_runs(runs: Vec<(Vec<Atom>, usize)>) -> Atoms {
        if runs.iter().any(|(_, count)| *count > OUTLINED) {
            return Atoms {
                runs,
                all: OnceLock::new(),
            };
        }
        written_out(&runs).into()
    }

    /// Pieces, and how often each stands behind the other, without writing out long repetitions.
    pub(crate) fn runs(&self) -> Vec<(&[Atom], usize)> {
        if self.runs.is_empty() {
            return vec![(self, 1)];
        }
        self.runs
            .iter()
            .map(|(atoms, count)| (atoms.as_slice(), *count))
            .collect()
    }

    fn outline(&self) -> Atoms {
        let mut runs = self.runs.clone();
        for (_, count) in &mut runs {
            *count = OUTLINED.min(*count);
        }
        if runs.is_empty() {
            self.clone()
        } else {
            Atoms::from_runs(runs)
        }
    }
}

fn written_out(runs: &[(Vec<Atom>, usize)]) -> Vec<Atom> {
    let length = runs.iter().map(|(atoms, count)| atoms.len() * count).sum();
    let mut all = Vec::with_capacity(length);
    for (atoms, count) in runs {
        for _ in 0..*count {
            all.extend_from_slice(atoms);
        }
    }
    all
}

impl Deref for Atoms {
    type Target = [Atom];

    fn deref(&self) -> &[Atom] {
        self.all.get_or_init(|| written_out(&self.runs))
    }
}

/// A copy holds repetitions once again.
impl Clone for Atoms {
    fn clone(&self) -> Atoms {
        let all = if self.runs.is_empty() {
            self.all.clone()
        } else {
            OnceLock::new()
        };
        Atoms {
            runs: self.runs.clone(),
            all,
        }
    }
}

impl PartialEq for Atoms {
    fn eq(&self, other: &Atoms) -> bool {
        **self == **other
    }
}

impl From<Vec<Atom>> for Atoms {
    fn from(atoms: Vec<Atom>) -> Atoms {
        Atoms {
            runs: Vec::new(),
            all: OnceLock::from(atoms),
        }
    }
}

impl FromIterator<Atom> for Atoms {
    fn from_iter<I: IntoIterator<Item = Atom>>(atoms: I) -> Atoms {
        atoms.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Atoms {
    type Item = &'a Atom;
    type IntoIter = std::slice::Iter<'a, Atom>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A byte or a hole.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// Which of the two.
    pub kind: AtomKind,
    /// The character, escape or hole it came from (the bytes of one character share a span).
    pub span: Span,
}

/// See [`Atom`].
#[derive(Clone, Debug, PartialEq)]
pub enum AtomKind {
    /// A literal byte.
    Byte(u8),
    /// `$name`, `$name(type)`, `$(type)`, `$(/regex/)`, `$_`.
    Hole(Box<Hole>),
}

/// A hole. `$_` has neither name nor kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    /// The capture; `None` for `$_` and `$(…)`.
    pub name: Option<String>,
    /// What fits.
    pub kind: Option<HoleKind>,
}

/// What fits in a hole.
#[derive(Clone, Debug, PartialEq)]
pub enum HoleKind {
    /// `$(/regex/)`: the pattern without its slashes; it must match the whole.
    Regex(String),
    /// `$(int)`, `$(int(1..))`, `$(int?)`.
    Type(HoleType),
}

/// A JSON type, with a range for numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct HoleType {
    /// The type.
    pub base: BaseType,
    /// `int(1..)`, `num(..5)`, `int(1..3)`: inclusive bounds, as written.
    pub range: Option<(Option<String>, Option<String>)>,
    /// `int?`: the value may be absent (an object's member, or the last of an array) or null.
    pub optional: bool,
}

/// The JSON types a hole can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseType {
    /// A string.
    Str,
    /// An integer: no fraction, whatever way it is written.
    Int,
    /// Any number.
    Num,
    /// `true` or `false`.
    Bool,
    /// An array.
    List,
    /// An object.
    Obj,
}
