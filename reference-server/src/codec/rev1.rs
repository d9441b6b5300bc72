//! Packets of protocol revision 1: `type ':' id ['+'] ':' endpoint [':' data]` (spec, "Encoding").

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Malformed, Text};

/// One packet, borrowed from the text that carried it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// Present where the sender wants an ack.
    pub id: Option<Id<'a>>,
    /// The namespace; empty for the default one.
    pub endpoint: &'a str,
    /// Type and data.
    pub body: Body<'a>,
}

/// The id of a packet: decimal digits, kept as they came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Id<'a> {
    /// The digits.
    pub digits: &'a str,
    /// `+`: the application acknowledges, with data.
    pub data: bool,
}

/// What a packet says. The variants stand in the order of their type digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body<'a> {
    /// `0`: leaves the namespace, or ends the session where the endpoint is empty.
    Disconnect,
    /// `1`: joins the namespace; the query as it was written, `?` included, or empty.
    Connect(&'a str),
    /// `2`
    Heartbeat,
    /// `3`: plain text.
    Message(&'a str),
    /// `4`: the text of one JSON value.
    Json(&'a str),
    /// `5`
    Event {
        /// What the handler is chosen by.
        name: Cow<'a, str>,
        /// The arguments.
        args: Args<'a>,
    },
    /// `6`: answers the packet with this id; the arguments are absent without `+`.
    Ack(&'a str, Option<Args<'a>>),
    /// `7`
    Error(Option<Reason>, Option<Advice>),
    /// `8`
    Noop,
}

/// Why the server refuses (`7`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// `0`
    TransportNotSupported,
    /// `1`: no such session.
    ClientNotHandshaken,
    /// `2`
    Unauthorized,
}

/// What the client should do about an error (`7`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Advice {
    /// `0`
    Reconnect,
}

/// The text of a JSON array, as the peer wrote it: numbers, key order and escapes survive an echo.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Args<'a>(Cow<'a, str>);

impl<'a> Packet<'a> {
    /// A packet without id.
    #[must_use]
    pub fn new(endpoint: &'a str, body: Body<'a>) -> Self {
        Packet {
            id: None,
            endpoint,
            body,
        }
    }

    /// Reads one packet. Odd shapes are taken as the original servers take them: a JSON message that is no JSON is
    /// `false`, an ack whose data is no JSON has no arguments, an unknown reason is none.
    ///
    /// # Errors
    ///
    /// See [`Malformed`]; such a packet is ignored.
    pub fn decode(text: &'a str) -> Result<Self, Malformed> {
        let (kind, rest) = text.split_once(':').ok_or(Malformed::NotAPacket)?;
        let (id, rest) = rest.split_once(':').ok_or(Malformed::NotAPacket)?;
        let id = Id::decode(id)?;
        let (endpoint, data) = rest.split_once(':').unwrap_or((rest, ""));
        let body = match kind {
            "0" => Body::Disconnect,
            "1" => Body::Connect(data),
            "2" => Body::Heartbeat,
            "3" => Body::Message(data),
            "4" => Body::Json(serde_json::from_str::<&RawValue>(data).map_or("false", RawValue::get)),
            "5" => decode_event(data)?,
            "6" => decode_ack(data)?,
            "7" => decode_error(data),
            "8" => Body::Noop,
            _ => return Err(Malformed::UnknownType),
        };
        Ok(Packet { id, endpoint, body })
    }

    /// Writes the packet. Both colons are always there; an event without arguments has no `args`.
    #[must_use]
    pub fn encode(&self) -> Text {
        let kind = match self.body {
            Body::Disconnect => '0',
            Body::Connect(_) => '1',
            Body::Heartbeat => '2',
            Body::Message(_) => '3',
            Body::Json(_) => '4',
            Body::Event { .. } => '5',
            Body::Ack(..) => '6',
            Body::Error(..) => '7',
            Body::Noop => '8',
        };
        let mut out = String::with_capacity(self.size());
        out.push(kind);
        out.push(':');
        if let Some(id) = self.id {
            out.push_str(id.digits);
            if id.data {
                out.push('+');
            }
        }
        out.push(':');
        out.push_str(self.endpoint);
        match &self.body {
            Body::Disconnect | Body::Heartbeat | Body::Noop | Body::Connect("") | Body::Message("") => {}
            Body::Connect(data) | Body::Message(data) | Body::Json(data) => {
                out.push(':');
                out.push_str(data);
            }
            Body::Event { name, args } => encode_event(&mut out, name, args),
            Body::Ack(digits, args) => {
                out.push(':');
                out.push_str(digits);
                if let Some(args) = args {
                    out.push('+');
                    out.push_str(args.text());
                }
            }
            Body::Error(reason, advice) => encode_error(&mut out, *reason, *advice),
        }
        Text::from(out)
    }

