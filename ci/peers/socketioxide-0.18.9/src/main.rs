//! The contract application on socketioxide, behind axum as its documentation shows it. The package is fitted out in
//! this file, what happens to an event is in `contract`, and `handler` gives the events to it in order.
//!
//! PORT may be 0 for a free one. PING_INTERVAL, PING_TIMEOUT and CONNECT_TIMEOUT are milliseconds; the contract's where
//! they are not set. HANDLERS=tasks gives events to an async function instead. Prints one line when it listens:
//!
//!     {"listening":"http://127.0.0.1:41007"}

mod args;
mod contract;
mod engine;
mod handler;

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Method};
use axum::serve::ListenerExt;
use socketioxide::SocketIo;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler;
use tower_http::cors::{AllowHeaders, CorsLayer};

use crate::handler::Contract;

const PING_INTERVAL: Duration = Duration::from_millis(300);
const PING_TIMEOUT: Duration = Duration::from_millis(200);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_PAYLOAD: usize = 1_000_000;
const ALLOWED_ORIGIN: HeaderValue = HeaderValue::from_static("http://allowed.example");

/// Packets that may wait for one client. What is emitted into a full buffer is lost, and `burst` emits without waiting.
const BUFFER: usize = 100_000;

/// An acknowledgement cannot be waited for without a limit.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (layer, io) = SocketIo::builder()
        .ping_interval(duration("PING_INTERVAL", PING_INTERVAL)?)
        .ping_timeout(duration("PING_TIMEOUT", PING_TIMEOUT)?)
        .connect_timeout(duration("CONNECT_TIMEOUT", CONNECT_TIMEOUT)?)
        .ack_timeout(LONGEST_WAIT)
        .max_payload(MAX_PAYLOAD as u64)
        .ws_max_message_size(MAX_PAYLOAD)
        .ws_max_frame_size(MAX_PAYLOAD)
        .max_buffer_size(BUFFER)
        .build_layer();
    let contract = Contract {
        tasks: std::env::var("HANDLERS").is_ok_and(|handlers| handlers == "tasks"),
    };
    io.ns("/", contract);
    io.ns("/custom", contract);
    io.ns("/forbidden", contract.with(forbidden));
    io.dyn_ns("/dynamic-{digits}", contract.with(only_digits))?;

    let cors = CorsLayer::new()
        .allow_origin([ALLOWED_ORIGIN])
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(true);
    let app = Router::new().layer(layer).layer(engine::layer()).layer(cors);

    let port = match std::env::var("PORT") {
        Ok(port) => port.parse()?,
        Err(_) => 0,
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!(r#"{{"listening":"http://{}"}}"#, listener.local_addr()?);
    let without_delay = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    Ok(axum::serve(without_delay, app).await?)
}

fn duration(name: &str, otherwise: Duration) -> Result<Duration, std::num::ParseIntError> {
    match std::env::var(name) {
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds.parse()?)),
        Err(_) => Ok(otherwise),
    }
}

/// A refusal is a message; the package has no place for data.
async fn forbidden(_: SocketRef) -> Result<(), &'static str> {
    Err("not authorized")
}

/// A pattern stands for any word; what is not digits is refused in the package's own words for an unknown namespace.
async fn only_digits(socket: SocketRef) -> Result<(), &'static str> {
    let digits = socket.ns().trim_start_matches("/dynamic-");
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(()),
        false => Err("Invalid namespace"),
    }
}
