//! The layers of Engine.IO 4 and Socket.IO 5: between the server's packets and those of the vectors.

use bytes::{Bytes, BytesMut};
use reference_server::codec::binary::Reassembly;
use reference_server::codec::eio4::{self, Packet};
use reference_server::codec::socketio::{self, Body};
use reference_server::codec::{Args, Malformed, Message, webtransport};
use serde_json::{Map, Value, json};

use super::{Encoded, Vector, hex, word};

pub(super) fn decode(layer: &str, text: &str, vector: &Vector) -> Result<Value, Malformed> {
    match layer {
        "eio4/packet" => Packet::decode(&Message::Text(text.into())).map(|packet| described(&packet)),
        "eio4/payload" => eio4::split_payload(text)
            .map(|part| {
                Packet::decode_part(part).map(|packet| match packet {
                    Packet::Binary(bytes) => json!({ "hex": hexadecimal(&bytes) }),
                    _ => part.into(),
                })
            })
            .collect(),
        "sio5/packet" => {
            let (packet, attachments) = socketio::Packet::decode(text)?;
            let mut fields = fields(&packet);
            if attachments > 0 {
                fields["type"] = format!("binary-{}", word(&fields["type"])).into();
                fields["attachments"] = attachments.into();
            }
            Ok(fields)
        }
        "sio5/binary" => exchange(text, vector),
        other => panic!("no reader of {other}"),
    }
}

pub(super) fn decode_stream(bytes: &[u8]) -> Result<Value, Malformed> {
    let (frames, mut bytes) = (webtransport::Frames::new(1_000_000), BytesMut::from(bytes));
    let mut all = Vec::new();
    while let Some(message) = frames.next_message(&mut bytes)? {
        Packet::decode(&message)?;
        all.push(match message {
            Message::Text(text) => text.as_str().into(),
            Message::Binary(bytes) => json!({ "hex": hexadecimal(&bytes) }),
        });
    }
    if bytes.is_empty() {
        Ok(all.into())
    } else {
        Err(Malformed::Truncated)
    }
}

pub(super) fn encode(layer: &str, decoded: &Value) -> Encoded {
    let text = match layer {
        "eio4/packet" => {
            let data = decoded.get("data").map_or("", word);
            let packet = match word(&decoded["type"]) {
                "open" => Packet::Open(data),
                "close" => Packet::Close(data),
                "ping" => Packet::Ping(data),
                "pong" => Packet::Pong(data),
                "message" => Packet::Message(data),
                "upgrade" => Packet::Upgrade(data),
                _ => Packet::Noop(data),
            };
            packet.encode().text().unwrap().to_string()
        }
        "eio4/payload" => eio4::encode_payload(&messages(decoded)).to_string(),
        "eio4/webtransport" => {
            let mut out = BytesMut::new();
            for message in messages(decoded) {
                webtransport::encode(&message, &mut out);
            }
            return out.to_vec().into();
        }
        "eio4/handshake" => {
            let upgrades: Vec<&str> = decoded["upgrades"].as_array().unwrap().iter().map(word).collect();
            let number = |name: &str| decoded[name].as_u64().unwrap();
            let handshake = eio4::Handshake {
                sid: word(&decoded["sid"]),
                upgrades: &upgrades,
                ping_interval: number("pingInterval"),
                ping_timeout: number("pingTimeout"),
                max_payload: usize::try_from(number("maxPayload")).unwrap(),
            };
            Packet::Open(&handshake.encode()).encode().text().unwrap().to_string()
        }
        _ => return encode_packet(decoded),
    };
    text.into_bytes().into()
}

fn messages(decoded: &Value) -> Vec<Message> {
    let packets = decoded.as_array().unwrap().iter();
    packets
        .map(|packet| match packet.get("hex") {
            Some(bytes) => Message::Binary(hex(word(bytes)).into()),
            None => Message::Text(word(packet).into()),
        })
        .collect()
}

fn described(packet: &Packet<'_>) -> Value {
    let (kind, data) = match packet {
        Packet::Open(data) => ("open", *data),
        Packet::Close(data) => ("close", *data),
        Packet::Ping(data) => ("ping", *data),
        Packet::Pong(data) => ("pong", *data),
        Packet::Message(data) => ("message", *data),
        Packet::Upgrade(data) => ("upgrade", *data),
        Packet::Noop(data) => ("noop", *data),
        Packet::Binary(_) => panic!("not binary"),
    };
    match data {
        "" => json!({ "type": kind }),
        _ => json!({ "type": kind, "data": data }),
    }
}

