//! Clients of long polling: a POST with a message, and a GET that brings the answer, each on a connection of its own.

use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::echo::number;
use crate::meter::{Figures, Meter, measure};
use crate::server::Server;
use crate::socket::find;

/// Runs `connections` clients with one message under way each.
pub async fn run(server: &Server, connections: usize, duration: Duration) -> io::Result<Figures> {
    let meter = Rc::new(Meter::default());
    let mut all = Vec::new();
    for _ in 0..connections {
        all.push(Client::open(server.address).await?);
    }
    let mut clients = JoinSet::new();
    for client in all {
        clients.spawn_local(client.run(Rc::clone(&meter)));
    }
    measure(server, &meter, clients, duration).await
}

struct Client {
    get: Http,
    post: Http,
    target: String,
}

impl Client {
    async fn open(address: SocketAddr) -> io::Result<Client> {
        let mut get = Http::connect(address).await?;
        let mut post = Http::connect(address).await?;
        let target = "/socket.io/?EIO=4&transport=polling";
        let opened = get.get(target).await?;
        let sid = opened
            .split("\"sid\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let target = format!("{target}&sid={}", sid.ok_or_else(|| Error::other("no session id"))?);
        post.post(&target, "40").await?;
        let (mut joined, mut greeted) = (false, false);
        while !(joined && greeted) {
            let payload = get.get(&target).await?;
            for packet in payload.split('\x1e') {
                joined |= packet.starts_with("40{");
                greeted |= packet.starts_with("42[\"auth\"");
            }
        }
        Ok(Client { get, post, target })
    }

    async fn run(mut self, meter: Rc<Meter>) -> io::Result<()> {
        let mut next = 0u64;
        let mut pong = "";
        while !meter.stop.get() {
            let sent = Instant::now();
            let body = format!("{pong}42[\"message\",{next},\"abcdefgh\"]");
            pong = "";
            let answer = async {
                loop {
                    let payload = self.get.get(&self.target).await?;
                    let mut found = false;
                    for packet in payload.split('\x1e') {
                        match packet {
                            "2" => pong = "3\x1e",
                            packet if number(packet.as_bytes()) == Some(next) => found = true,
                            other => return Err(Error::other(format!("no message has this answer: {other}"))),
                        }
                    }
                    if found {
                        return Ok(sent.elapsed());
                    }
                }
            };
            let (took, _) = tokio::try_join!(answer, self.post.post(&self.target, &body))?;
            meter.count(1, Some(took));
            next += 1;
        }
        Ok(())
    }
}

/// A connection that is kept, with one request at a time.
struct Http {
    stream: TcpStream,
    address: SocketAddr,
    read: Vec<u8>,
}

impl Http {
    async fn connect(address: SocketAddr) -> io::Result<Http> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let read = Vec::new();
        Ok(Http { stream, address, read })
    }

    async fn get(&mut self, target: &str) -> io::Result<String> {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        self.ask(&request).await
    }

    async fn post(&mut self, target: &str, body: &str) -> io::Result<String> {
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.ask(&request).await
    }

    /// The body of the response, which has to be a 200 of known length.
    async fn ask(&mut self, request: &str) -> io::Result<String> {
        self.stream.write_all(request.as_bytes()).await?;
        loop {
            if let Some((body, end)) = response(&self.read)? {
                self.read.drain(..end);
                return Ok(body);
            }
            self.read.reserve(4096);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// The body, and where the response ends, once it is there.
fn response(bytes: &[u8]) -> io::Result<Option<(String, usize)>> {
    let Some(head) = find(bytes, b"\r\n\r\n").map(|end| end + 4) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..head]);
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    match length {
        Some(length) if text.starts_with("HTTP/1.1 200 ") => {
            let body = bytes.get(head..head + length);
            Ok(body.map(|body| (String::from_utf8_lossy(body).into_owned(), head + length)))
        }
        _ => Err(Error::other(text.into_owned())),
    }
}
