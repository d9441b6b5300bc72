//! Binary messages: attachments, and those of raw Engine.IO.

use super::super::edit::{self, Change};
use super::{Mutant, Subject, quoted};
use crate::client::tape::{Framing, Place};

pub(super) fn mutants(subject: &Subject<'_>, place: &Place, framing: Framing, bytes: &[u8]) -> Vec<Mutant> {
    let got = format!("the binary message {}", quoted(bytes));
    let change = |change: Change<'_>| edit::packet(subject.tape(), place, framing, change);
    let text = String::from_utf8_lossy(bytes);
    let mut others = vec![("one byte more", [bytes, b"\0"].concat())];
    if let [rest @ .., last] = bytes {
        others.push(("one byte less", rest.to_vec()));
        others.push(("another last byte", [rest, &[last ^ 1]].concat()));
    }
    let mut mutants = Vec::new();
    for (words, other) in &others {
        let tape = change(Change::ToBinary(other));
        mutants.extend(tape.map(|tape| subject.mutant(format!("{got} became {}: {words}", quoted(other)), tape)));
    }
    let changes = [
        ("came as text", Change::To(&text)),
        ("came without its type", Change::Untyped(bytes)),
        ("did not come", Change::Drop),
        ("sent twice", Change::Twice),
    ];
    for (words, kind) in changes {
        mutants.extend(change(kind).map(|tape| subject.mutant(format!("{got} {words}"), tape)));
    }
    mutants
}
