//! Conversations with a session of Engine.IO 4.

use super::*;

/// A session that has joined a namespace over polls.
fn polling() -> Peer {
    let mut peer = Peer::new(Generation::Eio4);
    peer.send("0{}");
    assert_eq!(peer.poll(), last(&["0{}"]));
    peer.handle(Input::Joined);
    peer
}

/// The same over a stream.
fn streaming() -> (Peer, ConnectionId) {
    let mut peer = Peer::new(Generation::Eio4);
    let stream = peer.open(Delivery::Stream);
    peer.handle(Input::Joined);
    (peer, stream)
}

fn last(packets: &[&str]) -> (Flow, Vec<String>) {
    (Flow::Last, packets.iter().map(|packet| (*packet).to_owned()).collect())
}

fn write(packets: &[&str]) -> (Flow, Vec<String>) {
    (Flow::Write, last(packets).1)
}

fn wait() -> (Flow, Vec<String>) {
    (Flow::Wait, Vec::new())
}

impl Peer {
    /// The connection of an upgrade, probed.
    fn probe(&mut self) -> ConnectionId {
        let id = self.session.open_upgrade(self.now).unwrap();
        assert_eq!(self.take(id), wait());
        self.handle(Input::Probe(id));
        assert_eq!(self.take(id), write(&["3probe"]));
        id
    }
}

#[test]
fn the_server_pings_whatever_carries_the_session() {
    let (mut peer, stream) = streaming();
    peer.until(INTERVAL);
    assert_eq!(peer.take(stream), write(&["2"]));

    let mut peer = polling();
    peer.until(INTERVAL);
    assert_eq!(peer.poll(), last(&["2"]));
    peer.handle(Input::Heartbeat);
    peer.until(2 * INTERVAL + TIMEOUT - 1);
    assert_eq!(peer.heard(), []);
    let poll = peer.open(Delivery::Poll);
    assert_eq!(peer.take(poll), last(&["2"]));
    peer.until(2 * INTERVAL + TIMEOUT);
    assert_eq!(peer.heard(), over(Reason::HeartbeatTimeout));
}

#[test]
fn a_poll_that_waits_hears_of_a_ping_timeout() {
    let mut peer = polling();
    peer.until(INTERVAL);
    assert_eq!(peer.poll(), last(&["2"]));
    let poll = peer.open(Delivery::Poll);
    peer.until(INTERVAL + TIMEOUT);
    assert_eq!(peer.take(poll), last(&["1"]));
    assert_eq!(peer.heard(), over(Reason::HeartbeatTimeout));
}

#[test]
fn a_client_has_to_join_a_namespace_in_time() {
    let mut peer = Peer::new(Generation::Eio4);
    let stream = peer.open(Delivery::Stream);
    peer.until(CONNECT - 1);
    assert_eq!(peer.heard(), []);
    peer.until(CONNECT);
    assert_eq!(peer.take(stream), last(&[]));
    assert_eq!(peer.heard(), over(Reason::ConnectTimeout));
}

#[test]
fn a_session_ends_with_its_connection() {
    let (mut peer, stream) = streaming();
    peer.handle(Input::Lost(stream, vec![]));
    assert_eq!(peer.heard(), over(Reason::Lost));

    let mut peer = polling();
    let poll = peer.open(Delivery::Poll);
    peer.handle(Input::Lost(poll, vec![]));
    assert_eq!(peer.heard(), over(Reason::Lost));
}

#[test]
fn a_second_poll_ends_the_session() {
    let mut peer = polling();
    let poll = peer.open(Delivery::Poll);
    assert_eq!(peer.session.open(peer.now, Delivery::Poll), Err(Refused::Overlap));
    assert_eq!(peer.take(poll), last(&["1"]));
    assert_eq!(peer.heard(), over(Reason::Fault));
}

#[test]
fn a_second_post_ends_the_session() {
    let mut peer = polling();
    assert_eq!(peer.session.post(peer.now), Ok(()));
    peer.handle(Input::Posted);
    assert_eq!(peer.session.post(peer.now), Ok(()));
    assert_eq!(peer.session.post(peer.now), Err(Refused::Overlap));
    assert_eq!(peer.heard(), over(Reason::Fault));
    assert_eq!(peer.session.post(peer.now), Err(Refused::Ended));
}

