//! A step that did not hold, before it is dressed for a reader.

use crate::scenario::ast::{Level, Span};

/// The longest `got`, in bytes.
const GOT: usize = 4096;

/// What is wrong, and where the scenario asks for it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The step, as a number into the case's ops; their count stands for the end of the case.
    pub op: usize,
    /// How binding the step is.
    pub level: Level,
    /// The part of the scenario that was not met.
    pub span: Span,
    /// One line: `packet does not match`.
    pub title: String,
    /// At the span: `$.pingInterval: expected int, got "25000"`.
    pub label: String,
    /// What came, as the language writes it.
    pub got: Option<String>,
    /// The harness's own means failed, a browser: this says nothing about the server.
    pub harness: bool,
    /// What the reader may want to know besides.
    pub notes: Vec<(String, String)>,
}

impl Fault {
    pub(in crate::run) fn new(span: Span, title: impl Into<String>, label: impl Into<String>) -> Fault {
        Fault {
            op: 0,
            level: Level::Must,
            span,
            title: title.into(),
            label: label.into(),
            got: None,
            harness: false,
            notes: Vec::new(),
        }
    }

    /// In one line: `packet does not match: $.pingInterval: expected int, got "25000"`.
    #[must_use]
    pub fn message(&self) -> String {
        if self.label.is_empty() {
            self.title.clone()
        } else {
            format!("{}: {}", self.title, self.label)
        }
    }

    /// What came; a server may send any amount, and a reader takes little.
    pub(super) fn got(mut self, got: impl Into<String>) -> Fault {
        self.got = Some(clipped(got.into(), GOT));
        self
    }

    pub(super) fn note(mut self, key: &str, text: impl Into<String>) -> Fault {
        self.notes.push((key.to_owned(), text.into()));
        self
    }
}

/// The text, or its beginning where it is longer than `most` bytes.
pub(super) fn clipped(mut text: String, most: usize) -> String {
    if text.len() > most {
        let length = text.len();
        let end = (0..=most)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or_default();
        text.truncate(end);
        text.push_str(&format!(" …{} bytes more", length - text.len()));
    }
    text
}
