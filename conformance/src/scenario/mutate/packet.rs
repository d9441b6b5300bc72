//! Changes of packets.

use super::super::ast::Span;
use super::super::capture::Captures;
use super::super::json::{self, JsString, Value};
use super::super::json_pattern::JsonPattern;
use super::super::packet::{PacketKind, PacketPattern, eio, rev1};
use super::super::pieces::Piece;
use super::Mutation;
use super::bytes::piece_mutants;
use super::json::node_mutants;

pub(super) fn mutants(pattern: &PacketPattern, got: &str, before: &Captures) -> Vec<Mutation> {
    let mut mutants = match &pattern.kind {
        PacketKind::Rev1(pattern) => rev1_mutants(pattern, got, before),
        PacketKind::Eio(pattern) => eio_mutants(pattern, got, before),
    };
    mutants.retain(|mutant| mutant.text != got);
    mutants
}

fn rev1_mutants(pattern: &rev1::Pattern, got: &str, before: &Captures) -> Vec<Mutation> {
    let Ok(packet) = rev1::Packet::parse(got) else {
        return Vec::new();
    };
    let mut mutants = Vec::new();
    let colons = got.splitn(4, ':').count() - 1;
    let write = |kind: u8, id: &str, plus: bool, endpoint: &str, data: &str| {
        let colon = if data.is_empty() && colons == 2 { "" } else { ":" };
        format!("{kind}:{id}{}:{endpoint}{colon}{data}", if plus { "+" } else { "" })
    };
    let rev1::Packet {
        kind,
        id,
        plus,
        endpoint,
        data,
        ..
    } = packet;
    let other = (kind + 1) % 9;
    mutants.push(mutation(
        format!("type {other}"),
        pattern.kind_span,
        write(other, id, plus, endpoint, data),
    ));
    if let Some(field) = &pattern.id {
        for (change, span, text) in text_mutants(&field.pieces, field.span, id, "7", before) {
            mutants.push(mutation(
                format!("id: {change}"),
                span,
                write(kind, &text, plus, endpoint, data),
            ));
        }
        if !id.is_empty() {
            let change = if plus { "without `+`" } else { "with `+`" };
            mutants.push(mutation(
                change.to_owned(),
                field.span,
                write(kind, id, !plus, endpoint, data),
            ));
        }
    }
    let field = &pattern.endpoint;
    for (change, span, text) in text_mutants(&field.pieces, field.span, endpoint, "/other", before) {
        mutants.push(mutation(
            format!("endpoint: {change}"),
            span,
            write(kind, id, plus, &text, data),
        ));
    }
    for (change, span, data) in data_mutants(&pattern.data, data, pattern.span, before) {
        mutants.push(mutation(change, span, write(kind, id, plus, endpoint, &data)));
    }
    mutants
}

fn data_mutants(pattern: &rev1::Data, got: &str, place: Span, before: &Captures) -> Vec<(String, Span, String)> {
    match pattern {
        rev1::Data::Text(field) => text_mutants(&field.pieces, field.span, got, "data", before),
        rev1::Data::Json(pattern) => json_mutants(pattern, json::parse(got).ok(), before),
        rev1::Data::Event(pattern) => {
            let mut value = json::parse(got).ok();
            value.iter_mut().for_each(rev1::complete_event);
            let mut mutants = json_mutants(pattern, value, before);
            // Without `args` is with empty `args`, which is another of the mutants where it matters.
            let args = JsString::from("args");
            let lacks = |text: &str| {
                json::parse(text).is_ok_and(|it| matches!(it, Value::Object(_)) && it.member(&args).is_none())
            };
            mutants.retain(|(_, _, text)| !lacks(text));
            mutants
        }
        rev1::Data::Ack { id, data } => {
            let (got_id, got_data) = got.split_once('+').map_or((got, None), |(id, data)| (id, Some(data)));
            let tail = got_data.map_or_else(String::new, |data| format!("+{data}"));
            let ids = text_mutants(&id.pieces, id.span, got_id, "7", before);
            let mut mutants: Vec<(String, Span, String)> = ids
                .into_iter()
                .map(|(change, span, id)| (format!("ack id: {change}"), span, format!("{id}{tail}")))
                .collect();
            match (data, got_data) {
                (Some(pattern), Some(got)) => {
                    let value = json::parse(if got.is_empty() { "[]" } else { got }).ok();
                    let data = json_mutants(pattern, value, before);
                    mutants.extend(
                        data.into_iter()
                            .map(|(change, span, it)| (change, span, format!("{got_id}+{it}"))),
                    );
                    mutants.push(("an ack without data".to_owned(), pattern.span(), got_id.to_owned()));
                }
                _ => mutants.push(("an ack with data".to_owned(), place, format!("{got_id}+[]"))),
            }
            mutants
        }
    }
}

