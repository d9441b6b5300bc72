//! What a request is, told by its target alone: the transport it speaks, and the session it names.

use crate::scenario::Generation;

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Whether it is a request of the protocol at all. Pages and scripts are not.
    pub protocol: bool,
    /// The transport, as the cases name it; a handshake of revision 1 has none.
    pub transport: Option<String>,
    /// The session id, as it stands in the target.
    pub sid: Option<String>,
}

impl Subject {
    /// Reads a target such as `/socket.io/?EIO=4&transport=polling&sid=a` or `/socket.io/1/xhr-polling/a`. `upgrade` says
    /// whether the request asks for a WebSocket.
    #[must_use]
    pub fn of(target: &str, upgrade: bool) -> Subject {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some((transport, sid)) = revision_1(path) {
            return Subject {
                protocol: true,
                transport: Some(transport.to_owned()),
                sid,
            };
        }
        let parameter = |wanted: &str| {
            query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        let engine = parameter("EIO").is_some();
        let transport = match parameter("transport") {
            _ if upgrade => Some("websocket"),
            Some("polling") if engine && parameter("j").is_some() => Some("jsonp"),
            Some(known @ ("polling" | "websocket")) if engine => Some(known),
            _ => None,
        };
        Subject {
            protocol: engine || upgrade || is_handshake(path),
            transport: transport.map(str::to_owned),
            sid: transport
                .and(parameter("sid"))
                .filter(|sid| !sid.is_empty())
                .map(str::to_owned),
        }
    }
}

/// Transport and session id of `…/1/<transport>/<sid>`.
fn revision_1(path: &str) -> Option<(&'static str, Option<String>)> {
    let mut segments = path.split('/').skip(1);
    while let Some(segment) = segments.next() {
        if segment != "1" {
            continue;
        }
        let mut rest = segments.clone();
        let named = rest.next();
        let transport = Generation::Rev1
            .transports()
            .iter()
            .copied()
            .find(|known| Some(*known) == named);
        // Without a slash behind it, `/1/websocket` is a file of that name.
        if let (Some(transport), Some(sid)) = (transport, rest.next()) {
            return Some((transport, (!sid.is_empty()).then(|| sid.to_owned())));
        }
    }
    None
}

/// `/socket.io/1/`, whatever stands in front of the revision.
fn is_handshake(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.strip_suffix("/1").is_some_and(|prefix| !prefix.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/socket.io/1/websocket/77", true, Some("websocket"), Some("77"))]
    #[case("/socket.io/1/flashsocket/77", true, Some("flashsocket"), Some("77"))]
    #[case("/socket.io/1/xhr-polling/77?t=1", false, Some("xhr-polling"), Some("77"))]
    #[case(
        "/socket.io/1/xhr-multipart/77?disconnect=1",
        false,
        Some("xhr-multipart"),
        Some("77")
    )]
    #[case("/a/b/1/jsonp-polling/77?t=1&i=0", false, Some("jsonp-polling"), Some("77"))]
    #[case("/1/1/htmlfile/77", false, Some("htmlfile"), Some("77"))]
    #[case("/socket.io/1/htmlfile/", false, Some("htmlfile"), None)]
    #[case("/socket.io/1/?t=1&jsonp=0", false, None, None)]
    #[case("/socket.io/1", false, None, None)]
    #[case("/socket.io/?EIO=4&transport=polling&t=x", false, Some("polling"), None)]
    #[case("/socket.io/?EIO=4&transport=polling&sid=", false, Some("polling"), None)]
    #[case("/any/?EIO=3&transport=polling&sid=a-_1", false, Some("polling"), Some("a-_1"))]
    #[case("/socket.io/?EIO=3&transport=polling&j=0&sid=a", false, Some("jsonp"), Some("a"))]
    #[case("/socket.io/?EIO=4&transport=websocket&sid=a", true, Some("websocket"), Some("a"))]
    #[case("/socket.io/?EIO=4&transport=websocket&sid=a", false, Some("websocket"), Some("a"))]
    #[case("/socket.io/?EIO=4&transport=polling", true, Some("websocket"), None)]
    #[case("/socket.io/?EIO=4&transport=smoke", false, None, None)]
    #[case("/echo", true, Some("websocket"), None)]
    fn requests_of_the_protocol(
        #[case] target: &str,
        #[case] upgrade: bool,
        #[case] transport: Option<&str>,
        #[case] sid: Option<&str>,
    ) {
        let subject = Subject::of(target, upgrade);
        assert_eq!(
            (subject.protocol, subject.transport.as_deref(), subject.sid.as_deref()),
            (true, transport, sid)
        );
    }

    #[rstest]
    #[case("/")]
    #[case("/1/")]
    #[case("/page.html?transport=websocket&sid=a&j=0")]
    #[case("/page.html?url=/socket.io/1/websocket/77")]
    #[case("/socket.io/socket.io.js")]
    #[case("/scripts/1/websocket.js")]
    #[case("/scripts/1/websocket")]
    fn everything_else(#[case] target: &str) {
        assert_eq!(Subject::of(target, false), Subject::default());
    }
}