    fn size(&self) -> usize {
        let data = match &self.body {
            Body::Connect(data) | Body::Message(data) | Body::Json(data) => data.len(),
            Body::Event { name, args } => name.len() + args.text().len() + 24,
            Body::Ack(digits, args) => digits.len() + args.as_ref().map_or(0, |args| args.text().len() + 1),
            _ => 4,
        };
        4 + self.id.map_or(0, |id| id.digits.len() + 1) + self.endpoint.len() + data
    }
}

impl<'a> Id<'a> {
    fn decode(text: &'a str) -> Result<Option<Self>, Malformed> {
        let (digits, data) = text.strip_suffix('+').map_or((text, false), |digits| (digits, true));
        match digits {
            "" => Ok(None),
            _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(Id { digits, data })),
            _ => Err(Malformed::NotAPacket),
        }
    }
}

impl<'a> Args<'a> {
    /// No arguments.
    pub const NONE: Args<'static> = Args(Cow::Borrowed("[]"));

    /// Takes any JSON value for arguments: an array is the list, another value the only argument, and what is false
    /// in JavaScript is none.
    #[must_use]
    pub fn from_json(value: &'a RawValue) -> Self {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'[') => Args(Cow::Borrowed(text)),
            _ if matches!(text, "null" | "false" | "0" | "\"\"") => Args::NONE,
            _ => Args(Cow::Owned(format!("[{text}]"))),
        }
    }

    /// Builds the list of these values.
    #[must_use]
    pub fn from_values(values: &[&RawValue]) -> Args<'static> {
        let mut out = String::with_capacity(2 + values.iter().map(|value| value.get().len() + 1).sum::<usize>());
        out.push('[');
        for (k, value) in values.iter().enumerate() {
            if k > 0 {
                out.push(',');
            }
            out.push_str(value.get());
        }
        out.push(']');
        Args(Cow::Owned(out))
    }

    /// The text of a JSON array that the caller wrote.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Args<'static> {
        debug_assert!(serde_json::from_str::<Vec<&RawValue>>(&text).is_ok(), "{text}");
        Args(Cow::Owned(text))
    }

    /// The array's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether there is no argument.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.bytes().nth(1) == Some(b']') || self.0[1..].trim_start().starts_with(']')
    }

    /// The single arguments.
    #[must_use]
    pub fn values(&self) -> Vec<&RawValue> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

fn decode_event(data: &str) -> Result<Body<'_>, Malformed> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        #[serde(borrow)]
        args: Option<&'a RawValue>,
    }
    let event: Event<'_> = serde_json::from_str(data).map_err(|_| Malformed::NotAnEvent)?;
    let args = event.args.map_or(Args::NONE, Args::from_json);
    Ok(Body::Event { name: event.name, args })
}

fn decode_ack(data: &str) -> Result<Body<'_>, Malformed> {
    let end = data
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(data.len());
    let (digits, rest) = data.split_at(end);
    if digits.is_empty() {
        return Err(Malformed::NotAnAck);
    }
    let args = rest
        .strip_prefix('+')
        .map(|json| serde_json::from_str(json).map_or(Args::NONE, Args::from_json));
    Ok(Body::Ack(digits, args))
}

fn decode_error(data: &str) -> Body<'_> {
    let (reason, advice) = data.split_once('+').unwrap_or((data, ""));
    let reason = match reason {
        "0" => Some(Reason::TransportNotSupported),
        "1" => Some(Reason::ClientNotHandshaken),
        "2" => Some(Reason::Unauthorized),
        _ => None,
    };
    Body::Error(reason, (advice == "0").then_some(Advice::Reconnect))
}

fn encode_event(out: &mut String, name: &str, args: &Args<'_>) {
    out.push_str(":{\"name\":");
    super::script::push_json_string(out, name);
    if !args.is_empty() {
        out.push_str(",\"args\":");
        out.push_str(args.text());
    }
    out.push('}');
}

