//! Runs the packet vectors (`fixtures/packets`) through the harness's own framing, in both directions.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a vector that does not hold ends the test"
)]

mod engine_vectors;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use conformance::client::framing::body::{self, Body};
use conformance::client::framing::hixie::{self, Deframer, Frame, Keys};
use conformance::client::framing::htmlfile::{self, HtmlItem};
use conformance::client::framing::jsonp::{self, Callee};
use conformance::client::framing::packet::{Kind, Packet};
use conformance::client::framing::{Fault, FramingError, handshake, multipart, payload};
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[rstest]
#[case("rev1/packet")]
#[case("rev1/payload")]
#[case("rev1/jsonp-poll")]
#[case("rev1/jsonp-post")]
#[case("rev1/jsonp-handshake")]
#[case("rev1/handshake")]
#[case("rev1/htmlfile")]
#[case("rev1/multipart")]
#[case("rev1/hixie-76")]
#[case("rev1/hixie-76-digest")]
#[case("eio3/packet")]
#[case("eio3/handshake")]
#[case("eio3/payload")]
#[case("eio3/payload-binary")]
#[case("eio3/jsonp-poll")]
#[case("eio3/jsonp-post")]
#[case("sio4/packet")]
#[case("sio4/binary")]
#[case("eio4/packet")]
#[case("eio4/handshake")]
#[case("eio4/payload")]
#[case("eio4/webtransport")]
#[case("sio5/packet")]
#[case("sio5/binary")]
fn vectors(#[case] layer: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/packets/{layer}.json"));
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((file.version, file.layer), (1, layer.to_owned()));
    let mut snapshot = Vec::new();
    for vector in &file.vectors {
        let name = &vector.name;
        if vector.direction != Direction::Encode {
            let decoded = decode(layer, &file.boundary, vector);
            match (&decoded, &vector.error) {
                (Ok(value), None) => assert_eq!(Some(value), vector.decoded.as_ref(), "{name}"),
                (Err(error), Some(category)) => assert_eq!(error.fault.category(), category, "{name}: {error}"),
                (result, _) => panic!("{name}: {result:?}"),
            }
            let shown = decoded.map_or_else(|error| format!("error: {error}"), |value| value.to_string());
            snapshot.push(format!("{name}\n    {shown}"));
        }
        if vector.direction != Direction::Decode
            && let Some(decoded) = &vector.decoded
        {
            match (encode(layer, &file.boundary, decoded), &vector.error) {
                (Ok(encoded), None) => assert_eq!(encoded, vector.encoded(), "{name}: {encoded:?}"),
                (Err(error), Some(category)) => assert_eq!(error.fault.category(), category, "{name}: {error}"),
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }
    if !snapshot.is_empty() {
        insta::assert_snapshot!(layer.replace('/', "-"), snapshot.join("\n"));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    layer: String,
    #[serde(default)]
    boundary: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Vector {
    name: String,
    encoded: Option<String>,
    encoded_hex: Option<String>,
    #[serde(default)]
    attachments_hex: Vec<String>,
    decoded: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    direction: Direction,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Direction {
    #[default]
    Both,
    Decode,
    Encode,
}

impl Vector {
    fn encoded(&self) -> Encoded {
        Encoded {
            bytes: self.bytes(),
            attachments: self.attachments(),
        }
    }

    fn attachments(&self) -> Vec<Vec<u8>> {
        self.attachments_hex.iter().map(|text| hex(text)).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        match (&self.encoded, &self.encoded_hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(text)) => hex(text),
            _ => panic!("{}: one of encoded and encodedHex", self.name),
        }
    }
}

/// What stands on the wire: bytes, and the binary messages behind them.
#[derive(PartialEq)]
struct Encoded {
    bytes: Vec<u8>,
    attachments: Vec<Vec<u8>>,
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.bytes.escape_ascii(), self.attachments)
    }
}

impl From<Vec<u8>> for Encoded {
    fn from(bytes: Vec<u8>) -> Self {
        Encoded {
            bytes,
            attachments: Vec::new(),
        }
    }
}

fn decode(layer: &str, boundary: &str, vector: &Vector) -> Result<Value, FramingError> {
    let bytes = &*vector.bytes();
    if !layer.starts_with("rev1/") {
        let binary = vector.encoded_hex.is_some();
        return engine_vectors::decode(layer, binary, bytes, &vector.attachments());
    }
    let text = String::from_utf8_lossy(bytes);
    match layer {
        "rev1/packet" => from_packet(&text),
        "rev1/payload" => payload::split(&text).map(Value::from),
        "rev1/jsonp-poll" => {
            jsonp::unwrap_poll(Callee::Rev1, &text).map(|(index, payload)| json!({"index": index, "payload": payload}))
        }
        "rev1/jsonp-post" => jsonp::parse_post(Callee::Rev1, &text).map(Value::from),
        "rev1/jsonp-handshake" => Ok(match jsonp::unwrap_handshake(&text)? {
            jsonp::Handshake::Accepted { index, body } => json!({"index": index, "body": body}),
            jsonp::Handshake::Refused { index, message } => json!({"index": index, "error": message}),
        }),
        "rev1/handshake" => {
            let seconds = |timeout: Option<Duration>| timeout.map(|timeout| timeout.as_secs());
            let handshake = handshake::parse(&text)?;
            Ok(json!({
                "sid": handshake.sid,
                "heartbeatTimeout": seconds(handshake.heartbeat_timeout),
                "closeTimeout": seconds(handshake.close_timeout),
                "transports": handshake.transports,
            }))
        }
        "rev1/htmlfile" => {
            let mut stream = htmlfile::Stream::new();
            stream.push(format!("{:256}", "<script>var _ = function (packet) {};</script>").as_bytes());
            assert!(matches!(stream.next()?, Some(HtmlItem::Prelude(_))));
            stream.push(bytes);
            let packets = drain(|| stream.next())?.into_iter().map(|item| match item {
                HtmlItem::Packet(packet) => packet,
                HtmlItem::Prelude(prelude) => panic!("a second prelude: {prelude}"),
            });
            let packets: Value = packets.collect();
            ended(stream.is_empty(), bytes, packets)
        }
        "rev1/multipart" => {
            let mut stream = multipart::Stream::new(&format!("multipart/x-mixed-replace;boundary=\"{boundary}\""))?;
            stream.push(bytes);
            let packets: Value = drain(|| stream.next())?.into_iter().collect();
            ended(stream.is_empty(), bytes, packets)
        }
        "rev1/hixie-76" => {
            let mut stream = Deframer::new();
            stream.push(bytes);
            let frames = drain(|| stream.next())?.into_iter().map(|frame| match frame {
                Frame::Text(text) => json!({"text": text}),
                Frame::Close => json!({"close": true}),
            });
            let frames: Value = frames.collect();
            ended(stream.is_empty(), bytes, frames)
        }
        other => panic!("unknown layer {other}"),
    }
}

fn encode(layer: &str, boundary: &str, decoded: &Value) -> Result<Encoded, FramingError> {
    if !layer.starts_with("rev1/") {
        return Ok(engine_vectors::encode(layer, decoded));
    }
    let texts = || decoded.as_array().unwrap().iter().map(text);
    let index = || decoded["index"].as_u64().unwrap();
    let bytes = match layer {
        "rev1/packet" => to_packet(decoded).to_string().into_bytes(),
        "rev1/payload" => payload::join(&texts().collect::<Vec<_>>()).into_bytes(),
        "rev1/jsonp-poll" => jsonp::wrap_poll(Callee::Rev1, index(), text(&decoded["payload"])).into_bytes(),
        "rev1/jsonp-post" => jsonp::post_body(Callee::Rev1, text(decoded)).into_bytes(),
        "rev1/jsonp-handshake" => match decoded.get("body") {
            Some(body) => jsonp::wrap_poll(Callee::Rev1, index(), text(body)).into_bytes(),
            None => format!("io.j[{}](new Error({}));", index(), decoded["error"]).into_bytes(),
        },
        "rev1/handshake" => {
            let seconds = |field: &str| decoded[field].as_u64().map_or(String::new(), |n| n.to_string());
            let transports: Vec<_> = decoded["transports"].as_array().unwrap().iter().map(text).collect();
            let (heartbeat, close) = (seconds("heartbeatTimeout"), seconds("closeTimeout"));
            format!("{}:{heartbeat}:{close}:{}", text(&decoded["sid"]), transports.join(",")).into_bytes()
        }
        "rev1/htmlfile" => texts().map(htmlfile::element).collect::<String>().into_bytes(),
        "rev1/multipart" => {
            let parts: String = texts().map(|packet| multipart::part(boundary, packet)).collect();
            format!("--{boundary}\n{parts}").into_bytes()
        }
        "rev1/hixie-76" => {
            let frames = decoded.as_array().unwrap().iter();
            let frames = frames.map(|frame| match frame.get("text") {
                Some(packet) => hixie::frame(text(packet)),
                None => hixie::CLOSING.to_vec(),
            });
            frames.flatten().collect()
        }
        "rev1/hixie-76-digest" => {
            let key3 = hex(text(&decoded["key3Hex"])).try_into().unwrap();
            let (key1, key2) = (text(&decoded["key1"]).to_owned(), text(&decoded["key2"]).to_owned());
            Keys { key1, key2, key3 }.digest()?.to_vec()
        }
        other => panic!("unknown layer {other}"),
    };
    Ok(bytes.into())
}

fn from_packet(encoded: &str) -> Result<Value, FramingError> {
    let packet = Packet::parse(encoded)?;
    let mut fields = Map::new();
    // Left out where empty.
    let word = |text: &str| Some(Value::from(text)).filter(|_| !text.is_empty());
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("type", word(packet.kind.name()));
    put("id", packet.id.as_deref().and_then(word));
    put("ack", packet.data_ack.then(|| Value::from("data")));
    put("endpoint", word(body::endpoint(&packet)));
    match Body::of(&packet)? {
        Body::Nothing => {}
        Body::Query(query) => put("query", word(&query)),
        Body::Text(text) => put("data", Some(text.into())),
        Body::Json(value) => put("data", Some(value)),
        Body::Event { name, args } => {
            put("name", Some(name.into()));
            put("args", Some(args.into()));
        }
        Body::Ack { id, args } => {
            put("ackId", Some(id.into()));
            put("args", Some(args.into()));
        }
        Body::Error { reason, advice } => {
            put("reason", word(&reason));
            put("advice", word(&advice));
        }
    }
    Ok(Value::Object(fields))
}

fn to_packet(decoded: &Value) -> Packet {
    let field = |name: &str| decoded.get(name).map_or(String::new(), |value| text(value).to_owned());
    let args = || decoded["args"].as_array().unwrap().clone();
    let kind = Kind::from_name(text(&decoded["type"])).unwrap();
    let body = match kind {
        Kind::Disconnect | Kind::Heartbeat | Kind::Noop => Body::Nothing,
        Kind::Connect => Body::Query(field("query")),
        Kind::Message => Body::Text(field("data")),
        Kind::Json => Body::Json(decoded["data"].clone()),
        Kind::Event => Body::Event {
            name: field("name"),
            args: args(),
        },
        Kind::Ack => Body::Ack {
            id: field("ackId"),
            args: args(),
        },
        Kind::Error => Body::Error {
            reason: field("reason"),
            advice: field("advice"),
        },
    };
    let id = Some(field("id")).filter(|id| !id.is_empty());
    Packet {
        kind,
        id,
        data_ack: field("ack") == "data",
        endpoint: field("endpoint"),
        data: body.to_data(),
    }
}

fn drain<T>(mut next: impl FnMut() -> Result<Option<T>, FramingError>) -> Result<Vec<T>, FramingError> {
    std::iter::from_fn(|| next().transpose()).collect()
}

/// A stream that stops inside an item is cut off.
fn ended(empty: bool, bytes: &[u8], value: Value) -> Result<Value, FramingError> {
    if empty {
        Ok(value)
    } else {
        Err(FramingError {
            offset: bytes.len(),
            fault: Fault::Truncated,
        })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
