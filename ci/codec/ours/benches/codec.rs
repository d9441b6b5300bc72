//! What the contract's `message` does with an event, which is to echo whatever comes: the text of the arguments, checked
//! to be JSON, and the binary data beside it.

use criterion::{criterion_group, criterion_main};
use reference_server::codec::binary::Reassembly;
use reference_server::codec::socketio::{Packet, Revision};
use reference_server::codec::{Message, eio4};

include!("../../shapes.rs");

const SIDE: &str = "ours";

fn decode<R>(text: &str, attachments: &[Bytes], then: impl FnOnce(&Packet<'_>) -> R) -> R {
    let (packet, announced) = Packet::decode(text, Revision::Five).expect("a packet");
    if announced == 0 {
        return then(&packet);
    }
    let mut reassembly = Reassembly::default();
    reassembly.begin(text, announced);
    let complete = attachments
        .iter()
        .find_map(|data| reassembly.attach(data.clone()).expect("due"));
    let (text, attachments) = complete.expect("all attachments");
    let packet = Packet::decode_again(&text, Revision::Five).expect("a packet");
    then(&packet.attach(attachments).expect("its placeholders"))
}

fn encode(packet: &Packet<'_>) -> (String, Vec<Bytes>) {
    let mut text = String::with_capacity(packet.size());
    packet.write(&mut text);
    (text, packet.attachments().to_vec())
}

fn decode_payload(payload: &str) {
    for part in eio4::split_payload(payload) {
        match eio4::Packet::decode_part(part) {
            Ok(eio4::Packet::Message(text)) => decode(text, &[], |packet| {
                black_box(packet);
            }),
            other => panic!("no message: {other:?}"),
        }
    }
}

fn encode_payload(packet: &Packet<'_>) -> String {
    let message = || {
        let mut text = String::with_capacity(1 + packet.size());
        text.push('4');
        packet.write(&mut text);
        Message::Text(text.into())
    };
    let messages: Vec<_> = (0..100).map(|_| message()).collect();
    eio4::encode_payload(&messages).to_string()
}

fn codecs(criterion: &mut Criterion) {
    let (text, attachments) = binary();
    for (shape, text, attachments) in [("event", EVENT, &[][..]), ("binary-4x256", &text, &attachments)] {
        bench(criterion, SIDE, &format!("decode-{shape}"), || {
            decode(black_box(text), attachments, |packet| {
                black_box(packet);
            });
        });
        decode(text, attachments, |packet| {
            assert_eq!(encode(packet), (text.to_owned(), attachments.to_vec()));
            bench(criterion, SIDE, &format!("encode-{shape}"), || {
                encode(black_box(packet))
            });
        });
    }
    let payload = payload();
    bench(criterion, SIDE, "decode-payload-100", || {
        decode_payload(black_box(&payload))
    });
    decode(EVENT, &[], |packet| {
        assert_eq!(encode_payload(packet), payload);
        bench(criterion, SIDE, "encode-payload-100", || {
            encode_payload(black_box(packet))
        });
    });
}

criterion_group!(benches, codecs);
criterion_main!(benches);
