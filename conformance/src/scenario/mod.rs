//! The `.wire` language: what a case says, how a server's bytes are compared with it, and how a difference is shown.
//!
//! | module | what |
//! |---|---|
//! | [`ast`] | what a file says, as a tree with spans |
//! | [`mod@parse`] | text to tree; every error of a file in one go |
//! | [`lint`] | the rules a file can break although every line of it parses |
//! | [`mod@print`] | tree to canonical text; `parse(print(x)) == x` |
//! | [`text`] | escapes and holes, and rendering what is sent |
//! | [`hole`] | what fits in a hole |
//! | [`pattern`] | byte patterns, whole and as a prefix of a stream |
//! | [`json`], [`json_pattern`] | JSON as the wire has it, and patterns over it |
//! | [`packet`] | packet patterns of each generation, and rendering packets |
//! | [`capture`] | what holes bind |
//! | [`mutate`] | the smallest changes a matcher must notice |
//! | [`diagnostic`] | errors as a person reads them |
//! | [`requirements`], [`catalogue`], [`mod@coverage`] | the cases that come with the program, and what they cover |
//!
//! The language is described for its users in `docs/wire.md`.

pub mod ast;
pub mod capture;
pub mod catalogue;
pub mod coverage;
pub mod diagnostic;
pub mod export;
pub(crate) mod fixtures;
pub mod hole;
pub mod json;
pub mod json_pattern;
pub mod lint;
pub mod mutate;
pub mod packet;
pub mod parse;
pub mod pattern;
mod pieces;
pub mod print;
pub mod requirements;
pub mod text;
pub(crate) mod words;

use std::fmt;
use std::str::FromStr;

use ast::Span;

/// A family of wire protocols; the first segment of a case id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generation {
    /// Socket.IO 0.7–0.9: protocol revision 1, `/socket.io/1/`.
    Rev1,
    /// Engine.IO 3: releases 1.x and 2.x.
    Eio3,
    /// Engine.IO 4: releases 3.x and 4.x.
    Eio4,
}

impl Generation {
    /// Oldest first.
    pub const ALL: [Generation; 3] = [Generation::Rev1, Generation::Eio3, Generation::Eio4];

    /// `rev1`, `eio3`, `eio4`.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Generation::Rev1 => "rev1",
            Generation::Eio3 => "eio3",
            Generation::Eio4 => "eio4",
        }
    }

    /// The tokens of `over:`, `--transport` and `open`.
    #[must_use]
    pub const fn transports(self) -> &'static [&'static str] {
        match self {
            Generation::Rev1 => &[
                "websocket",
                "flashsocket",
                "htmlfile",
                "xhr-multipart",
                "xhr-polling",
                "jsonp-polling",
            ],
            Generation::Eio3 => &["polling", "polling-b64", "jsonp", "websocket", "upgraded"],
            Generation::Eio4 => &["polling", "websocket", "webtransport", "upgraded"],
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

/// A word that names no generation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown generation `{0}`; known are rev1, eio3, eio4")]
pub struct UnknownGeneration(pub String);

impl FromStr for Generation {
    type Err = UnknownGeneration;

    fn from_str(token: &str) -> Result<Generation, UnknownGeneration> {
        Generation::ALL
            .into_iter()
            .find(|it| it.token() == token)
            .ok_or_else(|| UnknownGeneration(token.to_owned()))
    }
}

/// A fault at one place of a source text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SpannedError {
    /// Where.
    pub span: Span,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl SpannedError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> SpannedError {
        SpannedError {
            span,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> SpannedError {
        self.help = Some(help.into());
        self
    }
}
