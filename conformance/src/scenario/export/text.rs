//! Texts: what stands as it is, bytes, holes, and what is repeated.

use serde::Serialize;

use crate::scenario::ast::{self, AtomKind, BaseType, Hole, HoleKind};
use crate::scenario::pattern::hex;

/// A text, in parts.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(Vec<Part<'a>>);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Text(String),
    /// What is not UTF-8.
    Bytes {
        hex: String,
    },
    Hole {
        hole: Named<'a>,
    },
    Repeated {
        repeat: Text<'a>,
        times: usize,
    },
}

/// A hole; `$_` has no field.
#[derive(Debug, Serialize)]
struct Named<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regex: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
}

impl<'a> Text<'a> {
    pub(super) fn of(text: &'a ast::Text) -> Text<'a> {
        let mut parts = Vec::new();
        for (atoms, times) in text.atoms.runs() {
            let run = Text(parts_of(atoms));
            if times == 1 {
                parts.extend(run.0);
            } else {
                parts.push(Part::Repeated { repeat: run, times });
            }
        }
        Text(joined(parts))
    }
}

fn parts_of(atoms: &[ast::Atom]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = atoms;
    while let Some(first) = rest.first() {
        if let AtomKind::Hole(hole) = &first.kind {
            parts.push(Part::Hole { hole: Named::of(hole) });
            rest = &rest[1..];
            continue;
        }
        let bytes: Vec<u8> = rest
            .iter()
            .map_while(|atom| match atom.kind {
                AtomKind::Byte(byte) => Some(byte),
                AtomKind::Hole(_) => None,
            })
            .collect();
        rest = &rest[bytes.len()..];
        for chunk in bytes.utf8_chunks() {
            if !chunk.valid().is_empty() {
                parts.push(Part::Text(chunk.valid().to_owned()));
            }
            if !chunk.invalid().is_empty() {
                parts.push(Part::Bytes {
                    hex: hex(chunk.invalid()),
                });
            }
        }
    }
    parts
}

/// The same, with texts that stand beside each other in one.
fn joined(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut joined: Vec<Part<'_>> = Vec::with_capacity(parts.len());
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (Some(Part::Bytes { hex: before }), Part::Bytes { hex }) => before.push_str(&hex),
            (_, part) => joined.push(part),
        }
    }
    joined
}

impl<'a> Named<'a> {
    fn of(hole: &'a Hole) -> Named<'a> {
        let mut named = Named {
            name: hole.name.as_deref(),
            regex: None,
            kind: None,
            min: None,
            max: None,
            optional: false,
        };
        match &hole.kind {
            None => {}
            Some(HoleKind::Regex(regex)) => named.regex = Some(regex),
            Some(HoleKind::Type(kind)) => {
                named.kind = Some(match kind.base {
                    BaseType::Str => "str",
                    BaseType::Int => "int",
                    BaseType::Num => "num",
                    BaseType::Bool => "bool",
                    BaseType::List => "list",
                    BaseType::Obj => "obj",
                });
                let (min, max) = kind
                    .range
                    .as_ref()
                    .map_or((None, None), |(min, max)| (min.as_deref(), max.as_deref()));
                (named.min, named.max) = (min, max);
                named.optional = kind.optional;
            }
        }
        named
    }
}
