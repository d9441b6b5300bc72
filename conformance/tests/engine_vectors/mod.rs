//! The layers of Engine.IO 3 and 4, and of Socket.IO 4 and 5: between the harness's packets and those of the vectors.

use std::time::Duration;

use conformance::client::framing::engine::{self, Message, Open};
use conformance::client::framing::jsonp::{self, Callee};
use conformance::client::framing::socketio::{self, Packet, Revision};
use conformance::client::framing::{Fault, FramingError, eio3, eio4, octets, webtransport};
use conformance::scenario::json;
use serde_json::{Map, Value, json};

use super::{Encoded, drain, ended, hex, text};

/// What the longest packet of a stream may have; no vector comes near it.
const LIMIT: usize = 1_000_000;

/// `binary` is whether the vector is of bytes.
pub(super) fn decode(layer: &str, binary: bool, bytes: &[u8], attachments: &[Vec<u8>]) -> Result<Value, FramingError> {
    match layer {
        "eio3/packet" if binary => typed(&Message::Binary(bytes.to_vec())),
        "eio3/packet" => typed(&eio3::text(&utf8(bytes)?)?),
        "eio3/payload" => Ok(eio3::split_text(&utf8(bytes)?)?.iter().map(described).collect()),
        "eio3/payload-binary" => Ok(octets::split(bytes)?.iter().map(described).collect()),
        "eio4/payload" => Ok(eio4::split(bytes)?.iter().map(described).collect()),
        "eio4/webtransport" => {
            let mut stream = webtransport::Deframer::new(LIMIT);
            stream.push(bytes);
            let packets = drain(|| stream.next())?.iter().map(described).collect();
            ended(stream.is_empty(), bytes, packets)
        }
        _ => decode_text(layer, &utf8(bytes)?, attachments),
    }
}

fn decode_text(layer: &str, encoded: &str, attachments: &[Vec<u8>]) -> Result<Value, FramingError> {
    match layer {
        "eio3/jsonp-poll" => {
            let (index, payload) = jsonp::unwrap_poll(Callee::Eio3, encoded)?;
            Ok(json!({ "index": index, "payload": payload }))
        }
        "eio3/jsonp-post" => jsonp::parse_post(Callee::Eio3, encoded).map(Value::from),
        "eio3/handshake" => {
            let open = Open::parse(encoded)?;
            Ok(json!({
                "sid": open.sid,
                "upgrades": open.upgrades,
                "pingInterval": milliseconds(open.ping_interval),
                "pingTimeout": milliseconds(open.ping_timeout),
            }))
        }
        "eio4/packet" => typed(&Message::Text(encoded.to_owned())),
        "eio4/handshake" => {
            let open = Open::parse(encoded)?.complete()?;
            Ok(json!({
                "sid": open.sid,
                "upgrades": open.upgrades,
                "pingInterval": milliseconds(open.ping_interval),
                "pingTimeout": milliseconds(open.ping_timeout),
                "maxPayload": open.max_payload,
            }))
        }
        "sio4/packet" | "sio5/packet" => {
            let packet = Packet::parse(revision(layer), encoded)?;
            Ok(fields(&packet, name(layer, packet.kind), packet.data.as_ref()))
        }
        "sio4/binary" | "sio5/binary" => {
            let packet = Packet::parse(revision(layer), encoded)?;
            let binary = |bytes: &[u8]| {
                let hex = json::Value::string(&hexadecimal(bytes));
                json::Value::Object(vec![("$binary".into(), hex)])
            };
            let data = packet.assemble(attachments, &binary)?;
            let mut whole = fields(&packet, packet.kind.name().trim_start_matches("binary-"), data.as_ref());
            whole.as_object_mut().unwrap().remove("attachments");
            Ok(whole)
        }
        other => panic!("unknown layer {other}"),
    }
}

pub(super) fn encode(layer: &str, decoded: &Value) -> Encoded {
    let field = |name: &str| decoded.get(name).map_or("", text);
    let bytes = match layer {
        "eio3/packet" | "eio4/packet" => {
            let kind = engine::Kind::from_name(field("type")).unwrap();
            match decoded.get("hex") {
                Some(data) => [&[kind as u8], hex(text(data)).as_slice()].concat(),
                None => format!("{}{}", kind.digit(), field("data")).into_bytes(),
            }
        }
        "eio3/payload" => eio3::join_text(&messages(decoded)).into_bytes(),
        "eio3/payload-binary" => octets::join(&messages(decoded)),
        "eio3/jsonp-poll" => {
            let index = decoded["index"].as_u64().unwrap();
            jsonp::wrap_poll(Callee::Eio3, index, field("payload")).into_bytes()
        }
        "eio3/jsonp-post" => jsonp::post_body(Callee::Eio3, text(decoded)).into_bytes(),
        "eio3/handshake" | "eio4/handshake" => {
            let number = |name: &str| decoded[name].as_u64().unwrap();
            let upgrades = decoded["upgrades"].as_array().unwrap().iter();
            let open = Open {
                sid: field("sid").to_owned(),
                upgrades: upgrades.map(|upgrade| text(upgrade).to_owned()).collect(),
                ping_interval: Duration::from_millis(number("pingInterval")),
                ping_timeout: Duration::from_millis(number("pingTimeout")),
                max_payload: decoded.get("maxPayload").map(|bytes| bytes.as_u64().unwrap()),
            };
            open.to_string().into_bytes()
        }
        "eio4/payload" => eio4::join(&messages(decoded)).into_bytes(),
        "eio4/webtransport" => messages(decoded).iter().flat_map(webtransport::frame).collect(),
        _ => return encode_packet(layer, decoded),
    };
    bytes.into()
}

