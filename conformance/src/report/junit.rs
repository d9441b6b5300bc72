//! `--junit`: the XML that CI systems read, as Jenkins' and Surefire's schemas have it.
//!
//! Written with an XML library and not with one for JUnit: those at hand write attributes that the schemas refuse.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event as Xml};

use super::paint::harmless;
use super::recorded::{Document, Recorded, why};
use super::{ReportError, Reporter};
use crate::run::event::{CaseReport, Outcome};

/// The report in this file.
///
/// # Errors
///
/// When the file cannot be created.
pub fn junit(path: &Path) -> Result<impl Reporter + use<>, ReportError> {
    Document::create(path, render)
}

/// The document: a suite for each generation and topic, both sorted.
fn render(run: &Recorded) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = document(&mut writer, run);
    let mut text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

fn document(writer: &mut Writer<Vec<u8>>, run: &Recorded) -> io::Result<()> {
    let cases = run.cases();
    let mut suites: BTreeMap<String, Vec<&CaseReport>> = BTreeMap::new();
    for case in &cases {
        suites.entry(suite(&case.id)).or_default().push(case);
    }
    writer.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let time = run.summary.as_ref().map_or(0, |summary| summary.duration_ms);
    let root = writer
        .create_element("testsuites")
        .with_attribute(("name", "sio-conformance"))
        .with_attribute(("tests", count(&cases, |_| true).as_str()))
        .with_attribute(("failures", count(&cases, failed).as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("time", seconds(time).as_str()));
    root.write_inner_content(|writer| {
        suites
            .iter()
            .try_for_each(|(name, cases)| test_suite(writer, run, name, cases))
    })?;
    Ok(())
}

fn test_suite(writer: &mut Writer<Vec<u8>>, run: &Recorded, name: &str, cases: &[&CaseReport]) -> io::Result<()> {
    let time = cases.iter().map(|case| case.duration_ms).sum();
    let element = writer
        .create_element("testsuite")
        .with_attribute(("name", line(name).as_str()))
        .with_attribute(("tests", count(cases, |_| true).as_str()))
        .with_attribute(("failures", count(cases, failed).as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("skipped", count(cases, skipped).as_str()))
        .with_attribute(("time", seconds(time).as_str()));
    element.write_inner_content(|writer| {
        let suite = run.suite().map(|date| ("suite", date));
        let properties = [("tool", run.tool())].into_iter().chain(suite);
        let properties = properties.chain([("target", run.target())]);
        writer.create_element("properties").write_inner_content(|writer| {
            for (name, value) in properties {
                let property = writer.create_element("property").with_attribute(("name", name));
                property.with_attribute(("value", line(value).as_str())).write_empty()?;
            }
            Ok(())
        })?;
        cases.iter().try_for_each(|case| test_case(writer, name, case))
    })?;
    Ok(())
}

fn test_case(writer: &mut Writer<Vec<u8>>, suite: &str, case: &CaseReport) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", line(&case.id).as_str()))
        .with_attribute(("classname", line(&suite.replace('/', ".")).as_str()))
        .with_attribute(("time", seconds(case.duration_ms).as_str()));
    let diagnostics = |failures: &[crate::run::event::Failure]| {
        let rendered: Vec<String> = failures.iter().map(|it| plain(it.rendered.trim_end())).collect();
        rendered.join("\n\n")
    };
    match case.outcome {
        Outcome::Pass => element.write_empty()?,
        Outcome::Lenient => {
            element.write_inner_content(|writer| output(writer, &diagnostics(&case.lenient)))?;
            return Ok(());
        }
        Outcome::Skip => {
            element.write_inner_content(|writer| skip(writer, why(case)))?;
            return Ok(());
        }
        Outcome::Expected => element.write_inner_content(|writer| {
            skip(writer, &format!("expected failure: {}", why(case)))?;
            output(writer, &diagnostics(&case.failures))
        })?,
        Outcome::Fail => element.write_inner_content(|writer| {
            let level = case.failures.first().map_or("baseline", |failure| failure.level.word());
            let failure = writer
                .create_element("failure")
                .with_attribute(("message", line(why(case)).as_str()))
                .with_attribute(("type", level));
            failure.write_text_content(BytesText::new(&diagnostics(&case.failures)))?;
            Ok(())
        })?,
    };
    Ok(())
}

fn skip(writer: &mut Writer<Vec<u8>>, reason: &str) -> io::Result<()> {
    let skipped = writer.create_element("skipped");
    skipped
        .with_attribute(("message", line(reason).as_str()))
        .write_empty()?;
    Ok(())
}

fn output(writer: &mut Writer<Vec<u8>>, text: &str) -> io::Result<()> {
    if !text.is_empty() {
        writer
            .create_element("system-out")
            .write_text_content(BytesText::new(text))?;
    }
    Ok(())
}

/// Generation and topic: `rev1/ack` of `rev1/ack/data[websocket]`.
fn suite(id: &str) -> String {
    let bare = id.split('[').next().unwrap_or(id);
    let parts: Vec<&str> = bare.split('/').collect();
    match parts.as_slice() {
        [generation, topic, _, ..] => format!("{generation}/{topic}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    }
}

fn failed(outcome: Outcome) -> bool {
    outcome == Outcome::Fail
}

fn skipped(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Skip | Outcome::Expected)
}

fn count(cases: &[&CaseReport], counts: impl Fn(Outcome) -> bool) -> String {
    cases.iter().filter(|case| counts(case.outcome)).count().to_string()
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text without the characters that XML 1.0 does not allow: they are spelled out, for they are evidence.
fn plain(text: &str) -> String {
    harmless(text)
        .replace('\u{fffe}', "\\u{fffe}")
        .replace('\u{ffff}', "\\u{ffff}")
}

/// The text of an attribute, in which a reader takes a newline for a space.
fn line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests;
