//! One parse of path and query into a type that cannot be wrong.

use std::borrow::Cow;

use crate::codec::jsonp::decode_percent;

/// What a URL of this server asks for. Revision 1: `/socket.io/<protocol>/<transport>/<sid>/?<query>`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target<'a> {
    /// Not below `/socket.io`.
    Elsewhere,
    /// Below it, and nothing in particular.
    Welcome,
    /// A protocol revision that the server does not speak.
    BadVersion,
    /// A new session.
    Handshake,
    /// A session; no transport is meant by an empty segment.
    Session {
        /// `Err`: no transport of this name.
        transport: Result<Transport, &'a str>,
        /// The session id, as it was sent.
        sid: &'a str,
    },
}

/// The transports of revision 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transport {
    Websocket,
    Flashsocket,
    Htmlfile,
    XhrMultipart,
    XhrPolling,
    JsonpPolling,
}

impl<'a> Target<'a> {
    /// Reads the path. With `upgrade` the protocol revision does not matter, as for the original.
    pub(crate) fn parse(path: &'a str, upgrade: bool) -> Self {
        let Some(rest) = path.strip_prefix("/socket.io") else {
            return Target::Elsewhere;
        };
        let Some(rest) = rest.strip_prefix('/') else {
            return Target::Welcome;
        };
        let mut segments = rest.strip_suffix('/').unwrap_or(rest).split('/');
        let protocol = segments.next().unwrap_or_default();
        let transport = segments.next().unwrap_or_default();
        let sid = segments.next().unwrap_or_default();
        match protocol.parse::<u64>() {
            _ if segments.next().is_some() => Target::Welcome,
            Err(_) | Ok(0) => Target::Welcome,
            Ok(protocol) if protocol != 1 && !upgrade => Target::BadVersion,
            Ok(_) if sid.is_empty() => Target::Handshake,
            Ok(_) => Target::Session {
                transport: Transport::parse(transport).ok_or(transport),
                sid,
            },
        }
    }
}

impl Transport {
    /// All of them, in the order in which a client should try them, with their names.
    pub(crate) const ALL: [(Transport, &'static str); 6] = [
        (Transport::Websocket, "websocket"),
        (Transport::Flashsocket, "flashsocket"),
        (Transport::Htmlfile, "htmlfile"),
        (Transport::XhrMultipart, "xhr-multipart"),
        (Transport::XhrPolling, "xhr-polling"),
        (Transport::JsonpPolling, "jsonp-polling"),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(transport, _)| *transport)
    }
}

/// The query of a URL. Its parameters are decoded where they are well escaped, and not before they are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Query<'a>(pub(crate) &'a str);

impl<'a> Query<'a> {
    /// The parameters, in order.
    pub(crate) fn parameters(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        // Most queries have nothing to decode; looking at all bytes at once is faster than looking for the first.
        let escaped = self
            .0
            .bytes()
            .fold(false, |found, byte| found | (byte == b'%') | (byte == b'+'));
        let decode = move |text: &'a str| match escaped {
            true => decode_percent(text).unwrap_or(Cow::Borrowed(text)),
            false => Cow::Borrowed(text),
        };
        // Searching byte by byte beats the searchers of `str`: the pieces are short.
        let split = |text: &'a str, at: u8| match text.bytes().position(|byte| byte == at) {
            Some(end) => (&text[..end], &text[end + 1..]),
            None => (text, ""),
        };
        let mut rest = self.0;
        let pairs = std::iter::from_fn(move || {
            let pair;
            (pair, rest) = (!rest.is_empty()).then(|| split(rest, b'&'))?;
            Some(pair)
        });
        pairs
            .filter(|pair| !pair.is_empty())
            .map(move |pair| split(pair, b'='))
            .map(move |(key, value)| (decode(key), decode(value)))
    }

    /// The first value of a parameter.
    pub(crate) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.parameters().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The same, where it counts only if it is a decimal number, for it is written into scripts.
    pub(crate) fn index(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)
            .filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn session(transport: Result<Transport, &'static str>) -> Target<'static> {
        Target::Session { transport, sid: "abc" }
    }

    #[rstest]
    #[case("/", Target::Elsewhere)]
    #[case("/socket.io", Target::Welcome)]
    #[case("/socket.io/", Target::Welcome)]
    #[case("/socket.iox/1/", Target::Welcome)]
    #[case("/socket.io/0/", Target::Welcome)]
    #[case("/socket.io/abc/", Target::Welcome)]
    #[case("/socket.io/1/a/b/c/", Target::Welcome)]
    #[case("/socket.io/2/", Target::BadVersion)]
    #[case("/socket.io/2/websocket/abc", Target::BadVersion)]
    #[case("/socket.io/1", Target::Handshake)]
    #[case("/socket.io/1/", Target::Handshake)]
    #[case("/socket.io/1/xhr-polling/", Target::Handshake)]
    #[case("/socket.io/1/xhr-polling/abc", session(Ok(Transport::XhrPolling)))]
    #[case("/socket.io/1/flashsocket/abc/", session(Ok(Transport::Flashsocket)))]
    #[case("/socket.io/1//abc/", session(Err("")))]
    #[case("/socket.io/1/pigeon/abc", session(Err("pigeon")))]
    fn a_path_has_one_meaning(#[case] path: &str, #[case] target: Target<'_>) {
        assert_eq!(Target::parse(path, false), target);
    }

    #[test]
    fn an_upgrade_says_its_revision_by_its_transport() {
        assert_eq!(
            Target::parse("/socket.io/2/websocket/abc", true),
            session(Ok(Transport::Websocket))
        );
    }

    #[rstest]
    #[case("i=5", Some("5"))]
    #[case("t=1&i=05", Some("05"))]
    #[case("i=", None)]
    #[case("i=alert(1)", None)]
    #[case("I=1", None)]
    #[case("", None)]
    fn an_index_is_a_number(#[case] query: &str, #[case] expected: Option<&str>) {
        assert_eq!(Query(query).index("i").as_deref(), expected);
    }
}
