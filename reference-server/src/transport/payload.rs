//! What the bodies of `polling` look like: several packets in one, in the way of their version of Engine.IO.

use std::borrow::Cow;

use bytes::Bytes;

use crate::codec::eio4::{self, Packet};
use crate::codec::{Malformed, Message, eio3, jsonp};

const TEXT: &str = "text/plain; charset=UTF-8";
const SCRIPT: &str = "text/javascript; charset=UTF-8";
const BYTES: &str = "application/octet-stream";

/// How packets stand in a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// eio4: parted by a character.
    Separated,
    /// eio3: behind their lengths. All is text for a client that reads nothing else.
    Framed(eio3::Form),
    /// eio3: the same text as the argument of the callback of this index, and the other way as a form.
    Script(String),
}

impl Form {
    /// Writes a body, and says of which type it is.
    pub(super) fn encode(&self, messages: &[Message]) -> (&'static str, Bytes) {
        match self {
            Form::Separated => (TEXT, eio4::encode_payload(messages).into()),
            // Text goes as text to everybody.
            Form::Framed(eio3::Form::Bytes) if messages.iter().any(|message| message.text().is_none()) => {
                (BYTES, eio3::encode_payload_of_bytes(messages).into())
            }
            Form::Framed(_) => (TEXT, eio3::encode_payload(messages).into()),
            Form::Script(index) => {
                let payload = eio3::encode_payload(messages);
                (SCRIPT, jsonp::encode_engine(index, &payload).into())
            }
        }
    }

    /// Hands the packets of a body to `act`, as long as it wants more. The first that is none is the last, and returned.
    pub(super) fn decode(
        &self,
        content_type: Option<&[u8]>,
        body: &Bytes,
        mut act: impl FnMut(Result<Packet<'_>, Malformed>) -> bool,
    ) -> Result<(), Malformed> {
        let bytes = content_type == Some(BYTES.as_bytes());
        if *self != Form::Separated && bytes {
            return feed(eio3::packets_of_bytes(body), act);
        }
        let text = match std::str::from_utf8(body) {
            // It would be binary data of version 3.
            Ok(_) if bytes => Err(Malformed::NoFrame),
            Ok(text) => Ok(text),
            Err(_) => Err(Malformed::NotText),
        };
        let text = match (self, text) {
            (Form::Script(_), Ok(text)) => jsonp::decode_engine_form(text).map(Cow::Owned),
            (_, text) => text.map(Cow::Borrowed),
        };
        match text {
            Err(fault) => {
                act(Err(fault));
                Err(fault)
            }
            Ok(text) if *self == Form::Separated => feed(eio4::split_payload(&text).map(Packet::decode_part), act),
            Ok(text) => feed(eio3::packets(&text), act),
        }
    }
}

fn feed<'a>(
    packets: impl Iterator<Item = Result<Packet<'a>, Malformed>>,
    mut act: impl FnMut(Result<Packet<'_>, Malformed>) -> bool,
) -> Result<(), Malformed> {
    for packet in packets {
        let fault = packet.as_ref().err().copied();
        let more = act(packet);
        if let Some(fault) = fault {
            return Err(fault);
        }
        if !more {
            break;
        }
    }
    Ok(())
}
