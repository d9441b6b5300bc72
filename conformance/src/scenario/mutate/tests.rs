use proptest::prelude::*;
use rstest::rstest;

use super::super::ast::{Span, Text};
use super::super::capture::Captures;
use super::super::json::{JsString, Number, Value};
use super::super::packet::PacketPattern;
use super::super::pattern::{Prefix, match_bytes, match_prefix};
use super::super::{Generation, text};
use super::{bytes_mutants, prefix_mutants};

fn read(source: &str) -> Text {
    let mut problems = Vec::new();
    let text = text::parse(
        source,
        Span {
            start: 0,
            end: source.len(),
        },
        &mut problems,
    );
    assert_eq!(problems, [], "{source}");
    text
}

fn before() -> Captures {
    let mut before = Captures::new();
    before.insert("fresh", Value::string("k7"));
    before.insert("n", Value::integer(5));
    before
}

/// The mutants of a packet, each of which was refused.
fn refused(generation: Generation, source: &str, got: &str) -> Vec<String> {
    let pattern = PacketPattern::compile(generation, &read(source)).unwrap();
    pattern.matches(got, &mut before()).unwrap();
    let mutants = pattern.mutants(got, &before());
    for mutant in &mutants {
        let result = pattern.matches(&mutant.text, &mut before());
        assert!(
            result.is_err(),
            "{source} accepts {} ({})",
            mutant.text,
            mutant.description
        );
    }
    mutants.into_iter().map(|mutant| mutant.text).collect()
}

#[rstest]
#[case("2::", "2::", &["3::", "2:7:", "2::/other", "2:::data"])]
#[case("2::", "2:::", &["3:::", "2:7::", "2::/other:", "2:::data"])]
#[case("3:::$_", "3:::x", &["4:::x", "3:7::x", "3::/other:x"])]
#[case("6:::1+", "6:::1+[]", &["7:::1+[]", "6:::2+[]", "6:::1", "6:::1+[null]"])]
#[case("6:::1", "6:::1", &["6:::1+[]", "6:::2"])]
#[case("5:$_::{\"name\":\"a\",...}", "5:1+::{\"name\":\"a\"}", &["5:1+::{\"name\":\"b\",\"args\":[]}"])]
#[case("5:::{\"name\":\"a\"}", "5:::{\"name\":\"a\"}", &["5:::{\"name\":\"a\",\"args\":[null]}", "5:::{\"args\":[]}"])]
#[case("4:::{\"a\":$(int?)}", "4:::{\"a\":1}", &["4:::{\"a\":\"1\"}", "4:::{\"a\":0.5}", "4:::{\"a\":1,\"extra\":null}"])]
#[case("4:::[$(int(1..3))]", "4:::[2]", &["4:::[0]", "4:::[4]", "4:::[null]", "4:::[]", "4:::[2,null]"])]
#[case("4:::[\"room-$fresh\",$n,\"$x\"]", "4:::[\"room-k7\",5,\"y\"]", &["4:::[\"room-k8\",5,\"y\"]", "4:::[\"room-k7\",0,\"y\"]"])]
#[case("4:::\"5\"", "4:::\"5\"", &["4:::5", "4:::\"6\"", "4:::\"5~\""])]
fn every_literal_is_altered(#[case] source: &str, #[case] got: &str, #[case] some: &[&str]) {
    let mutants = refused(Generation::Rev1, source, got);
    for expected in some {
        assert!(
            mutants.iter().any(|it| it == expected),
            "no {expected} among {mutants:#?}"
        );
    }
}

#[rstest]
#[case("0{\"sid\":$(str),...}", "0{\"sid\":\"a\"}", &["0{}", "0{\"sid\":0}"])]
#[case("42/x,7[\"e\",$_]", "42/x,7[\"e\",1]", &["43/x,7[\"e\",1]", "42/y,7[\"e\",1]", "42/x,8[\"e\",1]", "42/x,7[\"f\",1]"])]
#[case("40", "40", &["41", "40/other,", "40[]"])]
#[case("3probe", "3probe", &["4probe", "3prob"])]
fn every_literal_of_modern_packets_is_altered(#[case] source: &str, #[case] got: &str, #[case] some: &[&str]) {
    let mutants = refused(Generation::Eio4, source, got);
    for expected in some {
        assert!(
            mutants.iter().any(|it| it == expected),
            "no {expected} among {mutants:#?}"
        );
    }
}

