//! `page verb …`

use super::super::SpannedError;
use super::super::ast::{Action, Network, PageAction, STAND_INS, Spanned, Text};
use super::super::text;
use super::super::words::did_you_mean;
use super::arguments::is_name;
use super::{Cursor, Parser};

/// Verbs that only pages have; `fence`, `mark` and `wait` are as on other lanes.
const VERBS: [&str; 11] = [
    "goto", "eval", "until", "console", "sent", "tried", "network", "restart", "fence", "mark", "wait",
];

impl Parser<'_> {
    pub(super) fn page(&mut self, verb: &Spanned<&str>, cursor: &mut Cursor<'_>) -> Result<Action, SpannedError> {
        let action = match verb.node {
            "fence" | "mark" | "wait" => return self.action(verb, cursor),
            "goto" => self.goto(cursor)?,
            "eval" => {
                let mut lines = vec![self.script(cursor, verb)?];
                while let Some(line) = self.next_indented() {
                    lines.push(text::parse(self.source, line, &mut self.problems));
                }
                PageAction::Eval(lines)
            }
            "until" => PageAction::Until {
                script: self.script(cursor, verb)?,
                value: self
                    .next_indented()
                    .map(|line| text::parse(self.source, line, &mut self.problems)),
            },
            "console" => PageAction::Console(self.script(cursor, verb)?),
            "tried" => PageAction::Tried(self.script(cursor, verb)?),
            "sent" => {
                let method = cursor.word().filter(|word| is_method(word.node)).ok_or_else(|| {
                    SpannedError::new(verb.span, "`sent` names no method").help("write `page sent GET /socket.io/…`")
                })?;
                PageAction::Sent {
                    method: method.node.to_owned(),
                    target: self.target(cursor, &method)?,
                }
            }
            "network" => self.network(verb, cursor)?,
            "restart" => {
                self.nothing_more(cursor, verb.node);
                PageAction::Restart
            }
            _ => {
                let error = SpannedError::new(verb.span, format!("unknown verb `{}` of a page", verb.node));
                return Err(error.help(did_you_mean(verb.node, VERBS)));
            }
        };
        Ok(Action::Page(action))
    }

    /// `[path] [without NAME…] [with NAME…]`
    fn goto(&mut self, cursor: &mut Cursor<'_>) -> Result<PageAction, SpannedError> {
        let path = cursor.peek_word().filter(|word| word.node.starts_with('/'));
        let path = path.map(|word| {
            cursor.word();
            text::parse(self.source, word.span, &mut self.problems)
        });
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let mut into: Option<&mut Vec<Spanned<String>>> = None;
        while let Some(word) = cursor.word() {
            match (word.node, &mut into) {
                ("without", _) => into = Some(&mut without),
                ("with", _) => into = Some(&mut with),
                (name, Some(list)) if name.bytes().all(|it| it.is_ascii_alphanumeric()) => list.push(Spanned {
                    node: name.to_owned(),
                    span: word.span,
                }),
                _ => {
                    let error = SpannedError::new(word.span, format!("`goto` does not take `{}`", word.node));
                    return Err(error.help("write goto [/path] [without WebSocket] [with htmlfile]"));
                }
            }
        }
        if let Some(word) = with.iter().find(|word| !STAND_INS.contains(&word.node.as_str())) {
            let error = SpannedError::new(word.span, format!("a page cannot be given `{}`", word.node));
            return Err(error.help(did_you_mean(&word.node, STAND_INS)));
        }
        Ok(PageAction::Goto { path, without, with })
    }

    fn network(&mut self, verb: &Spanned<&str>, cursor: &mut Cursor<'_>) -> Result<PageAction, SpannedError> {
        let words = Network::ALL.map(Network::word);
        let (Some(transport), Some(word)) = (cursor.word(), cursor.word()) else {
            let error = SpannedError::new(verb.span, "`network` names a transport and what becomes of it");
            return Err(error.help(format!("write `page network websocket refuse`: {}", words.join(", "))));
        };
        if transport.node != "*" {
            self.check_transport(&transport, &["*"])?;
        }
        let Some(treatment) = Network::ALL.into_iter().find(|it| it.word() == word.node) else {
            let error = SpannedError::new(word.span, format!("unknown treatment `{}`", word.node));
            return Err(error.help(did_you_mean(word.node, words)));
        };
        self.nothing_more(cursor, word.node);
        Ok(PageAction::Network {
            transport: Spanned {
                node: transport.node.to_owned(),
                span: transport.span,
            },
            treatment,
        })
    }

    /// The rest of the line, which may not be empty.
    fn script(&mut self, cursor: &Cursor<'_>, verb: &Spanned<&str>) -> Result<Text, SpannedError> {
        let rest = cursor.rest();
        if rest.node.is_empty() {
            return Err(SpannedError::new(verb.span, format!("`{}` says nothing", verb.node))
                .help("write something behind it on the same line"));
        }
        Ok(text::parse(self.source, rest.span, &mut self.problems))
    }
}

fn is_method(word: &str) -> bool {
    !is_name(word) && word.bytes().all(|it| it.is_ascii_uppercase())
}
