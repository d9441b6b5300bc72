//! What was found, as a `conformance.toml`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::time::Duration;

use super::findings::{Findings, Found, Verdict};
use crate::scenario::Generation;

const HEAD: &str = "\
# What a server does, as it answered `sio-conformance probe`. What stands here is judged by `sio-conformance run`: take out what
# the server is not meant to have, and add what it is meant to have and lacks. Every key: docs/config.md
";

/// How the server was reached, for `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// The embedded server: nothing has to be said.
    Embedded,
    /// At a URL, with the port of its flash policy server where it is known.
    Url(String, Option<u16>),
    /// By a command that was typed in the folder of the file.
    Here(Vec<OsString>),
    /// By a command that was typed elsewhere, or that a file names: it may mean something else where the file is.
    Elsewhere(Vec<OsString>),
}

/// The text of the file: the same for the same answers.
#[must_use]
pub fn write(findings: &Findings, door: &Door) -> String {
    let mut out = HEAD.to_owned();
    server(&mut out, door);
    for generation in Generation::ALL.into_iter().rev() {
        out.push('\n');
        match findings.generations.get(&generation) {
            Some(found) => claims(&mut out, generation, found),
            None => {
                let _ = writeln!(out, "# {generation}: no answer to its handshake");
            }
        }
    }
    timing(&mut out, findings);
    out
}

fn server(out: &mut String, door: &Door) {
    let list = |words: &[OsString]| {
        let words: Vec<String> = words.iter().map(|word| string(&word.to_string_lossy())).collect();
        format!("[{}]", words.join(", "))
    };
    let _ = match door {
        Door::Embedded => Ok(()),
        Door::Url(url, port) => {
            let port = port.map(|port| format!("policy-port = {port}\n")).unwrap_or_default();
            write!(out, "\n[server]\nurl = {}\n{port}", string(url))
        }
        Door::Here(words) => write!(out, "\n[server]\ncommand = {}\n", list(words)),
        Door::Elsewhere(words) => write!(
            out,
            "\n[server]\n# As it was typed in another folder; in this file it is run in the file's own.\n# command = {}\n",
            list(words)
        ),
    };
}

fn claims(out: &mut String, generation: Generation, found: &Found) {
    let _ = writeln!(out, "[generations.{generation}]");
    let announced = announced(generation, found);
    if !announced.is_empty() {
        let _ = writeln!(out, "# announced: {}", announced.join(", "));
    }
    let _ = writeln!(out, "transports = {}", crate::config::list(&found.transports));
    let known = generation.transports().iter().copied();
    let missing: Vec<&str> = known.filter(|it| !found.transports.contains(it)).collect();
    if !missing.is_empty() {
        let _ = writeln!(out, "# not offered: {}", missing.join(", "));
    }
    if !found.mute.is_empty() {
        let _ = writeln!(out, "# offered, and no case passed over it: {}", found.mute.join(", "));
    }
    let present: Vec<&str> = found.present().collect();
    let _ = writeln!(out, "features = [");
    for feature in present {
        let _ = writeln!(out, "    \"{feature}\",");
    }
    let _ = writeln!(out, "]");
    for (feature, verdict) in &found.features {
        let _ = match verdict {
            Verdict::Present => Ok(()),
            Verdict::Absent { case, why } => writeln!(out, "# {feature}: {case}: {}", comment(why)),
            Verdict::NotAsked { case, why } => {
                writeln!(out, "# {feature}: not asked, {case} cannot run: {}", comment(why))
            }
        };
    }
}

fn announced(generation: Generation, found: &Found) -> Vec<String> {
    let of = &found.announced;
    let heartbeat = if generation == Generation::Rev1 {
        "heartbeat"
    } else {
        "ping"
    };
    let times = [
        (format!("{heartbeat} interval"), of.interval),
        (format!("{heartbeat} timeout"), of.timeout),
        ("close timeout".to_owned(), of.close),
    ];
    let mut told: Vec<String> = times
        .into_iter()
        .filter_map(|(name, time)| Some(format!("{name} {}", span(time?))))
        .collect();
    told.extend(of.max_payload.map(|bytes| format!("greatest payload {bytes} bytes")));
    told
}

