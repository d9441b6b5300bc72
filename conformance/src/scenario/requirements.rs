//! What the protocol documents ask for, each with an id that `@` lines name.
//!
//! ```toml
//! document = "rev1"
//! title = "Socket.IO protocol, revision 1"
//!
//! [[requirement]]
//! id = "framing/length"                # named as rev1#framing/length
//! section = "Messages / Framing"
//! text = "The length counts UTF-16 code units."
//! level = "must"                       # must, should, may
//! authority = "reference"              # spec, reference, observed
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::ast::{Authority, Level, Source, Span};
use super::diagnostic::{Diagnostic, Severity};
use super::fixtures::{self, File, ReadError};

/// One normative statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `rev1#framing/length`
    pub id: String,
    /// Where it stands: in its document, or in the documentation it was taken from.
    pub section: String,
    /// The statement, in our own words.
    pub text: String,
    /// How binding it is.
    pub level: Level,
    /// Who says so.
    pub authority: Authority,
}

/// Every requirement, by id.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    by_id: BTreeMap<String, Requirement>,
    documents: BTreeMap<String, About>,
}

/// What a document of requirements is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// `Socket.IO protocol, revision 1`
    pub title: String,
    /// Where it can be read; none for what is no document.
    pub source: Option<String>,
}

impl Requirements {
    /// Those that come with the program.
    ///
    /// # Errors
    ///
    /// A file is malformed, or an id stands in it twice.
    pub fn embedded() -> Result<Requirements, Vec<Diagnostic>> {
        Requirements::read(&fixtures::embedded("requirements", "toml"))
    }

    /// Those in `requirements/*.toml` below a directory laid out like `fixtures/`.
    ///
    /// # Errors
    ///
    /// The outer error: the directory cannot be read. The inner: as [`Requirements::embedded`].
    pub fn from_dir(root: &Path) -> Result<Result<Requirements, Vec<Diagnostic>>, ReadError> {
        Ok(Requirements::read(&fixtures::directory(root, "requirements", "toml")?))
    }

    /// The requirement with this id: `rev1#framing/length`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.by_id.values()
    }

    /// The documents by the part of an id before `#`.
    pub fn documents(&self) -> impl Iterator<Item = (&str, &About)> {
        self.documents.iter().map(|(name, about)| (name.as_str(), about))
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_id.keys().map(String::as_str)
    }

    fn read(files: &[File]) -> Result<Requirements, Vec<Diagnostic>> {
        let mut requirements = Requirements::default();
        let mut problems = Vec::new();
        for file in files {
            let source = Arc::new(Source {
                path: file.path.clone(),
                text: file.text.clone(),
            });
            match toml::from_str::<Document>(&file.text) {
                Ok(document) => requirements.add(document, &source, &mut problems),
                Err(error) => {
                    let span = error.span().unwrap_or_default();
                    let problem = Diagnostic::new(Severity::Error, error.message(), source);
                    problems.push(problem.primary(
                        Span {
                            start: span.start,
                            end: span.end,
                        },
                        "",
                    ));
                }
            }
        }
        if problems.is_empty() {
            Ok(requirements)
        } else {
            Err(problems)
        }
    }

    fn add(&mut self, document: Document, source: &Arc<Source>, problems: &mut Vec<Diagnostic>) {
        let about = About {
            title: document.title,
            source: document.source.filter(|source| !source.is_empty()),
        };
        self.documents.insert(document.document.clone(), about);
        for entry in document.requirement {
            let span = Span {
                start: entry.id.span().start,
                end: entry.id.span().end,
            };
            let id = format!("{}#{}", document.document, entry.id.get_ref());
            let mut problem = |title: String| {
                problems.push(Diagnostic::new(Severity::Error, title, Arc::clone(source)).primary(span, ""));
            };
            if !super::parse::is_requirement(&id) {
                problem(format!("malformed requirement id `{id}`"));
            }
            if entry.text.trim().is_empty() || entry.section.trim().is_empty() {
                problem(format!("`{id}` has no text, or no section"));
            }
            let requirement = Requirement {
                id: id.clone(),
                section: entry.section,
                text: entry.text,
                level: entry.level,
                authority: entry.authority,
            };
            if self.by_id.insert(id.clone(), requirement).is_some() {
                problem(format!("a second requirement has the id `{id}`"));
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    document: String,
    title: String,
    source: Option<String>,
    #[serde(default)]
    requirement: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: toml::Spanned<String>,
    section: String,
    text: String,
    level: Level,
    authority: Authority,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Requirements, Vec<Diagnostic>> {
        Requirements::read(&[File {
            path: "fixtures/requirements/rev1.toml".to_owned(),
            text: text.to_owned(),
        }])
    }

    const ENTRY: &str =
        "[[requirement]]\nid = \"a/b\"\nsection = \"S\"\ntext = \"T\"\nlevel = \"must\"\nauthority = \"spec\"\n";

    #[test]
    fn the_embedded_ones_are_sound() {
        if let Err(problems) = Requirements::embedded() {
            panic!("{}", problems[0].render(false));
        }
    }

    #[test]
    fn an_id_is_the_documents_and_its_own() {
        let requirements = read(&format!("document = \"rev1\"\ntitle = \"t\"\n{ENTRY}")).unwrap();
        assert_eq!(
            requirements.get("rev1#a/b").map(|it| (it.level, it.authority)),
            Some((Level::Must, Authority::Spec))
        );
    }

    #[test]
    fn an_id_that_stands_twice_and_an_unknown_level_are_errors() {
        let problems = read(&format!("document = \"rev1\"\ntitle = \"t\"\n{ENTRY}{ENTRY}")).unwrap_err();
        assert_eq!(problems[0].title, "a second requirement has the id `rev1#a/b`");
        assert_eq!(problems[0].line_column(), (10, 6));
        let problems = read(&format!(
            "document = \"rev1\"\ntitle = \"t\"\n{}",
            ENTRY.replace("must", "shall")
        ))
        .unwrap_err();
        assert!(
            problems[0].title.contains("unknown variant `shall`"),
            "{}",
            problems[0].title
        );
    }
}