fn encode_error(out: &mut String, reason: Option<Reason>, advice: Option<Advice>) {
    if reason.is_none() && advice.is_none() {
        return;
    }
    out.push(':');
    match reason {
        Some(Reason::TransportNotSupported) => out.push('0'),
        Some(Reason::ClientNotHandshaken) => out.push('1'),
        Some(Reason::Unauthorized) => out.push('2'),
        None => {}
    }
    if let Some(Advice::Reconnect) = advice {
        out.push_str("+0");
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn event<'a>(name: &'a str, args: &'a str) -> Body<'a> {
        Body::Event {
            name: Cow::Borrowed(name),
            args: Args(Cow::Borrowed(args)),
        }
    }

    #[rstest]
    #[case("0::", Packet::new("", Body::Disconnect))]
    #[case("0::/a", Packet::new("/a", Body::Disconnect))]
    #[case("1::", Packet::new("", Body::Connect("")))]
    #[case("1::/a:?x=1", Packet::new("/a", Body::Connect("?x=1")))]
    #[case("2::", Packet::new("", Body::Heartbeat))]
    #[case("3::", Packet::new("", Body::Message("")))]
    #[case("3:::a:b\nc", Packet::new("", Body::Message("a:b\nc")))]
    #[case("3:5::hi", Packet { id: Some(Id { digits: "5", data: false }), endpoint: "", body: Body::Message("hi") })]
    #[case("4:9+:/a:[1.0]", Packet { id: Some(Id { digits: "9", data: true }), endpoint: "/a", body: Body::Json("[1.0]") })]
    #[case("5:::{\"name\":\"x\"}", Packet::new("", event("x", "[]")))]
    #[case(
        "5:::{\"name\":\"x\",\"args\":[1e2, \"\\ud800\"]}",
        Packet::new("", event("x", "[1e2, \"\\ud800\"]"))
    )]
    #[case("6:::4", Packet::new("", Body::Ack("4", None)))]
    #[case(
        "6::/a:4+[\"A\"]",
        Packet::new("/a", Body::Ack("4", Some(Args(Cow::Borrowed("[\"A\"]")))))
    )]
    #[case("7::", Packet::new("", Body::Error(None, None)))]
    #[case(
        "7:::1+0",
        Packet::new("", Body::Error(Some(Reason::ClientNotHandshaken), Some(Advice::Reconnect)))
    )]
    #[case("7::/a:2", Packet::new("/a", Body::Error(Some(Reason::Unauthorized), None)))]
    #[case("8::", Packet::new("", Body::Noop))]
    fn one_text_is_one_packet(#[case] text: &str, #[case] packet: Packet<'_>) {
        assert_eq!(Packet::decode(text).as_ref(), Ok(&packet));
        assert_eq!(packet.encode().as_str(), text);
    }

    #[rstest]
    #[case::no_json_is_false("4:::{bad", "4:::false")]
    #[case::third_colon("3:::", "3::")]
    #[case::ack_without_json("6:::1+{bad", "6:::1+[]")]
    #[case::single_argument("5:::{\"name\":\"x\",\"args\":\"one\"}", "5:::{\"name\":\"x\",\"args\":[\"one\"]}")]
    #[case::null_arguments("5:::{\"args\":null,\"name\":\"x\"}", "5:::{\"name\":\"x\"}")]
    #[case::unknown_reason("7::/a:undefined", "7::/a")]
    #[case::plus_alone("3:+::x", "3:::x")]
    fn odd_shapes_are_taken_as_the_original_takes_them(#[case] text: &str, #[case] meaning: &str) {
        assert_eq!(
            Packet::decode(text).map(|packet| packet.encode()),
            Ok(Text::from(meaning))
        );
    }

    #[rstest]
    #[case("", Malformed::NotAPacket)]
    #[case("0", Malformed::NotAPacket)]
    #[case("3:x", Malformed::NotAPacket)]
    #[case("3:x::y", Malformed::NotAPacket)]
    #[case("9:::x", Malformed::UnknownType)]
    #[case("03:::x", Malformed::UnknownType)]
    #[case("5:::{bad", Malformed::NotAnEvent)]
    #[case("5:::[]", Malformed::NotAnEvent)]
    #[case("5:::{\"args\":[]}", Malformed::NotAnEvent)]
    #[case("6:::", Malformed::NotAnAck)]
    #[case("6:::x+[]", Malformed::NotAnAck)]
    fn other_texts_are_refused(#[case] text: &str, #[case] error: Malformed) {
        assert_eq!(Packet::decode(text), Err(error));
    }
}
