//! The layers of Engine.IO 3 and 4 and of Socket.IO 4 and 5: between the server's packets and those of the vectors.

use bytes::{Bytes, BytesMut};
use reference_server::codec::binary::Reassembly;
use reference_server::codec::eio4::{self, Packet};
use reference_server::codec::socketio::{self, Body, Revision};
use reference_server::codec::{Args, Malformed, Message, eio3, jsonp, webtransport};
use serde_json::{Map, Value, json};

use super::{Encoded, Vector, hex, word};

pub(super) fn decode(layer: &str, bytes: &[u8], vector: &Vector) -> Result<Value, Malformed> {
    match layer {
        "eio4/webtransport" => return decode_stream(bytes),
        "eio3/payload-binary" => return packets(eio3::packets_of_bytes(&Bytes::copy_from_slice(bytes))),
        "eio3/packet" if vector.encoded.is_none() => {
            return eio3::decode(&Message::Binary(Bytes::copy_from_slice(bytes))).map(|packet| described(&packet));
        }
        _ => {}
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?;
    match layer {
        "eio3/packet" => eio3::decode(&Message::Text(text.into())).map(|packet| described(&packet)),
        "eio3/payload" => packets(eio3::packets(text)),
        "eio3/jsonp-post" => jsonp::decode_engine_form(text).map(Value::from),
        "eio4/packet" => Packet::decode(&Message::Text(text.into())).map(|packet| described(&packet)),
        "eio4/payload" => eio4::split_payload(text)
            .map(|part| {
                Packet::decode_part(part).map(|packet| match packet {
                    Packet::Binary(bytes) => json!({ "hex": hexadecimal(&bytes) }),
                    _ => part.into(),
                })
            })
            .collect(),
        "sio4/packet" | "sio5/packet" => {
            let (packet, attachments) = socketio::Packet::decode(text, revision(layer))?;
            let mut fields = fields(layer, &packet);
            if attachments > 0 {
                fields["type"] = format!("binary-{}", word(&fields["type"])).into();
                fields["attachments"] = attachments.into();
            }
            Ok(fields)
        }
        "sio4/binary" | "sio5/binary" => exchange(layer, text, vector),
        other => panic!("no reader of {other}"),
    }
}

fn decode_stream(bytes: &[u8]) -> Result<Value, Malformed> {
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
        "eio3/payload" => eio3::encode_payload(&messages_behind_types(decoded)),
        "eio3/payload-binary" => return eio3::encode_payload_of_bytes(&messages_behind_types(decoded)).into(),
        "eio3/jsonp-poll" => jsonp::encode_engine(&decoded["index"].to_string(), word(&decoded["payload"])).to_string(),
        "eio3/packet" if decoded.get("hex").is_some() => {
            let message = Message::Binary(hex(word(&decoded["hex"])).into());
            match eio3::encode(&message, eio3::Form::Bytes) {
                Message::Binary(bytes) => return bytes.to_vec().into(),
                Message::Text(text) => panic!("not binary: {text}"),
            }
        }
        "eio3/packet" | "eio4/packet" => {
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
        "eio3/handshake" | "eio4/handshake" => {
            let upgrades: Vec<&str> = decoded["upgrades"].as_array().unwrap().iter().map(word).collect();
            let number = |name: &str| decoded[name].as_u64().unwrap();
            let handshake = eio4::Handshake {
                sid: word(&decoded["sid"]),
                upgrades: &upgrades,
                ping_interval: number("pingInterval"),
                ping_timeout: number("pingTimeout"),
                max_payload: (layer == "eio4/handshake").then(|| usize::try_from(number("maxPayload")).unwrap()),
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

/// Binary data of Engine.IO 3 stands behind its type, which for a server is that of a message.
fn messages_behind_types(decoded: &Value) -> Vec<Message> {
    let mut messages = messages(decoded);
    for message in &mut messages {
        if let Message::Binary(bytes) = message {
            assert_eq!(bytes.first(), Some(&4));
            *bytes = bytes.slice(1..);
        }
    }
    messages
}

fn packets<'a>(packets: impl Iterator<Item = Result<Packet<'a>, Malformed>>) -> Result<Value, Malformed> {
    packets
        .map(|packet| {
            packet.map(|packet| match packet.encode() {
                Message::Text(text) => text.as_str().into(),
                Message::Binary(bytes) => json!({ "hex": format!("04{}", hexadecimal(&bytes)) }),
            })
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
        Packet::Binary(bytes) => return json!({ "type": "message", "hex": hexadecimal(bytes) }),
    };
    match data {
        "" => json!({ "type": kind }),
        _ => json!({ "type": kind, "data": data }),
    }
}

/// The text and all its attachments, put together.
fn exchange(layer: &str, text: &str, vector: &Vector) -> Result<Value, Malformed> {
    let (packet, wanted) = socketio::Packet::decode(text, revision(layer))?;
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
        whole = Some(
            socketio::Packet::decode(text, revision(layer))?
                .0
                .attach(attachments.clone())?,
        );
    }
    whole
        .map(|packet| fields(layer, &packet))
        .ok_or(Malformed::AttachmentDue)
}

fn revision(layer: &str) -> Revision {
    if layer.starts_with("sio4/") {
        Revision::Four
    } else {
        Revision::Five
    }
}

fn fields(layer: &str, packet: &socketio::Packet<'_>) -> Value {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (kind, data) = match &packet.body {
        Body::Connect(data) => ("connect", data.as_deref().map(json)),
        Body::Disconnect => ("disconnect", None),
        Body::ConnectError(data) if revision(layer) == Revision::Four => (
            "error",
            Some(data).filter(|data| !data.is_empty()).map(|data| json(data)),
        ),
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
    let (namespace, query) = match packet.namespace.find('?') {
        Some(at) if revision(layer) == Revision::Four => packet.namespace.split_at(at),
        _ => (packet.namespace, ""),
    };
    if namespace != socketio::MAIN {
        fields.insert("namespace".to_owned(), namespace.into());
    }
    if !query.is_empty() {
        fields.insert("query".to_owned(), query.into());
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
        "connect-error" | "error" => Body::ConnectError(data.clone().unwrap_or_default().into()),
        "ack" | "binary-ack" => Body::Ack(all()),
        _ => Body::Event {
            name: word(&decoded["data"][0]).into(),
            args: event.skip(1),
        },
    };
    let namespace = decoded.get("namespace").map_or(socketio::MAIN, word);
    let namespace = format!("{namespace}{}", decoded.get("query").map_or("", word));
    let packet = socketio::Packet {
        namespace: &namespace,
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
