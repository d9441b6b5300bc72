//! The contract application: what a conformance suite talks to. Events that it does not know are ignored, so the names
//! that the protocol reserves do nothing; `message` does, for there is an event of that name besides the packet type.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::codec::rev1::Args;
use crate::namespace::{Socket, To};
use crate::server::client::Handshake;

/// The namespaces that anybody may join; the first is everybody's.
pub(crate) const NAMESPACES: &[&str] = &["", "/custom"];

/// The namespaces that refuse everybody.
pub(crate) const FORBIDDEN: &[&str] = &["/forbidden"];

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
    match handshake.query("authorize") {
        Some("no") => Verdict::Refuse,
        Some("error") => Verdict::Fail,
        _ => Verdict::Accept,
    }
}

/// A client has joined the namespace.
pub(crate) fn connected(socket: &Socket<'_>) {
    socket.emit("news", &Args::trusted(r#"[{"hello":"world"}]"#.to_owned()));
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
            let values = args.values();
            match (name, values.as_slice()) {
                ("broadcast", [event, rest @ ..]) => {
                    broadcast(
                        socket,
                        To {
                            room: None,
                            sender: false,
                            volatile: false,
                        },
                        event,
                        rest,
                    );
                }
                ("all", [event, rest @ ..]) => {
                    broadcast(
                        socket,
                        To {
                            room: None,
                            sender: true,
                            volatile: false,
                        },
                        event,
                        rest,
                    );
                }
                ("volatile-all", [event, rest @ ..]) => {
                    broadcast(
                        socket,
                        To {
                            room: None,
                            sender: true,
                            volatile: true,
                        },
                        event,
                        rest,
                    );
                }
                ("to" | "in", [room, event, rest @ ..]) => {
                    let room = text_of(room);
                    broadcast(
                        socket,
                        To {
                            room: Some(&room),
                            sender: name == "in",
                            volatile: false,
                        },
                        event,
                        rest,
                    );
                }
                ("volatile", [event, rest @ ..]) => {
                    socket.emit_volatile(&text_of(event), &Args::from_values(rest));
                }
                ("burst", [n, event, payload @ ..]) => burst(socket, n, event, payload),
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
                ("handshake", _) => return acknowledge(socket, ack, Some(shown(socket.handshake()))),
                ("disconnect-me", values) => return socket.disconnect(truth(values.first())),
                ("last-words", [n, event, rest @ ..]) => {
                    burst(socket, n, event, &[]);
                    return socket.disconnect(truth(rest.first()));
                }
                _ => return,
            }
        }
    }
    acknowledge(socket, ack, None);
}

fn acknowledge(socket: &Socket<'_>, ack: Option<&str>, args: Option<Args<'_>>) {
    if let Some(digits) = ack {
        socket.acknowledge(digits, args);
    }
}

fn broadcast(socket: &Socket<'_>, to: To<'_>, event: &RawValue, args: &[&RawValue]) {
    socket.broadcast(to, &text_of(event), &Args::from_values(args));
}

fn burst(socket: &Socket<'_>, n: &RawValue, event: &RawValue, payload: &[&RawValue]) {
    let event = text_of(event);
    let n: u64 = serde_json::from_str(n.get()).unwrap_or_default();
    for k in 0..n {
        let mut args = format!("[{k}");
        for value in payload {
            args.push(',');
            args.push_str(value.get());
        }
        args.push(']');
        if !socket.emit(&event, &Args::trusted(args)) {
            break;
        }
    }
}

fn ask_timeout(socket: &Socket<'_>, delay: &RawValue) {
    let delay = Duration::from_millis(serde_json::from_str(delay.get()).unwrap_or_default());
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
    acknowledge(socket, ack, Some(Args::trusted(format!("[{answer}]"))));
}

fn shown(handshake: &Handshake) -> Args<'static> {
    let shown =
        serde_json::json!([{ "query": handshake.query_map(), "headers": handshake.header_map(), "auth": null }]);
    Args::trusted(shown.to_string())
}

/// A string's text; any other value stands for itself.
fn text_of(value: &RawValue) -> Cow<'_, str> {
    serde_json::from_str(value.get()).map_or_else(|_| Cow::Borrowed(value.get()), Cow::Owned)
}

fn truth(value: Option<&&RawValue>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}