#[rstest]
#[case("1::", "1::")]
#[case(r"\ufffd$n\ufffd3:::é", "\u{fffd}5\u{fffd}3:::é")]
#[case("$sid:$(int):$_:end", "abc:15:x:end")]
#[case("$_a$_", "xaay")]
#[case("", "")]
fn bodies_next_to_the_right_one_are_refused(#[case] source: &str, #[case] got: &str) {
    let text = read(source);
    let mutants = bytes_mutants(&text, got.as_bytes(), &before());
    for mutant in &mutants {
        let result = match_bytes(&text, &mutant.bytes, &mut before());
        assert!(
            result.is_err(),
            "{source} accepts {:?} ({})",
            mutant.bytes,
            mutant.description
        );
    }
    assert!(!mutants.is_empty());
    for mutant in prefix_mutants(&text, got.as_bytes(), &before()) {
        let prefix = match_prefix(&text, &mutant.bytes, true, &mut before());
        assert!(
            !matches!(prefix, Prefix::Matched(len) if len == mutant.bytes.len()),
            "{}",
            mutant.description
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_next_to_the_right_one_is_refused((value, pattern) in value_and_pattern()) {
        refused(Generation::Rev1, &format!("4:::{pattern}"), &format!("4:::{value}"));
        let event = format!("5:::{{\"name\":\"e\",\"args\":[{value}]}}");
        refused(Generation::Rev1, &format!("5:::{{\"name\":\"e\",\"args\":[{pattern}]}}"), &event);
    }
}

/// A value, and the text of a pattern that accepts it.
fn value_and_pattern() -> impl Strategy<Value = (Value, String)> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1000_i64..1000).prop_map(Value::integer),
        Just(Value::Number(Number::new("1.50e2").unwrap())),
        "[a-z0-9é𝄞]{0,4}".prop_map(|it| Value::string(&it)),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        let key = "[a-z]{1,3}".prop_map(|it| JsString::from(it.as_str()));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map(key, inner, 0..4).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    });
    (value, prop::collection::vec(0_u8..8, 1..20)).prop_map(|(value, choices)| {
        let mut choices = choices.into_iter().cycle();
        let pattern = pattern(&value, &mut choices);
        (value, pattern)
    })
}

fn pattern(value: &Value, choices: &mut impl Iterator<Item = u8>) -> String {
    let choice = choices.next();
    let open = |parts: Vec<String>| match (choice, parts.is_empty()) {
        (Some(1), true) => "...".to_owned(),
        (Some(1), false) => format!("{},...", parts.join(",")),
        _ => parts.join(","),
    };
    match (choice, value) {
        (Some(0), _) => "$_".to_owned(),
        (Some(2), Value::Array(_)) => "$(list)".to_owned(),
        (Some(2), Value::Object(_)) => "$(obj)".to_owned(),
        (Some(2), Value::String(_)) => "$(str)".to_owned(),
        (Some(2), Value::Number(_)) => "$(int)".to_owned(),
        (Some(3), Value::Number(_)) => "$(num?)".to_owned(),
        (Some(2 | 3), Value::Bool(_)) => "$(bool?)".to_owned(),
        (_, Value::Array(items)) => {
            format!("[{}]", open(items.iter().map(|it| pattern(it, choices)).collect()))
        }
        (_, Value::Object(members)) => {
            let members = members
                .iter()
                .map(|(key, it)| format!("{key}:{}", pattern(it, choices)));
            format!("{{{}}}", open(members.collect()))
        }
        (_, value) => value.to_string(),
    }
}
