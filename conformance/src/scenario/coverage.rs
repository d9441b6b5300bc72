//! Which case covers which requirement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::ast::Item;
use super::catalogue::Catalogue;
use super::requirements::Requirement;

/// Requirements × cases.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Every requirement and the ids of the cases that name it, both by id.
    pub rows: Vec<(Requirement, Vec<String>)>,
    /// Scenarios that name no requirement.
    pub aimless: Vec<String>,
}

/// Which case covers which requirement.
#[must_use]
pub fn coverage(catalogue: &Catalogue) -> Coverage {
    let mut covered: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut aimless = Vec::new();
    let cases = catalogue.all_cases();
    for scenario in &catalogue.scenarios {
        let id = &scenario.headers.case.node;
        let mut named: Vec<&str> = scenario
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Reference(reference) => Some(reference.requirements.iter().map(|it| it.node.as_str())),
                _ => None,
            })
            .flatten()
            .collect();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            aimless.push(id.clone());
        }
        for requirement in named {
            let of_scenario = cases.iter().filter(|case| case.scenario.headers.case.node == *id);
            covered
                .entry(requirement)
                .or_default()
                .extend(of_scenario.map(|case| case.id.clone()));
        }
    }
    let rows = catalogue.requirements.iter();
    let rows = rows
        .map(|it| (it.clone(), covered.remove(it.id.as_str()).unwrap_or_default()))
        .collect();
    Coverage { rows, aimless }
}

impl Coverage {
    /// The requirements no case names.
    pub fn uncovered(&self) -> impl Iterator<Item = &Requirement> {
        self.rows
            .iter()
            .filter(|(_, cases)| cases.is_empty())
            .map(|(requirement, _)| requirement)
    }

    /// Whether every requirement has a case and every case a requirement.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.aimless.is_empty() && self.uncovered().next().is_none()
    }

    /// A table for a person: a line for each requirement, then what is missing.
    #[must_use]
    pub fn render(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|(it, _)| it.id.len())
            .max()
            .unwrap_or_default()
            .max("requirement".len());
        let mut out = format!("{:<width$}  level   authority  cases\n", "requirement");
        for (requirement, cases) in &self.rows {
            let (level, authority) = (requirement.level.word(), requirement.authority.word());
            let shown = match cases.as_slice() {
                [] => "none".to_owned(),
                [only] => format!("1  {only}"),
                [first, ..] => format!("{}  {first} …", cases.len()),
            };
            let _ = writeln!(out, "{:<width$}  {level:<6}  {authority:<9}  {shown}", requirement.id);
        }
        let uncovered: Vec<&Requirement> = self.uncovered().collect();
        let _ = writeln!(
            out,
            "\n{} of {} requirements covered",
            self.rows.len() - uncovered.len(),
            self.rows.len()
        );
        for requirement in uncovered {
            let _ = writeln!(out, "error: no case covers {}", requirement.id);
        }
        for case in &self.aimless {
            let _ = writeln!(out, "error: {case} covers no requirement");
        }
        out
    }
}
