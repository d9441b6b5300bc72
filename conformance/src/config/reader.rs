//! Values of one type each, and what is said about one of another.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::keys::KEYS;
use crate::scenario::ast::{Source, Span};
use crate::scenario::diagnostic::{Diagnostic, Severity};
use crate::scenario::words::did_you_mean;

/// A key with its value.
pub(super) type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

/// Reads values, and keeps what is wrong with them.
pub(super) struct Reader<'p> {
    pub(super) source: Arc<Source>,
    /// The folder that paths are relative to.
    pub(super) base: &'p Path,
    pub(super) faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Adds a fault.
    pub(super) fn fault<T>(&mut self, at: &Spanned<T>, title: impl Into<String>, help: impl Into<String>) {
        let diagnostic = Diagnostic::new(Severity::Error, title, Arc::clone(&self.source));
        self.faults.push(diagnostic.primary(span(at), "").note("help", help));
    }

    /// A key that its table does not have; `known` are those that it has.
    pub(super) fn unknown(
        &mut self,
        key: &Spanned<DeString<'_>>,
        known: impl IntoIterator<Item = &'static str> + Clone,
    ) {
        let name = key.get_ref().as_ref();
        let elsewhere = KEYS.iter().find(|it| it.name == name).map(|it| match it.table {
            "" => format!("`{name}` stands at the top, before every table"),
            table => format!("`{name}` belongs to [{table}]"),
        });
        let help = elsewhere.unwrap_or_else(|| did_you_mean(name, known));
        self.fault(key, format!("unknown key `{name}`"), help);
    }

    pub(super) fn table<'a>(&mut self, (key, value): Entry<'a>, help: &str) -> Option<&'a DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type((key, value), "a table", help);
        }
        table
    }

    /// A string that says something.
    pub(super) fn string(&mut self, entry: Entry<'_>) -> Option<String> {
        let Some(text) = entry.1.get_ref().as_str() else {
            self.wrong_type(entry, "a string", &example(entry.0));
            return None;
        };
        if text.trim().is_empty() {
            let title = format!("`{}` is empty", entry.0.get_ref());
            self.fault(entry.1, title, "write something, or delete the line");
            return None;
        }
        Some(text.to_owned())
    }

    /// Strings, each with its place.
    pub(super) fn strings(&mut self, entry: Entry<'_>) -> Option<Vec<Spanned<String>>> {
        let Some(array) = entry.1.get_ref().as_array() else {
            self.wrong_type(entry, "a list of strings", &example(entry.0));
            return None;
        };
        let mut strings = Vec::new();
        for value in array {
            match value.get_ref().as_str() {
                Some(text) => strings.push(Spanned::new(value.span(), text.to_owned())),
                None => self.wrong_type((entry.0, value), "a list of strings", &example(entry.0)),
            }
        }
        Some(strings)
    }

    /// Words of a closed vocabulary, each once. `strange` is what to say of a stranger; without it, what is near is proposed.
    pub(super) fn words(
        &mut self,
        entry: Entry<'_>,
        known: &[&'static str],
        what: &str,
        strange: impl Fn(&str) -> Option<String>,
    ) -> Option<Vec<String>> {
        let mut words: Vec<String> = Vec::new();
        for word in self.strings(entry)? {
            let text = word.get_ref();
            if words.contains(text) {
                self.fault(&word, format!("`{text}` stands here twice"), "delete one");
            } else if known.contains(&text.as_str()) {
                words.push(text.clone());
            } else {
                let help = did_you_mean(text, known.iter().copied());
                self.fault(&word, format!("unknown {what} `{text}`"), strange(text).unwrap_or(help));
            }
        }
        Some(words)
    }

    pub(super) fn boolean(&mut self, entry: Entry<'_>) -> Option<bool> {
        let value = entry.1.get_ref().as_bool();
        if value.is_none() {
            self.wrong_type(entry, "true or false", &example(entry.0));
        }
        value
    }

    /// An integer in a range.
    pub(super) fn integer(&mut self, entry: Entry<'_>, least: u64, most: u64) -> Option<u64> {
        let Some(digits) = entry.1.get_ref().as_integer() else {
            self.wrong_type(entry, "an integer", &example(entry.0));
            return None;
        };
        let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.filter(|it| (least..=most).contains(it));
        if number.is_none() {
            let title = format!("`{}` is out of range", entry.0.get_ref());
            self.fault(entry.1, title, format!("it is at least {least} and at most {most}"));
        }
        number
    }

    /// A number, with a point or without.
    pub(super) fn number(&mut self, entry: Entry<'_>) -> Option<f64> {
        let digits = match entry.1.get_ref() {
            DeValue::Float(float) => float.as_str().to_owned(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            _ => {
                self.wrong_type(entry, "a number", &example(entry.0));
                return None;
            }
        };
        digits.parse().ok()
    }

    /// `"1s"`, `"250ms"`
    pub(super) fn duration(&mut self, entry: Entry<'_>) -> Option<Duration> {
        let Some(text) = entry.1.get_ref().as_str() else {
            self.wrong_type(entry, "a string with a unit", "write \"1s\" or \"250ms\"");
            return None;
        };
        match crate::cli::duration(text) {
            Ok(duration) => Some(duration),
            Err(help) => {
                self.fault(entry.1, format!("{text:?} is no duration"), help);
                None
            }
        }
    }

    /// A path, from where the tool runs.
    pub(super) fn path(&mut self, entry: Entry<'_>) -> Option<PathBuf> {
        let path = self.string(entry)?;
        Some(self.base.join(path))
    }

    pub(super) fn wrong_type(&mut self, (key, value): Entry<'_>, due: &str, help: &str) {
        let is = match value.get_ref().type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        self.fault(
            value,
            format!("`{}` takes {due}, and this is {is}", key.get_ref()),
            help,
        );
    }
}

/// What to do: as `init` shows it.
fn example(key: &Spanned<DeString<'_>>) -> String {
    let name = key.get_ref();
    match KEYS.iter().find(|it| it.name == name.as_ref()) {
        Some(key) if !key.example.is_empty() => format!("write {name} = {}", key.example),
        _ => format!("write {name} = [\"…\", \"…\"]"),
    }
}

pub(super) fn span<T>(at: &Spanned<T>) -> Span {
    let range = at.span();
    Span {
        start: range.start,
        end: range.end,
    }
}
