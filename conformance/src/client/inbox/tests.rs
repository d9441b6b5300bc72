use super::*;
use crate::client::websocket::{Opcode, server_frame};

fn section(framing: Framing, content_type: &str) -> Section {
    let conn = ConnId {
        client: "a".to_owned(),
        part: "main".to_owned(),
        ordinal: 0,
    };
    let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    let head = ResponseHead {
        status: 200,
        reason: "OK".to_owned(),
        old: false,
        headers,
    };
    Section::new(conn, 0, "GET /".to_owned(), Some(head), framing)
}

fn kinds(section: &Section) -> Vec<UnitKind> {
    section.units.iter().map(|unit| unit.kind.clone()).collect()
}

fn packet(text: &str) -> UnitKind {
    UnitKind::Packet(text.to_owned())
}

/// Every way to cut the bytes in two gives the same units, and their ranges cover the bytes without gaps.
fn wherever_it_is_cut(framing: Framing, content_type: &str, bytes: &[u8], expected: &[UnitKind]) {
    for cut in 0..=bytes.len() {
        let mut section = section(framing, content_type);
        section.push(&bytes[..cut]);
        section.push(&bytes[cut..]);
        section.end();
        assert_eq!(kinds(&section), expected, "cut at {cut}");
        assert_eq!(section.units.back().map(|unit| unit.range.end), Some(bytes.len()));
    }
}

#[test]
fn a_payload_gives_its_packets_when_it_is_whole() {
    let bytes = "\u{fffd}4\u{fffd}3:::\u{fffd}5\u{fffd}3:::b".as_bytes();
    wherever_it_is_cut(
        Framing::Payload,
        "text/plain",
        bytes,
        &[packet("3:::"), packet("3:::b")],
    );
}

#[test]
fn a_ping_may_stand_within_a_message() {
    let mut first = server_frame(Opcode::Text, b"3:::");
    first[0] &= 0x7f;
    let bytes = [
        first,
        server_frame(Opcode::Ping, b"x"),
        server_frame(Opcode::Continuation, b"hi"),
    ]
    .concat();
    let expected = [UnitKind::Ping(b"x".to_vec()), packet("3:::hi")];
    wherever_it_is_cut(Framing::WebSocket { typed: false }, "", &bytes, &expected);
}

#[test]
fn typed_frames_carry_bytes_behind_their_type_or_as_base64() {
    let bytes = [
        server_frame(Opcode::Binary, b"\x04\x01\x02"),
        server_frame(Opcode::Text, b"b4AQI="),
        server_frame(Opcode::Text, b"42[\"a\"]"),
    ]
    .concat();
    let data = vec![1, 2];
    let expected = [
        UnitKind::Binary(data.clone()),
        UnitKind::Encoded("b4AQI=".to_owned(), data),
        packet("42[\"a\"]"),
    ];
    wherever_it_is_cut(Framing::WebSocket { typed: true }, "", &bytes, &expected);
}

#[rstest::rstest]
#[case(server_frame(Opcode::Binary, b"\x01\x02"))]
#[case(server_frame(Opcode::Binary, b"4\x02"))]
#[case(server_frame(Opcode::Binary, b""))]
#[case(server_frame(Opcode::Text, b"bAQI="))]
fn a_typed_frame_without_its_type_is_bad(#[case] bytes: Vec<u8>) {
    let mut section = section(Framing::WebSocket { typed: true }, "");
    section.push(&bytes);
    assert!(matches!(kinds(&section).as_slice(), [UnitKind::Bad(_)]));
}

#[test]
fn lengths_stand_in_text_in_octets_and_in_a_script() {
    let expected = [packet("4\u{1f600}"), UnitKind::Binary(vec![1, 2])];
    let text = "3:4\u{1f600}6:b4AQI=".as_bytes();
    wherever_it_is_cut(Framing::Lengths, "", text, &expected);
    let octets = b"\x00\x05\xff4\xf0\x9f\x98\x80\x01\x03\xff\x04\x01\x02";
    wherever_it_is_cut(Framing::Lengths, "", octets, &expected);
}

#[test]
fn the_answer_to_a_hixie_challenge_comes_before_its_frames() {
    let bytes = [b"0123456789abcdef".as_slice(), b"\x001::\xff\xff\x00"].concat();
    let digest = UnitKind::Digest(*b"0123456789abcdef");
    wherever_it_is_cut(
        Framing::Hixie,
        "",
        &bytes,
        &[digest, packet("1::"), UnitKind::Close(None, String::new())],
    );
}

#[test]
fn a_multipart_stream_begins_with_its_boundary() {
    let bytes = b"--socketio\nContent-Type: text/plain\n\n1::\n--socketio\n";
    let expected = [UnitKind::Prelude("--socketio\n".to_owned()), packet("1::")];
    wherever_it_is_cut(
        Framing::Multipart,
        "multipart/x-mixed-replace;boundary=\"socketio\"",
        bytes,
        &expected,
    );
}

#[test]
fn nothing_is_read_after_broken_framing() {
    let mut section = section(Framing::WebSocket { typed: false }, "");
    section.push(&[0xc1, 0]);
    section.push(&server_frame(Opcode::Text, b"1::"));
    assert!(matches!(kinds(&section).as_slice(), [UnitKind::Bad(_)]));
}

#[test]
fn taking_bytes_takes_the_packets_in_them() {
    let mut section = section(Framing::WebSocket { typed: false }, "");
    let first = server_frame(Opcode::Text, b"1::");
    section.push(&first);
    section.push(&server_frame(Opcode::Text, b"2::"));
    assert_eq!(section.take_bytes(first.len()), 0..first.len());
    assert_eq!(kinds(&section), [packet("2::")]);
}

#[test]
fn a_stream_of_webtransport_gives_packets_and_does_not_end_inside_one() {
    let bytes = b"\x024a\x82\x01\x02\x04\x34\xef\xbf\xbd";
    let expected = [packet("4a"), UnitKind::Binary(vec![1, 2]), packet("4\u{fffd}")];
    wherever_it_is_cut(Framing::WebTransport, "", bytes, &expected);
    let cut_off = [
        packet("4a"),
        UnitKind::Bad("the stream ends inside a packet".to_owned()),
    ];
    wherever_it_is_cut(Framing::WebTransport, "", b"\x024a\x054b", &cut_off);
    // Who has taken the bytes has seen them.
    let mut section = section(Framing::WebTransport, "");
    section.push(b"\x054b");
    section.take_bytes(3);
    section.end();
    assert_eq!(kinds(&section), []);
}
