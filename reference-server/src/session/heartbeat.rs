//! The heartbeat. In revision 1 and Engine.IO 4 the server beats, the client answers, and any beat of the client starts the
//! interval anew. In Engine.IO 3 the client beats, and the server only listens.

use std::time::{Duration, Instant};

use super::Limits;

#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    /// The client beats of its own accord.
    listens: bool,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Off,
    /// The next beat is due.
    Due(Instant),
    /// A beat of the client is due: the answer to ours, or its own.
    Awaited(Instant),
}

impl Heartbeat {
    pub(super) fn off() -> Self {
        Heartbeat {
            interval: Duration::ZERO,
            timeout: Duration::ZERO,
            listens: false,
            state: State::Off,
        }
    }

    /// The first beat is due after an interval; without one there is none.
    pub(super) fn start(now: Instant, limits: &Limits) -> Self {
        limits
            .heartbeat_interval
            .map_or(Heartbeat::off(), |interval| Heartbeat {
                interval,
                timeout: limits.heartbeat_timeout,
                listens: false,
                state: State::Due(now + interval),
            })
    }

    /// The client is to beat within an interval, and may be late by the timeout.
    pub(super) fn listen(now: Instant, limits: &Limits) -> Self {
        let mut heartbeat = Heartbeat {
            listens: true,
            ..Heartbeat::start(now, limits)
        };
        heartbeat.answered(now);
        heartbeat
    }

    /// The client has beaten.
    pub(super) fn answered(&mut self, now: Instant) {
        self.state = match self.state {
            State::Off => State::Off,
            _ if self.listens => State::Awaited(now + self.interval + self.timeout),
            _ => State::Due(now + self.interval),
        };
    }

    /// Whether a beat is to be sent now.
    pub(super) fn beat(&mut self, now: Instant) -> bool {
        let due = matches!(self.state, State::Due(at) if at <= now);
        if due {
            self.state = State::Awaited(now + self.timeout);
        }
        due
    }

    pub(super) fn is_missed(&self, now: Instant) -> bool {
        matches!(self.state, State::Awaited(until) if until <= now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Off => None,
            State::Due(at) | State::Awaited(at) => Some(at),
        }
    }
}