/// The text and all its attachments, put together.
fn exchange(text: &str, vector: &Vector) -> Result<Value, Malformed> {
    let (packet, wanted) = socketio::Packet::decode(text)?;
    let mut reassembly = Reassembly::default();
    let mut whole = if wanted == 0 { Some(packet) } else { None };
    if wanted > 0 {
        reassembly.begin(text, wanted);
    }
    let mut complete = None;
    for attachment in vector.attachments() {
        complete = reassembly.attach(Bytes::from(attachment))?.or(complete);
    }
    if let Some((text, attachments)) = &complete {
        whole = Some(socketio::Packet::decode(text)?.0.attach(attachments.clone())?);
    }
    whole.map(|packet| fields(&packet)).ok_or(Malformed::AttachmentDue)
}

fn fields(packet: &socketio::Packet<'_>) -> Value {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (kind, data) = match &packet.body {
        Body::Connect(data) => ("connect", data.as_deref().map(json)),
        Body::Disconnect => ("disconnect", None),
        Body::ConnectError(data) => ("connect-error", Some(json(data))),
        Body::Event { name, args } => {
            let mut all = vec![name.parse::<u64>().map_or(json!(name), Value::from)];
            all.extend(args.values().map(json));
            ("event", Some(filled(Value::from(all), args.attachments())))
        }
        Body::Ack(args) => {
            let all: Vec<Value> = args.values().map(json).collect();
            ("ack", Some(filled(Value::from(all), args.attachments())))
        }
    };
    let mut fields = Map::new();
    fields.insert("type".to_owned(), kind.into());
    if packet.namespace != socketio::MAIN {
        fields.insert("namespace".to_owned(), packet.namespace.into());
    }
    if let Some(id) = packet.id {
        fields.insert("id".to_owned(), json(id));
    }
    if let Some(data) = data {
        fields.insert("data".to_owned(), data);
    }
    fields.into()
}

/// Puts the binary data in the place of the placeholders.
fn filled(value: Value, attachments: &[Bytes]) -> Value {
    match value {
        Value::Object(object) if !attachments.is_empty() && object.get("_placeholder") == Some(&Value::Bool(true)) => {
            let number = object["num"].as_u64().unwrap();
            json!({ "$binary": hexadecimal(&attachments[usize::try_from(number).unwrap()]) })
        }
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| (key, filled(value, attachments)))
            .collect(),
        Value::Array(values) => values.into_iter().map(|value| filled(value, attachments)).collect(),
        other => other,
    }
}

fn encode_packet(decoded: &Value) -> Encoded {
    let id = decoded.get("id").map(Value::to_string);
    let mut attachments = Vec::new();
    let data = decoded
        .get("data")
        .map(|data| emptied(data.clone(), &mut attachments).to_string());
    // The packet layer has placeholders and a number in the place of binary data.
    let announced = decoded.get("attachments").and_then(Value::as_u64).unwrap_or_default();
    attachments.extend((0..announced).map(|_| Vec::new()));
    let all = || {
        let args = Args::from_json(data.as_deref().unwrap()).unwrap();
        args.attach(attachments.iter().cloned().map(Bytes::from).collect())
            .unwrap()
    };
    let event = if decoded["data"].is_array() { all() } else { Args::NONE };
    let body = match word(&decoded["type"]) {
        "connect" => Body::Connect(data.clone().map(Into::into)),
        "disconnect" => Body::Disconnect,
        "connect-error" => Body::ConnectError(data.clone().unwrap().into()),
        "ack" | "binary-ack" => Body::Ack(all()),
        _ => Body::Event {
            name: word(&decoded["data"][0]).into(),
            args: event.skip(1),
        },
    };
    let packet = socketio::Packet {
        namespace: decoded.get("namespace").map_or(socketio::MAIN, word),
        id: id.as_deref(),
        body,
    };
    let mut text = String::new();
    packet.write(&mut text);
    Encoded {
        bytes: text.into_bytes(),
        attachments: if announced > 0 { Vec::new() } else { attachments },
    }
}

/// Puts placeholders in the place of the binary data.
fn emptied(value: Value, attachments: &mut Vec<Vec<u8>>) -> Value {
    match value {
        Value::Object(object) => match object.get("$binary") {
            Some(bytes) => {
                attachments.push(hex(word(bytes)));
                json!({ "_placeholder": true, "num": attachments.len() - 1 })
            }
            None => object
                .into_iter()
                .map(|(key, value)| (key, emptied(value, attachments)))
                .collect(),
        },
        Value::Array(values) => values.into_iter().map(|value| emptied(value, attachments)).collect(),
        other => other,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
