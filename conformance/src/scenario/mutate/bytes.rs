//! Changes of plain bytes.

use super::super::ast::{Span, Text};
use super::super::capture::Captures;
use super::super::pieces::{Extent, Piece, Step, Unit, byte_pieces, run, run_each};

/// A body or frame that a correct matcher refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesMutation {
    /// What was changed.
    pub description: String,
    /// The part of the pattern that has to notice.
    pub span: Span,
    /// The changed bytes.
    pub bytes: Vec<u8>,
}

/// The bodies next to `got`, which the pattern accepts as a whole, that it has to refuse. `before` is what was bound before
/// `got` was matched.
#[must_use]
pub fn bytes_mutants(text: &Text, got: &[u8], before: &Captures) -> Vec<BytesMutation> {
    let Ok(pieces) = byte_pieces(text.atoms.iter()) else {
        return Vec::new();
    };
    let mutants = piece_mutants(&pieces, got, text.span, before);
    bytes(mutants)
}

/// [`bytes_mutants`] of the part of a stream that a `<<+` step accepted: what follows it is not the step's concern, so
/// nothing is appended.
#[must_use]
pub fn prefix_mutants(text: &Text, got: &[u8], before: &Captures) -> Vec<BytesMutation> {
    let Ok(pieces) = byte_pieces(text.atoms.iter()) else {
        return Vec::new();
    };
    let mut mutants = piece_mutants(&pieces, got, text.span, before);
    mutants.retain(|mutant| mutant.units.len() <= got.len() && !mutant.units.is_empty());
    bytes(mutants)
}

fn bytes(mutants: Vec<PieceMutation<u8>>) -> Vec<BytesMutation> {
    mutants
        .into_iter()
        .map(|it| BytesMutation {
            description: it.description,
            span: it.span,
            bytes: it.units,
        })
        .collect()
}

/// See [`BytesMutation`], for any units.
pub(super) struct PieceMutation<T> {
    pub(super) description: String,
    pub(super) span: Span,
    pub(super) units: Vec<T>,
}

/// For each literal run: its first and its last unit changed, one dropped; for each typed hole, something that does not fit;
/// something appended to the whole.
pub(super) fn piece_mutants<T: Unit>(
    pieces: &[Piece<T>],
    got: &[T],
    end: Span,
    before: &Captures,
) -> Vec<PieceMutation<T>> {
    let Some(places) = places(pieces, got, end, before) else {
        return Vec::new();
    };
    let mut mutants = Vec::new();
    let mut add = |description: &str, span: Span, units: Vec<T>| {
        mutants.push(PieceMutation {
            description: description.to_owned(),
            span,
            units,
        });
    };
    let with = |from: usize, to: usize, new: &[T]| [&got[..from], new, &got[to..]].concat();
    for (piece, (from, to)) in pieces.iter().zip(places) {
        let (first, last, literal) = match piece {
            Piece::Literal { spans, .. } => (spans[0], spans[spans.len() - 1], true),
            Piece::Hole { fit, span } => {
                let bound = fit.name.as_deref().is_some_and(|name| before.contains(name));
                if !bound && !fit.any() {
                    // No type and hardly a regex takes this.
                    add("text that does not fit the hole", *span, with(from, to, &[T::ODD]));
                }
                (*span, *span, bound)
            }
        };
        if literal && from < to {
            add("first unit changed", first, with(from, from + 1, &[got[from].other()]));
            if to - from > 1 {
                add("last unit changed", last, with(to - 1, to, &[got[to - 1].other()]));
            }
            add("last unit dropped", last, with(to - 1, to, &[]));
        }
    }
    if !got.is_empty() {
        add("nothing at all", end, Vec::new());
    }
    add("a unit appended", end, with(got.len(), got.len(), &[T::ODD]));
    let free = |piece: &Piece<T>| match piece {
        Piece::Literal { .. } => false,
        Piece::Hole { fit, .. } => !fit.name.as_deref().is_some_and(|name| before.contains(name)),
    };
    if pieces.iter().any(free) {
        // A free hole may take the change in, rightly. Without one, whatever the matcher says is not asked.
        mutants.retain(|mutant| {
            let step = run(pieces, &mutant.units, Extent::Whole, end, &mut before.clone());
            !matches!(step, Step::Matched(_))
        });
    }
    mutants
}

/// Where each piece was found in what was accepted.
fn places<T: Unit>(pieces: &[Piece<T>], got: &[T], end: Span, before: &Captures) -> Option<Vec<(usize, usize)>> {
    let mut starts = Vec::with_capacity(pieces.len());
    match run_each(pieces, got, Extent::Whole, end, &mut before.clone(), |start| {
        starts.push(start);
    }) {
        Step::Matched(len) => {
            let ends = starts.iter().copied().skip(1).chain([len]).collect::<Vec<_>>();
            Some(starts.into_iter().zip(ends).collect())
        }
        Step::NeedMore | Step::Mismatch(_) => None,
    }
}
