use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::super::ast::*;
use super::super::parse;
use super::super::text::{self as source, MAX_REPEATED};
use super::*;

const NOWHERE: Span = Span { start: 0, end: 0 };

fn spanned(node: impl Into<String>) -> Spanned<String> {
    Spanned {
        node: node.into(),
        span: NOWHERE,
    }
}

fn read(text: &str) -> Scenario {
    let source = Arc::new(Source {
        path: "test.wire".to_owned(),
        text: text.to_owned(),
    });
    let (scenario, problems) = parse::read(source);
    assert_eq!(problems, [], "{text}");
    scenario
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_the_same(scenario in scenario()) {
        let text = print(&scenario);
        let again = read(&text);
        prop_assert_eq!(&again, &scenario, "{}", text);
        prop_assert_eq!(print(&again), text);
    }
}

/// As a recording of a server's limit holds it.
#[rstest]
fn more_than_may_be_repeated_reads_the_same(#[values("a", " ", "7", "é", "\n")] one: &str) {
    let whole = one.repeat(MAX_REPEATED + 40);
    let printed = print_text(&Text::literal(&whole, NOWHERE));
    let mut problems = Vec::new();
    let span = Span {
        start: 0,
        end: printed.len(),
    };
    let again = source::parse(&printed, span, &mut problems);
    assert_eq!(problems, []);
    assert!(again.literals().eq(whole.bytes()), "{}", &printed[printed.len() - 60..]);
}

#[test]
fn a_large_attachment_is_all_there() {
    let (line, _) = super::action(&Action::ExpectAttachment(vec![0xab; 1 << 20]));
    assert_eq!(line, format!("<b {}", "ab".repeat(1 << 20)));
}

#[rstest]
#[case(
    "case:  eio4/polling/open\ntitle: a GET without sid opens a session\nneeds: polling\n\n@ eio4#a/b eio4#c must\n\
        a GET /socket.io/?EIO=4&transport=polling\na 200\n    content-type: text/plain; charset=UTF-8\n\
        a < 0{\"sid\":$sid(str),\"upgrades\":$(list),\"pingInterval\":$(int)}\n\
        a any order\n    < 40{\"sid\":$(str)}\n    < 42[\"auth\",$_]\n    <b 0102\n    eof\n"
)]
#[case(
    "case:  rev1/polling/framing\nover:  xhr-polling jsonp-polling\nlevel: should\nauto:  none\nalone: why\n\
        affects: <0.9.6\n\n# prose\n#\na,b.poll open\na.poll << \\ufffd7\\ufffd3:::é𝄞\n\
        a [0.8*$interval .. $interval+2*$timeout-50ms since pong] < 2::  # +12.4ms\na [.. 2s] closed 1000\n"
)]
#[case("case:  rev1/html/head\n\na <<+ <html>\\x20*173x\\x20\na silent 150ms\na open bare /x?y\n")]
#[case(
    "case:  rev1/browser/ack\nover:  htmlfile\nclients: 0.9 served\n\npage,page2 goto /x without WebSocket with htmlfile\n\
        page eval s = connect()\n    s.on(\"x\", f)\npage until heard(s, \"x\")\n    [[1,$n(int)]]\npage console oh\n\
        page sent GET /socket.io/1/$_\npage tried [[\"htmlfile\",$sid]]\npage network * cut\npage restart\npage fence\n"
)]
#[case("case:  rev1/html/target\n\na open \\x23\\x2a\\x2a0\n")]
fn canonical_text_prints_as_it_was(#[case] text: &str) {
    assert_eq!(print(&read(text)), text);
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let source = Arc::new(Source {
        path: String::new(),
        text: String::new(),
    });
    (headers(), prop::collection::vec(item(), 0..8)).prop_map(move |(headers, items)| Scenario {
        source: Arc::clone(&source),
        headers,
        items,
    })
}

fn headers() -> impl Strategy<Value = Headers> {
    let words = || prop::collection::hash_set("[a-z-]{1,8}", 0..3);
    let list = |words: std::collections::HashSet<String>| words.into_iter().map(spanned).collect::<Vec<_>>();
    let line = || prop::option::of("[!-~]([ -~]{0,8}[!-~])?".prop_map(spanned));
    let level = prop::sample::select(Level::ALL.to_vec());
    let auto = prop::sample::select(vec![Auto::Heartbeats, Auto::None]);
    (
        words(),
        words(),
        words(),
        level,
        auto,
        prop::option::of("20[0-9]{2}-0[1-9]-1[0-9]".prop_map(spanned)),
        [line(), line(), line(), line()],
    )
        .prop_map(
            move |(needs, over, clients, level, auto, since, [title, alone, affects, fixed])| Headers {
                case: spanned("rev1/topic/name"),
                needs: list(needs),
                over: list(over),
                clients: list(clients),
                title,
                level,
                since,
                auto,
                alone,
                affects,
                fixed,
            },
        )
}

