use proptest::prelude::*;
use rstest::{Context, rstest};

use super::super::ast::*;
use super::parse;

/// The case that the lines of a test stand in.
fn file(lines: &str) -> String {
    format!("case:  rev1/topic/name\n\na open websocket\n{lines}\n")
}

fn steps(lines: &str) -> Vec<Step> {
    let scenario = parse("test.wire", &file(lines)).unwrap_or_else(|problems| panic!("{}", problems[0].render(false)));
    scenario.steps().map(|(step, _)| step.clone()).skip(1).collect()
}

/// Every message of a whole file, as a person sees it.
fn errors(text: &str) -> String {
    let problems = parse("test.wire", text).expect_err("the file has errors");
    problems
        .iter()
        .map(|problem| problem.render(false))
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[test]
fn a_file_is_headers_references_steps_blanks_and_comments() {
    let text = "case:  rev1/ack/data\ntitle: an ack carries data\nneeds: websocket\nlevel: should\nauto:  none\n\n# how\n\
                @ rev1#ack/data rev1#ack/id may observed as every server does\na open websocket\na < 1::\n";
    let scenario = parse("test.wire", text).unwrap();
    assert_eq!(scenario.headers.case.node, "rev1/ack/data");
    assert_eq!(
        scenario.headers.title.as_ref().map(|it| it.node.as_str()),
        Some("an ack carries data")
    );
    assert_eq!(scenario.headers.level, Level::Should);
    assert_eq!(scenario.headers.auto, Auto::None);
    assert_eq!(scenario.items[..2], [Item::Blank, Item::Comment("how".to_owned())]);
    let (step, reference) = scenario.steps().nth(1).unwrap();
    assert_eq!(&text[step.span.range()], "a < 1::");
    let reference = reference.unwrap();
    assert_eq!(reference.requirements.len(), 2);
    assert_eq!(
        (reference.level, reference.authority),
        (Some(Level::May), Some(Authority::Observed))
    );
    assert_eq!(reference.words, "as every server does");
}

#[rstest]
#[case("a,b.ws fence", "[a, b.ws]")]
#[case("a     > 3:::x", "[a]")]
fn lanes(#[case] line: &str, #[case] expected: &str) {
    let steps = steps(&format!("b open websocket\n{line}"));
    let lanes: Vec<String> = steps[1].lanes.iter().map(ToString::to_string).collect();
    assert_eq!(format!("[{}]", lanes.join(", ")), expected);
}

#[test]
fn a_window_is_two_sums_and_a_mark() {
    let steps = steps("a mark pong\na [0.8*$interval .. $interval+$timeout-50ms since pong] < 2::");
    let window = steps[1].window.as_ref().unwrap();
    let capture = |factor, name: &str| Term {
        factor,
        base: TermBase::Capture(name.to_owned()),
    };
    assert_eq!(window.lo.as_ref().unwrap().terms, [capture(0.8, "interval")]);
    let hi = &window.hi.as_ref().unwrap().terms;
    assert_eq!(hi[..2], [capture(1.0, "interval"), capture(1.0, "timeout")]);
    assert_eq!(hi[2].factor, -1.0);
    assert_eq!(window.since.as_deref(), Some("pong"));
}

#[test]
fn a_trace_carries_times() {
    let steps = steps("a > 3:::x # not a time  # +12.4ms\na fence");
    assert_eq!(steps[0].at, Some(std::time::Duration::from_micros(12_400)));
    assert_eq!(steps[1].at, None);
    let Action::SendPacket(text) = &steps[0].action else {
        panic!("{:?}", steps[0].action)
    };
    assert_eq!(text.atoms.len(), "3:::x # not a time".len());
}

#[test]
fn blocks_hold_indented_lines() {
    let steps = steps(
        "a any order\n    < 5:::{\"name\":\"b\"}\n    <b 0102\n    eof\na one of\n    closed 1000\n    200\n        vary: -\n        etag: x\n    404\n\
         b GET /socket.io/1/\n    host: x\n    accept: -\n    empty:\nb 200\n    content-type: text/plain",
    );
    let Action::AnyOrder(any) = &steps[0].action else {
        panic!()
    };
    assert_eq!(any[0].attachments, [vec![1, 2]]);
    assert_eq!(any[1].action, Action::Eof);
    let Action::OneOf(one) = &steps[1].action else { panic!() };
    assert_eq!(one[0].action, Action::Closed(Some(1000)));
    let Action::Status { code: 200, headers } = &one[1].action else {
        panic!()
    };
    assert_eq!((headers[0].name.as_str(), headers[1].name.as_str()), ("vary", "etag"));
    assert!(matches!(&one[2].action, Action::Status { code: 404, headers } if headers.is_empty()));
    let Action::Request { method, headers, .. } = &steps[2].action else {
        panic!()
    };
    assert_eq!(method, "GET");
    assert_eq!(headers[1].value, None);
    assert_eq!(headers[2].value.as_ref().map(|it| it.atoms.len()), Some(0));
    let Action::Status { code: 200, headers } = &steps[3].action else {
        panic!()
    };
    assert_eq!(headers[0].name, "content-type");
}

/// One wrong line (or block) in an otherwise sound file; the message is a snapshot of the same name.
#[rstest]
#[case::verb("a fense")]
#[case::verb_stranger("a teleport")]
#[case::lane("A fence")]
#[case::nothing_done("a")]
#[case::header_in_the_body("title: too late")]
#[case::transport("b open websockets")]
#[case::reopen_transport("a reopen flash")]
#[case::target_missing("b GET")]
#[case::status("a 20")]
#[case::status_and_more("a 200 OK")]
#[case::header_line("b GET /socket.io/1/\n    accept */*")]
#[case::header_name("b GET /socket.io/1/\n    bad name: x")]
#[case::indented("a fence\n    x: y")]
#[case::tab("b GET /socket.io/1/\n\taccept: x")]
#[case::leading_space("a >>  x")]
#[case::trailing_space("a >> x ")]
#[case::escape("a >> \\q")]
#[case::lone_surrogate("a >> \\ud800")]
#[case::repeat("a >> \\x20*9999999")]
#[case::hole("a << $")]
#[case::hole_type("a << $n(integer)")]
#[case::hole_range("a << $(int(1))")]
#[case::hole_range_of_a_string("a << $(str(1..))")]
#[case::hole_end("a << $(int")]
#[case::regex("a << $(/[/)")]
#[case::regex_end("a << $(/x)")]
#[case::hex("a >x 0g")]
#[case::hex_odd("a >x 012")]
#[case::window_end("a [1s .. < 2::")]
#[case::window_dots("a [1s] < 2::")]
#[case::window_empty("a [..] < 2::")]
#[case::window_sum("a [1h ..] < 2::")]
#[case::window_mark("a [1s .. since pong] < 2::")]
#[case::window_on_a_send("a [1s ..] > 2::")]
#[case::duration("a wait soon")]
#[case::duration_long("a silent 601s")]
#[case::port("b tcp https")]
#[case::close_code("a close 99")]
#[case::more("a fence  # why")]
#[case::any_order_empty("a any order")]
#[case::any_of("a any of")]
#[case::block_verb("a one of\n    fence")]
#[case::block_stranger("a one of\n    clossed")]
#[case::block_attachment("a any order\n    <b 01")]
#[case::mark_twice("a mark x\na mark x")]
#[case::attachment("a <b 01")]
#[case::page("page click #x")]
#[case::reference("@ must")]
#[case::reference_shape("@ rev1#Framing")]
#[case::packet("a < hello")]
#[case::packet_type("a < 9::")]
#[case::packet_json("a < 5:::{\"name\":\"x\",\"args\":[1,}")]
#[case::packet_event("a < 5:::[]")]
#[case::hole_in_a_send("a > 3:::$x(str)")]
#[case::wildcard_in_a_send("a > 3:::$_")]
#[case::unbound("a > 3:::$fresk")]
#[case::unbound_window("a [$intervall ..] < 2::")]
#[case::unconnected("b < 1::")]
#[case::open_end("a <<+ x$_")]
#[case::alone("a > 5:::{\"name\":\"broadcast\",\"args\":[\"x\"]}")]
#[case::alone_departed("a > 5:1+:/custom:{\"name\":\"count\",\"args\":[\"departed\"]}")]
#[case::ungoverned("b open")]
fn what_is_wrong_and_what_to_do(#[case] lines: &str, #[context] context: Context) {
    let name = context.description.unwrap_or_default();
    insta::assert_snapshot!(name, errors(&file(lines)));
}

#[rstest]
#[case::no_case("title: x\n")]
#[case::empty("")]
#[case::case_shape("case:  rev1/Ack\n")]
#[case::generation("case:  rev2/ack/data\n")]
#[case::header_word("case:  rev1/ack/data\ntitel: x\n")]
#[case::header_twice("case:  rev1/ack/data\ntitle: x\ntitle: y\n")]
#[case::header_value("case:  rev1/ack/data\nlevel: shall\nauto:  beats\ntitle:\n")]
#[case::needs("case:  rev1/ack/data\nneeds: room, volatile volatile\n")]
#[case::over("case:  rev1/ack/data\nover:  polling\n")]
#[case::governed("case:  rev1/ack/data\nover:  websocket\n\na open\na GET /x\na <x 81\n")]
#[case::carriage_returns("case:  rev1/ack/data\r\n\r\na open websocket\r\na fence\r\n")]
#[case::several("case:  rev1/ack/data\n\na opne\n@ x\nb < 2:: \na << $(ing)\n")]
fn what_is_wrong_with_the_file(#[case] text: &str, #[context] context: Context) {
    let name = format!("file_{}", context.description.unwrap_or_default());
    insta::assert_snapshot!(name, errors(text));
}

/// What the reference says has to be so.
#[test]
fn the_examples_of_the_reference_are_sound() {
    let reference = include_str!("../../../../docs/wire.md");
    let blocks: Vec<&str> = reference
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|it| it.trim_start_matches('\n'))
        .collect();
    let mut checked = 0;
    for block in blocks {
        let text = match block.split([' ', '[']).next() {
            Some("case:") => block.to_owned(),
            Some("a" | "@") => file(block),
            _ => continue,
        };
        checked += 1;
        if let Err(problems) = parse("docs/wire.md", &text) {
            panic!("{}", problems[0].render(false));
        }
    }
    assert_eq!(checked, 6);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(words in prop::collection::vec(word(), 0..40)) {
        let text = words.concat();
        for text in [file(&text), text] {
            if let Err(problems) = parse("test.wire", &text) {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(!problem.render(false).is_empty());
                }
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    let words = [
        "a ",
        "b",
        ",",
        ".poll",
        " ",
        "\n",
        "\n    ",
        "\t",
        "\r",
        ">",
        "<",
        ">>",
        "<<+",
        "open ",
        "GET ",
        "200",
        "any order",
        "one of",
        "[",
        "]",
        "..",
        "since ",
        "1s",
        "0.5*",
        "$x",
        "$",
        "(",
        ")",
        "/",
        "int",
        "?",
        "\\",
        "\\x20",
        "\\u",
        "d834",
        "*9",
        "5:1+::",
        "{\"name\":",
        "\"",
        "}",
        "[1,...]",
        "@ rev1#x",
        "case: ",
        "rev1/a/b",
        "over: websocket",
        "  # +1ms",
        "wait ",
        "mark ",
        "-",
        ": ",
        "é",
        "𝄞",
        "page ",
        "#",
    ];
    prop_oneof![6 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}
