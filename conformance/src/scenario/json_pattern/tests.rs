use super::super::json;
use super::super::text;
use super::*;
use rstest::rstest;

fn pattern(source: &str) -> Result<JsonPattern, SpannedError> {
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
    JsonPattern::parse(&text.atoms.written_out(), text.span)
}

fn bound() -> Captures {
    let mut captures = Captures::new();
    captures.insert("fresh", Value::string("k7"));
    captures.insert("n", Value::integer(5));
    captures
}

#[rstest]
#[case("null", "null")]
#[case("[1,2.0,true]", "[1.0,2,true]")]
#[case(r#"{"a":1,"b":[]}"#, r#"{"b":[],"a":1}"#)]
#[case(r#"{"a":1,...}"#, r#"{"b":[],"a":1}"#)]
#[case("{...}", "{}")]
#[case("[1,...]", "[1]")]
#[case("[...]", "[1,2]")]
#[case("$_", "{}")]
#[case(r#"[$(str),$(int),$(num),$(bool),$(list),$(obj)]"#, r#"["",10e-1,1.5,false,[1],{}]"#)]
#[case("[$(int(1..)),$(int(..5)),$(num(1..2))]", "[1,5,1.5]")]
#[case(r#"{"a":$(int?)}"#, "{}")]
#[case(r#"{"a":$(int?)}"#, r#"{"a":null}"#)]
#[case("[1,$(int?)]", "[1]")]
#[case("[$x,$x]", "[{\"a\":1},{\"a\":1.0}]")]
#[case("[$n]", "[5.0]")]
#[case("$(/[a-z]+/)", r#""abc""#)]
#[case(r#""room-$fresh""#, r#""room-k7""#)]
#[case(r#""$a-$b""#, r#""x-y-z""#)]
#[case(r#""id $n""#, r#""id 5""#)]
#[case(r#""\\u00e9\ud834\udd1e\\n""#, r#""é𝄞\n""#)]
#[case(r#""\\ud834""#, r#""\ud834""#)]
fn fits(#[case] source: &str, #[case] got: &str) {
    pattern(source)
        .unwrap()
        .matches(&json::parse(got).unwrap(), &mut bound())
        .unwrap();
}

#[rstest]
#[case("1", "2", "$: expected 1, got 2", "1")]
#[case(
    r#"{"a":[1,{"n":$(int)}]}"#,
    r#"{"a":[1,{"n":"25000"}]}"#,
    "$.a[1].n: expected int, got \"25000\"",
    "$(int)"
)]
#[case(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "$: missing key \"b\"", "\"b\"")]
#[case(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, "$: extra key \"b\": 2", "{\"a\":1}")]
#[case("[1,2]", "[1]", "$: missing element 1", "2")]
#[case("[1]", "[1,[]]", "$: extra element 1: []", "[1]")]
#[case("[1,2,...]", "[1]", "$: missing element 1", "2")]
#[case("$(int)", "1.5", "$: expected int, got 1.5", "$(int)")]
#[case("$(int(1..))", "0", "$: expected int(1..), got 0", "$(int(1..))")]
#[case("[$x,$x]", "[1,2]", "$[1]: expected 1 ($x), got 2", "$x")]
#[case("$n", "\"5\"", "$: expected 5 ($n), got \"5\"", "$n")]
#[case(r#"{"a b":null}"#, r#"{"a b":0}"#, "$[\"a b\"]: expected null, got 0", "null")]
#[case(r#""room-$fresh""#, r#""room-k8""#, "$: expected \"k7\", got \"k8\"", "$fresh")]
#[case("$(/[a-z]+/)", r#""abc1""#, "$: expected /[a-z]+/, got \"abc1\"", "$(/[a-z]+/)")]
#[case(r#""abc""#, r#""abd""#, "$: expected \"abc\", got \"abd\"", "\"abc\"")]
fn does_not_fit(#[case] source: &str, #[case] got: &str, #[case] message: &str, #[case] place: &str) {
    let mut captures = bound();
    let mismatch = pattern(source)
        .unwrap()
        .matches(&json::parse(got).unwrap(), &mut captures)
        .unwrap_err();
    assert_eq!(mismatch.to_string(), message);
    assert_eq!(&source[mismatch.span.range()], place);
    assert_eq!(captures, bound());
}

#[rstest]
#[case("[1,", "ends where a value should stand")]
#[case("{\"a\":1,\"a\":2}", "duplicate key \"a\"")]
#[case("[..., 1]", "nothing may follow `...`")]
#[case("{\"$a\":1}", "a key cannot hold a hole")]
#[case("tru", "expected a value")]
#[case("[1] 2", "something follows the value")]
#[case("\"a", "ends within a string")]
#[case(r#""\\q""#, "unknown escape in a string")]
#[case("[01]", "malformed number")]
fn no_pattern(#[case] source: &str, #[case] message: &str) {
    assert_eq!(pattern(source).unwrap_err().message, message);
}
