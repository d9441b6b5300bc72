//! What the contract's `message` does with an event, which is to echo whatever comes: a `Value` that tells binary data from
//! everything else. The parser leaves payloads to the engine, so they are split and joined in the simplest way.

use criterion::{criterion_group, criterion_main};
use rmpv::Value;
use socketioxide_core::packet::{Packet, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParserState};
use socketioxide_core::{Str, Value as Data};
use socketioxide_parser_common::CommonParser;

include!("../../shapes.rs");

const SIDE: &str = "theirs";

struct Event {
    name: String,
    argument: Value,
}

fn decode(text: &str, attachments: &[Bytes]) -> Event {
    let (config, state) = (ParseConfig::default(), ParserState::default());
    let whole = CommonParser
        .decode_str(&config, &state, Str::copy_from_slice(text))
        .ok();
    let packet = whole.or_else(|| {
        let mut all = attachments.iter();
        all.find_map(|data| CommonParser.decode_bin(&config, &state, data.clone()).ok())
    });
    let (PacketData::Event(mut data, _) | PacketData::BinaryEvent(mut data, _)) = packet.expect("a packet").inner
    else {
        panic!("no event");
    };
    let name = CommonParser.read_event(&data).expect("a name").to_owned();
    let argument = CommonParser.decode_value(&mut data, true).expect("an argument");
    Event { name, argument }
}

fn encode(event: &Event) -> (String, Vec<Bytes>) {
    let data = CommonParser.encode_value(&event.argument, Some(&event.name));
    match CommonParser.encode(Packet::event("/", data.expect("data"))) {
        Data::Str(text, attachments) => (text.into(), attachments.unwrap_or_default().into()),
        Data::Bytes(_) => panic!("no text"),
    }
}

fn decode_payload(payload: &str) {
    for part in payload.split(SEPARATOR) {
        black_box(decode(&part[1..], &[]));
    }
}

fn encode_payload(event: &Event) -> String {
    let mut payload = String::new();
    for k in 0..100 {
        payload.push_str(if k > 0 { "\u{1e}4" } else { "4" });
        payload.push_str(&encode(event).0);
    }
    payload
}

fn codecs(criterion: &mut Criterion) {
    let (text, attachments) = binary();
    for (shape, text, attachments) in [("event", EVENT, &[][..]), ("binary-4x256", &text, &attachments)] {
        bench(criterion, SIDE, &format!("decode-{shape}"), || {
            decode(black_box(text), attachments)
        });
        let event = decode(text, attachments);
        assert_eq!(encode(&event), (text.to_owned(), attachments.to_vec()));
        bench(criterion, SIDE, &format!("encode-{shape}"), || {
            encode(black_box(&event))
        });
    }
    let payload = payload();
    bench(criterion, SIDE, "decode-payload-100", || {
        decode_payload(black_box(&payload))
    });
    let event = decode(EVENT, &[]);
    assert_eq!(encode_payload(&event), payload);
    bench(criterion, SIDE, "encode-payload-100", || {
        encode_payload(black_box(&event))
    });
}

criterion_group!(benches, codecs);
criterion_main!(benches);
