//! Actions, each with a `kind`.

use serde::Serialize;

use super::step::{Span, milliseconds};
use super::text::Text;
use crate::scenario::ast::{self, PageAction, Source, Spanned};
use crate::scenario::pattern::hex;

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Action<'a> {
    Request {
        method: &'a str,
        target: Text<'a>,
        headers: Vec<Header<'a>>,
    },
    Status {
        code: u16,
        headers: Vec<Header<'a>>,
    },
    SendBytes {
        text: Text<'a>,
    },
    ExpectBytes {
        text: Text<'a>,
    },
    ExpectMore {
        text: Text<'a>,
    },
    SendPacket {
        text: Text<'a>,
    },
    ExpectPacket {
        text: Text<'a>,
    },
    SendAttachment {
        hex: String,
    },
    ExpectAttachment {
        hex: String,
    },
    SendRaw {
        hex: String,
    },
    ExpectRaw {
        hex: String,
    },
    Open {
        bare: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        transport: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<Text<'a>>,
    },
    Ws {
        target: Text<'a>,
        headers: Vec<Header<'a>>,
    },
    Wt {
        target: Text<'a>,
    },
    Tcp {
        port: &'a str,
    },
    Upgrade {
        transport: &'a str,
    },
    Close {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
    Closed {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
    Eof,
    Drop,
    HalfClose,
    Reopen {
        #[serde(skip_serializing_if = "Option::is_none")]
        transport: Option<&'a str>,
    },
    Fence,
    Silent {
        ms: f64,
    },
    Wait {
        ms: f64,
    },
    Mark {
        name: &'a str,
    },
    AnyOrder {
        expectations: Vec<Expectation<'a>>,
    },
    OneOf {
        expectations: Vec<Expectation<'a>>,
    },
    Page {
        page: Page<'a>,
    },
}

/// `value` is null where the header is left out, or must be absent.
#[derive(Debug, Serialize)]
pub(super) struct Header<'a> {
    name: &'a str,
    value: Option<Text<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Expectation<'a> {
    span: Span,
    action: Action<'a>,
    #[serde(rename = "attachmentsHex", skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub(super) enum Page<'a> {
    Goto {
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        without: Vec<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        with: Vec<&'a str>,
    },
    Eval {
        lines: Vec<Text<'a>>,
    },
    Until {
        script: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Text<'a>>,
    },
    Console {
        text: Text<'a>,
    },
    Sent {
        method: &'a str,
        target: Text<'a>,
    },
    Tried {
        transports: Text<'a>,
    },
    Network {
        transport: &'a str,
        treatment: &'static str,
    },
    Restart,
}

impl<'a> Action<'a> {
    pub(super) fn of(action: &'a ast::Action, source: &Source) -> Action<'a> {
        use ast::Action as Of;
        let text = |text: &'a ast::Text| Text::of(text);
        let name = |name: &'a Option<Spanned<String>>| name.as_ref().map(|it| it.node.as_str());
        let block = |block: &'a [ast::Expectation]| block.iter().map(|it| Expectation::of(it, source)).collect();
        match action {
            Of::Request {
                method,
                target,
                headers,
            } => Action::Request {
                method,
                target: text(target),
                headers: lines(headers),
            },
            Of::Status { code, headers } => Action::Status {
                code: *code,
                headers: lines(headers),
            },
            Of::SendBytes(it) => Action::SendBytes { text: text(it) },
            Of::ExpectBytes(it) => Action::ExpectBytes { text: text(it) },
            Of::ExpectMore(it) => Action::ExpectMore { text: text(it) },
            Of::SendPacket(it) => Action::SendPacket { text: text(it) },
            Of::ExpectPacket(it) => Action::ExpectPacket { text: text(it) },
            Of::SendAttachment(bytes) => Action::SendAttachment { hex: hex(bytes) },
            Of::ExpectAttachment(bytes) => Action::ExpectAttachment { hex: hex(bytes) },
            Of::SendRaw(bytes) => Action::SendRaw { hex: hex(bytes) },
            Of::ExpectRaw(bytes) => Action::ExpectRaw { hex: hex(bytes) },
            Of::Open {
                bare,
                transport,
                target,
            } => Action::Open {
                bare: *bare,
                transport: name(transport),
                target: target.as_ref().map(text),
            },
            Of::Ws { target, headers } => Action::Ws {
                target: text(target),
                headers: lines(headers),
            },
            Of::Wt(target) => Action::Wt { target: text(target) },
            Of::Tcp(port) => Action::Tcp { port },
            Of::Upgrade(transport) => Action::Upgrade { transport },
            Of::Close(code) => Action::Close { code: *code },
            Of::Closed(code) => Action::Closed { code: *code },
            Of::Eof => Action::Eof,
            Of::Drop => Action::Drop,
            Of::HalfClose => Action::HalfClose,
            Of::Reopen(transport) => Action::Reopen {
                transport: name(transport),
            },
            Of::Fence => Action::Fence,
            Of::Silent(duration) => Action::Silent {
                ms: milliseconds(*duration),
            },
            Of::Wait(duration) => Action::Wait {
                ms: milliseconds(*duration),
            },
            Of::Mark(name) => Action::Mark { name },
            Of::AnyOrder(expectations) => Action::AnyOrder {
                expectations: block(expectations),
            },
            Of::OneOf(expectations) => Action::OneOf {
                expectations: block(expectations),
            },
            Of::Page(action) => Action::Page { page: Page::of(action) },
        }
    }
}

fn lines(headers: &[ast::HeaderLine]) -> Vec<Header<'_>> {
    let of = headers.iter().map(|line| Header {
        name: &line.name,
        value: line.value.as_ref().map(Text::of),
    });
    of.collect()
}

impl<'a> Expectation<'a> {
    fn of(expectation: &'a ast::Expectation, source: &Source) -> Expectation<'a> {
        Expectation {
            span: Span::of(expectation.span, source),
            action: Action::of(&expectation.action, source),
            attachments: expectation.attachments.iter().map(|bytes| hex(bytes)).collect(),
        }
    }
}

impl<'a> Page<'a> {
    fn of(action: &'a PageAction) -> Page<'a> {
        let names = |names: &'a [Spanned<String>]| names.iter().map(|it| it.node.as_str()).collect();
        match action {
            PageAction::Goto { path, without, with } => Page::Goto {
                path: path.as_ref().map(Text::of),
                without: names(without),
                with: names(with),
            },
            PageAction::Eval(lines) => Page::Eval {
                lines: lines.iter().map(Text::of).collect(),
            },
            PageAction::Until { script, value } => Page::Until {
                script: Text::of(script),
                value: value.as_ref().map(Text::of),
            },
            PageAction::Console(text) => Page::Console { text: Text::of(text) },
            PageAction::Sent { method, target } => Page::Sent {
                method,
                target: Text::of(target),
            },
            PageAction::Tried(text) => Page::Tried {
                transports: Text::of(text),
            },
            PageAction::Network { transport, treatment } => Page::Network {
                transport: &transport.node,
                treatment: treatment.word(),
            },
            PageAction::Restart => Page::Restart,
        }
    }
}
