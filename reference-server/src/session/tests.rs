//! Conversations with a session in simulated time.

mod eio3;
mod eio4;

use std::time::Duration;

use super::*;

const INTERVAL: u64 = 20;
const TIMEOUT: u64 = 30;
const CLOSE: u64 = 40;
const DURATION: u64 = 10;
const FRESH: u64 = 50;
const CONNECT: u64 = 15;
const UPGRADE: u64 = 5;

/// A session and a clock in seconds, which runs only when told.
struct Peer {
    session: Session,
    now: Instant,
    start: Instant,
    outputs: Vec<Output>,
}

impl Peer {
    fn handshaken() -> Self {
        Peer::new(Generation::Rev1)
    }

    fn new(generation: Generation) -> Self {
        let limits = Limits {
            handshake_timeout: Duration::from_secs(FRESH),
            heartbeat_interval: Some(Duration::from_secs(INTERVAL)),
            heartbeat_timeout: Duration::from_secs(TIMEOUT),
            close_timeout: Duration::from_secs(CLOSE),
            polling_duration: Duration::from_secs(DURATION),
            connect_timeout: Some(Duration::from_secs(CONNECT)),
            upgrade_timeout: Duration::from_secs(UPGRADE),
            backlog: 1000,
        };
        let now = Instant::now();
        Peer {
            session: Session::new(now, generation, limits),
            now,
            start: now,
            outputs: Vec::new(),
        }
    }

    /// One whose greeting is fetched, and whose stream is open.
    fn streaming() -> (Self, ConnectionId) {
        let mut peer = Peer::handshaken();
        let stream = peer.open(Delivery::Stream);
        assert_eq!(peer.take(stream), (Flow::Write, vec!["1::".to_owned()]));
        assert_eq!(peer.heard(), [Output::Opened]);
        (peer, stream)
    }

    /// One whose greeting is fetched by a poll.
    fn polling() -> Self {
        let mut peer = Peer::handshaken();
        assert_eq!(peer.poll(), (Flow::Last, vec!["1::".to_owned()]));
        assert_eq!(peer.heard(), [Output::Opened]);
        peer
    }

    fn open(&mut self, delivery: Delivery) -> ConnectionId {
        self.session.open(self.now, delivery).unwrap()
    }

    fn take(&mut self, id: ConnectionId) -> (Flow, Vec<String>) {
        let mut batch = Vec::new();
        let flow = self.session.take(self.now, id, &mut batch);
        (
            flow,
            batch
                .iter()
                .map(|packet| packet.text().unwrap().as_str().to_owned())
                .collect(),
        )
    }

    fn poll(&mut self) -> (Flow, Vec<String>) {
        let id = self.open(Delivery::Poll);
        self.take(id)
    }

    fn handle(&mut self, input: Input) {
        self.session.handle(self.now, input);
    }

    fn send(&mut self, packet: &str) {
        self.session.send(Text::from(packet).into());
    }

    /// Lets the time come to `seconds` after the handshake, ringing at every deadline on the way.
    fn until(&mut self, seconds: u64) {
        let end = self.start + Duration::from_secs(seconds);
        while let Some(deadline) = self.session.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.handle(Input::Timeout);
            assert_ne!(
                self.session.deadline(),
                Some(deadline),
                "a deadline is dealt with when it comes"
            );
        }
        self.now = end;
    }

    fn heard(&mut self) -> Vec<Output> {
        while let Some(output) = self.session.poll() {
            self.outputs.push(output);
        }
        std::mem::take(&mut self.outputs)
    }
}

fn over(reason: Reason) -> [Output; 2] {
    [Output::Closed(reason), Output::Ended]
}

#[test]
fn an_unused_handshake_is_forgotten() {
    let mut peer = Peer::handshaken();
    peer.until(FRESH - 1);
    assert_eq!(peer.heard(), []);
    peer.until(FRESH);
    assert_eq!(peer.heard(), over(Reason::HandshakeTimeout));
    assert_eq!(peer.session.open(peer.now, Delivery::Poll), Err(Refused::Ended));
    assert_eq!(peer.session.deadline(), None);
}

#[test]
fn the_server_beats_and_a_client_that_answers_lives() {
    let (mut peer, stream) = Peer::streaming();
    for beat in 1..=5 {
        peer.until(beat * INTERVAL - 1);
        assert_eq!(peer.take(stream).0, Flow::Wait);
        peer.until(beat * INTERVAL);
        assert_eq!(peer.take(stream), (Flow::Write, vec!["2::".to_owned()]));
        peer.handle(Input::Heartbeat);
    }
    assert_eq!(peer.heard(), []);
}

#[test]
fn a_client_that_does_not_answer_is_gone_after_interval_and_timeout() {
    let (mut peer, stream) = Peer::streaming();
    peer.until(INTERVAL + TIMEOUT - 1);
    assert_eq!(peer.take(stream), (Flow::Write, vec!["2::".to_owned()]));
    assert_eq!(peer.heard(), []);
    peer.until(INTERVAL + TIMEOUT);
    assert_eq!(peer.take(stream), (Flow::Gone, vec![]));
    assert_eq!(peer.heard(), over(Reason::HeartbeatTimeout));
}

#[test]
fn a_beat_of_the_client_puts_off_the_servers() {
    let (mut peer, stream) = Peer::streaming();
    peer.until(INTERVAL - 1);
    peer.handle(Input::Heartbeat);
    peer.until(2 * INTERVAL - 2);
    assert_eq!(peer.take(stream).0, Flow::Wait);
    peer.until(2 * INTERVAL - 1);
    assert_eq!(peer.take(stream).0, Flow::Write);
}

