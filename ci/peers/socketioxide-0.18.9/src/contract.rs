//! What happens to an event.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use rmpv::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::operators::BroadcastOperators;

use crate::args::{Args, Values};

/// One event of a socket that joined with `auth`. What is emitted to a socket that is gone is lost, as it should be.
pub(crate) fn event(io: &SocketIo, socket: SocketRef, auth: &Value, name: &str, args: &Args, ack: AckSender) {
    let everybody = || io.of(socket.ns()).expect("the namespace that the socket is in");
    match name {
        "message" => done(socket.emit("message-back", args)),
        "message-with-ack" => return done(ack.send(args)),

        "join" => {
            socket.join(args.text(0).to_owned());
            return done(ack.send(&rooms(&socket)));
        }
        "leave" => {
            socket.leave(args.text(0).to_owned());
            return done(ack.send(&rooms(&socket)));
        }
        "broadcast" => now(socket.broadcast().emit(args.text(0), &Values(args.skip(1)))),
        "all" => now(everybody().emit(args.text(0), &Values(args.skip(1)))),
        "to" => emit_to_room(socket.to(args.text(0).to_owned()), args),
        "in" => emit_to_room(socket.within(args.text(0).to_owned()), args),
        "except" => emit_to_room(everybody().except(args.text(0).to_owned()), args),

        "volatile" => done(socket.volatile().emit(args.text(0), &Values(args.skip(1)))),
        "volatile-all" => now(everybody().volatile().emit(args.text(0), &Values(args.skip(1)))),

        "ask" => ask(&socket, args),
        "ask-timeout" => ask_timeout(&socket, args.number(0)),

        "binary" => done(socket.emit("binary", &parts(args.number(0)))),
        "burst" => burst(&socket, args, args.skip(2)),

        // A socket can leave its namespace; the package cannot close its connection, so `close` is not looked at.
        "disconnect-me" => return done(socket.disconnect()),
        "last-words" => {
            burst(&socket, args, &[]);
            return done(socket.disconnect());
        }

        "count" => {
            let members = socket.within(args.text(0).to_owned()).sockets().len();
            return done(ack.send(&Args::one(members.into())));
        }
        "handshake" => return done(ack.send(&handshake(&socket, auth))),
        _ => return,
    }
    done(ack.send(&Args::default()));
}

/// The client may be gone, or slower than its buffer is long; neither is the application's affair.
fn done<T, E>(_: Result<T, E>) {}

/// With the adapter of a single process a broadcast is done at once, and only called a future.
fn now(broadcast: impl Future) {
    broadcast.now_or_never();
}

fn emit_to_room(room: BroadcastOperators, args: &Args) {
    now(room.emit(args.text(1), &Values(args.skip(2))));
}

fn rooms(socket: &SocketRef) -> Args {
    let own = socket.id.to_string();
    let mut names: Vec<String> = socket.rooms().iter().map(ToString::to_string).collect();
    names.retain(|name| *name != own);
    names.sort();
    Args::one(names.into_iter().map(Value::from).collect())
}

/// Waits in a task of its own, so that the row's own acknowledgement follows the question.
fn ask(socket: &SocketRef, args: &Args) {
    let Ok(answer) = socket.emit_with_ack::<_, Args>("question", args) else {
        return;
    };
    let socket = socket.clone();
    tokio::spawn(async move {
        if let Ok(args) = answer.await {
            done(socket.emit("answer", &args));
        }
    });
}

fn ask_timeout(socket: &SocketRef, ms: u64) {
    let asking = socket.timeout(Duration::from_millis(ms));
    let Ok(answer) = asking.emit_with_ack::<_, Args>("question", &Args::default()) else {
        return;
    };
    let socket = socket.clone();
    tokio::spawn(async move {
        match answer.await {
            Ok(args) => done(socket.emit("answer", &args)),
            Err(_) => done(socket.emit("answer-timeout", &Args::default())),
        }
    });
}

fn parts(n: u64) -> Args {
    let part = |k: u64| {
        let data = vec![1, 2, 3, k as u8];
        Value::Map(vec![("part".into(), k.into()), ("data".into(), Value::Binary(data))])
    };
    Args((0..n.min(256)).map(part).collect())
}

fn burst(socket: &SocketRef, args: &Args, payload: &[Value]) {
    let (n, event) = (args.number(0), args.text(1));
    let mut all = vec![Value::Nil];
    all.extend_from_slice(payload);
    for k in 0..n {
        all[0] = k.into();
        done(socket.emit(event, &Values(&all)));
    }
}

fn handshake(socket: &SocketRef, auth: &Value) -> Args {
    let request = socket.req_parts();
    let query = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
    let query = query.map(|(name, value)| (name.into_owned().into(), value.into_owned().into()));
    let headers = request.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().into(), value.into_owned().into())
    });
    Args::one(Value::Map(vec![
        ("query".into(), Value::Map(query.collect())),
        ("headers".into(), Value::Map(headers.collect())),
        ("auth".into(), auth.clone()),
    ]))
}
