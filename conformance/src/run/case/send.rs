//! What a step puts on the wire.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::attempt::{MAIN, short_hex};
use super::fault::Fault;
use super::op::Op;
use super::{Failed, Play};
use crate::client::protocol::{framing_of, transport_of, websocket_framing};
use crate::client::tape::Framing;
use crate::client::websocket::Opcode;
use crate::client::{ClientError, Inbox, Message, OpenError, Port, Session, post_body, post_packets};
use crate::scenario::Generation;
use crate::scenario::ast::{Action, Lane, Span, Step, Text};
use crate::scenario::capture::Captures;
use crate::scenario::json::Value;
use crate::scenario::packet::render_packet;
use crate::scenario::pattern::show_bytes;
use crate::scenario::text::render_bytes;

/// Engine.IO 3 announces no limit of a payload: the contract's, in bytes.
const MAX_PAYLOAD: u64 = 1_000_000;

impl Play<'_> {
    pub(super) async fn send(&mut self, op: &Op<'_>) -> Result<(), Failed> {
        self.wire.progress.advance();
        self.block = Instant::now();
        if matches!(op.step.action, Action::Fence) {
            let (pages, lanes): (Vec<Lane>, Vec<Lane>) = op.step.lanes.iter().cloned().partition(Lane::is_page);
            self.fence(&lanes, op.step.span).await?;
            for page in &pages {
                self.fence_page(page, op.step.span).await?;
            }
            return Ok(());
        }
        for lane in &op.step.lanes {
            self.send_on(op, lane).await?;
            let now = Instant::now();
            if let Some(actor) = self.actor_mut(lane) {
                actor.events.insert(lane.part.clone(), now);
            }
        }
        self.block = Instant::now();
        Ok(())
    }

    async fn send_on(&mut self, op: &Op<'_>, lane: &Lane) -> Result<(), Failed> {
        let span = op.step.span;
        let captures = self.captures(lane);
        let part = lane.part.as_deref().unwrap_or(MAIN);
        let now = Instant::now();
        match &op.step.action {
            // What a case waits for takes longer where the server's own timings are stretched.
            Action::Wait(duration) => sleep(duration.mul_f64(self.setting.patience.max(1.0))).await,
            Action::Mark(name) => {
                self.marks.insert(name.clone(), now);
            }
            Action::Open {
                bare,
                transport,
                target,
            } => {
                let target = match target {
                    Some(target) => Some(String::from_utf8_lossy(&render(target, &captures)?).into_owned()),
                    None => None,
                };
                let transport = transport.as_ref().map(|transport| transport.node.clone());
                let transport = transport
                    .or_else(|| self.setting.transport.clone())
                    .unwrap_or_else(|| "websocket".into());
                self.open(lane, &transport, target.as_deref(), *bare, span).await?;
            }
            Action::Page(action) => self.act(lane, action, span).await?,
            Action::Request { .. } | Action::Ws { .. } => self.request(op, lane, part, &captures).await?,
            Action::Tcp(port) => {
                let port = if port == "policy" { Port::Policy } else { Port::Http };
                let connected = timeout(self.wait(), self.actor(lane).client.tcp(part, port)).await;
                bounded(connected, span, "no connection")?;
            }
            Action::Wt(target) => {
                let target = String::from_utf8_lossy(&render(target, &captures)?).into_owned();
                let opened = timeout(self.wait(), self.actor(lane).client.webtransport(part, &target)).await;
                bounded(opened, span, "no session of WebTransport")?;
                self.note(now, lane, format!("wt {target}"));
            }
            Action::SendPacket(_) | Action::SendAttachment(_) => {
                let lines = std::iter::once(op.step).chain(op.tail.iter().copied());
                let packets = self.packets(lines, &captures)?;
                let client = &self.actor(lane).client;
                let sent = match &client.session {
                    Some(session) if lane.part.is_none() => session.send(client, &packets),
                    _ => packets.iter().try_for_each(|packet| client.message(part, packet)),
                };
                sent.map_err(|error| cannot(span, &error))?;
                if packets.first().is_some_and(|packet| leaves(self.generation, packet))
                    && lane.part.is_none()
                    && let Some(actor) = self.actor_mut(lane)
                {
                    actor.joined = false;
                }
                for packet in &packets {
                    let shown = match packet {
                        Message::Text(text) => format!("> {}", show_bytes(text.as_bytes())),
                        Message::Binary(bytes) => format!(">b {}", short_hex(bytes)),
                    };
                    self.note(now, lane, shown);
                }
            }
            Action::SendBytes(text) => {
                let bytes = render(text, &captures)?;
                let shown = show_bytes(&bytes);
                self.write_whole(lane, bytes).map_err(|error| cannot(span, &error))?;
                self.note(now, lane, format!(">> {shown}"));
            }
            Action::SendRaw(bytes) => {
                let (client, part) = (&self.actor(lane).client, self.part_of(lane));
                let later = self.ops.iter().skip(self.op + 1);
                let mut pieces = later.filter(|op| matches!(op.step.action, Action::SendRaw(_)));
                let to_come = pieces.any(|op| op.step.lanes.contains(lane));
                client
                    .piece(part, bytes.clone(), to_come)
                    .map_err(|error| cannot(span, &error))?;
            }
            Action::Close(code) => self.close(lane, *code, span)?,
            Action::Drop => {
                self.actor(lane).client.cut(lane.part.as_deref());
                if lane.part.is_none()
                    && let Some(actor) = self.actor_mut(lane)
                {
                    actor.gone = true;
                }
            }
            Action::HalfClose => {
                let (client, part) = (&self.actor(lane).client, self.part_of(lane));
                client.half_close(part).map_err(|error| cannot(span, &error))?;
            }
            Action::Reopen(transport) => {
                let transport = transport.as_ref().map(|transport| transport.node.clone());
                self.reopen(lane, transport, span).await?;
            }
            Action::Upgrade(transport) => self.upgrade(lane, transport, span).await?,
            _ => {
                let label = "this version cannot play such a step";
                return Err(Box::new(Fault::new(span, "cannot be played", label)));
            }
        }
        Ok(())
    }

    /// The part that bytes go to: the named one, the session's own, or the one of a client without any.
    fn part_of<'l>(&self, lane: &'l Lane) -> &'l str {
        match (&lane.part, &self.actor(lane).client.session) {
            (Some(part), _) => part,
            (None, Some(session)) => session.part(),
            (None, None) => MAIN,
        }
    }

    /// A whole WebSocket frame, or raw bytes where no frames are spoken.
    fn write_whole(&self, lane: &Lane, bytes: Vec<u8>) -> Result<(), ClientError> {
        let (client, part) = (&self.actor(lane).client, self.part_of(lane));
        match client.framing(part) {
            Some(framing) if framing.is_websocket() => client.frame(part, Opcode::Text, &bytes),
            Some(Framing::Hixie) => client.write(part, [b"\x00", bytes.as_slice(), b"\xff"].concat()),
            _ => client.write(part, bytes),
        }
    }

    async fn request(&mut self, op: &Op<'_>, lane: &Lane, part: &str, captures: &Captures) -> Result<(), Failed> {
        let client = &self.actor(lane).client;
        let (method, target, headers) = match &op.step.action {
            Action::Request {
                method,
                target,
                headers,
            } => (Some(method), target, headers),
            Action::Ws { target, headers } => (None, target, headers),
            _ => return Ok(()),
        };
        let target = String::from_utf8_lossy(&render(target, captures)?).into_owned();
        let mut request = match method {
            Some(method) => client.new_request(method, &target),
            None => client.new_websocket(part, &target),
        };
        if method.is_some_and(|method| method != "GET" && method != "HEAD" && method != "OPTIONS") {
            let (content_type, body) = self.body(op, captures, &target)?;
            if let Some(content_type) = content_type {
                request.set("Content-Type", Some(content_type));
            }
            request.body = Some(body);
        }
        for line in headers {
            let value = match &line.value {
                Some(value) => Some(String::from_utf8_lossy(&render(value, captures)?).into_owned()),
                None => None,
            };
            request.set(&line.name, value.as_deref());
        }
        let framing = match method {
            None => websocket_framing(self.generation),
            Some(method) if method == "GET" => framing_of(self.generation, &target),
            Some(_) => Framing::Raw,
        };
        let verb = method.map_or("ws", String::as_str);
        let shown = format!("{verb} {target}");
        // A step may have been content with the beginning of an answer, and no step waits for a heartbeat.
        let _ = timeout(self.wait(), client.rest(part)).await;
        let (now, body) = (Instant::now(), request.body.clone().unwrap_or_default());
        let answers = |inbox: &Inbox| inbox.parts.get(part).map_or(0, |part| part.sections.len());
        let before = client.inbox(|inbox| answers(inbox));
        let sent = timeout(self.wait(), client.request(part, request, framing)).await;
        bounded(sent, op.step.span, "request not sent")?;
        if method.is_none() && self.generation != Generation::Rev1 {
            // RFC 6455, 4.1: a client waits for the answer before it sends any frame. The hixie drafts want bytes before.
            let ended = |inbox: &Inbox| inbox.parts.get(part)?.end.filter(|(_, at)| *at >= now);
            let answered = client.wait(|inbox| (answers(inbox) > before || ended(inbox).is_some()).then_some(()));
            // Whether there is an answer is for the steps to say.
            let _ = timeout(self.wait(), answered).await;
        }
        self.note(now, lane, shown);
        if !body.is_empty() {
            self.note(now, lane, format!(">> {}", show_bytes(&body)));
        }
        Ok(())
    }

    /// What the lines below a request make its body: bytes as they stand, or packets framed as the transport in the URL
    /// frames them.
    fn body(&self, op: &Op<'_>, captures: &Captures, target: &str) -> Result<(Option<&'static str>, Vec<u8>), Failed> {
        let mut bytes = Vec::new();
        for step in &op.tail {
            if let Action::SendBytes(text) = &step.action {
                bytes.extend(render(text, captures)?);
            }
        }
        let packets = self.packets(op.tail.iter().copied(), captures)?;
        let transport = transport_of(self.generation, target);
        if packets.is_empty() {
            let (content_type, _) = post_body(transport, "");
            return Ok(((!bytes.is_empty()).then_some(content_type), bytes));
        }
        let (content_type, body) = post_packets(self.generation, transport, &packets);
        Ok((Some(content_type), body))
    }

    /// The packets of the lines that are some.
    fn packets<'s>(&self, lines: impl Iterator<Item = &'s Step>, captures: &Captures) -> Result<Vec<Message>, Failed> {
        let mut packets = Vec::new();
        for step in lines {
            match &step.action {
                Action::SendPacket(text) => {
                    let packet = render_packet(self.generation, text, captures)
                        .map_err(|error| Fault::new(error.span(), "cannot be sent", error.to_string()))?;
                    packets.push(Message::Text(packet));
                }
                Action::SendAttachment(bytes) => packets.push(Message::Binary(bytes.clone())),
                _ => {}
            }
        }
        Ok(packets)
    }

    async fn open(
        &mut self,
        lane: &Lane,
        transport: &str,
        target: Option<&str>,
        bare: bool,
        span: Span,
    ) -> Result<(), Failed> {
        let wait = self.wait();
        let manual = self.actor(lane).manual;
        let client = &self.actor(lane).client;
        let named = bare;
        let handshake = timeout(wait, Session::handshake(client, self.generation, transport, target)).await;
        let mut session = opened(handshake, span)?;
        // There is no greeting where there are no namespaces.
        let bare = named || session.is_raw();
        let own = self.own_captures(&session);
        let Some(actor) = self.actor_mut(lane) else {
            return Ok(());
        };
        actor.captures = own;
        if !(bare && manual) {
            opened(timeout(wait, session.connect(&actor.client)).await, span)?;
            if !manual && bare {
                session.keep_polling(&actor.client);
            }
        } else {
            session.prepare(&actor.client);
        }
        actor.client.session = Some(session);
        let now = Instant::now();
        self.note(
            now,
            lane,
            format!("open{} {transport}", if named { " bare" } else { "" }),
        );
        if !bare {
            self.greeting(lane, manual, span).await?;
        }
        if transport == "upgraded" {
            self.upgrade(lane, "websocket", span).await?;
        }
        Ok(())
    }

    async fn upgrade(&mut self, lane: &Lane, transport: &str, span: Span) -> Result<(), Failed> {
        let wait = self.wait();
        let Some(actor) = self.actor_mut(lane) else {
            return Ok(());
        };
        let Some(mut session) = actor.client.session.take_if(|session| session.is_polling()) else {
            let label = "the client has no session that polls: open one first";
            return Err(Box::new(Fault::new(span, "cannot upgrade", label)));
        };
        let upgraded = timeout(wait, session.upgrade(&actor.client, transport)).await;
        actor.client.session = Some(session);
        opened(upgraded, span)?;
        self.note(Instant::now(), lane, format!("upgrade {transport}"));
        Ok(())
    }

    /// `$sid` and what the handshake tells; times in milliseconds. What is switched off holds nothing.
    fn own_captures(&self, session: &Session) -> Captures {
        let mut own = Captures::new();
        own.insert("sid", Value::string(&session.sid));
        let (timings, announced) = (&self.setting.timings, &session.announced);
        let known = match session.generation {
            Generation::Rev1 => vec![
                ("interval", Some(timings.interval)),
                ("timeout", announced.timeout),
                ("close", announced.close),
                ("polling", Some(timings.polling)),
            ],
            Generation::Eio3 => vec![("interval", announced.interval), ("timeout", announced.timeout)],
            Generation::Eio4 => vec![
                ("interval", announced.interval),
                ("timeout", announced.timeout),
                ("connect", Some(timings.connect)),
            ],
        };
        for (name, duration) in known {
            if let Some(milliseconds) = duration.and_then(|it: Duration| i64::try_from(it.as_millis()).ok()) {
                own.insert(name, Value::integer(milliseconds));
            }
        }
        let limit = match session.generation {
            Generation::Eio3 => Some(announced.max_payload.unwrap_or(MAX_PAYLOAD)),
            Generation::Rev1 | Generation::Eio4 => announced.max_payload,
        };
        if let Some(bytes) = limit.and_then(|bytes| i64::try_from(bytes).ok()) {
            own.insert("maxPayload", Value::integer(bytes));
        }
        own
    }

    fn close(&mut self, lane: &Lane, code: Option<u16>, span: Span) -> Result<(), Failed> {
        let Some(actor) = self.actor_mut(lane) else {
            return Ok(());
        };
        let result = match (&actor.client.session, &lane.part) {
            (Some(session), None) => {
                actor.gone = true;
                session.close(&actor.client, code)
            }
            (_, part) => {
                let part = part.as_deref().unwrap_or(MAIN);
                let code = code.unwrap_or(1000).to_be_bytes();
                match actor.client.framing(part) {
                    Some(Framing::WebTransport) => actor.client.close(part),
                    _ => actor.client.frame(part, Opcode::Close, &code),
                }
            }
        };
        result.map_err(|error| cannot(span, &error))?;
        self.note(Instant::now(), lane, "close");
        Ok(())
    }

    async fn reopen(&mut self, lane: &Lane, transport: Option<String>, span: Span) -> Result<(), Failed> {
        let wait = self.wait();
        if self.generation != Generation::Rev1 {
            let label = "only sessions of revision 1 can be taken up by another connection";
            return Err(Box::new(Fault::new(span, "cannot reopen", label)));
        }
        let Some(actor) = self.actor_mut(lane) else {
            return Ok(());
        };
        let Some(mut session) = actor.client.session.clone() else {
            return Err(Box::new(Fault::new(
                span,
                "cannot reopen",
                "the client has no session: open one first",
            )));
        };
        actor.client.retire(session.part());
        if let Some(transport) = transport {
            session.transport = transport;
        }
        opened(timeout(wait, session.connect(&actor.client)).await, span)?;
        if !actor.manual {
            session.keep_polling(&actor.client);
        }
        let shown = format!("reopen {}", session.transport);
        actor.client.session = Some(session);
        actor.gone = false;
        self.note(Instant::now(), lane, shown);
        Ok(())
    }

    /// Polls once more for a lane that polls by hand and got nothing but heartbeats and noops.
    pub(super) async fn repoll(&mut self, lane: &Lane, part: &str) -> Result<(), Failed> {
        let client = &self.actor(lane).client;
        let target = client.inbox(|inbox| {
            let section = inbox.parts.get(part)?.sections.last()?;
            section.request.strip_prefix("GET ").map(str::to_owned)
        });
        let Some(target) = target else { return Ok(()) };
        let request = client.new_request("GET", &target);
        let span = self.ops.get(self.op).map_or(Span::default(), |op| op.step.span);
        let sent = timeout(
            self.wait(),
            client.request(part, request, framing_of(self.generation, &target)),
        )
        .await;
        bounded(sent, span, "poll not repeated")?;
        Ok(())
    }
}

