//! Plays one case: sends what its lanes send, and holds what comes against what they expect.
//!
//! Steps are taken in file order. A send begins when every expectation above it has been met; expectations between two
//! sends are looked at one after the other, each against what its own lane has received by then, so their order across
//! lanes asserts nothing.

mod attempt;
mod expect;
mod fault;
mod finish;
mod op;
mod page;
mod patterns;
mod send;
mod traced;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use self::attempt::{Consumed, Ending};
pub use self::fault::Fault;
pub use self::op::{Op, ops};
pub use self::page::{PageError, Pages, Visit};
pub use self::patterns::Patterns;
use crate::client::tape::{Progress, Tape};
use crate::client::{Client, Connect, Session, Wire};
use crate::scenario::Generation;
use crate::scenario::ast::{Auto, Lane, Level, Scenario, Span};
use crate::scenario::capture::Captures;
use crate::scenario::json::Value;

/// How long an expectation waits when nothing else is said, before `--patience`.
const WAIT: Duration = Duration::from_secs(2);

/// The longest line of a trace's comments, in bytes.
const NOTE: usize = 8192;

/// What a case runs in.
#[derive(Clone)]
pub struct Setting {
    /// Where connections come from.
    pub connect: Arc<dyn Connect>,
    /// The count of steps that a scripted server waits on.
    pub progress: Arc<Progress>,
    /// What was compiled of the case before.
    pub patterns: Arc<Patterns>,
    /// What `over:` chose.
    pub transport: Option<String>,
    /// Factor on every upper bound.
    pub patience: f64,
    /// Durations that no handshake announces.
    pub timings: Timings,
    /// A word that no other run of the case uses.
    pub fresh: String,
    /// Whether what the server does is kept, for a replay.
    pub recorded: bool,
    /// What the page lanes are, where there is a browser.
    pub pages: Option<Arc<dyn Pages>>,
}

/// Durations that a server does not announce: the contract's, or `--timing name=value`.
#[derive(Clone, Debug)]
pub struct Timings {
    /// rev1: time between two heartbeats.
    pub interval: Duration,
    /// rev1: how long an idle poll is held.
    pub polling: Duration,
    /// eio4: how long a client may be in no namespace.
    pub connect: Duration,
}

impl Default for Timings {
    fn default() -> Timings {
        Timings {
            interval: Duration::from_secs(1),
            polling: Duration::from_secs(1),
            connect: Duration::from_secs(1),
        }
    }
}

/// What is left of a case when it has ended.
#[derive(Debug)]
pub struct Played {
    /// The failed `must` step, or what came that no step expects.
    pub failure: Option<Fault>,
    /// Failed `should` and `may` steps.
    pub lenient: Vec<Fault>,
    /// What each expectation consumed.
    pub consumed: Vec<Consumption>,
    /// What the server did, if it was recorded.
    pub tape: Tape,
    /// The conversation, for the trace; empty where it was recorded for a proof, whose trace nobody reads.
    pub trace: Vec<TraceLine>,
    /// The heartbeat timeout that the server announced, if a session was opened.
    pub announced: Option<Duration>,
    /// How much later than it announced the server's latest heartbeat came; zero where it announces no interval.
    pub late: Duration,
}

impl Played {
    /// Whether the harness's own means failed: then nothing is said about the server.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.failure.as_ref().is_some_and(|fault| fault.harness)
    }

    /// There was no browser to play it in.
    #[must_use]
    pub fn without_browser(reason: &str) -> Played {
        let fault = Fault {
            harness: true,
            ..Fault::new(Span::default(), "the browser failed", reason)
        };
        Played {
            failure: Some(fault),
            lenient: Vec::new(),
            consumed: Vec::new(),
            tape: Tape::default(),
            trace: Vec::new(),
            announced: None,
            late: Duration::ZERO,
        }
    }
}

/// What an expectation took.
#[derive(Clone, Debug)]
pub struct Consumption {
    /// The step, as a number into [`ops`]; their count stands for the end of the case.
    pub op: usize,
    /// The line below `any order` or `one of`.
    pub line: Option<usize>,
    /// On which lane.
    pub lane: Lane,
    /// What.
    pub consumed: Consumed,
    /// What was bound before.
    pub before: Captures,
    /// When it came.
    pub at: Instant,
    /// When it was allowed to come.
    pub window: (Option<Instant>, Option<Instant>),
    /// What the upper bound counts from.
    pub since: Option<Instant>,
    /// How many sends had begun when it was taken.
    pub gate: usize,
}

/// A line of the trace.
#[derive(Clone, Debug)]
pub struct TraceLine {
    /// The step it belongs to, as a number into [`ops`].
    pub op: usize,
    /// Since the start of the case.
    pub at: Duration,
    /// Who and what, in the words of the language: `a > 3:::hi`.
    pub text: String,
}

/// Plays a scenario to its end.
pub async fn play(scenario: &Scenario, setting: Setting) -> Played {
    let ops = ops(scenario);
    let mut play = Play::new(scenario, &ops, setting);
    let failure = match play.run().await {
        Ok(()) => None,
        Err(fault) => Some(*fault),
    };
    Played {
        failure,
        announced: play
            .clients
            .values()
            .find_map(|actor| actor.client.session.as_ref()?.announced.timeout),
        late: play.clients.values().filter_map(late).max().unwrap_or_default(),
        lenient: play.lenient,
        consumed: play.consumed,
        tape: play.wire.take_tape(),
        trace: play.trace,
    }
}