fn eio_mutants(pattern: &eio::Pattern, got: &str, before: &Captures) -> Vec<Mutation> {
    let text = |it: (String, Span, String)| mutation(it.0, it.1, it.2);
    match pattern {
        eio::Pattern::Text { pieces, span } => text_mutants(pieces, *span, got, "6", before)
            .into_iter()
            .map(text)
            .collect(),
        eio::Pattern::Open { data, span } => {
            let rest = got.get(1..).unwrap_or_default();
            let mut mutants = vec![mutation("type 6".to_owned(), *span, format!("6{rest}"))];
            let json = json_mutants(data, json::parse(rest).ok(), before);
            mutants.extend(
                json.into_iter()
                    .map(|(change, span, it)| mutation(change, span, format!("0{it}"))),
            );
            mutants
        }
        eio::Pattern::Socket(pattern) => socket_mutants(pattern, got, before),
    }
}

fn socket_mutants(pattern: &eio::Socket, got: &str, before: &Captures) -> Vec<Mutation> {
    let Some([attachments, namespace, id, data]) = eio::split(got) else {
        return Vec::new();
    };
    let write = |head: &str, attachments: &str, namespace: &str, id: &str, data: &str| {
        let dash = if attachments.is_empty() { "" } else { "-" };
        let comma = if namespace.is_empty() { "" } else { "," };
        format!("{head}{attachments}{dash}{namespace}{comma}{id}{data}")
    };
    let (head, attachments, namespace) = (&got[..2], &got[attachments], &got[namespace]);
    let (id, data) = (&got[id], &got[data]);
    let mut mutants = Vec::new();
    let mut add = |change: String, span: Span, text: String| mutants.push(mutation(change, span, text));
    let other = if head == "46" {
        "40"
    } else {
        ["41", "42", "43", "44", "45", "46"][usize::from(head.as_bytes()[1] - b'0')]
    };
    add(
        format!("type {other}"),
        pattern.head.span,
        write(other, attachments, namespace, id, data),
    );
    if !attachments.is_empty() {
        for (change, span, it) in text_mutants(
            &pattern.attachments.pieces,
            pattern.attachments.span,
            attachments,
            "1",
            before,
        ) {
            add(
                format!("attachments: {change}"),
                span,
                write(head, &it, namespace, id, data),
            );
        }
    }
    for (change, span, it) in text_mutants(
        &pattern.namespace.pieces,
        pattern.namespace.span,
        namespace,
        "/other",
        before,
    ) {
        add(
            format!("namespace: {change}"),
            span,
            write(head, attachments, &it, id, data),
        );
    }
    for (change, span, it) in text_mutants(&pattern.id.pieces, pattern.id.span, id, "7", before) {
        add(
            format!("ack id: {change}"),
            span,
            write(head, attachments, namespace, &it, data),
        );
    }
    match &pattern.data {
        Some(pattern) => {
            for (change, span, it) in json_mutants(pattern, json::parse(data).ok(), before) {
                add(change, span, write(head, attachments, namespace, id, &it));
            }
            add(
                "without data".to_owned(),
                pattern.span(),
                write(head, attachments, namespace, id, ""),
            );
        }
        None => add(
            "with data".to_owned(),
            pattern.span,
            write(head, attachments, namespace, id, "[]"),
        ),
    }
    mutants
}

fn mutation(description: String, span: Span, text: String) -> Mutation {
    Mutation {
        description,
        span,
        text,
    }
}

/// Changes of a part that is text; `added` is what a part becomes that has to be empty.
fn text_mutants(
    pieces: &[Piece<u8>],
    span: Span,
    got: &str,
    added: &str,
    before: &Captures,
) -> Vec<(String, Span, String)> {
    if pieces.is_empty() {
        return vec![("something where nothing belongs".to_owned(), span, added.to_owned())];
    }
    let mutants = piece_mutants(pieces, got.as_bytes(), span, before).into_iter();
    // A character of several bytes that was cut is no text any more.
    mutants
        .filter_map(|it| Some((it.description, it.span, String::from_utf8(it.units).ok()?)))
        .collect()
}

fn json_mutants(pattern: &JsonPattern, got: Option<Value>, before: &Captures) -> Vec<(String, Span, String)> {
    let Some(got) = got else { return Vec::new() };
    let mutants = node_mutants(&pattern.root, &got, before).into_iter();
    mutants
        .map(|it| (format!("${} {}", it.path, it.change), it.span, it.value.to_string()))
        .collect()
}
