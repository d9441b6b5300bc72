//! Packets of Socket.IO 4 and 5: `type [attachments '-'] [namespace ','] [id] [JSON]` (sio5, "Format").

use std::borrow::Cow;

use bytes::Bytes;

use super::{Args, Malformed, json};

/// The namespace that packets without one belong to.
pub const MAIN: &str = "/";

/// Which packets there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revision {
    /// Socket.IO 1 and 2: a CONNECT may have a query behind its namespace, an ERROR has any value, and any event name may
    /// be sent.
    Four,
    /// Socket.IO 3 and later: a CONNECT may have an object, a CONNECT_ERROR has one.
    Five,
}

/// Event names that mean something to the libraries of revision 5, so that nobody may send them.
const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// One packet, borrowed from the text that carried it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// The namespace, with its slash; in a CONNECT of revision 4 with its query, if any.
    pub namespace: &'a str,
    /// The ack id of an event, the answered one of an ack: decimal digits, kept as they came.
    pub id: Option<&'a str>,
    /// Type and data.
    pub body: Body<'a>,
}

/// What a packet says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body<'a> {
    /// `0`: joins the namespace; the text of a JSON object.
    Connect(Option<Cow<'a, str>>),
    /// `1`: leaves the namespace.
    Disconnect,
    /// `2`, with binary data `5`.
    Event {
        /// What the handler is chosen by; a number stands for its digits.
        name: Cow<'a, str>,
        /// The arguments.
        args: Args<'a>,
    },
    /// `3`, with binary data `6`.
    Ack(Args<'a>),
    /// `4`: a refusal; the text of a JSON object or string, in revision 4 of any value or none.
    ConnectError(Cow<'a, str>),
}

impl<'a> Packet<'a> {
    /// A packet without id.
    #[must_use]
    pub fn new(namespace: &'a str, body: Body<'a>) -> Self {
        Packet {
            namespace,
            id: None,
            body,
        }
    }

    /// Reads the text of a packet, and how many attachments it announces: that many binary messages follow, which
    /// [`attach`](Self::attach) puts into their places.
    ///
    /// # Errors
    ///
    /// See [`Malformed`]; the connection is closed.
    pub fn decode(text: &'a str, revision: Revision) -> Result<(Self, usize), Malformed> {
        Packet::read(text, revision, true)
    }

    /// Reads a text again that [`decode`](Self::decode) has accepted, now that its attachments have come: the JSON is not
    /// checked another time.
    ///
    /// # Errors
    ///
    /// None, for such a text.
    pub fn decode_again(text: &'a str, revision: Revision) -> Result<Self, Malformed> {
        Packet::read(text, revision, false).map(|(packet, _)| packet)
    }

    fn read(text: &'a str, revision: Revision, check: bool) -> Result<(Self, usize), Malformed> {
        let kind = *text.as_bytes().first().ok_or(Malformed::Empty)?;
        let mut rest = text.get(1..).ok_or(Malformed::UnknownType)?;
        let mut attachments = 0;
        if matches!(kind, b'5' | b'6') {
            let (count, behind) = rest.split_once('-').ok_or(Malformed::BadAttachments)?;
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            attachments = count.parse().ok().filter(|_| digits).ok_or(Malformed::BadAttachments)?;
            rest = behind;
        }
        let mut namespace = MAIN;
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, data) = rest.split_at(digits);
        let id = Some(id).filter(|id| !id.is_empty());
        let body = match kind {
            b'0' => Body::Connect(decode_auth(data)?),
            b'1' if data.is_empty() => Body::Disconnect,
            b'1' => return Err(Malformed::BadPayload),
            b'2' | b'5' => decode_event(data, revision, check)?,
            b'3' | b'6' if id.is_none() => return Err(Malformed::BadId),
            b'3' | b'6' if data.is_empty() => return Err(Malformed::NoPayload),
            b'3' | b'6' if check => Body::Ack(Args::from_json(data)?),
            b'3' | b'6' => Body::Ack(Args::from_list(json::array(data).ok_or(Malformed::BadPayload)?)),
            b'4' => decode_error(data, revision)?,
            _ => return Err(Malformed::UnknownType),
        };
        Ok((Packet { namespace, id, body }, attachments))
    }

    /// Puts the attachments in the place of the placeholders.
    ///
    /// # Errors
    ///
    /// [`Malformed::BadPlaceholder`]
    pub fn attach(mut self, attachments: Vec<Bytes>) -> Result<Self, Malformed> {
        self.body = match self.body {
            Body::Event { name, args } => Body::Event {
                name,
                args: args.attach(attachments)?,
            },
            Body::Ack(args) => Body::Ack(args.attach(attachments)?),
            other => other,
        };
        Ok(self)
    }

    /// The binary data that has to follow the text.
    #[must_use]
    pub fn attachments(&self) -> &[Bytes] {
        match &self.body {
            Body::Event { args, .. } | Body::Ack(args) => args.attachments(),
            _ => &[],
        }
    }

    /// Appends the text of the packet.
    pub fn write(&self, out: &mut String) {
        let binary = !self.attachments().is_empty();
        out.push(match &self.body {
            Body::Connect(_) => '0',
            Body::Disconnect => '1',
            Body::Event { .. } => ['2', '5'][usize::from(binary)],
            Body::Ack(_) => ['3', '6'][usize::from(binary)],
            Body::ConnectError(_) => '4',
        });
        if binary {
            out.push_str(&self.attachments().len().to_string());
            out.push('-');
        }
        if self.namespace != MAIN {
            out.push_str(self.namespace);
            out.push(',');
        }
        out.push_str(self.id.unwrap_or_default());
        match &self.body {
            Body::Disconnect => {}
            Body::Connect(data) => out.push_str(data.as_deref().unwrap_or_default()),
            Body::ConnectError(data) => out.push_str(data),
            Body::Event { name, args } => {
                out.push('[');
                json::push_string(out, name);
                if !args.is_empty() {
                    out.push(',');
                    out.push_str(args.list());
                }
                out.push(']');
            }
            Body::Ack(args) => {
                out.push('[');
                out.push_str(args.list());
                out.push(']');
            }
        }
    }

    /// How many bytes [`write`](Self::write) appends, where the name needs no escapes: text that fits is text that need
    /// not be moved.
    #[must_use]
    pub fn size(&self) -> usize {
        let data = match &self.body {
            Body::Disconnect => 0,
            Body::Connect(data) => data.as_ref().map_or(0, |data| data.len()),
            Body::ConnectError(data) => data.len(),
            Body::Event { name, args } => {
                let args = if args.is_empty() { 0 } else { 1 + args.list().len() };
                name.len() + 4 + args
            }
            Body::Ack(args) => args.list().len() + 2,
        };
        let attachments = match self.attachments().len() {
            0 => 0,
            count => count.to_string().len() + 1,
        };
        let namespace = match self.namespace {
            MAIN => 0,
            namespace => namespace.len() + 1,
        };
        1 + attachments + namespace + self.id.map_or(0, str::len) + data
    }
}

fn decode_auth(data: &str) -> Result<Option<Cow<'_, str>>, Malformed> {
    if data.is_empty() {
        return Ok(None);
    }
    json::validate(data)?;
    let data = data.trim_ascii();
    data.starts_with('{')
        .then_some(Some(data.into()))
        .ok_or(Malformed::BadPayload)
}

