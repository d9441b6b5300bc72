//! Tree to canonical text: `parse(print(x)) == x`.

mod text;

use std::fmt::Write as _;
use std::time::Duration;

use super::ast::{
    Action, Authority, Auto, Expectation, HeaderLine, Headers, Item, Level, PageAction, Reference, Scenario, Spanned,
    Step, Sum, Term, TermBase, Window,
};
use super::pattern::hex;
pub use text::print_text;
use text::{escape_first, print_target};

/// The whole file.
#[must_use]
pub fn print(scenario: &Scenario) -> String {
    let mut out = String::new();
    print_headers(&scenario.headers, &mut out);
    for item in &scenario.items {
        match item {
            Item::Blank => {}
            Item::Comment(words) if words.is_empty() => out.push('#'),
            Item::Comment(words) => drop(write!(out, "# {words}")),
            Item::Reference(reference) => print_reference(reference, &mut out),
            Item::Step(step) => out.push_str(&print_step(step)),
        }
        out.push('\n');
    }
    out
}

/// One step: its line and the indented lines below it, without a line feed at the end.
#[must_use]
pub fn print_step(step: &Step) -> String {
    let lanes: Vec<String> = step.lanes.iter().map(ToString::to_string).collect();
    let mut out = lanes.join(",");
    if let Some(window) = &step.window {
        out.push(' ');
        print_window(window, &mut out);
    }
    let (head, below) = action(&step.action);
    let _ = write!(out, " {head}");
    match step.at {
        Some(at) => drop(write!(out, "  # +{}", milliseconds(at))),
        None => text::hide_trace_time(&mut out),
    }
    for line in below {
        let _ = write!(out, "\n    {line}");
    }
    out
}

fn print_headers(headers: &Headers, out: &mut String) {
    let mut header = |word: &str, value: &str| out.push_str(&format!("{:<6} {value}\n", format!("{word}:")));
    let list = |words: &[Spanned<String>]| words.iter().map(|it| it.node.as_str()).collect::<Vec<_>>().join(" ");
    header("case", &headers.case.node);
    if let Some(title) = &headers.title {
        header("title", &title.node);
    }
    if !headers.needs.is_empty() {
        header("needs", &list(&headers.needs));
    }
    if !headers.over.is_empty() {
        header("over", &list(&headers.over));
    }
    if !headers.clients.is_empty() {
        header("clients", &list(&headers.clients));
    }
    if headers.level != Level::default() {
        header("level", headers.level.word());
    }
    if headers.auto == Auto::None {
        header("auto", "none");
    }
    let rest = [
        ("since", &headers.since),
        ("alone", &headers.alone),
        ("affects", &headers.affects),
        ("fixed", &headers.fixed),
    ];
    for (word, value) in rest {
        if let Some(value) = value {
            header(word, &value.node);
        }
    }
}

fn print_reference(reference: &Reference, out: &mut String) {
    out.push('@');
    let requirements = reference.requirements.iter().map(|it| it.node.as_str());
    let words = Some(reference.words.as_str()).filter(|it| !it.is_empty());
    let rest = reference
        .level
        .map(Level::word)
        .into_iter()
        .chain(reference.authority.map(Authority::word))
        .chain(words);
    for word in requirements.chain(rest) {
        let _ = write!(out, " {word}");
    }
}

fn print_window(window: &Window, out: &mut String) {
    out.push('[');
    if let Some(lo) = &window.lo {
        let _ = write!(out, "{} ", print_sum(lo));
    }
    out.push_str("..");
    if let Some(hi) = &window.hi {
        let _ = write!(out, " {}", print_sum(hi));
    }
    if let Some(mark) = &window.since {
        let _ = write!(out, " since {mark}");
    }
    out.push(']');
}

/// A bound of a window: `0.8*$interval+150ms`.
#[must_use]
pub fn print_sum(sum: &Sum) -> String {
    let mut out = String::new();
    for (i, Term { factor, base }) in sum.terms.iter().enumerate() {
        match (factor.is_sign_negative(), i) {
            (true, _) => out.push('-'),
            (false, 0) => {}
            (false, _) => out.push('+'),
        }
        if factor.abs() != 1.0 {
            let _ = write!(out, "{}*", factor.abs());
        }
        match base {
            TermBase::Capture(name) => drop(write!(out, "${name}")),
            TermBase::Duration(duration) => out.push_str(&print_duration(*duration)),
        }
    }
    out
}