fn late(actor: &Actor) -> Option<Duration> {
    let interval = actor.client.session.as_ref()?.announced.interval?;
    Some(actor.client.longest_between_beats().saturating_sub(interval))
}

struct Play<'a> {
    scenario: &'a Scenario,
    generation: Generation,
    ops: &'a [Op<'a>],
    setting: Setting,
    wire: Arc<Wire>,
    clients: BTreeMap<String, Actor>,
    captures: Captures,
    marks: BTreeMap<String, Instant>,
    /// When the newest send began: expectations wait from here.
    block: Instant,
    begun: Instant,
    lenient: Vec<Fault>,
    consumed: Vec<Consumption>,
    trace: Vec<TraceLine>,
    op: usize,
}

/// A client, and what the case knows about it.
struct Actor {
    client: Client,
    /// Captures of this client alone: `sid`, and the timings of its session.
    captures: Captures,
    /// The newest event of each lane, by part.
    events: BTreeMap<Option<String>, Instant>,
    /// The case polls by hand.
    manual: bool,
    /// Said goodbye, was told so, or was cut: nothing more is owed to it or by it.
    gone: bool,
    /// It is in the main namespace.
    joined: bool,
    /// Its events end with an offset, for connection state recovery.
    offsets: bool,
    fences: u64,
    /// A page: how many of its requests were matched or passed over.
    requests: usize,
    /// A page: the transports that its client had tried when a step looked.
    tried: Option<String>,
}

impl Actor {
    /// The session over which the client can be asked for a round trip: the runner polls for it, and it is in the main
    /// namespace, or there are none.
    fn fenced_by(&self) -> Option<&Session> {
        let session = self.client.session.as_ref()?;
        (!self.manual && (self.joined || session.is_raw())).then_some(session)
    }
}

type Failed = Box<Fault>;

impl<'a> Play<'a> {
    fn new(scenario: &'a Scenario, ops: &'a [Op<'a>], setting: Setting) -> Play<'a> {
        let generation = scenario.headers.generation().parse().unwrap_or(Generation::Rev1);
        let wire = Arc::new(Wire::new(
            setting.connect.clone(),
            setting.progress.clone(),
            generation,
            setting.recorded,
        ));
        let manual = op::manual_clients(ops);
        let names: BTreeSet<&str> = ops
            .iter()
            .flat_map(|op| op.step.lanes.iter().map(|lane| lane.client.as_str()))
            .collect();
        let clients = names
            .into_iter()
            .map(|name| {
                let actor = Actor {
                    client: Client::new(wire.clone(), name, scenario.headers.auto == Auto::Heartbeats),
                    captures: Captures::new(),
                    events: BTreeMap::new(),
                    manual: manual.contains(name),
                    gone: false,
                    joined: generation == Generation::Rev1,
                    offsets: false,
                    fences: 0,
                    requests: 0,
                    tried: None,
                };
                (name.to_owned(), actor)
            })
            .collect();
        let mut captures = Captures::new();
        captures.insert("fresh", Value::string(&setting.fresh));
        Play {
            scenario,
            generation,
            ops,
            setting,
            wire,
            clients,
            captures,
            marks: BTreeMap::new(),
            block: Instant::now(),
            begun: Instant::now(),
            lenient: Vec::new(),
            consumed: Vec::new(),
            trace: Vec::new(),
            op: 0,
        }
    }

    async fn run(&mut self) -> Result<(), Failed> {
        for (number, op) in self.ops.iter().enumerate() {
            self.op = number;
            let result = if op.step.action.sends() {
                self.send(op).await
            } else {
                self.expect(op).await
            };
            if let Err(fault) = result {
                self.fail(op.level, fault)?;
            }
        }
        self.op = self.ops.len();
        let ended = self.finish().await;
        ended.or_else(|fault| self.fail(Level::Must, fault))
    }

    /// A fault of a `must` ends the case; another is kept, and the case goes on.
    fn fail(&mut self, level: Level, mut fault: Failed) -> Result<(), Failed> {
        fault.op = self.op;
        fault.level = level;
        if level == Level::Must {
            return Err(fault);
        }
        self.lenient.push(*fault);
        Ok(())
    }

    fn actor(&self, lane: &Lane) -> &Actor {
        &self.clients[&lane.client]
    }

    fn actor_mut(&mut self, lane: &Lane) -> Option<&mut Actor> {
        self.clients.get_mut(&lane.client)
    }

    /// The case's captures, and over them the client's own.
    fn captures(&self, lane: &Lane) -> Captures {
        self.captures.layered(&self.actor(lane).captures)
    }

    /// Keeps what a match has bound.
    fn bind(&mut self, lane: &Lane, bound: &Captures) {
        let own = self.actor(lane).captures.clone();
        for (name, value) in bound.iter().filter(|(name, _)| !own.contains(name)) {
            if self.captures.get(name) != Some(value) {
                self.captures.insert(name, value.clone());
            }
        }
    }

    fn wait(&self) -> Duration {
        WAIT.mul_f64(self.setting.patience)
    }

    fn note(&mut self, at: Instant, lane: &Lane, text: impl std::fmt::Display) {
        if self.setting.recorded {
            return;
        }
        let name = match &lane.part {
            Some(part) => format!("{}.{part}", lane.client),
            None => lane.client.clone(),
        };
        self.trace.push(TraceLine {
            op: self.op,
            at: at.saturating_duration_since(self.begun),
            text: fault::clipped(format!("{name} {text}"), NOTE),
        });
    }
}
