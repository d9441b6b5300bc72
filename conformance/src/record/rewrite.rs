//! Headers on their way through: the server sees its own page, and the page sees the proxy.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

/// The two names of one server.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `host:port`, as the page says it.
    page: String,
    /// `host:port`, as the server knows itself.
    server: String,
}

/// What becomes of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Goes,
    Becomes(String),
}

impl Names {
    /// For a proxy on that port of 127.0.0.1. A page may also have come by `localhost`, and then its `Host` says so.
    pub(super) fn new(port: u16, host: Option<&str>, server: String) -> Names {
        let page = match host {
            Some(host)
                if host
                    .strip_suffix(&format!(":{port}"))
                    .is_some_and(|name| !name.is_empty()) =>
            {
                host.to_owned()
            }
            _ => format!("127.0.0.1:{port}"),
        };
        Names { page, server }
    }

    /// Makes a page's headers into those that the server gets; `strip` also takes the upgrade off.
    pub(super) fn to_server(&self, headers: &mut impl Headers, strip: bool) {
        headers.change(|name, value| match name {
            "host" => Fate::Becomes(self.server.clone()),
            "origin" | "referer" | "sec-websocket-origin" => swap(value, &self.page, &self.server),
            // So that frames and bodies can be read.
            "sec-websocket-extensions" | "accept-encoding" => Fate::Goes,
            "upgrade" if strip => Fate::Goes,
            "connection" if strip => without_upgrade(value),
            _ if strip && name.starts_with("sec-websocket-") => Fate::Goes,
            _ => Fate::Stays,
        });
    }

    /// Makes a server's headers into those that the page gets.
    pub(super) fn to_page(&self, headers: &mut impl Headers) {
        headers.change(|name, value| match name {
            "location"
            | "access-control-allow-origin"
            | "sec-websocket-location"
            | "sec-websocket-origin"
            | "websocket-location"
            | "websocket-origin" => swap(value, &self.server, &self.page),
            _ => Fate::Stays,
        });
    }
}

/// Puts another host behind the scheme, where it is that host and not only one that begins like it. Clients of Node from
/// before 1.0 name their origin without a scheme.
fn swap(value: &str, from: &str, to: &str) -> Fate {
    for scheme in ["http://", "ws://", ""] {
        let rest = value.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(from));
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#'])) {
            return Fate::Becomes(format!("{scheme}{to}{rest}"));
        }
    }
    Fate::Stays
}

/// `keep-alive, Upgrade` without the second.
fn without_upgrade(value: &str) -> Fate {
    let rest: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|token| !token.eq_ignore_ascii_case("upgrade"))
        .collect();
    match rest.is_empty() {
        true => Fate::Goes,
        false => Fate::Becomes(rest.join(", ")),
    }
}

/// Headers as hyper has them, or as lines.
pub(super) trait Headers {
    /// Asks for each header, by its name in lower case; one that is not text stays.
    fn change(&mut self, fate: impl Fn(&str, &str) -> Fate);
}

impl Headers for HeaderMap {
    fn change(&mut self, fate: impl Fn(&str, &str) -> Fate) {
        let mut gone: Vec<HeaderName> = Vec::new();
        for (name, value) in self.iter_mut() {
            let Ok(text) = value.to_str() else { continue };
            match fate(name.as_str(), text) {
                Fate::Stays => {}
                Fate::Goes => gone.push(name.clone()),
                Fate::Becomes(text) => {
                    if let Ok(text) = HeaderValue::try_from(text) {
                        *value = text;
                    }
                }
            }
        }
        for name in gone {
            self.remove(name);
        }
    }
}

impl Headers for Vec<(String, String)> {
    fn change(&mut self, fate: impl Fn(&str, &str) -> Fate) {
        self.retain_mut(|(name, value)| match fate(&name.to_ascii_lowercase(), value) {
            Fate::Stays => true,
            Fate::Goes => false,
            Fate::Becomes(text) => {
                *value = text;
                true
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn lines(text: &str) -> Vec<(String, String)> {
        text.lines()
            .filter_map(|line| line.trim().split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[rstest]
    #[case("Host: 127.0.0.1:41", "Host: s:3000")]
    #[case("Origin: http://127.0.0.1:41", "Origin: http://s:3000")]
    #[case("Origin: 127.0.0.1:41", "Origin: s:3000")]
    #[case("Origin: http://127.0.0.1:410", "Origin: http://127.0.0.1:410")]
    #[case("Origin: http://elsewhere", "Origin: http://elsewhere")]
    #[case("Referer: http://127.0.0.1:41/a?b", "Referer: http://s:3000/a?b")]
    #[case("Accept-Encoding: gzip", "")]
    #[case("Sec-WebSocket-Extensions: permessage-deflate", "")]
    #[case("Upgrade: websocket", "Upgrade: websocket")]
    fn to_the_server(#[case] before: &str, #[case] after: &str) {
        let mut headers = lines(before);
        Names::new(41, None, "s:3000".into()).to_server(&mut headers, false);
        assert_eq!(headers, lines(after));
    }

    #[test]
    fn stripped() {
        let mut headers = lines(
            "Upgrade: websocket
            Connection: keep-alive, Upgrade
            Sec-WebSocket-Key: a
            Sec-WebSocket-Key1: a
            Cookie: c",
        );
        Names::new(41, None, "s:3000".into()).to_server(&mut headers, true);
        assert_eq!(headers, lines("Connection: keep-alive\nCookie: c"));
    }

    #[rstest]
    #[case(None, "http://127.0.0.1:41/a")]
    #[case(Some("localhost:41"), "http://localhost:41/a")]
    #[case(Some("localhost:42"), "http://127.0.0.1:41/a")]
    fn to_the_page(#[case] host: Option<&str>, #[case] location: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("location", HeaderValue::from_static("http://s:3000/a"));
        headers.insert("sec-websocket-location", HeaderValue::from_static("ws://elsewhere/a"));
        Names::new(41, host, "s:3000".into()).to_page(&mut headers);
        assert_eq!(headers["location"], location);
        assert_eq!(headers["sec-websocket-location"], "ws://elsewhere/a");
    }
}
