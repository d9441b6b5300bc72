//! The document, and the rules that it has to follow: those of Jenkins' `junit-10` schema, and that counts are true.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event as Xml};

use super::super::recorded::tests::recorded;
use super::super::samples;
use super::*;

#[test]
fn a_run_with_every_outcome() {
    let text = render(&recorded(&samples::run()));
    assert_valid(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn hostile_texts_stay_text() {
    let text = render(&recorded(&samples::hostile()));
    assert_valid(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_that_was_cut_short_is_well_formed() {
    assert_valid(&render(&Recorded::default()));
}

#[test]
fn suites_are_generations_and_topics() {
    for (id, name) in [
        ("rev1/ack/data[xhr-polling]", "rev1/ack"),
        ("codec/sio5/packet/a b/c", "codec/sio5"),
        ("mine", "mine"),
        ("a/b", "a"),
    ] {
        assert_eq!(suite(id), name);
    }
}

/// What may stand in an element: attributes it must have, attributes it may have, and elements.
fn rule(
    element: &str,
) -> (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
) {
    match element {
        "testsuites" => (&[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
        "testsuite" => (
            &["name", "tests", "failures", "errors"],
            &["skipped", "time"],
            &["properties", "testcase"],
        ),
        "properties" => (&[], &[], &["property"]),
        "property" => (&["name", "value"], &[], &[]),
        // `classname` may be left out by the schema; Jenkins shows a case without one nowhere.
        "testcase" => (&["name", "classname"], &["time"], &["skipped", "failure", "system-out"]),
        "failure" | "skipped" => (&[], &["message", "type"], &[]),
        "system-out" => (&[], &[], &[]),
        other => panic!("no element is called {other}"),
    }
}

/// An element that is open, and what was in it.
struct Open {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<String>,
    tests: usize,
    failures: usize,
    skipped: usize,
}

fn assert_valid(text: &str) {
    let allowed =
        |c: char| matches!(c, '\n' | '\t' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "a character that XML 1.0 does not allow");
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Open> = Vec::new();
    let mut roots = 0;
    loop {
        match reader.read_event().unwrap() {
            Xml::Start(tag) => {
                let element = opened(&tag, &mut open);
                open.push(element);
            }
            Xml::Empty(tag) => {
                let element = opened(&tag, &mut open);
                close(&element, &mut open);
            }
            Xml::End(_) => {
                let element = open.pop().unwrap();
                roots += usize::from(open.is_empty());
                close(&element, &mut open);
            }
            Xml::Text(text) if open.is_empty() => assert_eq!(text.trim(), ""),
            Xml::Eof => break,
            _ => {}
        }
    }
    assert_eq!((open.len(), roots), (0, 1));
}

fn opened(tag: &BytesStart<'_>, open: &mut [Open]) -> Open {
    let name = tag.name().as_ref().to_owned();
    let (required, optional, _) = rule(&name);
    let attributes: BTreeMap<String, String> = tag
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap();
            let key = attribute.key.as_ref().to_owned();
            let value = &*attribute.value;
            assert!(!value.contains(['\n', '<']), "{value:?}");
            (key, quick_xml::escape::unescape(value).unwrap().into_owned())
        })
        .collect();
    for attribute in required {
        assert!(attributes.contains_key(*attribute), "{name} without {attribute}");
    }
    for attribute in attributes.keys() {
        let known = required.contains(&attribute.as_str()) || optional.contains(&attribute.as_str());
        assert!(known, "{name} with {attribute}");
    }
    if let Some(parent) = open.last_mut() {
        assert!(
            rule(&parent.name).2.contains(&name.as_str()),
            "{name} in {}",
            parent.name
        );
        parent.children.push(name.clone());
    } else {
        assert_eq!(name, "testsuites");
    }
    Open {
        name,
        attributes,
        children: Vec::new(),
        tests: 0,
        failures: 0,
        skipped: 0,
    }
}

fn close(element: &Open, open: &mut [Open]) {
    let number = |name: &str| element.attributes[name].parse::<usize>().unwrap();
    let of = |name: &str| element.children.iter().filter(|child| *child == name).count();
    if let Some(time) = element.attributes.get("time") {
        assert!(time.parse::<f64>().unwrap() >= 0.0);
    }
    match element.name.as_str() {
        "testcase" => {
            // The order that Surefire asks for, and one verdict at most.
            let order = ["skipped", "failure", "system-out"];
            let places: Vec<usize> = element
                .children
                .iter()
                .map(|child| order.iter().position(|it| it == child).unwrap())
                .collect();
            assert!(places.is_sorted(), "{:?}", element.children);
            assert!(of("failure") + of("skipped") <= 1);
        }
        "testsuite" => {
            assert_eq!(element.children.iter().position(|child| child == "properties"), Some(0));
            assert_eq!(of("properties"), 1);
            assert_eq!(
                (number("tests"), number("failures"), number("errors"), number("skipped")),
                (of("testcase"), element.failures, 0, element.skipped)
            );
        }
        "testsuites" => {
            assert_eq!(
                (number("tests"), number("failures"), number("errors")),
                (element.tests, element.failures, 0)
            );
        }
        _ => {}
    }
    if let Some(parent) = open.last_mut() {
        parent.tests += element.tests + usize::from(element.name == "testcase");
        parent.failures += element.failures + usize::from(element.name == "failure");
        parent.skipped += element.skipped + usize::from(element.name == "skipped");
    }
}
