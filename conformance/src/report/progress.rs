//! How far a run is: a bar on a terminal, a line every few seconds elsewhere. Both go to standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::paint::dumb;
use super::text::time;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Cases so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) cases: usize,
    pub(super) done: usize,
    pub(super) fail: usize,
    pub(super) lenient: usize,
}

impl Counts {
    fn remarks(self) -> String {
        match self.lenient {
            0 => format!("{} fail", self.fail),
            lenient => format!("{lenient} lenient · {} fail", self.fail),
        }
    }
}

/// Shows [`Counts`] while a run lasts.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines(Lines),
}

impl Progress {
    /// Whichever suits standard error.
    pub(super) fn begin(cases: usize) -> Progress {
        if !io::stderr().is_terminal() || dumb() {
            return Progress::Lines(Lines::begin(LINE_EVERY, io::stderr()));
        }
        let bar = ProgressBar::new(cases as u64);
        // A template that does not parse leaves the default one.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} · {msg} · {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Progress::Bar(bar)
    }

    pub(super) fn update(&self, counts: Counts) {
        match self {
            Progress::Bar(bar) => {
                bar.set_position(counts.done as u64);
                bar.set_message(counts.remarks());
            }
            Progress::Lines(lines) => *lines.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts,
        }
    }

    /// Takes the bar away while `print` prints.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        match self {
            Progress::Bar(bar) => bar.suspend(print),
            Progress::Lines(_) => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// A thread that prints a line now and then, until it is dropped.
pub(super) struct Lines {
    counts: Arc<Mutex<Counts>>,
    /// Closed by the drop, which wakes the thread.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    fn begin(every: Duration, mut out: impl Write + Send + 'static) -> Lines {
        let counts = Arc::new(Mutex::new(Counts::default()));
        let (stop, stopped) = mpsc::channel();
        let shared = Arc::clone(&counts);
        let began = Instant::now();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let counts = *shared.lock().unwrap_or_else(PoisonError::into_inner);
                let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                let line = format!(
                    "{}/{} cases · {} · {}\n",
                    counts.done,
                    counts.cases,
                    counts.remarks(),
                    time(ms)
                );
                if out.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Lines {
            counts,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands every write to the test.
    struct Sink(mpsc::Sender<String>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_every_now_and_then() {
        let (send, lines) = mpsc::channel();
        let progress = Progress::Lines(Lines::begin(Duration::from_millis(1), Sink(send)));
        progress.update(Counts {
            cases: 9,
            done: 4,
            fail: 1,
            lenient: 2,
        });
        let expected = |line: &String| line.starts_with("4/9 cases · 2 lenient · 1 fail · ");
        assert!(lines.iter().any(|line| expected(&line)));
        drop(progress);
        // The thread is gone and its end of the channel with it, so this comes to an end.
        lines.iter().for_each(drop);
    }
}