#[test]
fn polls_have_no_heartbeats_and_end_with_a_noop() {
    let mut peer = Peer::polling();
    for poll in 1..=10 {
        let id = peer.open(Delivery::Poll);
        assert_eq!(peer.take(id).0, Flow::Wait);
        peer.handle(Input::Heartbeat);
        peer.until(poll * DURATION);
        assert_eq!(peer.take(id), (Flow::Last, vec!["8::".to_owned()]));
    }
    assert_eq!(peer.heard(), []);
}

#[test]
fn a_poll_takes_all_there_is_and_the_rest_waits_for_the_next() {
    let mut peer = Peer::polling();
    let poll = peer.open(Delivery::Poll);
    peer.send("3:::a");
    peer.send("3:::b");
    assert_eq!(
        peer.take(poll),
        (Flow::Last, vec!["3:::a".to_owned(), "3:::b".to_owned()])
    );
    peer.send("3:::c");
    assert_eq!(peer.poll(), (Flow::Last, vec!["3:::c".to_owned()]));
}

#[test]
fn what_is_sent_while_nothing_is_open_is_replayed_on_any_transport() {
    let (mut peer, stream) = Peer::streaming();
    peer.send("3:::a");
    peer.send("3:::b");
    let (_, unsent) = peer.take(stream);
    peer.send("3:::c");
    peer.handle(Input::Lost(
        stream,
        unsent.iter().map(|packet| Text::from(packet.as_str()).into()).collect(),
    ));
    peer.send("3:::d");
    peer.until(CLOSE - 1);
    let all = ["3:::a", "3:::b", "3:::c", "3:::d"].map(str::to_owned);
    assert_eq!(peer.poll(), (Flow::Last, all.to_vec()));
    peer.until(2 * CLOSE - 2);
    assert_eq!(peer.heard(), []);
}

#[test]
fn a_lost_session_is_over_after_the_close_timeout() {
    let (mut peer, stream) = Peer::streaming();
    peer.handle(Input::Lost(stream, vec![]));
    peer.until(CLOSE);
    assert_eq!(peer.heard(), over(Reason::CloseTimeout));

    let mut peer = Peer::polling();
    peer.until(CLOSE - 1);
    assert_eq!(peer.heard(), []);
    peer.until(CLOSE);
    assert_eq!(peer.heard(), over(Reason::CloseTimeout));
}

#[test]
fn a_volatile_packet_is_dropped_while_nothing_is_open() {
    let mut peer = Peer::polling();
    peer.session.send_volatile(Text::from("3:::lost").into());
    let poll = peer.open(Delivery::Poll);
    assert_eq!(peer.take(poll), (Flow::Wait, vec![]));
    peer.session.send_volatile(Text::from("3:::kept").into());
    assert_eq!(peer.take(poll), (Flow::Last, vec!["3:::kept".to_owned()]));
}

#[test]
fn a_second_connection_takes_over_without_a_second_greeting() {
    let (mut peer, first) = Peer::streaming();
    let second = peer.open(Delivery::Stream);
    peer.send("3:::a");
    assert_eq!(peer.take(first), (Flow::Superseded, vec![]));
    peer.handle(Input::Lost(first, vec![]));
    assert_eq!(peer.take(second), (Flow::Write, vec!["3:::a".to_owned()]));
    peer.until(INTERVAL);
    assert_eq!(peer.take(second), (Flow::Write, vec!["2::".to_owned()]));
    assert_eq!(peer.heard(), []);
}

#[test]
fn the_last_words_of_the_server_wait_for_the_next_poll() {
    let mut peer = Peer::polling();
    peer.send("3:::a");
    peer.handle(Input::Close(Reason::Server));
    peer.send("3:::late");
    assert_eq!(peer.heard(), [Output::Closed(Reason::Server)]);
    assert_eq!(peer.poll(), (Flow::Last, vec!["3:::a".to_owned(), "0::".to_owned()]));
    assert_eq!(peer.heard(), [Output::Ended]);
}

#[test]
fn the_last_words_do_not_wait_forever() {
    let mut peer = Peer::polling();
    peer.handle(Input::Close(Reason::Server));
    peer.until(CLOSE);
    assert_eq!(peer.heard(), [Output::Closed(Reason::Server), Output::Ended]);
}

#[test]
fn a_client_that_leaves_is_told_on_an_open_connection_only() {
    let (mut peer, stream) = Peer::streaming();
    peer.send("3:::a");
    peer.handle(Input::Close(Reason::Client));
    assert_eq!(
        peer.take(stream),
        (Flow::Last, vec!["3:::a".to_owned(), "0::".to_owned()])
    );
    assert_eq!(peer.heard(), over(Reason::Client));

    let mut peer = Peer::polling();
    peer.send("3:::a");
    peer.handle(Input::Close(Reason::Client));
    assert_eq!(peer.heard(), over(Reason::Client));
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let (mut peer, stream) = Peer::streaming();
    for _ in 0..100 {
        peer.send("3:::0123456789");
    }
    assert_eq!(peer.heard(), over(Reason::Backlog));
    assert_eq!(peer.take(stream), (Flow::Gone, vec![]));
    assert_eq!(peer.session.backlog(), 0);
}
