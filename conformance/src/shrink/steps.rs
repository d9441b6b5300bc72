//! Delta debugging: leaves out ever smaller parts of the case, until no single line can go.

use super::draft::Draft;
use super::{Search, ShrinkError};

/// Leaves out what can go.
pub(super) async fn minimise(best: &mut Draft, search: &mut Search<'_, '_>) -> Result<(), ShrinkError> {
    let mut parts = 2;
    loop {
        let free = best.free();
        if free.is_empty() || search.trial.is_over().is_some() {
            return Ok(());
        }
        let cuts = cuts(&free, parts, search.trial.jobs());
        // What is tried is what is left without them.
        let drafts = cuts
            .iter()
            .map(|cut| best.filtered(|unit| !cut.gone.contains(&unit.origin)))
            .collect();
        let finest = cuts.last().map_or(free.len(), |cut| cut.parts);
        match search.first(best, drafts).await? {
            Some(found) => parts = cuts.get(found).map_or(2, |cut| cut.parts.saturating_sub(1).max(2)),
            None if finest == free.len() => return pairs(best, search).await,
            None => parts = finest * 2,
        }
    }
}

/// Lines that go together.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    gone: Vec<usize>,
    /// Into how many parts the case was cut.
    parts: usize,
}

/// The case cut into so many parts, and into more and more as long as there is room beside them. Where the last of them is
/// `parts == free.len()`, every single line is among them.
fn cuts(free: &[usize], mut parts: usize, room: usize) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    while cuts.len() < room.max(1) {
        // Half of the parts may be as large as a single line already.
        if parts * 2 > free.len() {
            parts = free.len();
        }
        let size = free.len().div_ceil(parts.max(1)).max(1);
        // From the end: what comes late is less often needed by what comes early.
        cuts.extend(free.chunks(size).rev().map(|gone| Cut {
            gone: gone.to_vec(),
            parts,
        }));
        if parts == free.len() {
            break;
        }
        parts *= 2;
    }
    cuts
}

/// A send and what answers it can often only go together: neighbours, and those that are a line apart.
async fn pairs(best: &mut Draft, search: &mut Search<'_, '_>) -> Result<(), ShrinkError> {
    loop {
        let free = best.free();
        let mut drafts = Vec::new();
        for length in [2, 3] {
            let windows = free.windows(length).rev();
            drafts.extend(windows.map(|gone| best.filtered(|unit| !gone.contains(&unit.origin))));
        }
        let apart = free.windows(3).rev();
        drafts.extend(apart.map(|gone| best.filtered(|unit| unit.origin != gone[0] && unit.origin != gone[2])));
        if search.first(best, drafts).await?.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_single_lines() {
        for length in 1..40 {
            let free: Vec<usize> = (0..length).collect();
            for room in [1, 4, 8, 100] {
                let mut parts = 2;
                // As the search does where nothing can go.
                let seen = (0..20).find_map(|_| {
                    let cuts = cuts(&free, parts, room);
                    let finest = cuts.last().map(|cut| cut.parts)?;
                    parts = finest * 2;
                    (finest == length).then_some(cuts)
                });
                let seen = seen.unwrap_or_else(|| panic!("no single lines of {length}"));
                for line in &free {
                    assert!(
                        seen.iter().any(|cut| cut.gone == [*line]),
                        "{line} of {length}, room {room}"
                    );
                }
            }
        }
    }

    #[test]
    fn larger_parts_come_first() {
        let sizes: Vec<usize> = cuts(&[0, 1, 2, 3, 4, 5, 6, 7], 2, 6)
            .iter()
            .map(|cut| cut.gone.len())
            .collect();
        assert_eq!(sizes, [4, 4, 2, 2, 2, 2]);
    }
}
