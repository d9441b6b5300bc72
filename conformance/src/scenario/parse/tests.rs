use rstest::rstest;

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
        "a any order\n    < 5:::{\"name\":\"b\"}\n    <b 0102\n    eof\na one of\n    closed 1000\n    200\n\
         b GET /socket.io/1/\n    host: x\n    accept: -\n    empty:\nb 200\n    content-type: text/plain",
    );
    let Action::AnyOrder(any) = &steps[0].action else {
        panic!()
    };
    assert_eq!(any[0].attachments, [vec![1, 2]]);
    assert_eq!(any[1].action, Action::Eof);
    let Action::OneOf(one) = &steps[1].action else { panic!() };
    assert_eq!(one[0].action, Action::Closed(Some(1000)));
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
