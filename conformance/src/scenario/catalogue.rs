//! Every case: the scenarios that come with the program and a user's own, expanded by `over:`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ast::{Item, Scenario};
use super::diagnostic::{Diagnostic, Severity};
use super::fixtures::{self, File, ReadError};
use super::requirements::Requirements;
use super::words::nearest;
use super::{lint, parse};

/// Scenarios and the requirements that their `@` lines name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// By id.
    pub scenarios: Vec<Arc<Scenario>>,
    /// What the documents ask for.
    pub requirements: Requirements,
}

/// A scenario on a transport.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario's id, and the transport where `over:` names some: `rev1/ack/data[xhr-polling]`.
    pub id: String,
    /// What to do.
    pub scenario: Arc<Scenario>,
    /// The transport of the clients whose `open` names none.
    pub transport: Option<String>,
}

impl Case {
    /// The case with a scenario of its own: what is written out of its texts while it is played goes with it.
    #[must_use]
    pub fn detached(&self) -> Case {
        Case {
            scenario: Arc::new(Scenario::clone(&self.scenario)),
            ..self.clone()
        }
    }
}

/// Why there is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file or directory cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Files are malformed.
    #[error("{} error(s) in scenarios or requirements", .0.len())]
    Malformed(Vec<Diagnostic>),
}

impl Catalogue {
    /// What comes with the program.
    ///
    /// # Errors
    ///
    /// A file is malformed, which is a fault of the program.
    pub fn embedded() -> Result<Catalogue, CatalogueError> {
        let requirements = Requirements::embedded().map_err(CatalogueError::Malformed)?;
        Catalogue {
            scenarios: Vec::new(),
            requirements,
        }
        .with(&fixtures::embedded("scenarios", "wire"), Place::Fixtures)
    }

    /// What a directory laid out like `fixtures/` holds.
    ///
    /// # Errors
    ///
    /// The directory cannot be read, or a file in it is malformed.
    pub fn from_dir(root: &Path) -> Result<Catalogue, CatalogueError> {
        let requirements = Requirements::from_dir(root)?.map_err(CatalogueError::Malformed)?;
        let files = fixtures::directory(root, "scenarios", "wire")?;
        Catalogue {
            scenarios: Vec::new(),
            requirements,
        }
        .with(&files, Place::Fixtures)
    }

