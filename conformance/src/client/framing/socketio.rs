//! One packet of Socket.IO 4 or 5: `type[attachments-][namespace,][id][JSON]` (Packet encoding), and the binary data that its
//! placeholders stand for.

use std::fmt;

use super::kind::kinds;
use super::{Fault, FramingError};
use crate::scenario::json::{self, Value};
use crate::scenario::packet::eio;

/// The namespace of packets that name none.
pub const MAIN: &str = "/";

/// A revision of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Over Engine.IO 3: a connect packet may have a query behind its namespace, and has no data.
    Four,
    /// Over Engine.IO 4.
    Five,
}

/// One packet, without the `4` of the Engine.IO message around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The type.
    pub kind: Kind,
    /// How many binary messages belong to it; of binary packets alone, where it is at least one.
    pub attachments: usize,
    /// The namespace, with its slash.
    pub namespace: String,
    /// Revision 4, connect packets: what stands behind the namespace, with its `?`.
    pub query: Option<String>,
    /// The digits of the id, as they were written.
    pub id: Option<String>,
    /// The data, with placeholders where there are attachments.
    pub data: Option<Value>,
}

kinds! {
    "The seven packet types; the value is the digit on the wire.";
    /// `0`
    Connect = "connect",
    /// `1`
    Disconnect = "disconnect",
    /// `2`
    Event = "event",
    /// `3`
    Ack = "ack",
    /// `4`: in revision 4, an error of any kind.
    ConnectError = "connect-error",
    /// `5`
    BinaryEvent = "binary-event",
    /// `6`
    BinaryAck = "binary-ack",
}

impl Kind {
    /// Whether attachments belong to it.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Kind::BinaryEvent | Kind::BinaryAck)
    }
}

impl Packet {
    /// Reads the text of a packet.
    ///
    /// # Errors
    ///
    /// Nothing there, an unknown type, a binary packet that announces no attachment, an acknowledgement without an id, an
    /// id of a packet that is not acknowledged, malformed JSON, data of the wrong shape for the type.
    pub fn parse(revision: Revision, text: &str) -> Result<Packet, FramingError> {
        let fail = |at, fault| Err(FramingError::new(at, fault));
        let Some(first) = text.bytes().next() else {
            return fail(0, Fault::Empty);
        };
        let Some(kind) = Kind::from_digit(first) else {
            return fail(0, Fault::Type);
        };
        let [count, namespace, id, data] = eio::split_behind(text, 1);
        let attachments = match (kind.is_binary(), text[count].parse::<usize>()) {
            (false, _) => 0,
            (true, Ok(count)) if count > 0 => count,
            (true, _) => return fail(1, Fault::Attachments),
        };
        let namespace = Some(&text[namespace]).filter(|it| !it.is_empty()).unwrap_or(MAIN);
        let query = namespace
            .find('?')
            .filter(|_| revision == Revision::Four && kind == Kind::Connect);
        let (namespace, query) = namespace.split_at(query.unwrap_or(namespace.len()));
        let packet = Packet {
            kind,
            attachments,
            namespace: namespace.to_owned(),
            query: Some(query).filter(|it| !it.is_empty()).map(str::to_owned),
            id: Some(&text[id.clone()]).filter(|it| !it.is_empty()).map(str::to_owned),
            data: read(&text[data.clone()]).map_err(|error| error.shifted(data.start))?,
        };
        match (kind, &packet.id) {
            (Kind::Ack | Kind::BinaryAck, None) => return fail(id.start, Fault::PacketId("missing")),
            (Kind::Connect | Kind::Disconnect | Kind::ConnectError, Some(_)) => {
                return fail(id.start, Fault::PacketId("unexpected"));
            }
            _ => {}
        }
        match kind.misses(revision, packet.data.as_ref()) {
            Some(shape) => fail(data.start, Fault::Payload(shape)),
            None => Ok(packet),
        }
    }

    /// The data with `show` of the attachment in the place of each placeholder.
    ///
    /// # Errors
    ///
    /// Fewer attachments than announced or more, a placeholder whose number is none of theirs.
    pub fn assemble(
        &self,
        attachments: &[Vec<u8>],
        show: &impl Fn(&[u8]) -> Value,
    ) -> Result<Option<Value>, FramingError> {
        let end = self.to_string().len();
        match attachments.len() {
            there if there < self.attachments => Err(FramingError::new(end, Fault::Truncated)),
            there if there > self.attachments => Err(FramingError::new(end, Fault::Trailing)),
            0 => Ok(self.data.clone()),
            _ => {
                let data = self.data.as_ref().map(|data| fill(data, attachments, show)).transpose();
                data.map_err(|fault| FramingError::new(end, fault))
            }
        }
    }
}

