//! The report on standard output, with progress on standard error.

use std::io::{self, Write};
use std::path::PathBuf;

use super::progress::{Counts, Progress};
use super::{Paint, ReportError, Reporter, Text};
use crate::run::event::{Event, Outcome};

/// Prints failures as they come and the rest at the end; what it says is [`Text`].
pub struct Terminal<W> {
    text: Text,
    out: W,
    counts: Counts,
    progress: Option<Progress>,
    result: io::Result<()>,
}

impl Terminal<io::Stdout> {
    /// On standard output; with colours where it is a terminal and `NO_COLOR` does not forbid them.
    #[must_use]
    pub fn stdout() -> Self {
        Terminal::new(io::stdout(), Paint::for_stream(&io::stdout()))
    }
}

impl<W: Write> Terminal<W> {
    /// On `out`.
    pub fn new(out: W, paint: Paint) -> Self {
        Terminal {
            text: Text::new(paint),
            out,
            counts: Counts::default(),
            progress: None,
            result: Ok(()),
        }
    }

    fn print(&mut self, text: &str) {
        if text.is_empty() || self.result.is_err() {
            return;
        }
        let (out, result) = (&mut self.out, &mut self.result);
        let mut print = || *result = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match &self.progress {
            Some(progress) => progress.aside(print),
            None => print(),
        }
    }
}

impl<W: Write + Send> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) {
        let text = self.text.event(event);
        self.print(&text);
        match event {
            Event::Start(start) => {
                self.counts.cases = start.cases;
                self.progress = Some(Progress::begin(start.cases));
            }
            Event::Case(case) => {
                self.counts.done += 1;
                self.counts.fail += usize::from(case.outcome == Outcome::Fail);
                self.counts.lenient += usize::from(case.outcome == Outcome::Lenient);
            }
            Event::CaseStart { .. } | Event::Note { .. } | Event::Summary(_) => return,
        }
        if let Some(progress) = &self.progress {
            progress.update(self.counts);
        }
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.progress = None;
        let closing = self.text.closing();
        self.print(&closing);
        match std::mem::replace(&mut self.result, Ok(())) {
            // Whoever read it has seen enough: `| head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|source| ReportError {
                path: PathBuf::from("standard output"),
                source,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn prints_what_the_text_says() {
        let mut text = Text::new(Paint::OFF);
        let mut terminal = Terminal::new(Vec::new(), Paint::OFF);
        let mut expected = String::new();
        for event in samples::run() {
            expected += &text.event(&event);
            terminal.event(&event);
        }
        expected += &text.closing();
        terminal.finish().unwrap();
        assert_eq!(String::from_utf8(terminal.out).unwrap(), expected);
    }
}
