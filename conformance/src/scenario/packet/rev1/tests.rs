use super::super::super::{Generation, text};
use super::super::PacketPattern;
use super::*;
use rstest::rstest;

fn compile(source: &str) -> Result<PacketPattern, SpannedError> {
    let mut problems = Vec::new();
    let text = text::parse(
        source,
        Span {
            start: 0,
            end: source.len(),
        },
        &mut problems,
    );
    assert_eq!(problems, []);
    PacketPattern::compile(Generation::Rev1, &text)
}

#[rstest]
#[case("2::", "2:::")]
#[case("1::", "1::")]
#[case("1:::", "1::")]
#[case("0::/x", "0::/x:")]
#[case("1::/custom:?x=1", "1::/custom:?x=1")]
#[case("3:::", "3::")]
#[case("3:::hi: there", "3:::hi: there")]
#[case("3:::$_", "3::")]
#[case("3:1+::$x", "3:1+::a\nb")]
#[case("4:::{\"a\":1,\"b\":[]}", "4:::{ \"b\": [], \"a\": 1.0 }")]
#[case("4:::$(obj)", "4:::{}")]
#[case("5:::{\"name\":\"news\"}", "5:::{\"args\":[],\"name\":\"news\"}")]
#[case("5:::{\"name\":\"news\",\"args\":[]}", "5:::{\"name\":\"news\"}")]
#[case("5:::{\"name\":\"news\",...}", "5:::{\"name\":\"news\",\"args\":[1]}")]
#[case("5:$_::$_", "5:1+::{\"name\":\"q\"}")]
#[case("5:$_::$_", "5:::{\"name\":\"q\"}")]
#[case("5:$id+:/x:$_", "5:12+:/x:{\"name\":\"q\"}")]
#[case("6:::1", "6:::1")]
#[case("6:::1+", "6:::1+[]")]
#[case("6:::1+[]", "6:::1+")]
#[case("6:::$id(int)+$(list)", "6:::17+[1]")]
#[case("6::/custom:1+[\"a\"]", "6::/custom:1+[\"a\"]")]
#[case("6:::$_", "6:::1")]
#[case("6:::$_", "6:::1+[1]")]
#[case("7:::1+0", "7:::1+0")]
#[case("7::/forbidden:2", "7::/forbidden:2")]
#[case("8::$_", "8::")]
fn fits(#[case] pattern: &str, #[case] got: &str) {
    compile(pattern).unwrap().matches(got, &mut Captures::new()).unwrap();
}

#[rstest]
#[case("2::", "8::", "expected type 2 (heartbeat), got 8 (noop)")]
#[case("2::", "2", "not a packet: fewer than two colons")]
#[case("2::", "9::", "not a packet: the type is none of 0 to 8")]
#[case("2::", "2:x:", "not a packet: the id is no number")]
#[case("2::", "2:1:", "1 byte too many: `1`")]
#[case("3:1::a", "3:::a", "expected an id, got none")]
#[case("3:$id::a", "3:::a", "expected an id, got none")]
#[case("3:1::a", "3:1+::a", "unexpected `+` behind the id")]
#[case("3:1+::a", "3:1::a", "expected `+` behind the id")]
#[case("1::", "1::/x", "2 bytes too many: `/x`")]
#[case("1::/x", "1::/y", "expected `x`, got `y`")]
#[case("1::/x", "1::/x:?a", "2 bytes too many: `?a`")]
#[case("3:::hi", "3:::ho", "expected `i`, got `o`")]
#[case(
    "5:::{\"name\":\"a\"}",
    "5:::{\"name\":\"a\",\"args\":[1]}",
    "$.args: extra element 0: 1"
)]
#[case(
    "5:::{\"name\":\"a\",\"args\":[1]}",
    "5:::{\"name\":\"a\"}",
    "$.args: missing element 0"
)]
#[case("5:::{\"name\":\"a\"}", "5:::{\"name\":\"a\",\"x\":1}", "$: extra key \"x\": 1")]
#[case(
    "5:::{\"name\":\"a\"}",
    "5:::{\"name\":",
    "the data is not JSON: ends where a value should stand"
)]
#[case("6:::1", "6:::1+", "expected an ack without data, got one with `+`")]
#[case("6:::1+[]", "6:::1", "expected an ack with data (`+`), got one without")]
#[case("6:::1", "6:::2", "expected `1`, got `2`")]
#[case("6:::1+[1]", "6:::1+[2]", "$[0]: expected 1, got 2")]
#[case("6:::$id", "6:::x", "not a packet: the ack names no id")]
#[case("6:::$id+[]", "6:::+[]", "not a packet: the ack names no id")]
#[case("7:::1+0", "7:::1", "expected `+0`, got nothing more")]
fn does_not_fit(#[case] pattern: &str, #[case] got: &str, #[case] message: &str) {
    let mismatch = compile(pattern)
        .unwrap()
        .matches(got, &mut Captures::new())
        .unwrap_err();
    assert_eq!(mismatch.to_string(), message);
}

