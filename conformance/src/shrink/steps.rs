//! Delta debugging: leaves out ever smaller parts of the case, until no single line can go.

use super::draft::Draft;
use super::{Search, ShrinkError};

/// Leaves out what can go.
pub(super) async fn minimise(best: &mut Draft, search: &mut Search<'_, '_>) -> Result<(), ShrinkError> {
    let mut parts = 2;
    loop {
        let free: Vec<usize> = best
            .units
            .iter()
            .filter(|unit| !unit.fixed)
            .map(|unit| unit.origin)
            .collect();
        if free.is_empty() || search.trial.is_over().is_some() {
            return Ok(());
        }
        // Larger parts first, and as many more as run beside them.
        let mut drafts: Vec<Draft> = Vec::new();
        let mut sizes = Vec::new();
        while drafts.is_empty() || drafts.len() < search.trial.jobs() {
            parts = parts.min(free.len());
            let size = free.len().div_ceil(parts);
            // From the end: what comes late is less often needed by what comes early.
            let gone = free.chunks(size).rev();
            drafts.extend(gone.map(|gone| best.filtered(|unit| !gone.contains(&unit.origin))));
            sizes.resize(drafts.len(), parts);
            if size == 1 {
                break;
            }
            parts *= 2;
        }
        let finest = parts >= free.len();
        match search.first(best, drafts).await? {
            Some(found) => parts = sizes.get(found).map_or(2, |parts| parts.saturating_sub(1).max(2)),
            None if finest => return pairs(best, search).await,
            None => {}
        }
    }
}

/// A send and what answers it can often only go together: neighbours, and those that are a line apart.
async fn pairs(best: &mut Draft, search: &mut Search<'_, '_>) -> Result<(), ShrinkError> {
    loop {
        let free: Vec<usize> = best
            .units
            .iter()
            .filter(|unit| !unit.fixed)
            .map(|unit| unit.origin)
            .collect();
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
