//! Packets of protocol revision 1: `type ':' id ['+'] ':' endpoint [':' data]` (spec, "Encoding").

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Args, Malformed, Text, json};

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
    /// `7`: reason and advice, as written, or empty.
    Error(&'a str, &'a str),
    /// `8`
    Noop,
}

/// Reason of an error: no such session.
pub const CLIENT_NOT_HANDSHAKEN: &str = "1";

/// Reason of an error: the namespace is not for this client.
pub const UNAUTHORIZED: &str = "2";

/// Advice of an error: shake hands again.
pub const RECONNECT: &str = "0";

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

    /// Reads one packet. Data where a type has none is ignored; a query may stand behind the path of the endpoint, as the
    /// document writes it, or in the place of the data, as clients do.
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
            "1" => match endpoint.find('?') {
                Some(query) => {
                    return Ok(Packet {
                        id,
                        endpoint: &endpoint[..query],
                        body: Body::Connect(&endpoint[query..]),
                    });
                }
                None => Body::Connect(data),
            },
            "2" => Body::Heartbeat,
            "3" => Body::Message(data),
            "4" => Body::Json(raw(data)?.get()),
            "5" => decode_event(data)?,
            "6" => decode_ack(data)?,
            "7" => {
                let (reason, advice) = data.split_once('+').unwrap_or((data, ""));
                Body::Error(reason, advice)
            }
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
                    push_array(&mut out, args);
                }
            }
            Body::Error("", "") => {}
            Body::Error(reason, advice) => {
                out.push(':');
                out.push_str(reason);
                if !advice.is_empty() {
                    out.push('+');
                    out.push_str(advice);
                }
            }
        }
        Text::from(out)
    }

    fn size(&self) -> usize {
        let data = match &self.body {
            Body::Connect(data) | Body::Message(data) | Body::Json(data) => data.len(),
            Body::Event { name, args } => name.len() + args.list().len() + 26,
            Body::Ack(digits, args) => digits.len() + args.as_ref().map_or(0, |args| args.list().len() + 3),
            _ => 4,
        };
        4 + self.id.map_or(0, |id| id.digits.len() + 1) + self.endpoint.len() + data
    }
}

impl<'a> Id<'a> {
    fn decode(text: &'a str) -> Result<Option<Self>, Malformed> {
        let (digits, data) = text.strip_suffix('+').map_or((text, false), |digits| (digits, true));
        match digits {
            "" if !data => Ok(None),
            _ if is_decimal(digits) => Ok(Some(Id { digits, data })),
            _ => Err(Malformed::BadId),
        }
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
    let event: Event<'_> = serde_json::from_str(data).map_err(|error| match error.classify() {
        Category::Data => Malformed::NotAnEvent,
        _ => Malformed::NotJson,
    })?;
    let args = match event.args {
        Some(args) => array(args).ok_or(Malformed::NotAnEvent)?,
        None => Args::NONE,
    };
    Ok(Body::Event { name: event.name, args })
}

fn decode_ack(data: &str) -> Result<Body<'_>, Malformed> {
    let (digits, json) = data
        .split_once('+')
        .map_or((data, None), |(digits, json)| (digits, Some(json)));
    if !is_decimal(digits) {
        return Err(Malformed::NotAnAck);
    }
    let args = match json {
        None => None,
        Some("") => Some(Args::NONE),
        Some(json) => Some(array(raw(json)?).ok_or(Malformed::NotAnAck)?),
    };
    Ok(Body::Ack(digits, args))
}

fn raw(json: &str) -> Result<&RawValue, Malformed> {
    serde_json::from_str(json).map_err(|_| Malformed::NotJson)
}

fn array(value: &RawValue) -> Option<Args<'_>> {
    json::array(value.get()).map(Args::from_list)
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn encode_event(out: &mut String, name: &str, args: &Args<'_>) {
    out.push_str(":{\"name\":");
    super::script::push_json_string(out, name);
    if !args.is_empty() {
        out.push_str(",\"args\":");
        push_array(out, args);
    }
    out.push('}');
}

fn push_array(out: &mut String, args: &Args<'_>) {
    out.push('[');
    out.push_str(args.list());
    out.push(']');
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn event<'a>(name: &'a str, args: &'a str) -> Body<'a> {
        Body::Event {
            name: Cow::Borrowed(name),
            args: Args::from_list(args),
        }
    }

    // The packet vectors of `fixtures/` say what every packet means; here is what they cannot see.

    #[rstest]
    #[case("4:9+:/a:[1.0]", Packet { id: Some(Id { digits: "9", data: true }), endpoint: "/a", body: Body::Json("[1.0]") })]
    #[case(
        "5:::{\"name\":\"x\",\"args\":[1e2, \"\\ud800\"]}",
        Packet::new("", event("x", "1e2, \"\\ud800\""))
    )]
    #[case("6:::04+[ 1.50 ]", Packet::new("", Body::Ack("04", Some(Args::from_list(" 1.50 ")))))]
    fn json_stays_as_it_was_written(#[case] text: &str, #[case] packet: Packet<'_>) {
        assert_eq!(Packet::decode(text).as_ref(), Ok(&packet));
        assert_eq!(packet.encode().as_str(), text);
    }
}