/// A message of a websocket by its type.
fn typed(message: &Message) -> Result<Value, FramingError> {
    match message {
        Message::Text(text) => engine::packet(text).map(|(kind, data)| match data {
            "" => json!({ "type": kind.name() }),
            _ => json!({ "type": kind.name(), "data": data }),
        }),
        Message::Binary(bytes) => {
            eio3::binary(bytes).map(|(kind, data)| json!({ "type": kind.name(), "hex": hexadecimal(data) }))
        }
    }
}

fn described(message: &Message) -> Value {
    match message {
        Message::Text(text) => json!(text),
        Message::Binary(bytes) => json!({ "hex": hexadecimal(bytes) }),
    }
}

fn messages(decoded: &Value) -> Vec<Message> {
    let packets = decoded.as_array().unwrap().iter();
    packets
        .map(|packet| match packet.get("hex") {
            Some(bytes) => Message::Binary(hex(text(bytes))),
            None => Message::Text(text(packet).to_owned()),
        })
        .collect()
}

fn fields(packet: &Packet, kind: &str, data: Option<&json::Value>) -> Value {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("type", Some(kind.into()));
    put(
        "attachments",
        packet.kind.is_binary().then(|| packet.attachments.into()),
    );
    let namespace = Some(&packet.namespace).filter(|namespace| *namespace != socketio::MAIN);
    put("namespace", namespace.map(|namespace| json!(namespace)));
    put("query", packet.query.as_deref().map(Value::from));
    put("id", packet.id.as_deref().map(json));
    put("data", data.map(|data| json(&data.to_string())));
    fields.into()
}

fn revision(layer: &str) -> Revision {
    match layer {
        "sio4/packet" | "sio4/binary" => Revision::Four,
        _ => Revision::Five,
    }
}

/// In revision 4 the type 4 is any error.
fn name(layer: &str, kind: socketio::Kind) -> &'static str {
    match (revision(layer), kind) {
        (Revision::Four, socketio::Kind::ConnectError) => "error",
        _ => kind.name(),
    }
}

fn encode_packet(layer: &str, decoded: &Value) -> Encoded {
    let mut attachments = Vec::new();
    let data = decoded.get("data").map(|data| emptied(data, &mut attachments));
    // The packet layer has placeholders and a number in the place of binary data.
    let announced = decoded.get("attachments").and_then(Value::as_u64);
    let kind = match text(&decoded["type"]) {
        kind if attachments.is_empty() => kind.to_owned(),
        kind => format!("binary-{kind}"),
    };
    let kinds = (b'0'..=b'6').filter_map(socketio::Kind::from_digit);
    let kind = kinds.into_iter().find(|known| name(layer, *known) == kind);
    let packet = Packet {
        kind: kind.unwrap(),
        attachments: announced.map_or(attachments.len(), |count| count.try_into().unwrap()),
        namespace: decoded.get("namespace").map_or(socketio::MAIN, text).to_owned(),
        query: decoded.get("query").map(|query| text(query).to_owned()),
        id: decoded.get("id").map(Value::to_string),
        data: data.map(|data| json::parse(&data.to_string()).unwrap()),
    };
    Encoded {
        bytes: packet.to_string().into_bytes(),
        attachments,
    }
}

/// Puts placeholders in the place of the binary data.
fn emptied(value: &Value, attachments: &mut Vec<Vec<u8>>) -> Value {
    match value {
        Value::Object(members) => match members.get("$binary") {
            Some(bytes) => {
                attachments.push(hex(text(bytes)));
                json!({ "_placeholder": true, "num": attachments.len() - 1 })
            }
            None => {
                let members = members.iter();
                members
                    .map(|(key, value)| (key.clone(), emptied(value, attachments)))
                    .collect()
            }
        },
        Value::Array(items) => items.iter().map(|item| emptied(item, attachments)).collect(),
        other => other.clone(),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, FramingError> {
    String::from_utf8(bytes.to_vec()).map_err(|error| FramingError {
        offset: error.utf8_error().valid_up_to(),
        fault: Fault::Utf8,
    })
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