#[rstest]
#[case("hello", "no packet: fewer than two colons")]
#[case("9:::x", "unknown packet type")]
#[case("$t::", "unknown packet type")]
#[case("3:x::", "the id is neither a number nor a hole")]
#[case("3:+::", "the id is neither a number nor a hole")]
#[case("4:::", "malformed JSON: ends where a value should stand")]
#[case("5:::[1]", "an event is an object")]
#[case("5:::{\"args\":[]}", "an event has a name")]
#[case("6:::", "an ack names the id it acknowledges")]
fn no_packet(#[case] pattern: &str, #[case] message: &str) {
    assert_eq!(compile(pattern).unwrap_err().message, message);
}

#[test]
fn holes_bind_when_all_of_it_fits() {
    let mut captures = Captures::new();
    let pattern = compile("5:$id+:$nsp:{\"name\":\"q\",\"args\":[$x]}").unwrap();
    pattern
        .matches("5:3+:/c:{\"name\":\"q\",\"args\":[[1]]}", &mut captures)
        .unwrap();
    let bound: Vec<String> = captures.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(bound, ["id=\"3\"", "nsp=\"/c\"", "x=[1]"]);
    let mut captures = Captures::new();
    assert!(
        pattern
            .matches("5:3+:/c:{\"name\":\"q\",\"args\":[]}", &mut captures)
            .is_err()
    );
    assert_eq!(captures, Captures::new());
}

#[test]
fn a_difference_deep_in_json_is_found_in_the_packet() {
    let pattern = compile("5:::{\"name\":\"a\",\"args\":[1,{\"n\":2}]}").unwrap();
    let got = "5:::{\"args\":[1,{\"n\":3}],\"name\":\"a\"}";
    let mismatch = pattern.matches(got, &mut Captures::new()).unwrap_err();
    assert_eq!(mismatch.offset.map(|at| &got[at..=at]), Some("3"));
}

#[rstest]
#[case("5:$a+:$b:{\"name\":\"$c-$d\",\"args\":[$(int),...]}")]
#[case("6:::$id+$(list)")]
#[case("3:::$a;$(list);$(/x+/)y")]
fn no_packet_makes_the_matcher_panic_or_hang(#[case] source: &str) {
    let pattern = compile(source).unwrap();
    let head = source.split(['$', '{']).next().unwrap();
    for got in [
        "",
        ":",
        "::",
        "é::",
        "5:1+:",
        "6:::+",
        "6:::1+[",
        "3:::[\"",
        "5:1+::{}",
        "5:1+::{\"name\":\"\\ud800-\"}",
    ] {
        assert!(pattern.matches(got, &mut Captures::new()).is_err(), "{got}");
        assert!(
            pattern.matches(&format!("{head}{got}"), &mut Captures::new()).is_err(),
            "{head}{got}"
        );
    }
    let long = format!("{head}[\"{}", ";".repeat(200_000));
    let started = std::time::Instant::now();
    assert!(pattern.matches(&long, &mut Captures::new()).is_err());
    assert!(
        started.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}
