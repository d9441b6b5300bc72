//! Connection state recovery: who lost the connection comes back as the same socket, in the same rooms, and gets what was
//! sent meanwhile. Events have an offset behind their arguments; the client names the last one that it has seen.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::session::Encoded;

/// How many packets, and how many sockets without a client, are remembered.
const PACKETS: usize = 10_000;
const SAVED: usize = 10_000;

/// What one namespace remembers.
#[derive(Debug)]
pub(super) struct Recovery {
    /// For how long.
    duration: Duration,
    saved: HashMap<Box<str>, Saved>,
    packets: VecDeque<Sent>,
    /// The offset of the next packet.
    next: u64,
}

/// A socket that has lost its client.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) id: Box<str>,
    pub(super) rooms: Vec<String>,
    pub(super) at: Instant,
}

/// Whom a packet was for: those in the room, but those in any of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Addressees {
    pub(super) room: Option<Box<str>>,
    pub(super) except: Vec<Box<str>>,
}

#[derive(Debug)]
struct Sent {
    to: Addressees,
    packet: Encoded,
    at: Instant,
}

/// What a client that comes back sends with CONNECT.
#[derive(Deserialize)]
struct Claim<'a> {
    #[serde(borrow)]
    pid: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    offset: std::borrow::Cow<'a, str>,
}

impl Recovery {
    pub(super) fn new(duration: Duration) -> Self {
        Recovery {
            duration,
            saved: HashMap::new(),
            packets: VecDeque::new(),
            next: 0,
        }
    }

    /// The offset of the packet that is [`record`](Self::record)ed next.
    pub(super) fn offset(&self) -> String {
        format!("\"{:x}\"", self.next)
    }

    pub(super) fn record(&mut self, now: Instant, to: Addressees, packet: Encoded) {
        self.next += 1;
        self.packets.push_back(Sent { to, packet, at: now });
        while self.packets.len() > PACKETS || self.packets.front().is_some_and(|sent| sent.at + self.duration < now) {
            self.packets.pop_front();
        }
    }

    /// Remembers a socket under its private id.
    pub(super) fn save(&mut self, pid: &str, saved: Saved) {
        if self.saved.len() >= SAVED {
            self.saved.retain(|_, old| old.at + self.duration >= saved.at);
        }
        if self.saved.len() < SAVED {
            self.saved.insert(pid.into(), saved);
        }
    }

    /// The private id and the socket that the client claims, and what it has missed; `None` where that is not known, or
    /// not any more.
    pub(super) fn restore(&mut self, now: Instant, auth: &str) -> Option<(String, Saved, Vec<Encoded>)> {
        let claim: Claim<'_> = serde_json::from_str(auth).ok()?;
        let seen = u64::from_str_radix(&claim.offset, 16).ok()?.checked_add(1)?;
        let first = self.next - u64::try_from(self.packets.len()).ok()?;
        let skip = usize::try_from(seen.checked_sub(first)?).ok()?;
        if skip > self.packets.len() {
            return None;
        }
        let saved = self
            .saved
            .remove(&*claim.pid)
            .filter(|saved| saved.at + self.duration >= now)?;
        let is_in = |room: &str| *room == *saved.id || saved.rooms.iter().any(|joined| joined == room);
        let missed =
            self.packets.iter().skip(skip).filter(|sent| {
                sent.to.room.as_deref().is_none_or(is_in) && !sent.to.except.iter().any(|room| is_in(room))
            });
        let missed = missed.map(|sent| sent.packet.clone()).collect();
        Some((claim.pid.into_owned(), saved, missed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Text;

    const SECOND: Duration = Duration::from_secs(1);

    fn packet(text: &'static str) -> Encoded {
        Text::from_static(text).into()
    }

    fn to(room: Option<&str>, except: &[&str]) -> Addressees {
        Addressees {
            room: room.map(Into::into),
            except: except.iter().map(|room| (*room).into()).collect(),
        }
    }

    fn saved(at: Instant) -> Saved {
        Saved {
            id: "id".into(),
            rooms: vec!["r".to_owned()],
            at,
        }
    }

    fn restored(recovery: &mut Recovery, now: Instant, offset: &str) -> Option<Vec<String>> {
        let claim = format!(r#"{{"pid":"pid","offset":{offset}}}"#);
        let (_, _, missed) = recovery.restore(now, &claim)?;
        Some(
            missed
                .iter()
                .map(|packet| packet.head.text().unwrap().to_string())
                .collect(),
        )
    }

    #[test]
    fn what_was_for_the_socket_comes_behind_what_it_has_seen() {
        let now = Instant::now();
        let mut recovery = Recovery::new(10 * SECOND);
        let seen = recovery.offset();
        recovery.record(now, to(None, &[]), packet("seen"));
        recovery.record(now, to(None, &[]), packet("all"));
        recovery.record(now, to(Some("r"), &["x"]), packet("room"));
        recovery.record(now, to(Some("id"), &[]), packet("own"));
        recovery.record(now, to(Some("s"), &[]), packet("other room"));
        recovery.record(now, to(None, &["r"]), packet("excepted"));
        recovery.save("pid", saved(now));
        assert_eq!(restored(&mut recovery, now, "\"ffff\""), None);
        assert_eq!(restored(&mut recovery, now, "\"x\""), None);
        assert_eq!(
            restored(&mut recovery, now, &seen),
            Some(vec!["all".to_owned(), "room".to_owned(), "own".to_owned()])
        );
        assert_eq!(restored(&mut recovery, now, &seen), None, "once");
    }

    #[test]
    fn it_does_not_remember_for_ever() {
        let now = Instant::now();
        let mut recovery = Recovery::new(10 * SECOND);
        let seen = recovery.offset();
        recovery.record(now, to(None, &[]), packet("a"));
        recovery.save("pid", saved(now));
        assert_eq!(restored(&mut recovery, now + 11 * SECOND, &seen), None);
        recovery.record(now, to(None, &[]), packet("b"));
        recovery.record(now + 11 * SECOND, to(None, &[]), packet("c"));
        recovery.save("pid", saved(now));
        assert_eq!(restored(&mut recovery, now, &seen), None, "b is forgotten");
    }
}
