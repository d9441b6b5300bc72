//! What goes wrong on the way, for which transport.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::classify::Subject;

/// What the proxy does with a transport's requests. A treatment is looked up when a request comes; what is open already
/// goes on until it is cut. Only datagrams are looked at one by one, and every treatment but `Pass` drops them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Treatment {
    /// Nothing goes wrong.
    #[default]
    Pass,
    /// The server would not have it: an upgrade or a request is answered 403 without being passed on.
    Refuse,
    /// The connection is accepted and never answered; the request is not passed on.
    Hang,
    /// The answer's head comes, a proper 101 for a WebSocket and 200 for the rest, and then nothing, ever.
    Mute,
    /// A proxy on the way takes `Upgrade`, `Connection: upgrade` and `Sec-WebSocket-*` off the request: the server sees a
    /// plain GET, and its answer goes to the page. Other requests pass.
    Strip,
    /// A TCP reset, without an answer.
    Reset,
}

impl fmt::Display for Treatment {
    /// What became of the request, as a reader of the record is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Treatment::Pass => "passed on",
            Treatment::Refuse => "refused by the proxy",
            Treatment::Hang => "left hanging by the proxy",
            Treatment::Mute => "answered by the proxy, then silence",
            Treatment::Strip => "stripped of its upgrade by the proxy",
            Treatment::Reset => "reset by the proxy",
        })
    }
}

/// The treatments in force.
#[derive(Debug, Default)]
pub(super) struct Rules(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    named: HashMap<String, Treatment>,
    rest: Treatment,
}

impl Rules {
    /// The latest word counts: `"*"` takes back whatever was said about a single transport before it.
    pub(super) fn set(&self, transport: &str, treatment: Treatment) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if transport == "*" {
            table.named.clear();
            table.rest = treatment;
        } else {
            table.named.insert(transport.to_owned(), treatment);
        }
    }

    /// What happens to such a request. Pages and scripts always pass.
    pub(super) fn of(&self, subject: &Subject) -> Treatment {
        if !subject.protocol {
            return Treatment::Pass;
        }
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = subject
            .transport
            .as_ref()
            .and_then(|transport| table.named.get(transport));
        named.copied().unwrap_or(table.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_word_counts_and_pages_pass() {
        let rules = Rules::default();
        let (polling, handshake, page) = (
            Subject::of("/socket.io/?EIO=4&transport=polling", false),
            Subject::of("/socket.io/1/", false),
            Subject::of("/page.html", false),
        );
        assert_eq!(rules.of(&polling), Treatment::Pass);
        rules.set("polling", Treatment::Hang);
        assert_eq!(rules.of(&polling), Treatment::Hang);
        assert_eq!(rules.of(&handshake), Treatment::Pass);
        rules.set("*", Treatment::Reset);
        assert_eq!(rules.of(&polling), Treatment::Reset);
        assert_eq!(rules.of(&handshake), Treatment::Reset);
        assert_eq!(rules.of(&page), Treatment::Pass);
        rules.set("polling", Treatment::Pass);
        assert_eq!(rules.of(&polling), Treatment::Pass);
        assert_eq!(rules.of(&handshake), Treatment::Reset);
    }
}
