//! Binary data in the packets of Socket.IO 4 and 5: the text of a packet has placeholders, and the data follows in
//! messages of its own (sio5, "Packet encoding").

use std::ops::Range;

use bytes::Bytes;

use super::{Malformed, json};

/// Where a placeholder stands, and which attachment it asks for; `None` if that is no number of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Placeholder {
    pub(super) at: Range<usize>,
    pub(super) number: Option<usize>,
}

/// Writes the placeholder of the attachment `number`.
pub(super) fn push_placeholder(out: &mut String, number: usize) {
    out.push_str("{\"_placeholder\":true,\"num\":");
    out.push_str(&number.to_string());
    out.push('}');
}

/// The placeholders in valid JSON text, in their order: the objects with `"_placeholder": true`.
pub(super) fn placeholders(text: &str) -> Vec<Placeholder> {
    let bytes = text.as_bytes();
    let mut found: Vec<Placeholder> = Vec::new();
    // The open objects and arrays; an array is `None`.
    let mut open: Vec<Option<Object<'_>>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'{' => open.push(Some(Object::new(start))),
            b'[' => open.push(None),
            b']' => drop(open.pop()),
            b'}' => {
                if let Some(Some(object)) = open.pop()
                    && object.marked
                {
                    // What stands within is replaced with it.
                    while found.last().is_some_and(|within| within.at.start > object.start) {
                        found.pop();
                    }
                    found.push(Placeholder {
                        at: object.start..at + 1,
                        number: object.number,
                    });
                }
            }
            b'"' | b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                at = end_of_scalar(bytes, at);
                if let Some(Some(object)) = open.last_mut() {
                    object.take(&text[start..=at.min(text.len() - 1)]);
                }
            }
            b':' => {
                if let Some(Some(object)) = open.last_mut() {
                    object.behind_colon = true;
                }
            }
            b',' => {
                if let Some(Some(object)) = open.last_mut() {
                    object.behind_colon = false;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

struct Object<'a> {
    start: usize,
    key: &'a str,
    behind_colon: bool,
    marked: bool,
    number: Option<usize>,
}

impl<'a> Object<'a> {
    fn new(start: usize) -> Self {
        Object {
            start,
            key: "",
            behind_colon: false,
            marked: false,
            number: None,
        }
    }

    fn take(&mut self, scalar: &'a str) {
        match (self.behind_colon, self.key) {
            (false, _) => self.key = scalar,
            (true, "\"_placeholder\"") => self.marked = scalar == "true",
            (true, "\"num\"") => self.number = scalar.parse().ok(),
            (true, _) => {}
        }
    }
}

/// The position of the last byte of the string, number or word that begins at `start`.
fn end_of_scalar(bytes: &[u8], start: usize) -> usize {
    if bytes.get(start) == Some(&b'"') {
        return json::end_of_string(bytes, start);
    }
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
    let behind = bytes[start..]
        .iter()
        .position(ends)
        .map_or(bytes.len(), |length| start + length);
    behind.saturating_sub(1).max(start)
}

/// Collects the attachments that follow the text of a binary packet.
#[derive(Debug, Default)]
pub struct Reassembly {
    pending: Option<Box<Pending>>,
}

#[derive(Debug)]
struct Pending {
    text: String,
    attachments: Vec<Bytes>,
    wanted: usize,
}

impl Reassembly {
    /// Begins: `text` announces this many attachments, of which there is at least one.
    pub fn begin(&mut self, text: &str, wanted: usize) {
        self.pending = Some(Box::new(Pending {
            text: text.to_owned(),
            attachments: Vec::with_capacity(wanted.min(16)),
            wanted,
        }));
    }

    /// Whether attachments are missing: no text may come now.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Takes the next attachment. With the last one, returns the text and all of them.
    ///
    /// # Errors
    ///
    /// [`Malformed::NoAttachmentDue`]
    pub fn attach(&mut self, attachment: Bytes) -> Result<Option<(String, Vec<Bytes>)>, Malformed> {
        let pending = self.pending.as_mut().ok_or(Malformed::NoAttachmentDue)?;
        pending.attachments.push(attachment);
        if pending.attachments.len() < pending.wanted {
            return Ok(None);
        }
        Ok(self.pending.take().map(|pending| (pending.text, pending.attachments)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1,\"a\"", &[])]
    #[case(r#"{"_placeholder":true,"num":0}"#, &[Some(0)])]
    #[case(r#"[[{"x":[{ "num" : 2 , "_placeholder" : true }]}]],{"_placeholder":true,"num":1,"x":[]}"#, &[Some(2), Some(1)])]
    #[case(r#"{"_placeholder":false,"num":0},{"num":1},{"_placeholder":"true","num":0}"#, &[])]
    #[case(r#""{\"_placeholder\":true,\"num\":0}","x\\",{"_placeholder":true,"num":7}"#, &[Some(7)])]
    #[case(r#"{"_placeholder":true,"num":{"_placeholder":true,"num":0}}"#, &[None])]
    #[case(r#"{"_placeholder":true,"num":-1},{"_placeholder":true,"num":"0"},{"_placeholder":true}"#, &[None, None, None])]
    #[case(r#"{"a":{"_placeholder":true,"num":1e0}},true"#, &[None])]
    #[case("true", &[])]
    fn placeholders_are_found_where_they_stand(#[case] text: &str, #[case] numbers: &[Option<usize>]) {
        let found = placeholders(text);
        assert_eq!(found.iter().map(|found| found.number).collect::<Vec<_>>(), numbers);
        assert!(
            found
                .iter()
                .all(|found| text[found.at.clone()].contains("_placeholder"))
        );
    }

    #[test]
    fn attachments_are_due_only_behind_their_text() {
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.attach(Bytes::new()), Err(Malformed::NoAttachmentDue));
        reassembly.begin("52-[]", 2);
        assert_eq!(reassembly.attach(Bytes::from_static(b"a")), Ok(None));
        assert!(reassembly.is_pending());
        let all = vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")];
        assert_eq!(
            reassembly.attach(Bytes::from_static(b"b")),
            Ok(Some(("52-[]".to_owned(), all)))
        );
        assert!(!reassembly.is_pending());
    }
}
