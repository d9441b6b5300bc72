use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::scenario::parse::parse;

const DOCUMENT: &str = include_str!("../../../../docs/ast.md");
const SCHEMA: &str = include_str!("../../../../fixtures/ast.schema.json");

fn exported(text: &str) -> Value {
    let scenario = parse("my.wire", text).unwrap();
    let catalogue = Catalogue {
        scenarios: vec![Arc::new(scenario)],
        requirements: crate::scenario::requirements::Requirements::default(),
    };
    serde_json::to_value(export(&catalogue)).unwrap()
}

fn embedded() -> Value {
    serde_json::to_value(export(&Catalogue::embedded().unwrap())).unwrap()
}

#[test]
fn every_embedded_scenario_is_written_with_all_of_its_steps() {
    let catalogue = Catalogue::embedded().unwrap();
    let document = serde_json::to_value(export(&catalogue)).unwrap();
    let scenarios = document["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), catalogue.scenarios.len());
    for (written, scenario) in scenarios.iter().zip(&catalogue.scenarios) {
        let id = &scenario.headers.case.node;
        assert_eq!(written["id"], *id);
        let steps = written["steps"].as_array().unwrap();
        assert_eq!(steps.len(), scenario.steps().count(), "{id}");
        for (step, (of, _)) in steps.iter().zip(scenario.steps()) {
            let line = step["span"]["line"].as_u64().unwrap() as usize;
            let source = scenario.source.text.lines().nth(line - 1).unwrap();
            assert!(source.starts_with(&of.lanes[0].client), "{id}:{line}");
            let named = step.get("requirements").and_then(Value::as_array);
            for requirement in named.into_iter().flatten() {
                let known = &document["requirements"][requirement.as_str().unwrap()];
                assert!(known.is_object(), "{id}:{line}: {requirement}");
            }
        }
    }
}

#[test]
fn the_document_shows_a_scenario_as_it_is_written() {
    let mut catalogue = Catalogue::embedded().unwrap();
    let id = "rev1/heartbeat/server-first";
    catalogue.scenarios.retain(|scenario| scenario.headers.case.node == id);
    let example = DOCUMENT.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    assert_eq!(example, serde_json::to_value(export(&catalogue)).unwrap());
    let wire = DOCUMENT.split("```wire\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(wire, catalogue.scenarios[0].source.text);
    assert!(DOCUMENT.contains(&format!("version {FORMAT_VERSION} of the format")));
}

/// The names that an object may have somewhere below `value`, with those of `kind`s and `verb`s.
fn names(value: &Value, keys: &mut BTreeSet<String>, kinds: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| names(item, keys, kinds)),
        Value::Object(members) => {
            for (key, value) in members {
                keys.insert(key.clone());
                if let (true, Some(kind)) = (matches!(key.as_str(), "kind" | "verb"), value.as_str()) {
                    kinds.insert(kind.to_owned());
                }
                names(value, keys, kinds);
            }
        }
        _ => {}
    }
}

#[test]
fn the_document_and_the_schema_have_every_field_and_every_kind() {
    let mut written = embedded();
    written["requirements"] = Value::Null;
    let (mut keys, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    names(&written, &mut keys, &mut kinds);
    assert!(kinds.len() > 30, "{kinds:?}");
    for word in keys.iter().chain(&kinds) {
        assert!(
            DOCUMENT.contains(&format!("`{word}`")),
            "docs/ast.md says nothing of `{word}`"
        );
        assert!(
            SCHEMA.contains(&format!("\"{word}\"")),
            "the schema says nothing of {word:?}"
        );
    }
    assert!(serde_json::from_str::<Value>(SCHEMA).unwrap().is_object());
}

#[test]
fn texts_are_in_parts() {
    let document = exported(
        "case: rev1/a/b\n\na open websocket\na < 5:::{\"name\":\"é\",\"args\":[$x,$(int(1..5)?),$y(/a+/),$_]}\na >> a\\xff\\xfeb\\x61*3\na > 3:::\\x61*5000\n",
    );
    let steps = document["scenarios"][0]["steps"].as_array().unwrap();
    let texts: Vec<String> = steps[1..]
        .iter()
        .map(|step| step["action"]["text"].to_string())
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    ["5:::{\"name\":\"é\",\"args\":[",{"hole":{"name":"x"}},",",{"hole":{"type":"int","min":"1","max":"5","optional":true}},",",{"hole":{"name":"y","regex":"a+"}},",",{"hole":{}},"]}"]
    ["a",{"hex":"fffe"},"baaa"]
    ["3:::",{"repeat":["a"],"times":5000}]
    "#);
}
