//! Text and the holes in it.

use super::Span;

/// Text after its escapes were resolved: bytes and holes, each with its place in the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// In order.
    pub atoms: Vec<Atom>,
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
    Hole(Hole),
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