/// The action's line without its lane, and the lines below it without their indentation.
fn action(action: &Action) -> (String, Vec<String>) {
    let word = |word: &str| word.to_owned();
    let with = |word: &str, rest: &str| {
        if rest.is_empty() {
            word.to_owned()
        } else {
            format!("{word} {rest}")
        }
    };
    let raw = |word: &str, bytes: &[u8]| with(word, &hex(bytes));
    let code = |word: &str, code: &Option<u16>| with(word, &code.map_or_else(String::new, |it| it.to_string()));
    let head = match action {
        Action::Request {
            method,
            target,
            headers,
        } => {
            return (format!("{method} {}", print_text(target)), header_lines(headers));
        }
        Action::Status { code, headers } => return (code.to_string(), header_lines(headers)),
        Action::Ws { target, headers } => return (format!("ws {}", print_text(target)), header_lines(headers)),
        Action::Page(action) => return page(action),
        Action::AnyOrder(expectations) => return (word("any order"), block(expectations)),
        Action::OneOf(expectations) => return (word("one of"), block(expectations)),
        Action::SendBytes(text) => with(">>", &print_text(text)),
        Action::ExpectBytes(text) => with("<<", &print_text(text)),
        Action::ExpectMore(text) => with("<<+", &print_text(text)),
        Action::SendPacket(text) => with(">", &print_text(text)),
        Action::ExpectPacket(text) => with("<", &print_text(text)),
        Action::SendAttachment(bytes) => raw(">b", bytes),
        Action::ExpectAttachment(bytes) => raw("<b", bytes),
        Action::SendRaw(bytes) => raw(">x", bytes),
        Action::ExpectRaw(bytes) => raw("<x", bytes),
        Action::Open {
            bare,
            transport,
            target,
        } => {
            let mut head = word(if *bare { "open bare" } else { "open" });
            if let Some(transport) = transport {
                let _ = write!(head, " {}", transport.node);
            }
            if let Some(target) = target {
                let _ = write!(head, " {}", print_target(target));
            }
            head
        }
        Action::Wt(target) => format!("wt {}", print_text(target)),
        Action::Tcp(port) => format!("tcp {port}"),
        Action::Upgrade(transport) => format!("upgrade {transport}"),
        Action::Close(number) => code("close", number),
        Action::Closed(number) => code("closed", number),
        Action::Eof => word("eof"),
        Action::Drop => word("drop"),
        Action::HalfClose => word("half-close"),
        Action::Reopen(transport) => with("reopen", transport.as_ref().map_or("", |it| it.node.as_str())),
        Action::Fence => word("fence"),
        Action::Silent(duration) => format!("silent {}", print_duration(*duration)),
        Action::Wait(duration) => format!("wait {}", print_duration(*duration)),
        Action::Mark(name) => format!("mark {name}"),
    };
    (head, Vec::new())
}

fn page(action: &PageAction) -> (String, Vec<String>) {
    let names = |word: &str, names: &[Spanned<String>]| {
        let names: String = names.iter().map(|name| format!(" {}", name.node)).collect();
        if names.is_empty() {
            names
        } else {
            format!(" {word}{names}")
        }
    };
    let head = match action {
        PageAction::Goto { path, without, with } => {
            let path = path.as_ref().map(|path| format!(" {}", print_text(path)));
            let path = path.unwrap_or_default();
            format!("goto{path}{}{}", names("without", without), names("with", with))
        }
        PageAction::Eval(lines) => {
            let mut lines: Vec<String> = lines.iter().map(print_text).collect();
            let first = if lines.is_empty() {
                String::new()
            } else {
                lines.remove(0)
            };
            return (format!("eval {first}"), lines);
        }
        PageAction::Until { script, value } => {
            return (
                format!("until {}", print_text(script)),
                value.iter().map(print_text).collect(),
            );
        }
        PageAction::Console(text) => format!("console {}", print_text(text)),
        PageAction::Sent { method, target } => format!("sent {method} {}", print_text(target)),
        PageAction::Tried(text) => format!("tried {}", print_text(text)),
        PageAction::Network { transport, treatment } => format!("network {} {}", transport.node, treatment.word()),
        PageAction::Restart => "restart".to_owned(),
    };
    (head, Vec::new())
}

fn header_lines(headers: &[HeaderLine]) -> Vec<String> {
    let line = |HeaderLine { name, value, .. }: &HeaderLine| match value.as_ref().map(print_text) {
        None => format!("{name}: -"),
        Some(value) if value.is_empty() => format!("{name}:"),
        Some(value) if value == "-" => format!("{name}: {}", escape_first(&value)),
        Some(value) => format!("{name}: {value}"),
    };
    headers.iter().map(line).collect()
}

fn block(expectations: &[Expectation]) -> Vec<String> {
    let mut lines = Vec::new();
    for expectation in expectations {
        let (head, headers) = action(&expectation.action);
        lines.push(head);
        lines.extend(headers.iter().map(|header| format!("    {header}")));
        lines.extend(
            expectation
                .attachments
                .iter()
                .map(|bytes| action(&Action::ExpectAttachment(bytes.clone())).0),
        );
    }
    lines
}

/// `2s`, `150ms`, `12.4ms`.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 && !duration.is_zero() {
        return format!("{}s", duration.as_secs());
    }
    milliseconds(duration)
}

fn milliseconds(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (whole, fraction) = (nanos / 1_000_000, nanos % 1_000_000);
    if fraction == 0 {
        return format!("{whole}ms");
    }
    format!("{whole}.{}ms", format!("{fraction:06}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests;