fn decode_error(data: &str, revision: Revision) -> Result<Body<'_>, Malformed> {
    if data.is_empty() {
        return match revision {
            Revision::Four => Ok(Body::ConnectError("".into())),
            Revision::Five => Err(Malformed::NoPayload),
        };
    }
    json::validate(data)?;
    let data = data.trim_ascii();
    let known = revision == Revision::Four || data.starts_with(['{', '"']);
    known
        .then_some(Body::ConnectError(data.into()))
        .ok_or(Malformed::BadPayload)
}

fn decode_event(data: &str, revision: Revision, check: bool) -> Result<Body<'_>, Malformed> {
    if data.is_empty() {
        return Err(Malformed::NoPayload);
    }
    if check {
        json::validate(data)?;
    }
    let list = json::array(data).ok_or(Malformed::BadPayload)?;
    let (name, args) = json::split_first(list);
    let name = match name.as_bytes().first() {
        Some(b'"') => decode_string(name)?,
        Some(b'-' | b'0'..=b'9') => name.into(),
        _ => return Err(Malformed::BadPayload),
    };
    if revision == Revision::Five && RESERVED.contains(&&*name) {
        return Err(Malformed::ReservedName);
    }
    Ok(Body::Event {
        name,
        args: args.map_or(Args::NONE, Args::from_list),
    })
}

/// A name that is half a surrogate pair is valid JSON, and no name.
fn decode_string(literal: &str) -> Result<Cow<'_, str>, Malformed> {
    let plain = literal.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match plain {
        Some(text) if !text.contains('\\') => Ok(text.into()),
        _ => serde_json::from_str(literal)
            .map(Cow::Owned)
            .map_err(|_| Malformed::BadPayload),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn event<'a>(name: &'a str, list: &'a str) -> Body<'a> {
        Body::Event {
            name: name.into(),
            args: Args::from_list(list),
        }
    }

    // The packet vectors of `fixtures/` say what every packet means; here is what they cannot see.

    #[rstest]
    #[case(
        "2/a,9007199254740993[\"x\", 1.0,1e2,\"\\ud800\"]",
        "/a",
        Some("9007199254740993"),
        event("x", " 1.0,1e2,\"\\ud800\"")
    )]
    #[case("3007[ 1.50 ]", "/", Some("007"), Body::Ack(Args::from_list(" 1.50 ")))]
    fn json_stays_as_it_was_written(
        #[case] text: &str,
        #[case] namespace: &str,
        #[case] id: Option<&str>,
        #[case] body: Body<'_>,
    ) {
        let packet = Packet { namespace, id, body };
        assert_eq!(Packet::decode(text, Revision::Five).as_ref(), Ok(&(packet.clone(), 0)));
        let mut written = String::new();
        packet.write(&mut written);
        assert_eq!((&*written, packet.size()), (text, text.len()));
    }

    #[rstest]
    #[case("2[\"connect\"]", Malformed::ReservedName)]
    #[case("2[\"dis\\u0063onnect\",1]", Malformed::ReservedName)]
    #[case("2[\"\\ud800\"]", Malformed::BadPayload)]
    #[case("5+1-[\"a\"]", Malformed::BadAttachments)]
    #[case("599999999999999999999999-[\"a\"]", Malformed::BadAttachments)]
    fn names_and_counts_have_bounds(#[case] text: &str, #[case] error: Malformed) {
        assert_eq!(Packet::decode(text, Revision::Five), Err(error));
        if error == Malformed::ReservedName {
            assert!(Packet::decode(text, Revision::Four).is_ok());
        }
    }
}
