//! A run, put together of its events.

use std::collections::BTreeMap;

use crate::run::event::{CaseReport, Event, Outcome, Start, Summary};

/// A run as far as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What was judged.
    pub start: Start,
    /// How each case ended, by id.
    pub cases: BTreeMap<String, CaseReport>,
    /// What else a person should know, in the order in which it happened.
    pub notes: Vec<String>,
    /// None where the run was cut short.
    pub summary: Option<Summary>,
}

impl Run {
    /// A run of which nothing has happened.
    #[must_use]
    pub fn begun(start: &Start) -> Run {
        Run {
            start: start.clone(),
            cases: BTreeMap::new(),
            notes: Vec::new(),
            summary: None,
        }
    }

    /// Takes an event after `start`.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Start(start) => *self = Run::begun(start),
            Event::CaseStart { .. } => {}
            Event::Case(case) => {
                self.cases.insert(case.id.clone(), case.clone());
            }
            Event::Note { message } => self.notes.push(message.clone()),
            Event::Summary(summary) => self.summary = Some(summary.clone()),
        }
    }

    /// What the server is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.start.name.as_deref().unwrap_or(&self.start.target)
    }

    /// How many cases ended like this.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases.values().filter(|case| case.outcome == outcome).count()
    }

    /// Whether cases are missing: the run did not come to its end.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.summary.is_none() || self.cases.len() < self.start.cases
    }
}
