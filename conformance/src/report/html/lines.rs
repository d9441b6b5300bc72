//! The lines of all traces, each once: cases over several transports, and runs of several servers, say mostly the same.

use std::collections::HashMap;

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

/// Every line there is, without times.
#[derive(Default)]
pub(super) struct Lines {
    known: HashMap<String, usize>,
    lines: Vec<String>,
}

/// A line of a trace.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// As it is: `3`.
    Plain(usize),
    /// A step with its time in tenths of a millisecond: `[3,124]` is `a open  # +12.4ms`.
    Step(usize, u64),
    /// What was seen, with its time: `[3,124,1]` is `# +12.4ms  a open`.
    Seen(usize, u64),
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Line::Plain(number) => number.serialize(serializer),
            Line::Step(number, at) => {
                let mut pair = serializer.serialize_seq(Some(2))?;
                pair.serialize_element(number)?;
                pair.serialize_element(at)?;
                pair.end()
            }
            Line::Seen(number, at) => {
                let mut triple = serializer.serialize_seq(Some(3))?;
                triple.serialize_element(number)?;
                triple.serialize_element(at)?;
                triple.serialize_element(&1)?;
                triple.end()
            }
        }
    }
}

impl Lines {
    /// A trace as numbers of lines. Joined by the script, it is the same text.
    pub(super) fn pack(&mut self, trace: &str) -> Vec<Line> {
        trace.lines().map(|line| self.line(line)).collect()
    }

    /// All lines, by their numbers.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    fn line(&mut self, line: &str) -> Line {
        let step = line.rsplit_once("  # +").and_then(|(text, at)| {
            let tenths = tenths(at.strip_suffix("ms")?)?;
            (step_time(tenths) == at).then_some((text, tenths))
        });
        if let Some((text, at)) = step {
            return Line::Step(self.number(text), at);
        }
        let seen = line.strip_prefix("# +").and_then(|line| {
            let (at, text) = line.split_once("  ")?;
            let tenths = tenths(at.strip_suffix("ms")?)?;
            (format!("{}.{}ms", tenths / 10, tenths % 10) == at).then_some((text, tenths))
        });
        match seen {
            Some((text, at)) => Line::Seen(self.number(text), at),
            None => Line::Plain(self.number(line)),
        }
    }

    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let number = self.lines.len();
        self.lines.push(text.to_owned());
        self.known.insert(text.to_owned(), number);
        number
    }
}

fn tenths(milliseconds: &str) -> Option<u64> {
    let (whole, tenth) = milliseconds.split_once('.').unwrap_or((milliseconds, "0"));
    let tenth: u64 = tenth.parse().ok().filter(|tenth| *tenth < 10)?;
    whole.parse::<u64>().ok()?.checked_mul(10)?.checked_add(tenth)
}

/// As a step has it: `12ms`, `12.4ms`.
fn step_time(tenths: u64) -> String {
    match tenths % 10 {
        0 => format!("{}ms", tenths / 10),
        tenth => format!("{}.{tenth}ms", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_off_where_they_can_be_put_on_again() {
        let mut lines = Lines::default();
        let trace = "a open  # +12.4ms\na open  # +12ms\n# +12.0ms  a open\n# +12ms  a open\na open  # +1s\na open  # +1.25ms\n";
        let packed = lines.pack(trace);
        assert_eq!(
            packed,
            [
                Line::Step(0, 124),
                Line::Step(0, 120),
                Line::Seen(0, 120),
                Line::Plain(1),
                Line::Plain(2),
                Line::Plain(3)
            ]
        );
        assert_eq!(
            serde_json::to_string(&packed).unwrap(),
            "[[0,124],[0,120],[0,120,1],1,2,3]"
        );
        assert_eq!(
            lines.into_lines(),
            ["a open", "# +12ms  a open", "a open  # +1s", "a open  # +1.25ms"]
        );
    }
}
