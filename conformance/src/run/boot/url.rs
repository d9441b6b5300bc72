//! Where a server under test listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// What a lane connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port under test.
    pub port: u16,
    /// The flash policy port, where the server has one.
    pub policy_port: Option<u16>,
}

impl Address {
    /// `host:port` as a `Host` header says it: an IPv6 address stands in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.host.parse::<Ipv6Addr>() {
            Ok(_) => format!("[{}]:{}", self.host, self.port),
            Err(_) => format!("{}:{}", self.host, self.port),
        }
    }
}

/// `http://host[:port]`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    address: Address,
}

impl BaseUrl {
    /// Parses `http://127.0.0.1:3000`. Without a port it is 80. An address that means "every interface" (`0.0.0.0`,
    /// `[::]`), as servers like to announce, becomes the loopback address.
    ///
    /// # Errors
    ///
    /// When it is no such URL; see [`UrlError`].
    pub fn parse(text: &str) -> Result<BaseUrl, UrlError> {
        let wrong = |problem| UrlError {
            text: text.to_owned(),
            problem,
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong(UrlProblem::NoScheme))?;
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(wrong(UrlProblem::Scheme(scheme.to_owned())));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !matches!(path, "" | "/") {
            return Err(wrong(UrlProblem::Path(path.to_owned())));
        }
        if authority.contains('@') {
            return Err(wrong(UrlProblem::User));
        }
        let (host, port) = split_port(authority).ok_or_else(|| wrong(UrlProblem::Host(authority.to_owned())))?;
        let port = match port {
            None => 80,
            Some(digits) => match digits.parse() {
                Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => port,
                _ => return Err(wrong(UrlProblem::Port(digits.to_owned()))),
            },
        };
        Ok(BaseUrl {
            address: Address {
                host: reachable(host),
                port,
                policy_port: None,
            },
        })
    }

    /// Names the flash policy port, which no URL can.
    #[must_use]
    pub fn with_policy_port(mut self, port: Option<u16>) -> BaseUrl {
        self.address.policy_port = port;
        self
    }

    /// What to connect to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl FromStr for BaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<BaseUrl, UrlError> {
        BaseUrl::parse(text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.address.authority())
    }
}

/// A text that is no base URL: what, why, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` {problem}")]
pub struct UrlError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: UrlProblem,
}

/// See [`UrlError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UrlProblem {
    /// `127.0.0.1:3000`
    #[error("has no scheme: write `http://` in front")]
    NoScheme,
    /// `https://…`
    #[error("has the scheme `{0}`: only `http` can be judged so far, so name the port behind the proxy")]
    Scheme(String),
    /// `http://host/path`
    #[error("has the path `{0}`: leave it out, the cases name the paths")]
    Path(String),
    /// `http://user@host`
    #[error("names a user: leave it out")]
    User,
    /// `http://:3000`, `http://a b`
    #[error(
        "names no host that can be looked up (`{0}`): write it like `http://127.0.0.1:3000` or `http://[::1]:3000`"
    )]
    Host(String),
    /// `http://host:99999`
    #[error("has the port `{0}`: a port is a number from 1 to 65535")]
    Port(String),
}

/// Host without brackets, and the digits after its colon.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (!host.is_empty() && host.bytes().all(known)).then_some((host, port))
}

fn reachable(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:3000", "127.0.0.1", 3000, "http://127.0.0.1:3000")]
    #[case("HTTP://localhost/", "localhost", 80, "http://localhost:80")]
    #[case("http://[::1]:8080", "::1", 8080, "http://[::1]:8080")]
    #[case("http://0.0.0.0:1", "127.0.0.1", 1, "http://127.0.0.1:1")]
    #[case("http://[::]:1", "::1", 1, "http://[::1]:1")]
    fn reads(#[case] text: &str, #[case] host: &str, #[case] port: u16, #[case] shown: &str) {
        let url = BaseUrl::parse(text).unwrap();
        assert_eq!((url.address().host.as_str(), url.address().port), (host, port));
        assert_eq!(url.to_string(), shown);
    }

    #[rstest]
    #[case("127.0.0.1:3000", UrlProblem::NoScheme)]
    #[case("https://a", UrlProblem::Scheme("https".into()))]
    #[case("http://a:1/socket.io/", UrlProblem::Path("/socket.io/".into()))]
    #[case("http://a?x", UrlProblem::Path("?x".into()))]
    #[case("http://me@a", UrlProblem::User)]
    #[case("http://:3000", UrlProblem::Host(":3000".into()))]
    #[case("http://[::1", UrlProblem::Host("[::1".into()))]
    #[case("http://[::1]3000", UrlProblem::Host("[::1]3000".into()))]
    #[case("http://a b:1", UrlProblem::Host("a b:1".into()))]
    #[case("http://a:0", UrlProblem::Port("0".into()))]
    #[case("http://a:+80", UrlProblem::Port("+80".into()))]
    #[case("http://a:99999", UrlProblem::Port("99999".into()))]
    #[case("http://a:", UrlProblem::Port(String::new()))]
    fn refuses(#[case] text: &str, #[case] problem: UrlProblem) {
        assert_eq!(BaseUrl::parse(text).unwrap_err().problem, problem);
    }
}
