use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::run::claims::Claim;
use crate::scenario::Generation;

fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
    Config::parse(Path::new("ci/conformance.toml"), text)
}

fn faults(text: &str) -> String {
    let faults = parse(text).unwrap_err();
    faults
        .iter()
        .map(|it| it.render(false))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// The titles and helps alone.
fn told(text: &str) -> Vec<String> {
    let faults = parse(text).unwrap_err();
    let told = |it: &Diagnostic| {
        format!(
            "{}: {}",
            it.title,
            it.notes.first().map_or("", |(_, help)| help.as_str())
        )
    };
    faults.iter().map(told).collect()
}

#[test]
fn a_file_says_everything() {
    let config = parse(
        "name = \"mine\"\nsuite = \"2026-11-28\"\n[server]\ncommand = [\"node\", \"server.js\"]\nenv = { PAGES = \"1\" }\n\
         [generations.eio4]\ntransports = [\"polling\"]\nfeatures = []\n[generations.rev1]\n\
         [timing]\nconnect = \"45s\"\ninterval = \"250ms\"\n[run]\npatience = 2\njobs = 4\nbaseline = \"known\"\n\
         traces = \"/tmp/traces\"\n[reports]\njunit = \"../junit.xml\"\ngithub = true\n",
    )
    .unwrap();
    let expected = Config {
        name: Some("mine".to_owned()),
        suite: Some("2026-11-28".to_owned()),
        server: Some(Server::Command(Launch {
            words: vec!["node".into(), "server.js".into()],
            env: vec![("PAGES".to_owned(), "1".to_owned())],
            folder: Some("ci".into()),
            said: None,
        })),
        claims: Claims {
            generations: [
                (
                    Generation::Eio4,
                    Claim {
                        transports: Some(vec!["polling".to_owned()]),
                        features: Some(Vec::new()),
                    },
                ),
                (Generation::Rev1, Claim::default()),
            ]
            .into(),
        },
        timing: Timing {
            connect: Some(Duration::from_secs(45)),
            interval: Some(Duration::from_millis(250)),
            polling: None,
        },
        run: Run {
            patience: Some(2.0),
            jobs: Some(4),
            baseline: Some("ci/known".into()),
            traces: Some("/tmp/traces".into()),
        },
        reports: Reports {
            junit: Some("ci/../junit.xml".into()),
            github: true,
            ..Reports::default()
        },
    };
    assert_eq!(config, expected);
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn every_fault_is_told_in_one_go_with_its_place_and_what_to_do() {
    insta::assert_snapshot!(faults(
        "nam = \"x\"\n[generations.eio4]\ntransport = [\"polling\"]\nfeatures = [\"rooms\", \"bynary\", \"rooms\"]\n\
         [run]\npatience = \"two\"\njobs = 0\n[timing]\nconnect = \"1\"\nbaseline = \"b\"\n"
    ), @r#"
    error: unknown key `nam`
     --> ci/conformance.toml:1:1
      |
    1 | nam = "x"
      | ^^^
      |
      = help   did you mean `name`?

    error: unknown key `transport`
     --> ci/conformance.toml:3:1
      |
    3 | transport = ["polling"]
      | ^^^^^^^^^
      |
      = help   did you mean `transports`?

    error: unknown feature of eio4 `bynary`
     --> ci/conformance.toml:4:22
      |
    4 | features = ["rooms", "bynary", "rooms"]
      |                      ^^^^^^^^
      |
      = help   did you mean `binary`?

    error: `rooms` stands here twice
     --> ci/conformance.toml:4:32
      |
    4 | features = ["rooms", "bynary", "rooms"]
      |                                ^^^^^^^
      |
      = help   delete one

    error: `patience` takes a number, and this is a string
     --> ci/conformance.toml:6:12
      |
    6 | patience = "two"
      |            ^^^^^
      |
      = help   write patience = 1.0

    error: `jobs` is out of range
     --> ci/conformance.toml:7:8
      |
    7 | jobs = 0
      |        ^
      |
      = help   it is at least 1 and at most 10000

    error: "1" is no duration
     --> ci/conformance.toml:9:11
      |
    9 | connect = "1"
      |           ^^^
      |
      = help   give a unit: 1s, 250ms

    error: unknown key `baseline`
      --> ci/conformance.toml:10:1
       |
    10 | baseline = "b"
       | ^^^^^^^^
       |
       = help   `baseline` belongs to [run]
    "#);
}

#[test]
fn a_line_that_is_no_toml_hides_no_other_fault() {
    insta::assert_snapshot!(faults("name = mine\n[run]\njob = 3\n"), @r#"
    error: string values must be quoted, expected literal string
     --> ci/conformance.toml:1:8
      |
    1 | name = mine
      |        ^^^^

    error: unknown key `job`
     --> ci/conformance.toml:3:1
      |
    3 | job = 3
      | ^^^
      |
      = help   did you mean `jobs`?
    "#);
}

#[rstest::rstest]
#[case::generation("[generations.eio5]", "unknown generation `eio5`: did you mean `eio3`?")]
#[case::not_a_table("run = 1", "`run` takes a table, and this is an integer: begin it with a line [run]")]
#[case::other_generation(
    "[generations.rev1]\nfeatures = [\"recovery\"]",
    "unknown feature of rev1 `recovery`: it is a feature of another generation; rev1 has namespaces, refusal, rooms, \
     broadcast, volatile, lifecycle, server-acks, order, disconnect, close, handshake, cors, authorization"
)]
#[case::transport_for_feature(
    "[generations.eio4]\nfeatures = [\"polling\"]",
    "unknown feature of eio4 `polling`: it is a transport: put it into `transports`"
)]
#[case::transport(
    "[generations.eio4]\ntransports = [\"web-socket\"]",
    "unknown transport of eio4 `web-socket`: did you mean `websocket`?"
)]
#[case::item(
    "[generations.eio4]\nfeatures = [1]",
    "`features` takes a list of strings, and this is an integer: write features = [\"…\", \"…\"]"
)]
#[case::elsewhere("jobs = 3", "unknown key `jobs`: `jobs` belongs to [run]")]
#[case::top(
    "[run]\nsuite = \"2026-11-28\"",
    "unknown key `suite`: `suite` stands at the top, before every table"
)]
#[case::stranger(
    "teleport = 3",
    "unknown key `teleport`: known are name, suite, server, generations, timing, run, reports"
)]
#[case::date("suite = \"yesterday\"", "\"yesterday\" is no date: write suite = \"2026-11-28\"")]
#[case::date_type(
    "suite = 2026-11-28",
    "`suite` takes a date as a string, and this is a datetime: write suite = \"2026-11-28\""
)]
#[case::empty("name = \" \"", "`name` is empty: write something, or delete the line")]
#[case::patience(
    "[run]\npatience = 0.01",
    "`patience` is out of range: it must be between 0.1 and 100"
)]
#[case::not_a_number(
    "[run]\npatience = nan",
    "`patience` is out of range: it must be between 0.1 and 100"
)]
#[case::jobs("[run]\njobs = -1", "`jobs` is out of range: it is at least 1 and at most 10000")]
#[case::boolean(
    "[reports]\ngithub = \"yes\"",
    "`github` takes true or false, and this is a string: write github = true"
)]
#[case::both(
    "[server]\nurl = \"http://127.0.0.1:1\"\ncommand = [\"a\"]",
    "`url` stands beside `command`: a server is started, or runs already: delete one"
)]
#[case::no_program(
    "[server]\ncommand = []",
    "`command` names no program: write command = [\"node\", \"server.js\"]"
)]
#[case::env_alone(
    "[server]\nenv = { A = \"1\" }",
    "`env` stands without `command`: it is the environment of what is started; add `command`"
)]
#[case::env_type(
    "[server]\ncommand = [\"a\"]\nenv = { A = 1 }",
    "`A` takes a string, and this is an integer: put quotes around it"
)]
#[case::port(
    "[server]\ncommand = [\"a\"]\nenv = { PORT = \"1\" }",
    "`PORT` is not yours to set: every run gives the server an address of its own"
)]
#[case::policy_port(
    "[server]\ncommand = [\"a\"]\npolicy-port = 843",
    "`policy-port` stands without `url`: it belongs to the server at `url`; a command names its port in the line it prints"
)]
fn a_fault_tells_what_to_do(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(told(text), [expected]);
}