    /// Adds a user's files: `.wire` files, and directories that are searched for them. Their ids need not follow their
    /// paths.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is malformed.
    pub fn with_paths(self, paths: &[PathBuf]) -> Result<Catalogue, CatalogueError> {
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                files.extend(fixtures::directory(path, "", "wire")?);
            } else {
                files.push(fixtures::read(path)?);
            }
        }
        self.with(&files, Place::Anywhere)
    }

    /// Every case that needs no browser, scenarios by id and transports in the order of `over:`.
    #[must_use]
    pub fn cases(&self) -> Vec<Case> {
        self.expand(|scenario| !scenario.has_pages())
    }

    /// The same, with those that need one: each once, whatever clients and browsers it runs with.
    #[must_use]
    pub fn all_cases(&self) -> Vec<Case> {
        self.expand(|_| true)
    }

    fn expand(&self, takes: impl Fn(&Scenario) -> bool) -> Vec<Case> {
        let mut cases = Vec::new();
        for scenario in self.scenarios.iter().filter(|scenario| takes(scenario)) {
            let id = &scenario.headers.case.node;
            let case = |id: String, transport| Case {
                id,
                scenario: Arc::clone(scenario),
                transport,
            };
            if scenario.headers.over.is_empty() {
                cases.push(case(id.clone(), None));
            }
            for transport in &scenario.headers.over {
                cases.push(case(format!("{id}[{}]", transport.node), Some(transport.node.clone())));
            }
        }
        cases
    }

    /// The scenario with this id, without a transport.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Arc<Scenario>> {
        self.scenarios.iter().find(|scenario| scenario.headers.case.node == id)
    }

    /// What is legal, and probably not what was meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<Diagnostic> {
        self.scenarios
            .iter()
            .flat_map(|scenario| lint::warnings(scenario))
            .collect()
    }

    fn with(mut self, files: &[File], place: Place) -> Result<Catalogue, CatalogueError> {
        let mut problems = Vec::new();
        let mut known: BTreeMap<String, Arc<Scenario>> = self
            .scenarios
            .drain(..)
            .map(|it| (it.headers.case.node.clone(), it))
            .collect();
        for file in files {
            let scenario = match parse::parse(&file.path, &file.text) {
                Ok(scenario) => Arc::new(scenario),
                Err(errors) => {
                    problems.extend(errors);
                    continue;
                }
            };
            let case = &scenario.headers.case;
            let error = |title: String| Diagnostic::new(Severity::Error, title, Arc::clone(&scenario.source));
            if place == Place::Fixtures
                && !file
                    .path
                    .replace('\\', "/")
                    .ends_with(&format!("scenarios/{}.wire", case.node))
            {
                let help = format!("the file's place is fixtures/scenarios/{}.wire", case.node);
                problems.push(
                    error("the case id and the path differ".to_owned())
                        .primary(case.span, "")
                        .note("help", help),
                );
            }
            if let Some(other) = known.get(&case.node) {
                let note = format!("the other is {}", other.source.path);
                problems.push(
                    error(format!("a second case has the id `{}`", case.node))
                        .primary(case.span, "")
                        .note("note", note),
                );
            }
            problems.extend(self.unknown_requirements(&scenario));
            known.insert(case.node.clone(), Arc::clone(&scenario));
        }
        self.scenarios = known.into_values().collect();
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(CatalogueError::Malformed(problems))
        }
    }

    fn unknown_requirements(&self, scenario: &Scenario) -> Vec<Diagnostic> {
        let references = scenario.items.iter().filter_map(|item| match item {
            Item::Reference(reference) => Some(reference),
            _ => None,
        });
        let unknown = references
            .flat_map(|it| &it.requirements)
            .filter(|it| self.requirements.get(&it.node).is_none());
        unknown
            .map(|id| {
                let title = format!("unknown requirement `{}`", id.node);
                let problem =
                    Diagnostic::new(Severity::Error, title, Arc::clone(&scenario.source)).primary(id.span, "");
                match nearest(&id.node, self.requirements.ids()) {
                    Some(near) => problem.note("help", format!("did you mean `{near}`?")),
                    None => problem.note("help", "requirements stand in fixtures/requirements"),
                }
            })
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The id has to follow the path.
    Fixtures,
    Anywhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIREMENTS: &str = "document = \"rev1\"\ntitle = \"t\"\n[[requirement]]\nid = \"ack/data\"\nsection = \"S\"\n\
                                text = \"T\"\nlevel = \"must\"\nauthority = \"spec\"\n";
    const CASE: &str = "case:  rev1/ack/data\nover:  websocket xhr-polling\n\n@ rev1#ack/data\na open\na fence\n";

    /// A fixtures directory with these scenarios.
    fn directory(scenarios: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("requirements/rev1.toml".to_owned(), REQUIREMENTS);
        for (path, text) in scenarios {
            write(format!("scenarios/{path}.wire"), text);
        }
        root
    }

    fn titles(error: CatalogueError) -> Vec<String> {
        match error {
            CatalogueError::Malformed(problems) => problems.into_iter().map(|it| it.title).collect(),
            CatalogueError::Read(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn the_embedded_scenarios_are_sound() {
        match Catalogue::embedded() {
            Ok(catalogue) => assert_eq!(
                catalogue
                    .warnings()
                    .iter()
                    .map(|it| it.render(false))
                    .collect::<Vec<_>>(),
                [""; 0]
            ),
            Err(CatalogueError::Malformed(problems)) => {
                panic!(
                    "{}",
                    problems
                        .iter()
                        .map(|it| it.render(false))
                        .collect::<Vec<_>>()
                        .join("\n\n")
                )
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn over_makes_a_case_of_each_transport() {
        let root = directory(&[("rev1/ack/data", CASE)]);
        let catalogue = Catalogue::from_dir(root.path()).unwrap();
        let ids: Vec<String> = catalogue.cases().into_iter().map(|case| case.id).collect();
        assert_eq!(ids, ["rev1/ack/data[websocket]", "rev1/ack/data[xhr-polling]"]);
    }

    #[test]
    fn an_id_that_does_not_follow_its_path_is_an_error() {
        let root = directory(&[("rev1/ack/date", CASE)]);
        let error = Catalogue::from_dir(root.path()).unwrap_err();
        assert_eq!(titles(error), ["the case id and the path differ"]);
    }

    #[test]
    fn an_unknown_requirement_is_an_error() {
        let root = directory(&[("rev1/ack/data", &CASE.replace("#ack/data", "#ack/dota"))]);
        let CatalogueError::Malformed(problems) = Catalogue::from_dir(root.path()).unwrap_err() else {
            panic!()
        };
        insta::assert_snapshot!(problems[0].render(false).replace(&root.path().display().to_string(), "fixtures"), @r"
        error: unknown requirement `rev1#ack/dota`
         --> fixtures/scenarios/rev1/ack/data.wire:4:3
          |
        4 | @ rev1#ack/dota
          |   ^^^^^^^^^^^^^
          |
          = help   did you mean `rev1#ack/data`?
        ");
    }

    #[test]
    fn a_users_file_lives_anywhere_but_has_an_id_of_its_own() {
        let root = directory(&[("rev1/ack/data", CASE)]);
        let catalogue = Catalogue::from_dir(root.path()).unwrap();
        let user = tempfile::tempdir().unwrap();
        let path = user.path().join("mine.wire");
        std::fs::write(&path, CASE.replace("rev1/ack", "rev1/mine")).unwrap();
        let both = catalogue.clone().with_paths(std::slice::from_ref(&path)).unwrap();
        assert_eq!(both.scenarios.len(), 2);
        std::fs::write(&path, CASE).unwrap();
        let error = catalogue.with_paths(&[path]).unwrap_err();
        assert_eq!(titles(error), ["a second case has the id `rev1/ack/data`"]);
        let error = Catalogue::default()
            .with_paths(&[user.path().join("none.wire")])
            .unwrap_err();
        assert!(titles(error)[0].contains("cannot read"));
    }
}
