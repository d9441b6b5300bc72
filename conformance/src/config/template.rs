//! What `init` writes: every key with its meaning, in front of none of them anything but a `#`.

use std::fmt::Write as _;

use super::keys::{GENERATION, KEYS, Key, TABLES};
use crate::probe::features;
use crate::scenario::Generation;

const HEAD: &str = "\
# What sio-conformance is to know of a server. Every key is optional; take away the `#` before those that you want.
# A path is relative to this file, and the command line stands above it. All of it: docs/config.md
#
# `sio-conformance probe` asks a server and writes the tables [generations.…] for you.
";

const CLAIMS: &str = "\
# What the server does: a table for each generation that it speaks. Without any, every feature is assumed, and transports are
# taken from the handshake. With one, generations without a table are not asked for; what is claimed is judged.
";

/// The width of a comment.
const WIDTH: usize = 118;

/// The text of a `conformance.toml` that says nothing yet.
#[must_use]
pub fn template() -> String {
    let mut out = HEAD.to_owned();
    for table in TABLES {
        out.push('\n');
        if table == "generations" {
            out.push_str(CLAIMS);
            for generation in Generation::ALL.into_iter().rev() {
                claims(&mut out, generation);
            }
            continue;
        }
        if !table.is_empty() {
            let _ = writeln!(out, "[{table}]");
        }
        for key in KEYS.iter().filter(|key| key.table == table) {
            explain(&mut out, key);
            let _ = writeln!(out, "#{} = {}", key.name, key.example);
        }
    }
    out
}

fn claims(out: &mut String, generation: Generation) {
    let _ = writeln!(out, "\n#[generations.{generation}]");
    for key in KEYS.iter().filter(|key| key.table == GENERATION) {
        if generation == Generation::Eio4 {
            explain(out, key);
        }
        let words: Vec<&str> = match key.name {
            "transports" => generation.transports().to_vec(),
            _ => features(generation).collect(),
        };
        let _ = writeln!(out, "#{} = {}", key.name, list(&words));
    }
}

fn explain(out: &mut String, key: &Key) {
    for line in wrapped(&format!("{} Default: {}.", key.meaning, key.default)) {
        let _ = writeln!(out, "# {line}");
    }
}

/// `["polling", "websocket"]`
pub(crate) fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", words.join(", "))
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
