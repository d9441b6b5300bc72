//! Text and the holes in it.

use std::borrow::Cow;

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
        let held = self.atoms.runs.iter().flat_map(|(atoms, _)| atoms);
        held.filter_map(|atom| match &atom.kind {
            AtomKind::Hole(hole) => Some((&**hole, atom.span)),
            AtomKind::Byte(_) => None,
        })
    }
}

/// How many repetitions an outline keeps.
const OUTLINED: usize = 1024;

/// Atoms in order. A long repetition is held once.
#[derive(Clone, Debug, Default)]
pub struct Atoms {
    /// Pieces, and how often each stands behind the other.
    runs: Vec<(Vec<Atom>, usize)>,
}

impl Atoms {
    /// From pieces, each so often. What is short is written out at once.
    pub(crate) fn from_runs(runs: Vec<(Vec<Atom>, usize)>) -> Atoms {
        let atoms = Atoms { runs };
        if atoms.runs.iter().any(|(_, count)| *count > OUTLINED) {
            return atoms;
        }
        atoms.iter().cloned().collect()
    }

    /// Every atom, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Atom> {
        let runs = self.runs.iter();
        runs.flat_map(|(atoms, count)| std::iter::repeat_n(atoms, *count).flatten())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.iter().map(|(atoms, count)| atoms.len() * count).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pieces, and how often each stands behind the other, without writing out long repetitions.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&[Atom], usize)> {
        self.runs.iter().map(|(atoms, count)| (atoms.as_slice(), *count))
    }

    /// Every atom in one piece, some dozen bytes for each: for what looks ahead and back.
    #[must_use]
    pub fn written_out(&self) -> Cow<'_, [Atom]> {
        match self.runs.as_slice() {
            [] => Cow::Borrowed(&[]),
            [(atoms, 1)] => Cow::Borrowed(atoms),
            _ => Cow::Owned(self.iter().cloned().collect()),
        }
    }

    fn outline(&self) -> Atoms {
        let outlined = |(atoms, count): &(Vec<Atom>, usize)| (atoms.clone(), OUTLINED.min(*count));
        Atoms::from_runs(self.runs.iter().map(outlined).collect())
    }
}

impl PartialEq for Atoms {
    fn eq(&self, other: &Atoms) -> bool {
        self.runs == other.runs || self.iter().eq(other.iter())
    }
}

impl From<Vec<Atom>> for Atoms {
    fn from(atoms: Vec<Atom>) -> Atoms {
        Atoms { runs: vec![(atoms, 1)] }
    }
}

impl FromIterator<Atom> for Atoms {
    fn from_iter<I: IntoIterator<Item = Atom>>(atoms: I) -> Atoms {
        atoms.into_iter().collect::<Vec<_>>().into()
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
