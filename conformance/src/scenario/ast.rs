//! What a `.wire` file says, as a tree with a [`Span`] on every node.
//!
//! Two trees are equal when they say the same; spans, line numbers and the file's name do not count. That is what makes
//! `parse(print(x)) == x` a property of the language.

mod action;
mod page;
mod text;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub use action::{Action, Expectation, HeaderLine};
pub use page::{Network, PageAction, STAND_INS};
pub use text::{Atom, AtomKind, Atoms, BaseType, Hole, HoleKind, HoleType, Text};

/// A range of bytes of the source text.
#[derive(Clone, Copy, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The span as a range, for slicing and for diagnostics.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Where a node stands never makes two nodes different.
impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Eq for Span {}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// Where it stands.
    pub span: Span,
}

/// The text a tree was parsed from.
#[derive(Debug)]
pub struct Source {
    /// Path as shown to a person: `fixtures/scenarios/rev1/ack/data.wire`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Line and column of an offset, both from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        (line, 1 + String::from_utf8_lossy(&before[start..]).chars().count())
    }
}

/// A parsed `.wire` file.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The text it came from, for diagnostics.
    pub source: Arc<Source>,
    /// The headers.
    pub headers: Headers,
    /// References, steps, blank lines and comments, in file order.
    pub items: Vec<Item>,
}

impl PartialEq for Scenario {
    fn eq(&self, other: &Scenario) -> bool {
        self.headers == other.headers && self.items == other.items
    }
}

impl Scenario {
    /// Whether a browser is needed: one of its lanes is a page.
    #[must_use]
    pub fn has_pages(&self) -> bool {
        self.steps().any(|(step, _)| step.lanes.iter().any(Lane::is_page))
    }

    /// The steps with the reference that governs each, in file order. A step before the first `@` has none.
    pub fn steps(&self) -> impl Iterator<Item = (&Step, Option<&Reference>)> {
        let mut governing = None;
        self.items.iter().filter_map(move |item| match item {
            Item::Reference(reference) => {
                governing = Some(reference);
                None
            }
            Item::Step(step) => Some((step, governing)),
            Item::Blank | Item::Comment(_) => None,
        })
    }
}

/// The `word: text` lines at the head of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Headers {
    /// `case:` the id; its first segment is the generation.
    pub case: Spanned<String>,
    /// `title:` one line for a person.
    pub title: Option<Spanned<String>>,
    /// `needs:` features of the contract, and transports.
    pub needs: Vec<Spanned<String>>,
    /// `over:` transports to run on; empty when the file names none.
    pub over: Vec<Spanned<String>>,
    /// `clients:` which clients its pages load; empty when the file names none, and all of the generation do.
    pub clients: Vec<Spanned<String>>,
    /// `level:` of the steps whose reference names none.
    pub level: Level,
    /// `since:` the suite date the case appeared at.
    pub since: Option<Spanned<String>>,
    /// `auto:` what the runner answers by itself.
    pub auto: Auto,
    /// `alone:` why the case runs by itself on a shared server.
    pub alone: Option<Spanned<String>>,
    /// `affects:` (bugs) which releases.
    pub affects: Option<Spanned<String>>,
    /// `fixed:` (bugs) in which release.
    pub fixed: Option<Spanned<String>>,
}

impl Headers {
    /// The first segment of the case id: `rev1`, `eio3` or `eio4`.
    #[must_use]
    pub fn generation(&self) -> &str {
        self.case.node.split('/').next().unwrap_or_default()
    }
}

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A failure makes the case fail.
    #[default]
    Must,
    /// A failure is reported as lenient.
    Should,
    /// A failure is noted.
    May,
}

impl Level {
    /// All of them, the most binding first.
    pub const ALL: [Level; 3] = [Level::Must, Level::Should, Level::May];

    /// As files and reports write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
        }
    }
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// The text of the protocol document.
    Spec,
    /// The original JavaScript server does so and clients rely on it.
    Reference,
    /// Two or more independent servers agree.
    Observed,
}

impl Authority {
    /// All of them.
    pub const ALL: [Authority; 3] = [Authority::Spec, Authority::Reference, Authority::Observed];

    /// As files and reports write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Authority::Spec => "spec",
            Authority::Reference => "reference",
            Authority::Observed => "observed",
        }
    }
}

/// What the runner does by itself on a client (`auto:`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auto {
    /// Heartbeats and noops are answered, and visible only to a lane whose next expectation is one.
    #[default]
    Heartbeats,
    /// Everything is visible, nothing is answered.
    None,
}

/// One line of the body (with the indented lines that belong to it).
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `@ requirement …`
    Reference(Reference),
    /// `lane action`
    Step(Step),
    /// An empty line.
    Blank,
    /// `# prose`, without the `#` and without spaces at its edges.
    Comment(String),
}

/// `@ rev1#framing/length must reference words`: the requirements of the steps until the next `@`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Requirement ids, at least one.
    pub requirements: Vec<Spanned<String>>,
    /// Overrides the file's level.
    pub level: Option<Level>,
    /// Overrides the requirement's own authority.
    pub authority: Option<Authority>,
    /// The rest of the line.
    pub words: String,
    /// The whole line.
    pub span: Span,
}

/// `lane,lane [window] action`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Who: at least one lane.
    pub lanes: Vec<Lane>,
    /// When.
    pub window: Option<Window>,
    /// What.
    pub action: Action,
    /// Traces only: when it happened, counted from the start of the case.
    pub at: Option<Duration>,
    /// The step's first line, without its indentation.
    pub span: Span,
}

/// `a`, `a.poll`, `page`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The client.
    pub client: String,
    /// A part of it (`poll`, `post`, `ws`, `tcp`), or the client as a whole.
    pub part: Option<String>,
}

impl Lane {
    /// Whether the client is a page in a browser: `page`, `page2`, …
    #[must_use]
    pub fn is_page(&self) -> bool {
        let number = self.client.strip_prefix("page");
        number.is_some_and(|number| number.bytes().all(|it| it.is_ascii_digit()))
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.client)?;
        self.part.iter().try_for_each(|part| write!(f, ".{part}"))
    }
}

/// `[lo .. hi since mark]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Lower bound; counted from the last thing the harness sent on the lane, or from the mark.
    pub lo: Option<Sum>,
    /// Upper bound; counted from the lane's previous event, or from the mark.
    pub hi: Option<Sum>,
    /// The mark both count from.
    pub since: Option<String>,
    /// The brackets and what is between them.
    pub span: Span,
}

/// `0.8*$interval+$timeout-50ms`: at least one term.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// The terms, added up.
    pub terms: Vec<Term>,
}

/// `0.8*$interval`: a factor and what it multiplies.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Negative after a minus sign; 1 where none is written.
    pub factor: f64,
    /// What is multiplied.
    pub base: TermBase,
}

/// The two things a window counts in.
#[derive(Clone, Debug, PartialEq)]
pub enum TermBase {
    /// `$interval`: a capture that holds a number of milliseconds.
    Capture(String),
    /// `150ms`, `2s`.
    Duration(Duration),
}
