//! A case in the making.

use std::collections::BTreeSet;

use crate::run::case::ops;
use crate::run::trace::timed;
use crate::scenario::ast::{Headers, Item, Lane, Scenario, Source, Step};
use crate::scenario::print::print;

/// A case as a list of lines that can go one by one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) headers: Headers,
    pub(super) units: Vec<Unit>,
}

/// A step with the lines that carry its body or its attachments, or a reference.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit {
    /// Its number in the case that is shrunk.
    pub(super) origin: usize,
    pub(super) items: Vec<Item>,
    /// It stays, as it is but for payloads.
    pub(super) fixed: bool,
    /// Its payload stays, too.
    pub(super) sealed: bool,
}

impl Unit {
    /// The step; a reference has none.
    pub(super) fn step(&self) -> Option<&Step> {
        match self.items.first() {
            Some(Item::Step(step)) => Some(step),
            _ => None,
        }
    }

    pub(super) fn sends(&self) -> bool {
        self.step().is_some_and(|step| step.action.sends())
    }
}

impl Draft {
    /// The case without what a run does not see: comments, blank lines, times, words for a person.
    pub(super) fn of(scenario: &Scenario, transport: Option<&str>) -> Draft {
        let mut headers = scenario.headers.clone();
        headers.over.clear();
        (headers.since, headers.affects, headers.fixed) = (None, None, None);
        let ops = ops(scenario);
        let begins = |step: &Step| ops.iter().any(|op| std::ptr::eq(op.step, step));
        let mut units: Vec<Unit> = Vec::new();
        for item in &scenario.items {
            let kept = match item {
                Item::Reference(reference) => Item::Reference(reference.clone()),
                Item::Step(step) => Item::Step(timed(step, transport, None)),
                Item::Blank | Item::Comment(_) => continue,
            };
            if let (Item::Step(step), Some(unit)) = (item, units.last_mut())
                && !begins(step)
            {
                unit.items.push(kept);
                continue;
            }
            units.push(Unit {
                origin: units.len(),
                items: vec![kept],
                fixed: false,
                sealed: false,
            });
        }
        Draft { headers, units }
    }

    /// Keeps the units of these numbers, and as they are those that stand on these lines of the file.
    pub(super) fn fix(&mut self, fixed: &Fixed, scenario: &Scenario, lines: &[usize]) {
        let on_line = |unit: &Unit| {
            unit.items.iter().any(|item| {
                let span = match item {
                    Item::Step(step) => step.span,
                    Item::Reference(reference) => reference.span,
                    Item::Blank | Item::Comment(_) => return false,
                };
                lines.contains(&scenario.source.line_column(span.start).0)
            })
        };
        for unit in &mut self.units {
            let named = on_line(unit);
            unit.fixed = named || fixed.stays.contains(&unit.origin);
            unit.sealed = named || fixed.sealed.contains(&unit.origin);
        }
    }

    pub(super) fn text(&self) -> String {
        print(&Scenario {
            source: Source {
                path: String::new(),
                text: String::new(),
            }
            .into(),
            headers: self.headers.clone(),
            items: self.units.iter().flat_map(|unit| unit.items.iter().cloned()).collect(),
        })
    }

    /// How many lines do something.
    pub(super) fn steps(&self) -> usize {
        let items = self.units.iter().flat_map(|unit| &unit.items);
        items.filter(|item| matches!(item, Item::Step(_))).count()
    }

    pub(super) fn clients(&self) -> BTreeSet<String> {
        let steps = self.units.iter().filter_map(Unit::step);
        steps
            .flat_map(|step| step.lanes.iter().map(|lane| lane.client.clone()))
            .collect()
    }

    pub(super) fn without_references(&self) -> Draft {
        self.filtered(|unit| unit.step().is_some())
    }

    /// Without what comes after the last line that has to stay.
    pub(super) fn cut_behind(&self) -> Draft {
        let last = self.units.iter().rposition(|unit| unit.fixed);
        let Some(last) = last else { return self.clone() };
        let mut draft = self.clone();
        draft.units.truncate(last + 1);
        draft
    }

    /// Without that client, in steps of several as well.
    pub(super) fn without_client(&self, client: &str) -> Draft {
        let mut draft = self.filtered(|unit| {
            let lanes = unit.step().map_or(&[][..], |step| step.lanes.as_slice());
            lanes.is_empty() || lanes.iter().any(|lane| lane.client != client)
        });
        for unit in &mut draft.units {
            for item in &mut unit.items {
                if let Item::Step(step) = item {
                    step.lanes.retain(|lane: &Lane| lane.client != client);
                }
            }
        }
        draft
    }

    /// The numbers of the units that may go.
    pub(super) fn free(&self) -> Vec<usize> {
        let free = self.units.iter().filter(|unit| !unit.fixed);
        free.map(|unit| unit.origin).collect()
    }

    /// Only the units that are asked for, and those that stay.
    pub(super) fn filtered(&self, keep: impl Fn(&Unit) -> bool) -> Draft {
        let units = self.units.iter().filter(|unit| unit.fixed || keep(unit));
        Draft {
            headers: self.headers.clone(),
            units: units.cloned().collect(),
        }
    }
}

/// What has to stay for a failure to mean the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Fixed {
    /// The units.
    pub(super) stays: BTreeSet<usize>,
    /// Those of them whose payload has to stay, too.
    pub(super) sealed: BTreeSet<usize>,
}