#[test]
fn a_url_that_is_none_is_a_fault() {
    assert_eq!(parse("[server]\nurl = \"ftp://x\"").unwrap_err().len(), 1);
    let config = parse("[server]\nurl = \"http://127.0.0.1:3000\"\npolicy-port = 843").unwrap();
    assert!(matches!(config.server, Some(Server::Url(url)) if url.address().policy_port == Some(843)));
}

#[test]
fn a_file_without_a_folder_is_run_where_it_is() {
    let config = Config::parse(Path::new(NAME), "[server]\ncommand = [\"a\"]\n[run]\nbaseline = \"b\"").unwrap();
    assert!(matches!(config.server, Some(Server::Command(launch)) if launch.folder.is_none()));
    assert_eq!(config.run.baseline, Some(PathBuf::from("b")));
}

#[test]
fn what_init_writes_says_nothing_yet() {
    assert_eq!(parse(&template()).unwrap(), Config::default());
}

/// The template with the `#` taken away before these lines.
fn uncommented(takes: impl Fn(&str) -> bool) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') && takes(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    template().lines().map(line).collect()
}

#[test]
fn every_value_that_init_shows_is_valid() {
    let of_url = |line: &str| line.starts_with("url") || line.starts_with("policy-port");
    let of_command = |line: &str| line.starts_with("command") || line.starts_with("env");
    for left_out in [of_url as fn(&str) -> bool, of_command] {
        if let Err(faults) = parse(&uncommented(|line| !left_out(line))) {
            panic!("{}", faults[0].render(false));
        }
    }
}

