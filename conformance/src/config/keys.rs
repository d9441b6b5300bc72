//! Every key of `conformance.toml`: what `init` writes, what an error proposes, and what docs/config.md has to name.

/// A key, and what a person has to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The table it stands in; empty at the top, `generations.*` in the table of a generation.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: &'static str,
    /// What holds without it, in words.
    pub default: &'static str,
    /// What it is for, in one sentence.
    pub meaning: &'static str,
    /// A value, as TOML.
    pub example: &'static str,
}

/// The tables, in the order of the file.
pub const TABLES: [&str; 6] = ["", "server", "generations", "timing", "run", "reports"];

/// The table of a generation, whichever it is.
pub const GENERATION: &str = "generations.*";

/// Every key, in the order of the file.
pub const KEYS: &[Key] = &[
    key(
        "",
        "name",
        "string",
        "the URL or the command",
        "What reports call the server.",
        "\"my-server 1.2\"",
    ),
    key(
        "",
        "suite",
        "date, as a string",
        "every case counts",
        "The day of the suite that the server is held to: a newer case that fails is told, and counts as an expected failure.",
        "\"2026-11-28\"",
    ),
    key(
        "server",
        "command",
        "list of strings",
        "the embedded reference server",
        "The program that starts the server, and its arguments; PORT in its environment is the port to listen on.",
        "[\"node\", \"server.js\"]",
    ),
    key(
        "server",
        "env",
        "table of strings",
        "nothing",
        "What else the environment of the command has.",
        "{ NODE_ENV = \"production\" }",
    ),
    key(
        "server",
        "url",
        "string",
        "the embedded reference server",
        "A server that runs already, in the place of a command.",
        "\"http://127.0.0.1:3000\"",
    ),
    key(
        "server",
        "policy-port",
        "integer",
        "its cases are not run",
        "The flash policy port of the server at that URL.",
        "843",
    ),
    key(
        GENERATION,
        "transports",
        "list of strings",
        "those that the server offers",
        "The transports that the server has. One that it does not offer fails.",
        "",
    ),
    key(
        GENERATION,
        "features",
        "list of strings",
        "all of them",
        "The features of the contract that the server has. Cases that need another one are not run.",
        "",
    ),
    key(
        "timing",
        "connect",
        "duration",
        "1s",
        "Of eio4: how long a client may be in no namespace.",
        "\"1s\"",
    ),
    key(
        "timing",
        "interval",
        "duration",
        "1s",
        "Of rev1: the time between two heartbeats.",
        "\"1s\"",
    ),
    key(
        "timing",
        "polling",
        "duration",
        "1s",
        "Of rev1: how long an idle poll is held.",
        "\"1s\"",
    ),
    key(
        "run",
        "patience",
        "number, 0.1 to 100",
        "1",
        "Factor on every time limit, for a slow machine.",
        "1.0",
    ),
    key("run", "jobs", "integer, 1 or more", "48", "Cases at a time.", "48"),
    key(
        "run",
        "baseline",
        "path",
        "none",
        "The file of known failures.",
        "\"conformance.baseline\"",
    ),
    key(
        "run",
        "traces",
        "path",
        "target/conformance, where the tool is started",
        "The folder for traces of failing cases.",
        "\"target/conformance\"",
    ),
    key(
        "reports",
        "json",
        "path",
        "none",
        "Every event as a line of JSON.",
        "\"target/conformance.jsonl\"",
    ),
    key(
        "reports",
        "junit",
        "path",
        "none",
        "JUnit's XML.",
        "\"target/conformance.xml\"",
    ),
    key(
        "reports",
        "html",
        "path",
        "none",
        "A page to look at.",
        "\"target/conformance.html\"",
    ),
    key(
        "reports",
        "tap",
        "path",
        "none",
        "Test Anything Protocol.",
        "\"target/conformance.tap\"",
    ),
    key(
        "reports",
        "badge",
        "path",
        "none",
        "A badge, for a README.",
        "\"target/conformance.svg\"",
    ),
    key(
        "reports",
        "github",
        "boolean",
        "false",
        "Annotations and a summary, in a run of GitHub Actions.",
        "true",
    ),
];

/// The names of the keys of a table.
pub(super) fn names(table: &str) -> impl Iterator<Item = &'static str> + Clone {
    KEYS.iter().filter(move |key| key.table == table).map(|key| key.name)
}

const fn key(
    table: &'static str,
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    meaning: &'static str,
    example: &'static str,
) -> Key {
    Key {
        table,
        name,
        kind,
        default,
        meaning,
        example,
    }
}
