//! Finds the packets in the bytes of a section, whatever its framing.

use super::UnitKind;
use crate::client::framing::engine::Message;
use crate::client::framing::{FramingError, eio3, hixie, htmlfile, multipart, payload, webtransport};
use crate::client::http::ResponseHead;
use crate::client::tape::Framing;
use crate::client::websocket::{MESSAGE_LIMIT, Opcode, parse_frame};

#[derive(Debug)]
pub(super) enum Parser {
    /// Bytes only, or the framing is broken.
    None,
    /// Polling: at the end of the body.
    Whole,
    HtmlFile(htmlfile::Stream),
    /// And whether the first boundary has come.
    Multipart(multipart::Stream, bool),
    WebSocket(Assembler),
    /// And as much of the challenge's answer as has come.
    Hixie(hixie::Deframer, Vec<u8>),
    WebTransport(webtransport::Deframer),
}

/// The packets of one item of a stream: a reopened stream may carry its backlog as a framed payload.
pub(super) fn unpacked(kind: UnitKind) -> Vec<UnitKind> {
    match kind {
        UnitKind::Packet(text) if text.starts_with('\u{fffd}') => match payload::split(&text) {
            Ok(packets) => packets.into_iter().map(UnitKind::Packet).collect(),
            Err(error) => vec![UnitKind::Bad(error.to_string())],
        },
        kind => vec![kind],
    }
}

/// Length of the answer to a hixie-76 challenge.
const DIGEST: usize = 16;

/// Units with the offset after each, and the reason why nothing after them can be read.
pub(super) type Found = (Vec<(UnitKind, usize)>, Option<String>);

impl Parser {
    pub(super) fn new(framing: Framing, head: Option<&ResponseHead>) -> Parser {
        match framing {
            framing if framing.is_body() => Parser::Whole,
            Framing::HtmlFile => Parser::HtmlFile(htmlfile::Stream::default()),
            Framing::Multipart => {
                let content_type = head.and_then(|head| head.header("content-type")).unwrap_or_default();
                multipart::Stream::new(&content_type).map_or(Parser::None, |stream| Parser::Multipart(stream, false))
            }
            Framing::WebSocket { typed } => Parser::WebSocket(Assembler {
                typed,
                ..Assembler::default()
            }),
            Framing::Hixie => Parser::Hixie(hixie::Deframer::new(), Vec::new()),
            Framing::WebTransport => Parser::WebTransport(webtransport::Deframer::new(MESSAGE_LIMIT)),
            _ => Parser::None,
        }
    }

    pub(super) fn feed(&mut self, all: &[u8], new: &[u8]) -> Found {
        let mut found = Vec::new();
        let result = match self {
            Parser::None | Parser::Whole => Ok(()),
            Parser::HtmlFile(stream) => {
                stream.push(new);
                pull(&mut found, || {
                    let Some(item) = stream.next()? else { return Ok(None) };
                    let kind = match item {
                        htmlfile::HtmlItem::Prelude(text) => UnitKind::Prelude(text),
                        htmlfile::HtmlItem::Packet(text) => UnitKind::Packet(text),
                    };
                    Ok(Some((kind, stream.consumed())))
                })
            }
            Parser::Multipart(stream, begun) => {
                stream.push(new);
                if !*begun && let Some(end) = all.iter().position(|byte| *byte == b'\n') {
                    *begun = true;
                    let delimiter = String::from_utf8_lossy(&all[..=end]).into_owned();
                    found.push((UnitKind::Prelude(delimiter), end + 1));
                }
                pull(&mut found, || {
                    Ok(stream.next()?.map(|text| (UnitKind::Packet(text), stream.consumed())))
                })
            }
            Parser::Hixie(deframer, digest) => {
                let due = DIGEST.saturating_sub(digest.len()).min(new.len());
                digest.extend_from_slice(&new[..due]);
                if due > 0
                    && let Ok(digest) = <[u8; DIGEST]>::try_from(digest.as_slice())
                {
                    found.push((UnitKind::Digest(digest), DIGEST));
                }
                deframer.push(&new[due..]);
                pull(&mut found, || {
                    let Some(frame) = deframer.next()? else { return Ok(None) };
                    let kind = match frame {
                        hixie::Frame::Text(text) => UnitKind::Packet(text),
                        hixie::Frame::Close => UnitKind::Close(None, String::new()),
                    };
                    Ok(Some((kind, DIGEST + deframer.consumed())))
                })
            }
            Parser::WebTransport(stream) => {
                stream.push(new);
                pull(&mut found, || {
                    Ok(stream.next()?.map(|message| (message.into(), stream.consumed())))
                })
            }
            Parser::WebSocket(assembler) => loop {
                match assembler.next(all) {
                    Ok(Some(unit)) => found.push(unit),
                    Ok(None) => break Ok(()),
                    Err(reason) => break Err(reason),
                }
            },
        };
        (found, result.err())
    }

