//! Conversations with a session of Engine.IO 3.

use super::*;

const SILENCE: u64 = INTERVAL + TIMEOUT;

#[test]
fn the_client_pings_and_the_server_never_does() {
    let mut peer = Peer::new(Generation::Eio3);
    let stream = peer.open(Delivery::Stream);
    peer.until(SILENCE - 1);
    assert_eq!(peer.take(stream), (Flow::Wait, Vec::new()));
    peer.handle(Input::Heartbeat);
    peer.until(2 * SILENCE - 2);
    assert_eq!((peer.heard(), peer.take(stream)), (vec![], (Flow::Wait, Vec::new())));
    peer.until(2 * SILENCE - 1);
    assert_eq!(peer.heard(), [Output::Closed(Reason::HeartbeatTimeout), Output::Ended]);
    assert_eq!(peer.take(stream).0, Flow::Gone);
}

#[test]
fn a_silent_client_that_polls_is_let_go() {
    let mut peer = Peer::new(Generation::Eio3);
    let poll = peer.open(Delivery::Poll);
    peer.until(SILENCE);
    assert_eq!(peer.take(poll), (Flow::Last, vec!["1".to_owned()]));
    assert_eq!(peer.heard(), [Output::Closed(Reason::HeartbeatTimeout), Output::Ended]);
}

#[test]
fn nobody_has_to_join_a_namespace() {
    let mut peer = Peer::new(Generation::Eio3);
    peer.open(Delivery::Stream);
    peer.until(CONNECT + 1);
    assert_eq!(peer.heard(), []);
}

#[test]
fn a_session_goes_over_to_a_stream() {
    let mut peer = Peer::new(Generation::Eio3);
    let poll = peer.open(Delivery::Poll);
    let stream = peer.session.open_upgrade(peer.now).unwrap();
    peer.handle(Input::Probe(stream));
    assert_eq!(peer.take(stream), (Flow::Write, vec!["3probe".to_owned()]));
    peer.handle(Input::Timeout);
    assert_eq!(peer.take(poll), (Flow::Last, vec!["6".to_owned()]));
    peer.handle(Input::Upgrade(stream));
    peer.send("4a");
    assert_eq!(peer.take(stream), (Flow::Write, vec!["4a".to_owned()]));
}
