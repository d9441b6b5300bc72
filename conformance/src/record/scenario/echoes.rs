//! What a client says of itself in every request and a replay does not repeat: headers, and the cache buster. A server's
//! application that says it again, as in an echo of the handshake, says something else to a replay, or nothing.

use std::collections::BTreeSet;
use std::ops::Range;

use super::places::{of_type, quoted};
use super::regular::is_telling;
use super::sessions::Session;
use crate::client::protocol::parameter;
use crate::scenario::ast::{BaseType, Hole};
use crate::scenario::json::{self, Value};

/// Names, in lower case, with their values.
pub(super) struct Echoes(BTreeSet<(String, String)>);

impl Echoes {
    pub(super) fn find(sessions: &[&Session<'_>]) -> Echoes {
        let exchanges = sessions.iter().flat_map(|session| &session.exchanges);
        let said = exchanges.flat_map(|exchange| {
            let headers = exchange.headers.iter().filter(|(name, _)| !is_telling(name));
            let buster = parameter(&exchange.target, "t").map(|value| ("t".to_owned(), value.to_owned()));
            headers.cloned().chain(buster)
        });
        Echoes(said.collect())
    }

    /// Members of objects that say so again, each with a hole for its value, which may be absent.
    /// `strings` are those of the text, as [`strings`](super::places::strings) finds them.
    pub(super) fn edits(&self, text: &str, strings: &[(Range<usize>, bool)]) -> Vec<(Range<usize>, Hole)> {
        let pairs = strings.windows(2).filter_map(|pair| match pair {
            [(key, true), (value, false)] => Some((key, value)),
            _ => None,
        });
        let own = pairs.filter(|(key, value)| {
            let between = text.get(key.end + 1..value.start - 1).unwrap_or_default();
            let name = text.get((*key).clone()).unwrap_or_default().to_lowercase();
            match text.get(quoted(value)).and_then(|text| json::parse(text).ok()) {
                Some(Value::String(string)) if between.trim() == ":" => self.has(name, string.to_string_lossy()),
                _ => false,
            }
        });
        own.map(|(_, value)| (quoted(value), of_type(BaseType::Str, true)))
            .collect()
    }

    fn has(&self, name: String, value: String) -> bool {
        // The proxy has put the server's own address there.
        let address = matches!(name.as_str(), "host" | "origin" | "referer") && names_port(&value);
        address || self.0.contains(&(name, value))
    }
}

/// `http://127.0.0.1:3000/` or `127.0.0.1:3000`.
fn names_port(value: &str) -> bool {
    let authority = value.split_once("://").map_or(value, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    port.parse::<u16>().is_ok()
}