    /// What is wrong with a stream that ends here, if anything is.
    pub(super) fn ended(&self) -> Option<&'static str> {
        match self {
            Parser::WebTransport(stream) if !stream.is_empty() => Some("the stream ends inside a packet"),
            _ => None,
        }
    }
}

fn pull(
    found: &mut Vec<(UnitKind, usize)>,
    mut next: impl FnMut() -> Result<Option<(UnitKind, usize)>, FramingError>,
) -> Result<(), String> {
    loop {
        match next() {
            Ok(Some(unit)) => found.push(unit),
            Ok(None) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Puts WebSocket messages together from frames; control frames may come in between (RFC 6455, section 5.4).
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// Engine.IO 3: binary messages begin with their type, and may come as text.
    typed: bool,
    next: usize,
    message: Option<(Opcode, Vec<u8>)>,
}

impl Assembler {
    fn next(&mut self, all: &[u8]) -> Result<Option<(UnitKind, usize)>, String> {
        while let Some((frame, length)) = parse_frame(all.get(self.next..).unwrap_or_default())? {
            self.next += length;
            let kind = match (frame.opcode, self.message.take()) {
                (Opcode::Ping, message) => {
                    self.message = message;
                    UnitKind::Ping(frame.payload)
                }
                (Opcode::Pong, message) => {
                    self.message = message;
                    UnitKind::Pong(frame.payload)
                }
                (Opcode::Close, _) => close(&frame.payload)?,
                (Opcode::Continuation, None) => return Err("a continuation of no message".to_owned()),
                (Opcode::Text | Opcode::Binary, Some(_)) => return Err("a new message inside a message".to_owned()),
                (opcode, message) => {
                    let (opcode, mut bytes) = message.unwrap_or((opcode, Vec::new()));
                    bytes.extend_from_slice(&frame.payload);
                    if bytes.len() > MESSAGE_LIMIT {
                        return Err(format!("a message of more than {MESSAGE_LIMIT} bytes"));
                    }
                    if !frame.fin {
                        self.message = Some((opcode, bytes));
                        continue;
                    }
                    self.whole(opcode, bytes)?
                }
            };
            return Ok(Some((kind, self.next)));
        }
        Ok(None)
    }

    fn whole(&self, opcode: Opcode, bytes: Vec<u8>) -> Result<UnitKind, String> {
        if opcode == Opcode::Binary {
            let message = Message::Binary(bytes);
            return Ok(if self.typed {
                UnitKind::typed(message)
            } else {
                message.into()
            });
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("a text message is not UTF-8 at byte {at}")
        })?;
        if self.typed && text.starts_with('b') {
            return match eio3::text(&text).map(UnitKind::typed) {
                Ok(UnitKind::Binary(data)) => Ok(UnitKind::Encoded(text, data)),
                Ok(other) => Ok(other),
                Err(error) => Err(error.to_string()),
            };
        }
        Ok(UnitKind::Packet(text))
    }
}

fn close(payload: &[u8]) -> Result<UnitKind, String> {
    match payload {
        [] => Ok(UnitKind::Close(None, String::new())),
        [_] => Err("a close frame with one byte".to_owned()),
        [high, low, reason @ ..] => {
            let reason = String::from_utf8(reason.to_vec()).map_err(|_| "a close reason is not UTF-8".to_owned())?;
            Ok(UnitKind::Close(Some(u16::from_be_bytes([*high, *low])), reason))
        }
    }
}