#[test]
fn the_last_words_wait_for_the_next_poll_but_not_for_ever() {
    let mut peer = polling();
    peer.send("4a");
    peer.handle(Input::Close(Reason::Server));
    peer.send("4late");
    assert_eq!(peer.poll(), last(&["4a", "1"]));
    assert_eq!(peer.heard(), over(Reason::Server));

    let mut peer = polling();
    peer.handle(Input::Close(Reason::Server));
    peer.until(CLOSE);
    assert_eq!(peer.heard(), over(Reason::Server));
}

#[test]
fn a_client_that_leaves_has_its_poll_back() {
    let mut peer = polling();
    let poll = peer.open(Delivery::Poll);
    peer.handle(Input::Close(Reason::Client));
    assert_eq!(peer.take(poll), last(&["6"]));
    assert_eq!(peer.heard(), over(Reason::Client));
}

#[test]
fn an_upgrade_loses_nothing_and_keeps_the_order() {
    let mut peer = polling();
    peer.send("4a");
    let stream = peer.probe();
    // Until the client says so, polls carry the session.
    assert_eq!(peer.poll(), last(&["4a"]));
    peer.send("4b");
    peer.handle(Input::Upgrade(stream));
    peer.send("4c");
    assert_eq!(peer.take(stream), write(&["4b", "4c"]));
    assert_eq!(
        peer.session.open(peer.now, Delivery::Poll),
        Err(Refused::OtherTransport)
    );
    assert_eq!(peer.session.post(peer.now), Err(Refused::OtherTransport));
    assert_eq!(peer.session.open_upgrade(peer.now), Err(Refused::OtherTransport));
    peer.until(INTERVAL);
    assert_eq!(peer.take(stream), write(&["2"]));
    peer.handle(Input::Lost(stream, vec![]));
    assert_eq!(peer.heard(), over(Reason::Lost));
}

#[test]
fn a_poll_that_waits_is_let_go_by_the_probe() {
    let mut peer = polling();
    let poll = peer.open(Delivery::Poll);
    let stream = peer.probe();
    peer.until(0);
    assert_eq!(peer.take(poll), last(&["6"]));
    // Another one is held for a moment only, and superseded by the upgrade.
    let poll = peer.open(Delivery::Poll);
    assert_eq!(peer.take(poll), wait());
    peer.until(1);
    assert_eq!(peer.take(poll), last(&["6"]));
    let poll = peer.open(Delivery::Poll);
    peer.handle(Input::Upgrade(stream));
    assert_eq!(peer.take(poll).0, Flow::Superseded);
    peer.handle(Input::Lost(poll, vec![]));
    peer.send("4a");
    assert_eq!(peer.take(stream), write(&["4a"]));
    assert_eq!(peer.heard(), []);
}

#[test]
fn an_upgrade_that_fails_leaves_the_session_as_it_was() {
    let mut peer = polling();
    let first = peer.session.open_upgrade(peer.now).unwrap();
    assert_eq!(peer.session.open_upgrade(peer.now), Err(Refused::OtherTransport));
    // Without a probe.
    peer.handle(Input::Upgrade(first));
    assert_eq!(peer.take(first).0, Flow::Superseded);
    // Lost half-way.
    let second = peer.probe();
    peer.handle(Input::Lost(second, vec![]));
    // Too slow.
    let third = peer.probe();
    peer.until(UPGRADE);
    assert_eq!(peer.take(third).0, Flow::Superseded);
    peer.handle(Input::Upgrade(third));
    peer.send("4a");
    assert_eq!(peer.poll(), last(&["4a"]));
    assert_eq!(peer.heard(), []);
}

#[test]
fn a_session_that_ends_takes_its_upgrade_along() {
    let mut peer = polling();
    let stream = peer.probe();
    let poll = peer.open(Delivery::Poll);
    peer.handle(Input::Close(Reason::Server));
    assert_eq!(peer.take(poll), last(&["1"]));
    assert_eq!(peer.take(stream).0, Flow::Gone);
}
