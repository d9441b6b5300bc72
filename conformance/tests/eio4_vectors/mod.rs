//! The layers of Engine.IO 4 and Socket.IO 5: between the harness's packets and those of the vectors.

use std::time::Duration;

use conformance::client::framing::eio4::{self, Message, Open};
use conformance::client::framing::socketio::{self, Packet};
use conformance::client::framing::{Fault, FramingError, webtransport};
use conformance::scenario::json;
use serde_json::{Map, Value, json};

use super::{Encoded, drain, ended, hex, text};

/// What the longest packet of a stream may have; no vector comes near it.
const LIMIT: usize = 1_000_000;

pub(super) fn decode(layer: &str, bytes: &[u8], attachments: &[Vec<u8>]) -> Result<Value, FramingError> {
    match layer {
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
        "eio4/packet" => eio4::packet(encoded).map(|(kind, data)| match data {
            "" => json!({ "type": kind.name() }),
            _ => json!({ "type": kind.name(), "data": data }),
        }),
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
        "sio5/packet" => {
            let packet = Packet::parse(encoded)?;
            Ok(fields(&packet, packet.kind.name(), packet.data.as_ref()))
        }
        "sio5/binary" => {
            let packet = Packet::parse(encoded)?;
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
        "eio4/packet" => {
            let kind = eio4::Kind::from_name(field("type")).unwrap();
            format!("{}{}", char::from(kind.digit()), field("data")).into_bytes()
        }
        "eio4/handshake" => {
            let number = |name: &str| decoded[name].as_u64().unwrap();
            let upgrades = decoded["upgrades"].as_array().unwrap().iter();
            let open = Open {
                sid: field("sid").to_owned(),
                upgrades: upgrades.map(|upgrade| text(upgrade).to_owned()).collect(),
                ping_interval: Duration::from_millis(number("pingInterval")),
                ping_timeout: Duration::from_millis(number("pingTimeout")),
                max_payload: Some(number("maxPayload")),
            };
            open.to_string().into_bytes()
        }
        "eio4/payload" => eio4::join(&messages(decoded)).into_bytes(),
        "eio4/webtransport" => messages(decoded).iter().flat_map(webtransport::frame).collect(),
        _ => return encode_packet(decoded),
    };
    bytes.into()
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
    put("id", packet.id.as_deref().map(json));
    put("data", data.map(|data| json(&data.to_string())));
    fields.into()
}

fn encode_packet(decoded: &Value) -> Encoded {
    let mut attachments = Vec::new();
    let data = decoded.get("data").map(|data| emptied(data, &mut attachments));
    // The packet layer has placeholders and a number in the place of binary data.
    let announced = decoded.get("attachments").and_then(Value::as_u64);
    let kind = match text(&decoded["type"]) {
        kind if attachments.is_empty() => kind.to_owned(),
        kind => format!("binary-{kind}"),
    };
    let packet = Packet {
        kind: socketio::Kind::from_name(&kind).unwrap(),
        attachments: announced.map_or(attachments.len(), |count| count.try_into().unwrap()),
        namespace: decoded.get("namespace").map_or(socketio::MAIN, text).to_owned(),
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
