//! Runs the packet vectors (`fixtures/packets`) through the server's codec, in the directions that a server has.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a vector that does not hold ends the test"
)]

mod engine_vectors;

use std::borrow::Cow;
use std::path::Path;

use bytes::BytesMut;
use reference_server::codec::hixie::{self, Challenge, Frame, Frames};
use reference_server::codec::rev1::{Body, Id, Packet};
use reference_server::codec::{Args, Malformed, Text, htmlfile, jsonp, multipart, payload};
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Value, json};

/// Which way a layer goes in a server.
#[derive(Clone, Copy, PartialEq)]
enum Ways {
    Both,
    Decode,
    Encode,
}

#[rstest]
#[case("rev1/packet", Ways::Both)]
#[case("rev1/payload", Ways::Both)]
#[case("rev1/jsonp-poll", Ways::Encode)]
#[case("rev1/jsonp-handshake", Ways::Encode)]
#[case("rev1/jsonp-post", Ways::Decode)]
#[case("rev1/htmlfile", Ways::Encode)]
#[case("rev1/multipart", Ways::Encode)]
#[case("rev1/hixie-76", Ways::Both)]
#[case("rev1/hixie-76-digest", Ways::Encode)]
#[case("eio3/packet", Ways::Both)]
#[case("eio3/payload", Ways::Both)]
#[case("eio3/payload-binary", Ways::Both)]
#[case("eio3/jsonp-poll", Ways::Encode)]
#[case("eio3/jsonp-post", Ways::Decode)]
#[case("eio3/handshake", Ways::Encode)]
#[case("sio4/packet", Ways::Both)]
#[case("sio4/binary", Ways::Both)]
#[case("eio4/packet", Ways::Both)]
#[case("eio4/payload", Ways::Both)]
#[case("eio4/handshake", Ways::Encode)]
#[case("eio4/webtransport", Ways::Both)]
#[case("sio5/packet", Ways::Both)]
#[case("sio5/binary", Ways::Both)]
fn vectors(#[case] layer: &str, #[case] ways: Ways) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/packets/{layer}.json"));
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((file.version, file.layer), (1, layer.to_owned()));
    let mut snapshot = Vec::new();
    for vector in &file.vectors {
        let name = &vector.name;
        if ways != Ways::Encode && vector.direction != Direction::Encode {
            let decoded = decode(layer, vector);
            match (&decoded, &vector.error) {
                (Ok(value), None) => assert_eq!(Some(value), vector.decoded.as_ref(), "{name}"),
                (Err(_), Some(_)) => {}
                (result, _) => panic!("{name}: {result:?}"),
            }
            let shown = decoded.map_or_else(|error| format!("error: {error}"), |value| value.to_string());
            snapshot.push(format!("{name}\n    {shown}"));
        }
        if ways != Ways::Decode
            && vector.direction != Direction::Decode
            && let Some(decoded) = &vector.decoded
            // The server names its events by strings.
            && !(decoded["type"] == "event" && decoded["data"][0].is_number())
        {
            match (encode(layer, decoded), &vector.error) {
                (Ok(encoded), None) => assert_eq!(encoded.shown(), vector.encoded().shown(), "{name}"),
                (Err(_), Some(_)) => {}
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }
    if !snapshot.is_empty() {
        insta::assert_snapshot!(layer.replace('/', "-"), snapshot.join("\n"));
    }
}

#[derive(Deserialize)]
struct File {
    version: u32,
    layer: String,
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
#[derive(Debug)]
struct Encoded {
    bytes: Vec<u8>,
    attachments: Vec<Vec<u8>>,
}

impl Encoded {
    fn shown(&self) -> (String, &[Vec<u8>]) {
        (self.bytes.escape_ascii().to_string(), &self.attachments)
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

fn decode(layer: &str, vector: &Vector) -> Result<Value, Malformed> {
    let bytes = &*vector.bytes();
    if !layer.starts_with("rev1/") {
        return engine_vectors::decode(layer, bytes, vector);
    }
    let text = String::from_utf8_lossy(bytes);
    match layer {
        "rev1/packet" => Packet::decode(&text).map(|packet| described(&packet)),
        "rev1/payload" => payload::decode(&text).map(|packet| packet.map(Value::from)).collect(),
        "rev1/jsonp-post" => jsonp::decode_form(&text).map(Value::from),
        "rev1/hixie-76" => {
            let (mut frames, mut bytes) = (Frames::new(1000), BytesMut::from(bytes));
            let mut all = Vec::new();
            while let Some(frame) = frames.next_frame(&mut bytes)? {
                all.push(match frame {
                    Frame::Text(text) => json!({ "text": text.as_str() }),
                    Frame::Close => json!({ "close": true }),
                });
            }
            if bytes.is_empty() {
                Ok(all.into())
            } else {
                Err(Malformed::Truncated)
            }
        }
        other => panic!("no reader of {other}"),
    }
}

fn encode(layer: &str, decoded: &Value) -> Result<Encoded, Malformed> {
    if !layer.starts_with("rev1/") {
        return Ok(engine_vectors::encode(layer, decoded));
    }
    let texts = || {
        decoded
            .as_array()
            .unwrap()
            .iter()
            .map(|packet| Text::from(word(packet)))
    };
    let index = || decoded["index"].to_string();
    let joined = |encode: fn(&str) -> Text| texts().map(|packet| encode(&packet).to_string()).collect::<String>();
    let text = match layer {
        "rev1/packet" => encode_packet(decoded),
        "rev1/payload" => payload::encode(&texts().collect::<Vec<_>>()).to_string(),
        "rev1/jsonp-poll" => jsonp::encode(&index(), word(&decoded["payload"])).to_string(),
        "rev1/jsonp-handshake" => match decoded.get("body") {
            Some(body) => jsonp::encode(&index(), word(body)).to_string(),
            None => jsonp::encode_error(&index(), word(&decoded["error"])).to_string(),
        },
        "rev1/htmlfile" => joined(htmlfile::encode),
        "rev1/multipart" => format!("{}{}", multipart::PREAMBLE, joined(multipart::encode)),
        "rev1/hixie-76" => {
            let mut out = BytesMut::new();
            for frame in decoded.as_array().unwrap() {
                match frame.get("text") {
                    Some(packet) => hixie::encode(word(packet), &mut out),
                    None => out.extend_from_slice(&hixie::CLOSE),
                }
            }
            return Ok(out.to_vec().into());
        }
        "rev1/hixie-76-digest" => {
            let key = |name: &str| word(&decoded[name]).as_bytes();
            let last = hex(word(&decoded["key3Hex"])).try_into().unwrap();
            return Ok(Challenge::new(key("key1"), key("key2"))?.answer(last).to_vec().into());
        }
        other => panic!("no writer of {other}"),
    };
    Ok(text.into_bytes().into())
}

fn described(packet: &Packet<'_>) -> Value {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let array = |args: &Args<'_>| json(&format!("[{}]", args.list()));
    let mut fields = match &packet.body {
        Body::Disconnect => json!({ "type": "disconnect" }),
        Body::Connect(query) => json!({ "type": "connect", "query": query }),
        Body::Heartbeat => json!({ "type": "heartbeat" }),
        Body::Message(text) => json!({ "type": "message", "data": text }),
        Body::Json(value) => json!({ "type": "json", "data": json(value) }),
        Body::Event { name, args } => json!({ "type": "event", "name": name, "args": array(args) }),
        Body::Ack(id, args) => {
            json!({ "type": "ack", "ackId": id, "args": args.as_ref().map_or(json!([]), array) })
        }
        Body::Error(reason, advice) => json!({ "type": "error", "reason": reason, "advice": advice }),
        Body::Noop => json!({ "type": "noop" }),
    };
    fields["endpoint"] = packet.endpoint.into();
    if let Some(id) = packet.id {
        fields["id"] = id.digits.into();
        fields["ack"] = if id.data { "data".into() } else { "".into() };
    }
    let left_out_where_empty = ["query", "reason", "advice", "endpoint", "ack"];
    fields
        .as_object_mut()
        .unwrap()
        .retain(|name, value| *value != "" || !left_out_where_empty.contains(&name.as_str()));
    fields
}

fn encode_packet(decoded: &Value) -> String {
    let field = |name: &str| decoded.get(name).map_or("", word);
    let json = decoded.get("data").map(Value::to_string).unwrap_or_default();
    let list = decoded.get("args").map_or("[]".to_owned(), Value::to_string);
    let args = || Args::from_json(&list).unwrap();
    let body = match word(&decoded["type"]) {
        "disconnect" => Body::Disconnect,
        "connect" => Body::Connect(field("query")),
        "heartbeat" => Body::Heartbeat,
        "message" => Body::Message(field("data")),
        "json" => Body::Json(&json),
        "event" => Body::Event {
            name: Cow::Borrowed(field("name")),
            args: args(),
        },
        "ack" => Body::Ack(field("ackId"), Some(args()).filter(|args| !args.is_empty())),
        "error" => Body::Error(field("reason"), field("advice")),
        "noop" => Body::Noop,
        other => panic!("no packet type {other}"),
    };
    let id = Some(Id {
        digits: field("id"),
        data: field("ack") == "data",
    })
    .filter(|id| !id.digits.is_empty());
    Packet {
        id,
        endpoint: field("endpoint"),
        body,
    }
    .encode()
    .to_string()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