/// Whether a packet takes its client out of the main namespace.
fn leaves(generation: Generation, packet: &Message) -> bool {
    generation != Generation::Rev1 && matches!(packet, Message::Text(text) if text == "41")
}

pub(super) fn render(text: &Text, captures: &Captures) -> Result<Vec<u8>, Failed> {
    render_bytes(text, captures)
        .map_err(|unbound| Box::new(Fault::new(unbound.span, "cannot be sent", unbound.to_string())))
}

pub(super) fn cannot(span: Span, error: &ClientError) -> Failed {
    Box::new(Fault::new(span, "cannot be sent", error.to_string()))
}

fn bounded<T>(
    result: Result<Result<T, ClientError>, tokio::time::error::Elapsed>,
    span: Span,
    title: &str,
) -> Result<T, Failed> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Box::new(Fault::new(span, title, error.to_string()))),
        Err(_) => Err(Box::new(Fault::new(
            span,
            title,
            "the server does not take the connection",
        ))),
    }
}

fn opened<T>(result: Result<Result<T, OpenError>, tokio::time::error::Elapsed>, span: Span) -> Result<T, Failed> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Box::new(Fault::new(span, "no session", error.to_string()))),
        Err(_) => Err(Box::new(Fault::new(span, "no session", "the server does not answer"))),
    }
}
