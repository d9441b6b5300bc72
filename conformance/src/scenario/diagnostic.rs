//! Errors as a person reads them: the line of the `.wire` file, what is wrong with it, and what to do.

use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Kind, Renderer, Snippet};

use super::SpannedError;
use super::ast::{Level, Source, Span};
use super::pattern::show_bytes;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does not work, or a step did not hold.
    Error,
    /// It works, and is probably not what was meant.
    Warning,
}

/// A place in the source and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What; may be empty.
    pub text: String,
    /// Whether the diagnostic is about this place, or the place only helps to understand it.
    pub primary: bool,
}

/// One thing to tell a person.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// How binding the step is that did not hold; none for a fault of the file.
    pub level: Option<Level>,
    /// What is wrong, in a few words: a lowercase fragment.
    pub title: String,
    /// The case.
    pub origin: Option<String>,
    /// The file.
    pub source: Arc<Source>,
    /// Places in it.
    pub labels: Vec<Label>,
    /// What stands below: `("got", "0{…}")`, `("help", "did you mean `open`?")`.
    pub notes: Vec<(String, String)>,
}

impl Diagnostic {
    /// A fault of the file.
    #[must_use]
    pub fn new(severity: Severity, title: impl Into<String>, source: Arc<Source>) -> Diagnostic {
        Diagnostic {
            severity,
            level: None,
            title: title.into(),
            origin: None,
            source,
            labels: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Points at what the diagnostic is about.
    #[must_use]
    pub fn primary(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
            primary: true,
        });
        self
    }

    /// Points at something that helps to understand it.
    #[must_use]
    pub fn context(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
            primary: false,
        });
        self
    }

    /// Adds a line below the source.
    #[must_use]
    pub fn note(mut self, name: &str, text: impl Into<String>) -> Diagnostic {
        self.notes.push((name.to_owned(), text.into()));
        self
    }

    pub(crate) fn of(error: &SpannedError, severity: Severity, source: &Arc<Source>) -> Diagnostic {
        let diagnostic = Diagnostic::new(severity, error.message.clone(), Arc::clone(source)).primary(error.span, "");
        match &error.help {
            Some(help) => diagnostic.note("help", help.clone()),
            None => diagnostic,
        }
    }

    /// Line and column of the first primary label, both from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let label = self.labels.iter().find(|label| label.primary).or(self.labels.first());
        self.source.line_column(label.map_or(0, |label| label.span.start))
    }

    /// The diagnostic as text, with terminal colours or without.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let kind = match self.severity {
            Severity::Error => Kind::ERROR,
            Severity::Warning => Kind::WARNING,
        };
        let title = match &self.origin {
            Some(origin) => format!(
                "{:<width$}  {origin}",
                self.title,
                width = 72_usize.saturating_sub(origin.len())
            ),
            None => self.title.clone(),
        };
        let mut title = kind.primary_title(title);
        if let Some(level) = self.level {
            title = title.id(level.word());
        }
        let text = self.source.text.as_str();
        let labels = self.labels.iter().map(|label| {
            let kind = if label.primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let annotation = kind.span(visible(text, label.span));
            if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            }
        });
        let mut group: Group<'_> = Group::with_title(title);
        if !self.labels.is_empty() {
            group = group.element(
                Snippet::source(text)
                    .path(self.source.path.as_str())
                    .annotations(labels),
            );
        }
        for (name, text) in &self.notes {
            group = group.element(Kind::NOTE.no_name().message(format!("{name:<6} {text}")));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }
}

/// What was received, as `.wire` text shows it: whole where it is short, else its start, the neighbourhood of the
/// difference and its end, around `…`.
#[must_use]
pub fn excerpt(got: &[u8], difference: Option<usize>) -> String {
    const WHOLE: usize = 400;
    const PART: usize = 100;
    if got.len() <= WHOLE {
        return show_bytes(got);
    }
    let middle = difference.map_or(0, |it| it.min(got.len()));
    let mut parts = vec![(0, PART), (middle.saturating_sub(PART), (middle + PART).min(got.len()))];
    parts.push((got.len() - PART, got.len()));
    let mut out = String::new();
    let mut shown = 0;
    for (start, end) in parts {
        // Characters are not cut in two.
        let start = back(got, start).max(shown);
        let end = back(got, end);
        if start >= end {
            continue;
        }
        if start > shown {
            out.push_str(&format!(" …{} bytes… ", start - shown));
        }
        out.push_str(&show_bytes(&got[start..end]));
        shown = end;
    }
    out
}

fn back(bytes: &[u8], at: usize) -> usize {
    let continuation = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (0..4)
        .map(|i| at.saturating_sub(i))
        .find(|at| !continuation(*at))
        .unwrap_or(at)
}

/// The span, at least one character wide where there is one, within the text and on character boundaries.
fn visible(text: &str, span: Span) -> std::ops::Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Arc<Source> {
        let text = "case:  rev1/ack/data\n\n@ rev1#ack/data\na open\na < 6:::1+[$(int)]\n".to_owned();
        Arc::new(Source {
            path: "fixtures/scenarios/rev1/ack/data.wire".to_owned(),
            text,
        })
    }

    #[test]
    fn a_step_that_did_not_hold() {
        let mut diagnostic = Diagnostic::new(Severity::Error, "packet does not match", source())
            .primary(Span { start: 57, end: 63 }, "$[0]: expected int, got \"25000\"")
            .context(Span { start: 24, end: 37 }, "an ack with data carries it as an array")
            .note("got", "6:::1+[\"25000\"]")
            .note("trace", "target/conformance/rev1/ack/data.wire");
        diagnostic.level = Some(Level::Must);
        diagnostic.origin = Some("rev1/ack/data[websocket]".to_owned());
        insta::assert_snapshot!(diagnostic.render(false));
        assert_eq!(diagnostic.line_column(), (5, 13));
        assert!(diagnostic.render(true).contains("\u{1b}["));
    }

    #[test]
    fn a_long_message_is_cut_around_the_difference() {
        let got = format!("{}é!{}", "a".repeat(500_000), "b".repeat(500_000));
        let shown = excerpt(got.as_bytes(), Some(500_001));
        assert!(shown.len() < 600, "{shown}");
        assert!(shown.contains("aé!b"), "{shown}");
        assert_eq!(excerpt(b"1::", Some(9)), "1::");
    }

    #[test]
    fn spans_outside_of_the_text_are_no_fault() {
        let text = Diagnostic::new(Severity::Error, "t", source()).primary(
            Span {
                start: 9999,
                end: 99_999,
            },
            "x",
        );
        assert!(text.render(false).contains("data.wire"));
    }
}
