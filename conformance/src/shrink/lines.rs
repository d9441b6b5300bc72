//! What a line can do without: lanes, headers, windows, bodies.

use super::draft::Draft;
use super::{Search, ShrinkError};
use crate::scenario::ast::{Action, Auto, HeaderLine, Item, Level, Step};

/// Takes off lanes, headers and windows one by one.
pub(super) async fn minimise(best: &mut Draft, search: &mut Search<'_, '_>) -> Result<(), ShrinkError> {
    loop {
        let mut drafts = without_headers(best);
        for (unit, it) in best.units.iter().enumerate() {
            // A body or an attachment, where the line above it does not need it.
            if !it.sealed {
                drafts.extend((1..it.items.len()).rev().map(|line| {
                    let mut draft = best.clone();
                    draft.units[unit].items.remove(line);
                    draft
                }));
            }
            for (line, item) in it.items.iter().enumerate() {
                let Item::Step(step) = item else { continue };
                drafts.extend(smaller(step).into_iter().map(|step| {
                    let mut draft = best.clone();
                    draft.units[unit].items[line] = Item::Step(step);
                    draft
                }));
            }
        }
        if search.first(best, drafts).await?.is_none() {
            return Ok(());
        }
    }
}

/// The headers of the file.
fn without_headers(best: &Draft) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut with = |change: &dyn Fn(&mut Draft)| {
        let mut draft = best.clone();
        change(&mut draft);
        if draft != *best {
            drafts.push(draft);
        }
    };
    with(&|draft| draft.headers.title = None);
    with(&|draft| draft.headers.needs.clear());
    with(&|draft| draft.headers.alone = None);
    with(&|draft| draft.headers.level = Level::Must);
    with(&|draft| draft.headers.auto = Auto::Heartbeats);
    drafts
}

/// The step with one thing less.
fn smaller(step: &Step) -> Vec<Step> {
    let mut steps = Vec::new();
    if step.lanes.len() > 1 {
        steps.extend((0..step.lanes.len()).map(|lane| {
            let mut step = step.clone();
            step.lanes.remove(lane);
            step
        }));
    }
    if step.window.is_some() {
        steps.push(Step {
            window: None,
            ..step.clone()
        });
    }
    let headers = match &step.action {
        Action::Request { headers, .. } | Action::Ws { headers, .. } | Action::Status { headers, .. } => headers.len(),
        _ => 0,
    };
    steps.extend((0..headers).map(|line| {
        let mut step = step.clone();
        if let Some(headers) = headers_of(&mut step.action) {
            headers.remove(line);
        }
        step
    }));
    steps
}

fn headers_of(action: &mut Action) -> Option<&mut Vec<HeaderLine>> {
    match action {
        Action::Request { headers, .. } | Action::Ws { headers, .. } | Action::Status { headers, .. } => Some(headers),
        _ => None,
    }
}
