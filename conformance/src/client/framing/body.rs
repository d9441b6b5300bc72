//! What a packet's data says, by its type (Messages).

use serde_json::Value;

use super::packet::{Kind, Packet};
use super::{Fault, FramingError};

/// The meaning of a packet's data. An argument list that is missing on the wire is an empty one.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Disconnect, heartbeat, noop: their data means nothing.
    Nothing,
    /// Connect: the query with its `?`, from the data or from behind the path; empty where there is none.
    Query(String),
    /// Message.
    Text(String),
    /// JSON message.
    Json(Value),
    /// Event.
    Event {
        /// Its name.
        name: String,
        /// Its arguments.
        args: Vec<Value>,
    },
    /// Acknowledgement.
    Ack {
        /// The id it answers, as it was written.
        id: String,
        /// The application's arguments.
        args: Vec<Value>,
    },
    /// Error: the codes as they were written; empty where there is none.
    Error {
        /// 0 transport not supported, 1 client not handshaken, 2 unauthorized.
        reason: String,
        /// 0 reconnect.
        advice: String,
    },
}

impl Body {
    /// Reads a packet's data. The endpoint of a connect packet may hold the query; see [`endpoint`].
    ///
    /// # Errors
    ///
    /// Malformed JSON, an event that is none, a malformed acknowledgement.
    pub fn of(packet: &Packet) -> Result<Body, FramingError> {
        let text = packet.text();
        let start = packet.to_string().len() - text.len();
        let read = match packet.kind {
            Kind::Disconnect | Kind::Heartbeat | Kind::Noop => Ok(Body::Nothing),
            Kind::Connect if text.is_empty() => Ok(Body::Query(packet.endpoint[endpoint(packet).len()..].to_owned())),
            Kind::Connect => Ok(Body::Query(text.to_owned())),
            Kind::Message => Ok(Body::Text(text.to_owned())),
            Kind::Json => json(text).map(Body::Json),
            Kind::Event => event(text),
            Kind::Ack => ack(text),
            Kind::Error => {
                let (reason, advice) = text.split_once('+').unwrap_or((text, ""));
                Ok(Body::Error {
                    reason: reason.to_owned(),
                    advice: advice.to_owned(),
                })
            }
        };
        read.map_err(|error| error.shifted(start))
    }

    /// The data field that says this, in the form the original server writes: no `args` key without arguments, no `+`
    /// without data. `None` where the third colon is left out.
    #[must_use]
    pub fn to_data(&self) -> Option<String> {
        let data = match self {
            Body::Nothing => String::new(),
            Body::Query(text) | Body::Text(text) => text.clone(),
            Body::Json(value) => value.to_string(),
            Body::Event { name, args } if args.is_empty() => format!("{{\"name\":{}}}", Value::from(name.as_str())),
            Body::Event { name, args } => {
                format!(
                    "{{\"name\":{},\"args\":{}}}",
                    Value::from(name.as_str()),
                    Value::from(args.as_slice())
                )
            }
            Body::Ack { id, args } if args.is_empty() => id.clone(),
            Body::Ack { id, args } => format!("{id}+{}", Value::from(args.as_slice())),
            Body::Error { reason, advice } if advice.is_empty() => reason.clone(),
            Body::Error { reason, advice } => format!("{reason}+{advice}"),
        };
        (!data.is_empty()).then_some(data)
    }
}

/// The namespace that a packet is about: its endpoint, without the query that a connect packet may have there.
#[must_use]
pub fn endpoint(packet: &Packet) -> &str {
    match packet.endpoint.split_once('?') {
        Some((path, _)) if packet.kind == Kind::Connect => path,
        _ => &packet.endpoint,
    }
}

fn event(text: &str) -> Result<Body, FramingError> {
    let Value::Object(mut fields) = json(text)? else {
        return Err(FramingError::new(0, Fault::Event));
    };
    match (
        fields.remove("name"),
        fields.remove("args").unwrap_or(Value::Array(Vec::new())),
    ) {
        (Some(Value::String(name)), Value::Array(args)) => Ok(Body::Event { name, args }),
        _ => Err(FramingError::new(0, Fault::Event)),
    }
}

fn ack(text: &str) -> Result<Body, FramingError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (id, rest) = text.split_at(digits);
    let malformed = FramingError::new(digits, Fault::Ack);
    if id.is_empty() {
        return Err(malformed);
    }
    let args = match rest.strip_prefix('+') {
        None if rest.is_empty() => Vec::new(),
        None => return Err(malformed),
        Some("") => Vec::new(),
        Some(data) => match json(data).map_err(|error| error.shifted(digits + 1))? {
            Value::Array(args) => args,
            _ => return Err(malformed),
        },
    };
    Ok(Body::Ack {
        id: id.to_owned(),
        args,
    })
}

fn json(text: &str) -> Result<Value, FramingError> {
    // The parser counts columns; these texts have few lines, so the start of the data is precise enough.
    serde_json::from_str(text).map_err(|_| FramingError::new(0, Fault::Json))
}