impl Kind {
    /// What data the type must have, where this is another.
    fn misses(self, revision: Revision, data: Option<&Value>) -> Option<&'static str> {
        let event = |items: &[Value]| matches!(items.first(), Some(Value::String(_) | Value::Number(_)));
        let (fits, shape) = match (self, data) {
            (Kind::Connect, data) if revision == Revision::Four => (data.is_none(), "nothing"),
            (Kind::Connect, data) => (matches!(data, None | Some(Value::Object(_))), "an object or nothing"),
            (Kind::Disconnect, data) => (data.is_none(), "nothing"),
            (Kind::Event | Kind::BinaryEvent, data) => (
                matches!(data, Some(Value::Array(items)) if event(items)),
                "an array that begins with the event's name",
            ),
            (Kind::Ack | Kind::BinaryAck, data) => (matches!(data, Some(Value::Array(_))), "an array"),
            (Kind::ConnectError, _) if revision == Revision::Four => (true, "anything"),
            // A string is what the revision before sends.
            (Kind::ConnectError, data) => (matches!(data, Some(Value::Object(_) | Value::String(_))), "an object"),
        };
        (!fits).then_some(shape)
    }
}

fn read(data: &str) -> Result<Option<Value>, FramingError> {
    if data.is_empty() {
        return Ok(None);
    }
    match json::parse(data) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(FramingError::new(error.offset, Fault::Json)),
    }
}

fn fill(value: &Value, attachments: &[Vec<u8>], show: &impl Fn(&[u8]) -> Value) -> Result<Value, Fault> {
    match value {
        Value::Object(_) if matches!(value.member(&"_placeholder".into()), Some(Value::Bool(true))) => {
            let number = match value.member(&"num".into()) {
                Some(Value::Number(number)) => number.raw().parse::<usize>().ok(),
                _ => None,
            };
            let bytes = number
                .and_then(|number| attachments.get(number))
                .ok_or(Fault::Placeholder)?;
            Ok(show(bytes))
        }
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, value)| Ok((key.clone(), fill(value, attachments, show)?)));
            members.collect::<Result<_, Fault>>().map(Value::Object)
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| fill(item, attachments, show));
            items.collect::<Result<_, Fault>>().map(Value::Array)
        }
        other => Ok(other.clone()),
    }
}

/// In the form the original server writes: the main namespace is left out.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind as u8)?;
        if self.kind.is_binary() {
            write!(f, "{}-", self.attachments)?;
        }
        match self.query.as_deref().unwrap_or_default() {
            "" if self.namespace == MAIN => {}
            query => write!(f, "{}{query},", self.namespace)?,
        }
        f.write_str(self.id.as_deref().unwrap_or_default())?;
        match &self.data {
            Some(data) => write!(f, "{data}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // What a packet means and what is none is in the packet vectors; here is where, and what they do not see.

    #[rstest]
    #[case("2[\"a\",]", 6, Fault::Json)]
    #[case("2/a,7{\"a\":1,\"a\":2}", 12, Fault::Json)]
    #[case("3/a,[1]", 4, Fault::PacketId("missing"))]
    #[case("012", 1, Fault::PacketId("unexpected"))]
    #[case("50-[\"a\"]", 1, Fault::Attachments)]
    #[case("599999999999999999999999-[\"a\"]", 1, Fault::Attachments)]
    #[case("51-/a,[]", 6, Fault::Payload("an array that begins with the event's name"))]
    fn an_error_names_its_place(#[case] text: &str, #[case] offset: usize, #[case] fault: Fault) {
        assert_eq!(Packet::parse(Revision::Five, text), Err(FramingError { offset, fault }));
    }

    #[rstest]
    #[case("2/a,007[\"x\",1.50,1e2,\"\\ud800\"]")]
    #[case("62-/a,9007199254740993[{\"_placeholder\":true,\"num\":1}]")]
    #[case("1/a,")]
    fn every_part_is_kept_as_written(#[case] text: &str) {
        for revision in [Revision::Four, Revision::Five] {
            assert_eq!(Packet::parse(revision, text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_revision_4_has_a_query() {
        let parse = |revision| Packet::parse(revision, "0/a?b=/c,").unwrap();
        assert_eq!(parse(Revision::Four).query.as_deref(), Some("?b=/c"));
        assert_eq!(parse(Revision::Five).namespace, "/a?b=/c");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-7][0-9]{0,2}-?(/[a-z]{0,2},?)?[0-9]{0,2}[\\[\\]{}\",:a-c1é]{0,12}") {
            for revision in [Revision::Four, Revision::Five] {
                if let Ok(packet) = Packet::parse(revision, &text) {
                    proptest::prop_assert_eq!(Packet::parse(revision, &packet.to_string()).unwrap(), packet);
                }
            }
        }
    }
}
