//! The record as text, for a person who wants to know what happened.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::exchange::{Answer, Exchange, Frame, RAW};

/// Characters of a body or frame that are shown.
const SHOWN: usize = 240;

/// All of it: one line a request, what it carried indented below it.
///
/// ```text
/// +0.012s GET /socket.io/?EIO=4&transport=polling  200 at +0.014s
///     < 0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"]}
/// +0.020s GET /socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC  403 at +0.021s, refused by the proxy
/// ```
#[must_use]
pub fn render(exchanges: &[Exchange]) -> String {
    exchanges.iter().map(Exchange::to_string).collect()
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}  ",
            Moment(self.at),
            escaped(&self.method),
            escaped(&self.target)
        )?;
        match (&self.answer, self.ended) {
            (Some(answer), _) => write!(f, "{} at {}", answer.status, Moment(answer.at))?,
            (None, _) if self.is_flow() => {
                let (up, down) = (self.from_page, self.from_server);
                write!(f, "{up} datagrams from the page, {down} from the server")?;
            }
            (None, Some(ended)) => write!(f, "ended at {} without an answer", Moment(ended))?,
            (None, None) => f.write_str("no answer yet")?,
        }
        if let Some(treatment) = self.treatment {
            match self.is_flow() {
                true => f.write_str(", dropped by the proxy")?,
                false => write!(f, ", {treatment}")?,
            }
        }
        f.write_char('\n')?;
        if !self.is_flow() {
            body(f, '>', &self.body, self.body_length)?;
        }
        if let Some(Answer {
            body: bytes,
            body_length,
            ..
        }) = &self.answer
        {
            body(f, '<', bytes, *body_length)?;
        }
        for frame in &self.frames {
            writeln!(f, "    {frame}")?;
        }
        let unkept = (self.from_page + self.from_server).saturating_sub(self.frames.len() as u64);
        if unkept > 0 && !self.is_flow() {
            writeln!(f, "    … and {unkept} frames more, not kept")?;
        }
        match self.ended {
            Some(ended) if self.is_long() => writeln!(f, "    ended at {}", Moment(ended)),
            None if self.answer.is_some() => writeln!(f, "    still open"),
            _ => Ok(()),
        }
    }
}

impl Exchange {
    fn is_flow(&self) -> bool {
        self.method == "UDP"
    }

    /// Whether its end is news: that of a WebSocket, or of an answer that took its time.
    fn is_long(&self) -> bool {
        match (&self.answer, self.ended) {
            (Some(answer), Some(ended)) => {
                answer.status == 101 || ended.saturating_sub(answer.at) > Duration::from_millis(100)
            }
            (None, Some(_)) => self.is_flow(),
            (_, None) => false,
        }
    }
}

impl fmt::Display for Frame {
    /// `> 2probe  +0.020s`; what is no text says what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.from_page { '>' } else { '<' };
        let kind = match self.opcode {
            0 => "continuation ",
            1 => "",
            2 => "binary ",
            8 => "close ",
            9 => "ping ",
            10 => "pong ",
            RAW => "raw ",
            _ => "reserved opcode ",
        };
        let fragment = if self.fin { "" } else { " (more follows)" };
        let shown = match self.opcode {
            2 => hex(&self.payload, self.length),
            8 => close(&self.payload, self.length),
            _ => text(&self.payload, self.length),
        };
        write!(f, "{way} {kind}{shown}{fragment}  {}", Moment(self.at))
    }
}

struct Moment(Duration);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:.3}s", self.0.as_secs_f64())
    }
}

fn body(f: &mut fmt::Formatter<'_>, way: char, bytes: &[u8], length: u64) -> fmt::Result {
    match length {
        0 => Ok(()),
        _ => writeln!(f, "    {way} {}", text(bytes, length)),
    }
}

/// Text on one line; bytes that are none as `\xNN`.
fn text(bytes: &[u8], length: u64) -> String {
    let mut shown = String::new();
    let mut characters = 0;
    let mut taken = 0_u64;
    'all: for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if characters == SHOWN {
                break 'all;
            }
            shown.push_str(&escaped(character.encode_utf8(&mut [0; 4])));
            characters += 1;
            taken += character.len_utf8() as u64;
        }
        for byte in chunk.invalid() {
            if characters == SHOWN {
                break 'all;
            }
            let _ = write!(shown, "\\x{byte:02x}");
            characters += 1;
            taken += 1;
        }
    }
    clipped(shown, taken, length)
}

