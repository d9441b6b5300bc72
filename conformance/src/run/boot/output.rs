//! What a server under test prints: read for as long as it lives, kept within a cap.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// How many of the last lines are kept.
const LINES: usize = 200;
/// Bytes of one line; the rest of it is read and dropped.
const LINE_BYTES: usize = 4096;

/// The last lines of standard output and error, in the order they were read.
#[derive(Clone, Debug, Default)]
pub(super) struct Output(Arc<Mutex<VecDeque<String>>>);

impl Output {
    /// Reads `stream` to its end; every line is kept and shown to `seen`.
    pub(super) async fn drain(self, mut stream: impl AsyncRead + Unpin, mut seen: impl FnMut(&str)) {
        let mut line = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(read) => &chunk[..read],
            };
            for piece in read.split_inclusive(|byte| *byte == b'\n') {
                let (text, whole) = match piece.strip_suffix(b"\n") {
                    Some(text) => (text, true),
                    None => (piece, false),
                };
                let room = LINE_BYTES - line.len();
                line.extend_from_slice(&text[..text.len().min(room)]);
                if whole {
                    self.keep(&line, &mut seen);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.keep(&line, &mut seen);
        }
    }

    /// At most `count` lines, the latest last.
    pub(super) fn last(&self, count: usize) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(lines.len().saturating_sub(count)).cloned().collect()
    }

    fn keep(&self, line: &[u8], seen: &mut impl FnMut(&str)) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\r');
        seen(text);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_last_lines_and_the_head_of_a_long_one() {
        let mut text: Vec<u8> = (0..LINES).flat_map(|n| format!("line {n}\r\n").into_bytes()).collect();
        text.extend(vec![b'x'; 10 * LINE_BYTES]);
        text.extend(b"\nno newline \xff");
        let output = Output::default();
        let mut seen = 0;
        output.clone().drain(text.as_slice(), |_| seen += 1).await;
        let kept = output.last(usize::MAX);
        assert_eq!((seen, kept.len()), (LINES + 2, LINES));
        assert_eq!(kept[0], "line 2");
        assert_eq!(kept[LINES - 2].len(), LINE_BYTES);
        assert_eq!(output.last(1), ["no newline \u{fffd}"]);
    }
}
