//! A client over WebSocket that costs little: it looks at as few bytes as it can.

use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a client has to get in.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many are on their way in at a time.
const ABREAST: usize = 50;

/// The most bytes of a read, more than the answers to all that is under way.
const READ: usize = 4096;

/// What every frame is masked with; the other side cannot know that it is always the same.
const MASK: [u8; 4] = [0x5a, 0x31, 0xc7, 0x0e];

/// A client that has joined the main namespace.
pub struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
    /// Frames to write.
    out: Vec<u8>,
}

impl Socket {
    /// Opens that many, some at a time.
    pub async fn open_all(address: SocketAddr, connections: usize) -> io::Result<Vec<Socket>> {
        let mut opening = JoinSet::new();
        let mut all = Vec::with_capacity(connections);
        while all.len() < connections {
            while opening.len() < ABREAST && all.len() + opening.len() < connections {
                opening.spawn_local(Socket::open(address));
            }
            if let Some(opened) = opening.join_next().await {
                all.push(opened.map_err(Error::other)??);
            }
        }
        Ok(all)
    }

    /// Connects, joins `/`, and takes what is said on that.
    pub async fn open(address: SocketAddr) -> io::Result<Socket> {
        timeout(PATIENCE, Socket::join(address)).await?
    }

    async fn join(address: SocketAddr) -> io::Result<Socket> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = Socket {
            stream,
            read: Vec::new(),
            out: Vec::new(),
        };
        let head = loop {
            if let Some(end) = find(&socket.read, b"\r\n\r\n") {
                break end + 4;
            }
            socket.fill().await?;
        };
        if !socket.read.starts_with(b"HTTP/1.1 101 ") {
            return Err(Error::other(String::from_utf8_lossy(&socket.read).into_owned()));
        }
        socket.read.drain(..head);
        socket.queue(b"40");
        socket.flush().await?;
        let (mut joined, mut greeted) = (false, false);
        while !(joined && greeted) {
            socket.fill().await?;
            socket.take(|packet| {
                joined |= packet.starts_with(b"40{");
                greeted |= packet.starts_with(b"42[\"auth\"");
            })?;
        }
        socket.flush().await?;
        Ok(socket)
    }

    /// Puts a packet into the write buffer.
    pub fn queue(&mut self, packet: &[u8]) {
        self.out.push(0x81);
        match packet.len() {
            length @ ..126 => self.out.push(0x80 | length as u8),
            length => {
                self.out.push(0x80 | 126);
                self.out.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        self.out.extend_from_slice(&MASK);
        self.out
            .extend(packet.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }

    /// Writes the buffer.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out).await?;
        self.out.clear();
        Ok(())
    }

    /// Reads what there is.
    pub async fn fill(&mut self) -> io::Result<()> {
        // Reading in small pieces would break up what the server wrote together.
        self.read.reserve(READ);
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Hands over every packet that was read, and queues the answers to pings.
    pub fn take(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let read = std::mem::take(&mut self.read);
        let mut rest = &read[..];
        while let Some((opcode, packet, behind)) = frame(rest) {
            match (opcode, packet) {
                (0x81, b"2") => self.queue(b"3"),
                (0x81, packet) => each(packet),
                (0x88, _) => return Err(ErrorKind::ConnectionAborted.into()),
                _ => return Err(Error::other(format!("a frame that begins with {opcode:#x}"))),
            }
            rest = behind;
        }
        let done = read.len() - rest.len();
        self.read = read;
        self.read.drain(..done);
        Ok(())
    }

    /// Answers pings until the connection ends.
    pub async fn idle(mut self) -> io::Result<()> {
        loop {
            self.fill().await?;
            self.take(|_| {})?;
            self.flush().await?;
        }
    }
}

/// The first frame: its first byte, its payload, and what is behind it.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[opcode, length], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match length {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u16::from_be_bytes(*length).into(), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length) as usize, rest)
        }
        length => (length.into(), rest),
    };
    let (packet, behind) = rest.split_at_checked(length)?;
    Some((opcode, packet, behind))
}

/// Where `needle` begins.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}