/// What nobody announces: it is assumed, so it stands there to be mended.
fn timing(out: &mut String, findings: &Findings) {
    let has = |generation| findings.generations.contains_key(&generation);
    let keys = [
        ("connect", Generation::Eio4, "how long a client may be in no namespace"),
        ("interval", Generation::Rev1, "the time between two heartbeats"),
        ("polling", Generation::Rev1, "how long an idle poll is held"),
    ];
    let mut keys = keys
        .into_iter()
        .filter(|(_, generation, _)| has(*generation))
        .peekable();
    if keys.peek().is_some() {
        out.push_str("\n# No handshake tells these: say them where they are not as here.\n[timing]\n");
    }
    for (name, generation, meaning) in keys {
        let _ = writeln!(out, "{name} = \"1s\" # {generation}: {meaning}");
    }
}

/// `300ms`, `25s`
fn span(time: Duration) -> String {
    match time.as_millis() {
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

/// A string of TOML.
fn string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Text that can stand in a comment: no control characters.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Announced;
    use crate::config::{Config, Server};

    fn findings() -> Findings {
        let absent = Verdict::Absent {
            case: "eio4/binary/event[polling]".to_owned(),
            why: "packet does not match: got 42[\u{1b}[31m]".to_owned(),
        };
        let not_asked = Verdict::NotAsked {
            case: "eio4/recovery/offered".to_owned(),
            why: "no webtransport".to_owned(),
        };
        let eio4 = Found {
            transports: vec!["polling", "websocket"],
            announced: Announced {
                interval: Some(Duration::from_secs(25)),
                timeout: Some(Duration::from_millis(200)),
                close: None,
                max_payload: Some(1_000_000),
            },
            features: vec![("rooms", Verdict::Present), ("binary", absent), ("recovery", not_asked)],
            mute: vec!["websocket"],
        };
        Findings {
            generations: [(Generation::Eio4, eio4)].into(),
        }
    }

    #[test]
    fn what_was_found_and_why_the_rest_was_not() {
        let text = write(&findings(), &Door::Url("http://127.0.0.1:3000".to_owned(), Some(843)));
        insta::assert_snapshot!(text, @r#"
        # What a server does, as it answered `sio-conformance probe`. What stands here is judged by `sio-conformance run`: take out what
        # the server is not meant to have, and add what it is meant to have and lacks. Every key: docs/config.md

        [server]
        url = "http://127.0.0.1:3000"
        policy-port = 843

        [generations.eio4]
        # announced: ping interval 25s, ping timeout 200ms, greatest payload 1000000 bytes
        transports = ["polling", "websocket"]
        # not offered: webtransport, upgraded
        # offered, and no case passed over it: websocket
        features = [
            "rooms",
        ]
        # binary: eio4/binary/event[polling]: packet does not match: got 42[ [31m]
        # recovery: not asked, eio4/recovery/offered cannot run: no webtransport

        # eio3: no answer to its handshake

        # rev1: no answer to its handshake

        # No handshake tells these: say them where they are not as here.
        [timing]
        connect = "1s" # eio4: how long a client may be in no namespace
        "#);
        let config = Config::parse("conformance.toml".as_ref(), &text).unwrap();
        let claim = &config.claims.generations[&Generation::Eio4];
        assert_eq!(
            claim.transports.as_deref(),
            Some(&["polling".to_owned(), "websocket".to_owned()][..])
        );
        assert_eq!(claim.features.as_deref(), Some(&["rooms".to_owned()][..]));
        assert!(super::super::differences(&config.claims, &findings()).is_empty());
        assert!(matches!(config.server, Some(Server::Url(url)) if url.address().policy_port == Some(843)));
    }

    #[test]
    fn a_command_stands_only_where_it_means_the_same() {
        let words: Vec<OsString> = ["node", "a \"b\".js", "tab\t"].map(OsString::from).to_vec();
        let parse = |door| {
            Config::parse("conformance.toml".as_ref(), &write(&findings(), &door))
                .unwrap()
                .server
        };
        let Some(Server::Command(launch)) = parse(Door::Here(words.clone())) else {
            panic!("no command")
        };
        assert_eq!(launch.words, words);
        assert_eq!(parse(Door::Elsewhere(words)), None);
        assert_eq!(parse(Door::Embedded), None);
    }

    #[test]
    fn nothing_found_is_a_file_too() {
        let text = write(&Findings::default(), &Door::Embedded);
        assert_eq!(
            Config::parse("conformance.toml".as_ref(), &text).unwrap(),
            Config::default()
        );
    }
}