fn item() -> impl Strategy<Value = Item> {
    let id = "[a-z0-9]{1,4}#[a-z]{1,4}(/[a-z-]{1,4})?".prop_map(spanned);
    let reference = (
        prop::collection::vec(id, 1..3),
        prop::option::of(prop::sample::select(Level::ALL.to_vec())),
        prop::option::of(prop::sample::select(Authority::ALL.to_vec())),
        "([A-Z][a-z]{0,4}( [a-z]{1,4})?)?",
    );
    prop_oneof![
        1 => Just(Item::Blank),
        1 => "([!-~]([ -~é]{0,8}[!-~])?)?".prop_map(Item::Comment),
        2 => reference.prop_map(|(requirements, level, authority, words)| {
            Item::Reference(Reference { requirements, level, authority, words, span: NOWHERE })
        }),
        6 => step().prop_map(Item::Step),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let lane = (
        "[a-d]",
        prop::option::of(prop::sample::select(vec!["poll", "post", "ws", "tcp"])),
    )
        .prop_map(|(client, part)| Lane {
            client,
            part: part.map(str::to_owned),
        });
    let page = page_action().prop_map(|action| {
        (
            vec![Lane {
                client: "page".to_owned(),
                part: None,
            }],
            None,
            Action::Page(action),
        )
    });
    let lanes = prop::collection::hash_set(lane, 1..3).prop_map(|lanes| lanes.into_iter().collect::<Vec<_>>());
    let plain = (lanes, prop::option::of(window()), action());
    let at = prop::option::of((0_u64..100_000_000_000).prop_map(Duration::from_nanos));
    (prop_oneof![8 => plain, 1 => page], at).prop_map(|((lanes, window, action), at)| Step {
        lanes,
        window,
        action,
        at,
        span: NOWHERE,
    })
}

fn window() -> impl Strategy<Value = Window> {
    let base = prop_oneof![
        "[a-z][a-zA-Z0-9]{0,4}".prop_map(TermBase::Capture),
        (0_u64..5_000_000_000_000).prop_map(|it| TermBase::Duration(Duration::from_nanos(it))),
    ];
    let term =
        (prop_oneof![Just(1.0), Just(-1.0), -100.0..100.0], base).prop_map(|(factor, base)| Term { factor, base });
    let sum = prop::collection::vec(term, 1..4).prop_map(|terms| Sum { terms });
    (
        sum.clone(),
        prop::option::of(sum),
        any::<bool>(),
        prop::option::of("[a-z][a-z0-9-]{0,4}"),
    )
        .prop_map(|(lo, hi, swap, since)| {
            let (lo, hi) = if swap { (hi, Some(lo)) } else { (Some(lo), hi) };
            Window {
                lo,
                hi,
                since,
                span: NOWHERE,
            }
        })
}

fn page_action() -> impl Strategy<Value = PageAction> {
    let names = || prop::collection::vec("[A-Z][A-Za-z]{0,6}".prop_map(spanned), 0..3);
    let with = prop::sample::subsequence(STAND_INS.to_vec(), 0..=1);
    let path = "/[a-z/.?=]{0,6}".prop_map(|path| Text::literal(&path, NOWHERE));
    let transport = prop::sample::select(vec!["*", "websocket", "xhr-polling"]).prop_map(spanned);
    prop_oneof![
        (prop::option::of(path), names(), with).prop_map(|(path, without, with)| PageAction::Goto {
            path,
            without,
            with: with.into_iter().map(spanned).collect(),
        }),
        prop::collection::vec(text(1), 1..4).prop_map(PageAction::Eval),
        (text(1), prop::option::of(text(1))).prop_map(|(script, value)| PageAction::Until { script, value }),
        text(1).prop_map(PageAction::Console),
        ("[A-Z]{2,6}", text(1)).prop_map(|(method, target)| PageAction::Sent { method, target }),
        text(1).prop_map(PageAction::Tried),
        (transport, prop::sample::select(Network::ALL.to_vec()))
            .prop_map(|(transport, treatment)| PageAction::Network { transport, treatment }),
        Just(PageAction::Restart),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let transport = || prop::sample::select(super::super::Generation::Rev1.transports().to_vec()).prop_map(spanned);
    let bytes = || prop::collection::vec(any::<u8>(), 0..4);
    let duration = || (0_u64..600_000_000_000).prop_map(Duration::from_nanos);
    let code = || prop::option::of(1000_u16..5000);
    let name = || "[a-z][a-z0-9-]{0,4}";
    let simple = prop::sample::select(vec![Action::Eof, Action::Drop, Action::HalfClose, Action::Fence]);
    prop_oneof![
        ("[A-Z]{2,6}", text(1), header_lines()).prop_map(|(method, target, headers)| Action::Request {
            method,
            target,
            headers
        }),
        (100_u16..1000, header_lines()).prop_map(|(code, headers)| Action::Status { code, headers }),
        prop_oneof![
            text(0).prop_map(Action::SendBytes),
            text(0).prop_map(Action::ExpectBytes),
            text(0).prop_map(Action::ExpectMore),
            text(0).prop_map(Action::SendPacket),
            text(0).prop_map(Action::ExpectPacket),
        ],
        prop_oneof![
            bytes().prop_map(Action::SendAttachment),
            bytes().prop_map(Action::ExpectAttachment),
            bytes().prop_map(Action::SendRaw),
            bytes().prop_map(Action::ExpectRaw),
        ],
        (any::<bool>(), prop::option::of(transport()), prop::option::of(text(1))).prop_map(
            |(bare, transport, target)| Action::Open {
                bare,
                transport,
                target
            }
        ),
        (text(1), header_lines()).prop_map(|(target, headers)| Action::Ws { target, headers }),
        text(1).prop_map(Action::Wt),
        prop::sample::select(vec!["http", "policy"]).prop_map(|it| Action::Tcp(it.to_owned())),
        transport().prop_map(|it| Action::Upgrade(it.node)),
        prop_oneof![code().prop_map(Action::Close), code().prop_map(Action::Closed), simple],
        prop::option::of(transport()).prop_map(Action::Reopen),
        prop_oneof![
            duration().prop_map(Action::Silent),
            duration().prop_map(Action::Wait),
            name().prop_map(Action::Mark)
        ],
        prop_oneof![
            prop::collection::vec(expectation(), 1..4).prop_map(Action::AnyOrder),
            prop::collection::vec(expectation(), 1..4).prop_map(Action::OneOf),
        ],
    ]
}

fn expectation() -> impl Strategy<Value = Expectation> {
    let packet = (
        text(0),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 0..3),
    );
    let plain = |action| Expectation {
        action,
        attachments: Vec::new(),
        span: NOWHERE,
    };
    prop_oneof![
        packet.prop_map(|(text, attachments)| Expectation {
            action: Action::ExpectPacket(text),
            attachments,
            span: NOWHERE,
        }),
        (100_u16..1000, header_lines()).prop_map(move |(code, headers)| plain(Action::Status { code, headers })),
        prop::option::of(1000_u16..5000).prop_map(move |code| plain(Action::Closed(code))),
        Just(plain(Action::Eof)),
    ]
}

fn header_lines() -> impl Strategy<Value = Vec<HeaderLine>> {
    let line = ("[A-Za-z-]{1,6}", prop::option::of(text(0))).prop_map(|(name, value)| HeaderLine {
        name,
        value,
        span: NOWHERE,
    });
    prop::collection::vec(line, 0..3)
}

/// At least `least` atoms, of everything that is awkward to write.
fn text(least: usize) -> impl Strategy<Value = Text> {
    let bytes = prop_oneof![
        any::<String>().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        "[ a$\\\\*(0-9#+.ms-]{0,12}".prop_map(String::into_bytes),
        Just(b"x  # +12.4ms".to_vec()),
        (any::<char>(), 1_usize..40).prop_map(|(c, n)| c.to_string().repeat(n).into_bytes()),
    ];
    let bytes = bytes.prop_map(|bytes| bytes.into_iter().map(AtomKind::Byte).collect::<Vec<_>>());
    let part = prop_oneof![3 => bytes, 1 => hole().prop_map(|hole| vec![AtomKind::Hole(Box::new(hole))])];
    prop::collection::vec(part, 0..5).prop_map(move |parts| {
        let mut atoms: Vec<Atom> = parts
            .concat()
            .into_iter()
            .map(|kind| Atom { kind, span: NOWHERE })
            .collect();
        while atoms.len() < least {
            atoms.push(Atom {
                kind: AtomKind::Byte(b'/'),
                span: NOWHERE,
            });
        }
        Text {
            atoms: Atoms::from(atoms),
            span: NOWHERE,
        }
    })
}

fn hole() -> impl Strategy<Value = Hole> {
    let base = prop::sample::select(vec![BaseType::Str, BaseType::Bool, BaseType::List, BaseType::Obj]);
    let number = prop::sample::select(vec![BaseType::Int, BaseType::Num]);
    let range = prop::sample::select(vec![(Some("1"), None), (None, Some("-2.5")), (Some("1"), Some("3"))])
        .prop_map(|(lo, hi)| (lo.map(str::to_owned), hi.map(str::to_owned)));
    let kind =
        prop_oneof![
            prop::sample::select(vec!["[a-z]+", r"\/\d+", "a b", "", "a|b"])
                .prop_map(|it| HoleKind::Regex(it.to_owned())),
            (base, any::<bool>()).prop_map(|(base, optional)| HoleKind::Type(HoleType {
                base,
                range: None,
                optional
            })),
            (number, prop::option::of(range), any::<bool>())
                .prop_map(|(base, range, optional)| HoleKind::Type(HoleType { base, range, optional })),
        ];
    let name = || "[a-zA-Z][a-zA-Z0-9]{0,4}";
    prop_oneof![
        Just(Hole { name: None, kind: None }),
        (prop::option::of(name()), kind).prop_map(|(name, kind)| Hole { name, kind: Some(kind) }),
        name().prop_map(|name| Hole {
            name: Some(name),
            kind: None
        }),
    ]
}
