//! The heartbeat of revision 1 and of Engine.IO 4: the server beats, the client answers; any beat of the client starts
//! the interval anew.

use std::time::{Duration, Instant};

use super::Limits;

#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Off,
    /// The next beat is due.
    Due(Instant),
    /// A beat was sent; the answer is due.
    Sent(Instant),
}

impl Heartbeat {
    pub(super) fn off() -> Self {
        Heartbeat {
            interval: Duration::ZERO,
            timeout: Duration::ZERO,
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
                state: State::Due(now + interval),
            })
    }

    /// The client has beaten.
    pub(super) fn answered(&mut self, now: Instant) {
        if !matches!(self.state, State::Off) {
            self.state = State::Due(now + self.interval);
        }
    }

    /// Whether a beat is to be sent now.
    pub(super) fn beat(&mut self, now: Instant) -> bool {
        let due = matches!(self.state, State::Due(at) if at <= now);
        if due {
            self.state = State::Sent(now + self.timeout);
        }
        due
    }

    pub(super) fn is_missed(&self, now: Instant) -> bool {
        matches!(self.state, State::Sent(until) if until <= now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Off => None,
            State::Due(at) | State::Sent(at) => Some(at),
        }
    }
}
