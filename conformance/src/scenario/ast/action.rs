//! What a step does or waits for.

use std::time::Duration;

use super::{PageAction, Span, Spanned, Text};

/// What happens at a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `GET /path` with indented `name: value` lines: sends a request head. The body is the `>>` or `>` lines that follow
    /// on the same lane.
    Request {
        /// As written: `GET`, `POST`, `OPTIONS`, …
        method: String,
        /// Path and query.
        target: Text,
        /// Indented lines.
        headers: Vec<HeaderLine>,
    },
    /// `200` with indented `name: pattern` lines.
    Status {
        /// The status code.
        code: u16,
        /// Required headers; `name: -` means the header must be absent.
        headers: Vec<HeaderLine>,
    },
    /// `>> bytes`: a whole body or frame.
    SendBytes(Text),
    /// `<< bytes`: a whole body or frame, exactly.
    ExpectBytes(Text),
    /// `<<+ bytes`: the next bytes of a stream that goes on.
    ExpectMore(Text),
    /// `> packet`
    SendPacket(Text),
    /// `< packet`
    ExpectPacket(Text),
    /// `>b hex`
    SendAttachment(Vec<u8>),
    /// `<b hex`
    ExpectAttachment(Vec<u8>),
    /// `>x hex`
    SendRaw(Vec<u8>),
    /// `<x hex`
    ExpectRaw(Vec<u8>),
    /// `open [bare] [transport] [target]`
    Open {
        /// No namespace is joined and nothing after the handshake is consumed.
        bare: bool,
        /// Overrides `over:`.
        transport: Option<Spanned<String>>,
        /// Overrides the path and query of the handshake.
        target: Option<Text>,
    },
    /// `ws target` with indented request header lines.
    Ws {
        /// Path and query.
        target: Text,
        /// Indented lines.
        headers: Vec<HeaderLine>,
    },
    /// `wt target`
    Wt(Text),
    /// `tcp port`: `http` (the port under test) or `policy` (the flash policy port).
    Tcp(String),
    /// `upgrade transport`
    Upgrade(String),
    /// `close [code]`
    Close(Option<u16>),
    /// `closed [code]`
    Closed(Option<u16>),
    /// `eof`
    Eof,
    /// `drop`
    Drop,
    /// `half-close`
    HalfClose,
    /// `reopen [transport]`
    Reopen(Option<Spanned<String>>),
    /// `fence`
    Fence,
    /// `silent 150ms`
    Silent(Duration),
    /// `wait 150ms`
    Wait(Duration),
    /// `mark name`
    Mark(String),
    /// `any order`, with indented expectations.
    AnyOrder(Vec<Expectation>),
    /// `one of`, with indented expectations in order of preference.
    OneOf(Vec<Expectation>),
    /// `page verb …`
    Page(PageAction),
}

impl Action {
    /// Whether the step puts something on the wire (or connects, or closes), as against waiting for the server.
    #[must_use]
    pub fn sends(&self) -> bool {
        match self {
            Action::Page(action) => action.acts(),
            Action::Request { .. }
            | Action::SendBytes(_)
            | Action::SendPacket(_)
            | Action::SendAttachment(_)
            | Action::SendRaw(_)
            | Action::Open { .. }
            | Action::Ws { .. }
            | Action::Wt(_)
            | Action::Tcp(_)
            | Action::Upgrade(_)
            | Action::Close(_)
            | Action::Drop
            | Action::HalfClose
            | Action::Reopen(_)
            // These wait like a send does: for everything above them.
            | Action::Fence
            | Action::Wait(_)
            | Action::Mark(_) => true,
            Action::Status { .. }
            | Action::ExpectBytes(_)
            | Action::ExpectMore(_)
            | Action::ExpectPacket(_)
            | Action::ExpectAttachment(_)
            | Action::ExpectRaw(_)
            | Action::Closed(_)
            | Action::Eof
            | Action::Silent(_)
            | Action::AnyOrder(_)
            | Action::OneOf(_) => false,
        }
    }
}

/// One indented line below `any order` or `one of`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// `ExpectPacket` (with `attachments`), `Status`, `Closed` or `Eof`.
    pub action: Action,
    /// The `<b` lines right below a `<` line.
    pub attachments: Vec<Vec<u8>>,
    /// The line.
    pub span: Span,
}

/// An indented `name: value` line; the value is a template below a request and a pattern below a status.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderLine {
    /// As written; compared without case.
    pub name: String,
    /// `None` where the line says `name: -`: the header is removed, or must be absent.
    pub value: Option<Text>,
    /// The line.
    pub span: Span,
}
