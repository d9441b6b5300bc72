//! The contract application: what a conformance suite talks to. Events that it does not know are ignored, so the names
//! that the protocol reserves do nothing; `message` does, for there is an event of that name besides the packet type.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::codec::Args;
use crate::namespace::{Names, Socket, To};
use crate::server::client::Handshake;
use crate::session::Generation;

/// The namespaces.
pub(crate) const NAMES: Names = Names {
    open: &["/", "/custom"],
    forbidden: &["/forbidden"],
    dynamic: |name| {
        let digits = name.strip_prefix("/dynamic-").unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    },
};

/// What a client hears from a forbidden namespace: a JSON object, to clients of eio3 a string.
pub(crate) const REFUSAL: &str = r#"{"message":"not authorized","data":{"reason":"forbidden"}}"#;
pub(crate) const REFUSAL_EIO3: &str = r#""not authorized""#;

/// The most arguments of `binary`.
const MOST_PARTS: u8 = 255;

/// The longest `ask-timeout`.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the application thinks of a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Welcome.
    Accept,
    /// `?authorize=no`
    Refuse,
    /// `?authorize=error`
    Fail,
}

/// Decides about a handshake.
pub(crate) fn authorize(handshake: &Handshake) -> Verdict {
    match handshake.query().get("authorize").as_deref() {
        Some("no") => Verdict::Refuse,
        Some("error") => Verdict::Fail,
        _ => Verdict::Accept,
    }
}

/// A client has joined the namespace.
pub(crate) fn connected(socket: &Socket<'_>) {
    match socket.generation() {
        Generation::Rev1 => socket.emit("news", &Args::from_list(r#"{"hello":"world"}"#)),
        Generation::Eio3 | Generation::Eio4 => socket.emit("auth", &Args::from_list(socket.auth())),
    };
}

/// A client is out of the namespace, so joining a room does nothing any more.
pub(crate) fn disconnected(socket: &Socket<'_>) {
    socket.join("departed");
}

/// A plain message is echoed, then acknowledged.
pub(crate) fn message(socket: &Socket<'_>, text: &str, ack: Option<&str>) {
    socket.send(text);
    acknowledge(socket, ack, None);
}

/// A JSON message is echoed, then acknowledged.
pub(crate) fn json(socket: &Socket<'_>, json: &str, ack: Option<&str>) {
    socket.send_json(json);
    acknowledge(socket, ack, None);
}

/// An event does what its row of the contract says.
pub(crate) fn event(socket: &Socket<'_>, name: &str, args: &Args<'_>, ack: Option<&str>) {
    match name {
        "message" => {
            socket.emit("message-back", args);
        }
        "message-with-ack" => return acknowledge(socket, ack, Some(args.clone())),
        _ => {
            let values: Vec<&str> = args.values().take(3).collect();
            match (name, values.as_slice()) {
                ("broadcast" | "all" | "volatile-all", [event, ..]) => {
                    let to = To {
                        sender: name != "broadcast",
                        volatile: name == "volatile-all",
                        ..To::default()
                    };
                    socket.broadcast(to, &text_of(event), &args.skip(1));
                }
                ("to" | "in", [room, event, ..]) => {
                    let to = To {
                        room: Some(&text_of(room)),
                        sender: name == "in",
                        ..To::default()
                    };
                    socket.broadcast(to, &text_of(event), &args.skip(2));
                }
                ("except", [room, event, ..]) if !rev1(socket) => {
                    let to = To {
                        except: Some(&text_of(room)),
                        sender: true,
                        ..To::default()
                    };
                    socket.broadcast(to, &text_of(event), &args.skip(2));
                }
                ("volatile", [event, ..]) => socket.emit_volatile(&text_of(event), &args.skip(1)),
                ("burst", [n, event, ..]) => burst(socket, n, event, &args.skip(2)),
                ("binary", [n, ..]) if !rev1(socket) => binary(socket, n),
                ("ask", _) => {
                    socket.emit_with_ack(
                        "question",
                        args,
                        Box::new(|socket, args| {
                            socket.emit("answer", &args);
                        }),
                    );
                }
                ("ask-timeout", [delay, ..]) => ask_timeout(socket, delay),
                ("join" | "leave" | "count", [room, ..]) => return rooms(socket, name, &text_of(room), ack),
                ("handshake", _) => return acknowledge(socket, ack, Some(shown(socket))),
                ("disconnect-me", values) => return socket.disconnect(truth(values.first())),
                ("last-words", [n, event, rest @ ..]) => {
                    burst(socket, n, event, &Args::NONE);
                    return socket.disconnect(truth(rest.first()));
                }
                _ => return,
            }
        }
    }
    acknowledge(socket, ack, None);
}

fn rev1(socket: &Socket<'_>) -> bool {
    socket.generation() == Generation::Rev1
}

fn acknowledge(socket: &Socket<'_>, ack: Option<&str>, args: Option<Args<'_>>) {
    if let Some(digits) = ack {
        socket.acknowledge(digits, args);
    }
}

fn burst(socket: &Socket<'_>, n: &str, event: &str, payload: &Args<'_>) {
    let event = text_of(event);
    for k in 0..number(n) {
        if !socket.emit(&event, &payload.behind(k)) {
            break;
        }
    }
}

fn binary(socket: &Socket<'_>, n: &str) {
    let n = u8::try_from(number(n)).unwrap_or(MOST_PARTS);
    let part = |k| format!(r#"{{"part":{k},"data":{{"_placeholder":true,"num":{k}}}}}"#);
    let list = (0..n).map(part).collect::<Vec<_>>().join(",");
    let attachments = (0..n).map(|k| Bytes::copy_from_slice(&[1, 2, 3, k])).collect();
    if let Ok(args) = Args::from_list(list).attach(attachments) {
        socket.emit("binary", &args);
    }
}

fn ask_timeout(socket: &Socket<'_>, delay: &str) {
    let delay = Duration::from_millis(number(delay));
    let answered = |socket: &Socket<'_>, args: Args<'_>| {
        socket.emit("answer", &args);
    };
    let id = socket.emit_with_ack("question", &Args::NONE, Box::new(answered));
    socket.after(delay.min(LONGEST_WAIT), move |socket| {
        if socket.give_up(id) {
            socket.emit("answer-timeout", &Args::NONE);
        }
    });
}

fn rooms(socket: &Socket<'_>, name: &str, room: &str, ack: Option<&str>) {
    let answer = match name {
        "count" => socket.count(room).to_string(),
        _ => {
            match name {
                "join" => socket.join(room),
                _ => socket.leave(room),
            }
            serde_json::json!(socket.rooms()).to_string()
        }
    };
    acknowledge(socket, ack, Some(Args::from_list(answer)));
}

fn shown(socket: &Socket<'_>) -> Args<'static> {
    let handshake = socket.handshake();
    let query: Map<_, _> = handshake
        .query()
        .parameters()
        .map(|(key, value)| (key.into_owned(), value.into()))
        .collect();
    let headers: Map<_, _> = handshake
        .headers()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let (query, headers) = (Value::from(query), Value::from(headers));
    Args::from_list(format!(
        r#"{{"query":{query},"headers":{headers},"auth":{}}}"#,
        socket.auth()
    ))
}

/// A string's text; any other value stands for itself.
fn text_of(value: &str) -> Cow<'_, str> {
    serde_json::from_str(value).map_or(Cow::Borrowed(value), Cow::Owned)
}

fn number(value: &str) -> u64 {
    serde_json::from_str(value).unwrap_or_default()
}

fn truth(value: Option<&&str>) -> bool {
    value.is_some_and(|value| *value == "true")
}
