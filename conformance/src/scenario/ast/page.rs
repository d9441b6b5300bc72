//! What a step does with a page in a browser.

use super::{Spanned, Text};

/// `page verb …`: the lanes `page`, `page2`, … are tabs of a real browser.
#[derive(Clone, Debug, PartialEq)]
pub enum PageAction {
    /// `goto [path] [without NAME…] [with NAME…]`
    Goto {
        /// A path of the server; the page with the client under test where none is written.
        path: Option<Text>,
        /// Globals of the page that are taken away before any script runs: `WebSocket`.
        without: Vec<Spanned<String>>,
        /// What old browsers had and new ones do not; see [`STAND_INS`].
        with: Vec<Spanned<String>>,
    },
    /// `eval script`, with indented lines that go on with it: runs JavaScript, and waits for what it promises.
    Eval(Vec<Text>),
    /// `until script`, with an indented pattern: waits until the script's value fits, or is true where there is no pattern.
    Until {
        /// An expression.
        script: Text,
        /// JSON.
        value: Option<Text>,
    },
    /// `console text`: the page wrote this line to its console, or an error was thrown that nobody caught.
    Console(Text),
    /// `sent METHOD target`: the page's client made this request, after the one that the `sent` above it found.
    Sent {
        /// `GET`, `POST`.
        method: String,
        /// Path and query.
        target: Text,
    },
    /// `tried pattern`: the transports that the page's client has tried, in order, each with its session id: JSON.
    Tried(Text),
    /// `network transport treatment`: what becomes of the traffic of a transport from now on.
    Network {
        /// A transport of the generation, or `*` for every request of the protocol.
        transport: Spanned<String>,
        /// What becomes of it.
        treatment: Network,
    },
    /// `restart`: behind the page's proxy stands a new server, which knows no session.
    Restart,
}

/// What of old browsers a page can be given.
pub const STAND_INS: [&str; 1] = ["htmlfile"];

/// What becomes of a transport's traffic on its way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It is passed on.
    Pass,
    /// It is answered 403.
    Refuse,
    /// It is accepted, and never answered.
    Hang,
    /// The answer begins, and nothing comes in it.
    Mute,
    /// `Upgrade` is taken off it.
    Strip,
    /// Its connection is reset.
    Reset,
    /// What is open is reset, and what comes is passed on.
    Cut,
    /// What is open is reset, and what comes, too.
    Drop,
}

impl Network {
    /// All of them.
    pub const ALL: [Network; 8] = [
        Network::Pass,
        Network::Refuse,
        Network::Hang,
        Network::Mute,
        Network::Strip,
        Network::Reset,
        Network::Cut,
        Network::Drop,
    ];

    /// As files write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Network::Pass => "pass",
            Network::Refuse => "refuse",
            Network::Hang => "hang",
            Network::Mute => "mute",
            Network::Strip => "strip",
            Network::Reset => "reset",
            Network::Cut => "cut",
            Network::Drop => "drop",
        }
    }
}

impl PageAction {
    /// Whether it does something, as against waiting for the page.
    #[must_use]
    pub fn acts(&self) -> bool {
        matches!(
            self,
            PageAction::Goto { .. } | PageAction::Eval(_) | PageAction::Network { .. } | PageAction::Restart
        )
    }
}