fn hex(bytes: &[u8], length: u64) -> String {
    let kept = &bytes[..bytes.len().min(SHOWN / 3)];
    let shown: Vec<String> = kept.iter().map(|byte| format!("{byte:02x}")).collect();
    clipped(shown.join(" "), kept.len() as u64, length)
}

/// A code and its reason (RFC 6455, section 5.5.1).
fn close(bytes: &[u8], length: u64) -> String {
    match bytes {
        [first, second, reason @ ..] => {
            let code = u16::from_be_bytes([*first, *second]);
            format!("{code} {}", text(reason, length.saturating_sub(2)))
        }
        _ => text(bytes, length),
    }
}

fn clipped(shown: String, taken: u64, length: u64) -> String {
    match taken < length {
        true => format!("{shown}… ({length} bytes)"),
        false => shown,
    }
}

/// Control characters, and those that turn the direction of what follows, as escapes: a record must not draw on a terminal.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Treatment;

    fn exchange(target: &str) -> Exchange {
        Exchange {
            number: 1,
            at: Duration::from_millis(12),
            method: "GET".into(),
            target: target.into(),
            transport: None,
            sid: None,
            headers: Vec::new(),
            body: Vec::new(),
            body_length: 0,
            answer: None,
            frames: Vec::new(),
            from_page: 0,
            from_server: 0,
            ended: None,
            left: None,
            treatment: None,
        }
    }

    fn answer(status: u16, body: &[u8], body_length: u64) -> Option<Answer> {
        Some(Answer {
            at: Duration::from_millis(14),
            status,
            headers: Vec::new(),
            body: body.to_vec(),
            body_length,
            pieces: Vec::new(),
        })
    }

    fn frame(from_page: bool, opcode: u8, payload: &[u8]) -> Frame {
        Frame {
            at: Duration::from_millis(20),
            from_page,
            opcode,
            fin: true,
            payload: payload.to_vec(),
            length: payload.len() as u64,
        }
    }

    #[test]
    fn one_line_a_request_and_what_it_carried_below() {
        let late = Some(Duration::from_millis(1500));
        let poll = Exchange {
            body: b"40".to_vec(),
            body_length: 2,
            answer: answer(200, b"a\x1b[31m\xff\n\xe2\x80\xae", 1000),
            ended: Some(Duration::from_millis(15)),
            ..exchange("/poll")
        };
        let refused = Exchange {
            answer: answer(403, b"", 0),
            ended: Some(Duration::from_millis(14)),
            treatment: Some(Treatment::Refuse),
            ..exchange("/refused")
        };
        let hanging = Exchange {
            ended: late,
            treatment: Some(Treatment::Hang),
            ..exchange("/hanging")
        };
        let socket = Exchange {
            answer: answer(101, b"", 0),
            frames: vec![
                frame(true, 1, b"2probe"),
                frame(false, 2, &[0, 255]),
                frame(false, 8, b"\x03\xe8bye"),
                frame(false, RAW, b"\0a\xff"),
            ],
            from_page: 3,
            from_server: 3,
            ended: late,
            ..exchange("/socket")
        };
        let flow = Exchange {
            method: "UDP".into(),
            body_length: 2400,
            from_page: 2,
            treatment: Some(Treatment::Refuse),
            ..exchange("127.0.0.1:4000")
        };
        let stream = Exchange {
            answer: answer(200, &[b'x'; 300], 300),
            ..exchange("/stream")
        };
        let expected = r#"
+0.012s GET /poll  200 at +0.014s
    > 40
    < a\u{1b}[31m\xff\n\u{202e}… (1000 bytes)
+0.012s GET /refused  403 at +0.014s, refused by the proxy
+0.012s GET /hanging  ended at +1.500s without an answer, left hanging by the proxy
+0.012s GET /socket  101 at +0.014s
    > 2probe  +0.020s
    < binary 00 ff  +0.020s
    < close 1000 bye  +0.020s
    < raw \u{0}a\xff  +0.020s
    … and 2 frames more, not kept
    ended at +1.500s
+0.012s UDP 127.0.0.1:4000  2 datagrams from the page, 0 from the server, dropped by the proxy
+0.012s GET /stream  200 at +0.014s
"#;
        let text = render(&[poll, refused, hanging, socket, flow, stream]);
        let clipped = format!("    < {}… (300 bytes)\n    still open\n", "x".repeat(SHOWN));
        assert_eq!(text, format!("{}{clipped}", expected.trim_start()));
    }
}