#[test]
fn every_key_has_an_effect_and_stands_in_what_init_writes() {
    for key in KEYS.iter().filter(|key| key.table != GENERATION) {
        let needed = match key.name {
            "env" => "command = [\"a\"]\n",
            "policy-port" => "url = \"http://127.0.0.1:1\"\n",
            _ => "",
        };
        let header = if key.table.is_empty() {
            String::new()
        } else {
            format!("[{}]\n", key.table)
        };
        let without = parse(&format!("{header}{needed}")).unwrap();
        let with = parse(&format!("{header}{needed}{} = {}\n", key.name, key.example)).unwrap();
        assert_ne!(with, without, "{} says nothing", key.name);
        let line = format!("\n#{} = {}\n", key.name, key.example);
        assert!(template().contains(&line), "{} is not in the template", key.name);
    }
    for (name, word) in [("transports", "polling"), ("features", "rooms")] {
        let with = parse(&format!("[generations.eio4]\n{name} = [\"{word}\"]\n")).unwrap();
        assert_ne!(with, parse("[generations.eio4]\n").unwrap(), "{name} says nothing");
    }
}

#[test]
fn the_document_has_a_row_for_every_key_and_no_other() {
    let document = include_str!("../../../docs/config.md");
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = KEYS
        .iter()
        .map(|key| format!("| `{}` | {} | {} | {}", key.name, key.kind, key.default, key.meaning))
        .collect();
    assert_eq!(rows.len(), expected.len(), "{rows:#?}");
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(
            row.starts_with(expected.as_str()),
            "{row}\ndoes not begin with\n{expected}"
        );
    }
    for table in TABLES.iter().filter(|table| !table.is_empty()) {
        assert!(document.contains(&format!("[{table}")), "{table}");
    }
    for generation in Generation::ALL {
        for feature in crate::probe::features(generation) {
            assert!(document.contains(&format!("`{feature}`")), "{feature}");
        }
        assert!(document.contains(&format!("`{generation}`")), "{generation}");
    }
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let error = Config::read(Path::new("/no/such/conformance.toml")).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot read /no/such/conformance.toml: "),
        "{error}"
    );
}
