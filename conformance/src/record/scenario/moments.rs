//! What happened, in order, before it is written as steps.

use std::time::Duration;

use crate::client::Message;

/// How long nothing has to come before the end of the recording for the case to say so, and how long the case looks.
const SILENT: Duration = Duration::from_millis(50);
/// Two clients that send within this time did not wait for each other.
const TOGETHER: Duration = Duration::from_millis(10);
/// What a server has at least to notice that a client has gone, which it tells nobody.
const GONE: Duration = Duration::from_millis(50);
/// The longest pause that is kept between two sends of different clients.
const PAUSE: Duration = Duration::from_millis(100);

/// Something that happened on a client, or on a part of one.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) at: Duration,
    pub(super) client: String,
    pub(super) part: Option<String>,
    pub(super) what: What,
}

/// What happened. Bytes and packets are as they went by; what varies from run to run is found later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Open {
        transport: String,
        target: Option<String>,
    },
    Upgrade(&'static str),
    Reopen(Option<String>),
    Request {
        method: String,
        target: String,
        headers: Vec<(String, String)>,
        body: Body,
    },
    Ws {
        target: String,
        headers: Vec<(String, String)>,
    },
    /// A packet with its attachments, or a binary message of its own.
    Send(Vec<Message>),
    Status(u16),
    /// As `Send`.
    Expect(Vec<Message>),
    ExpectBytes(Vec<u8>),
    Close(Option<u16>),
    Closed(Option<u16>),
    Eof,
    Drop,
    Silent(Duration),
    Wait(Duration),
    Comment(String),
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Bytes(Vec<u8>),
    Packets(Vec<Message>),
}

impl Moment {
    pub(super) fn new(at: Duration, client: &str, what: What) -> Moment {
        Moment {
            at,
            client: client.to_owned(),
            part: None,
            what,
        }
    }

    pub(super) fn on(at: Duration, client: &str, part: &str, what: What) -> Moment {
        Moment {
            part: Some(part.to_owned()),
            ..Moment::new(at, client, what)
        }
    }

    fn sends(&self) -> bool {
        matches!(
            self.what,
            What::Open { .. }
                | What::Upgrade(_)
                | What::Reopen(_)
                | What::Request { .. }
                | What::Ws { .. }
                | What::Send(_)
                | What::Close(_)
                | What::Drop
        )
    }

    pub(super) fn expects(&self) -> bool {
        matches!(
            self.what,
            What::Status(_) | What::Expect(_) | What::ExpectBytes(_) | What::Closed(_) | What::Eof
        )
    }

    /// Whether the client goes by its own will, or leaves a namespace.
    fn leaves(&self) -> bool {
        let says = |message: &Message| match message {
            Message::Text(text) => text == "1" || text.starts_with("41") || text.starts_with("0::"),
            Message::Binary(_) => false,
        };
        match &self.what {
            What::Close(_) | What::Drop => true,
            What::Send(messages)
            | What::Request {
                body: Body::Packets(messages),
                ..
            } => messages.iter().any(says),
            _ => false,
        }
    }

    /// What the server has time in for what was sent before, if this one may have relied on that.
    fn pause_after(&self, before: &Moment) -> Option<Moment> {
        let gap = self.at.saturating_sub(before.at);
        let least = match (self.client == before.client, before.leaves()) {
            (true, _) => (self.part != before.part && self.leaves()).then_some(GONE),
            (false, true) => (gap > TOGETHER || !self.leaves()).then_some(GONE),
            (false, false) => (gap > TOGETHER).then_some(TOGETHER),
        };
        let pause = u64::try_from(gap.clamp(least?, PAUSE).as_millis())
            .unwrap_or(100)
            .next_multiple_of(10);
        Some(Moment {
            at: self.at,
            client: self.client.clone(),
            part: self.part.clone(),
            what: What::Wait(Duration::from_millis(pause)),
        })
    }

    /// Whether the client is gone by then.
    fn ends(&self) -> bool {
        self.part.is_none() && matches!(self.what, What::Close(_) | What::Closed(_) | What::Drop)
    }
}

/// Puts moments in the order of time, keeps pauses that mattered, and ends whoever is still there.
pub(super) fn arrange(moments: &mut Vec<Moment>, ended: Duration) {
    moments.sort_by_key(|moment| moment.at);
    pauses(moments);
    let mut clients: Vec<&str> = Vec::new();
    for moment in moments.iter() {
        if !clients.contains(&moment.client.as_str()) {
            clients.push(&moment.client);
        }
    }
    let mut ends = Vec::new();
    let last = moments.last().map_or(ended, |last| last.at.max(ended));
    for client in clients {
        let mut own = moments.iter().filter(|moment| moment.client == client);
        let opened = own
            .clone()
            .any(|it| matches!(it.what, What::Open { .. } | What::Ws { .. }));
        if !opened || own.clone().any(Moment::ends) {
            continue;
        }
        // A session that literal lines keep open is known to the player by its parts alone.
        let quiet = own.next_back().is_some_and(|newest| newest.at + 4 * SILENT < last);
        if quiet {
            ends.push(Moment::new(last, client, What::Silent(SILENT)));
        }
        ends.push(Moment::new(last, client, What::Drop));
    }
    ends.sort_by_key(|moment| moment.what == What::Drop);
    moments.extend(ends);
}

/// Where one client sent, and another one some time later, and nothing came in between, the second may have relied on what
/// the server did meanwhile: joining a room has no answer. A replay would send both at once. Where the first one left, it
/// may have relied on that however soon it sent. And a goodbye on a connection of its own must not overtake what the same
/// client sent before it.
fn pauses(moments: &mut Vec<Moment>) {
    let mut before: Option<usize> = None;
    let mut at = 0;
    while at < moments.len() {
        if moments[at].expects() {
            before = None;
        } else if moments[at].sends() {
            if let Some(pause) = before.and_then(|before| moments[at].pause_after(&moments[before])) {
                moments.insert(at, pause);
                at += 1;
            }
            before = Some(at);
        }
        at += 1;
    }
}
