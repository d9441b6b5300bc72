//! The arguments of an event or an ack, in every generation: JSON as the peer wrote it, and the binary data it refers to.

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::{Malformed, binary, json};

/// A list of arguments. Its text is kept as the peer wrote it, so that numbers, key order and escapes survive an echo.
///
/// Binary data stands apart, and in its place a placeholder. The placeholders are numbered from 0 in the order in which
/// they stand, and there are as many as attachments.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Args<'a> {
    /// What stands between the brackets.
    list: Cow<'a, str>,
    attachments: Vec<Bytes>,
}

impl<'a> Args<'a> {
    /// No arguments.
    pub const NONE: Args<'static> = Args {
        list: Cow::Borrowed(""),
        attachments: Vec::new(),
    };

    /// The arguments that stand between the brackets of a valid array, without binary data.
    pub(crate) fn from_list(list: impl Into<Cow<'a, str>>) -> Self {
        Args {
            list: list.into(),
            attachments: Vec::new(),
        }
    }

    /// Reads a JSON array.
    ///
    /// # Errors
    ///
    /// [`Malformed::NotJson`], [`Malformed::BadPayload`]
    pub fn from_json(text: &'a str) -> Result<Self, Malformed> {
        json::validate(text)?;
        Ok(Args::from_list(json::array(text).ok_or(Malformed::BadPayload)?))
    }

    /// Puts binary data in the place of the placeholders. Attachments that no placeholder names are dropped.
    ///
    /// # Errors
    ///
    /// [`Malformed::BadPlaceholder`]
    pub fn attach(self, attachments: Vec<Bytes>) -> Result<Self, Malformed> {
        if attachments.is_empty() {
            return Ok(self);
        }
        let numbers = binary::placeholders(&self.list);
        let in_order =
            numbers.len() == attachments.len() && numbers.iter().enumerate().all(|(k, found)| found.number == Some(k));
        if in_order {
            return Ok(Args { attachments, ..self });
        }
        let mut list = String::with_capacity(self.list.len());
        let mut ordered = Vec::with_capacity(numbers.len());
        let mut copied = 0;
        for placeholder in numbers {
            let number = placeholder.number.ok_or(Malformed::BadPlaceholder)?;
            list.push_str(&self.list[copied..placeholder.at.start]);
            binary::push_placeholder(&mut list, ordered.len());
            ordered.push(attachments.get(number).ok_or(Malformed::BadPlaceholder)?.clone());
            copied = placeholder.at.end;
        }
        list.push_str(&self.list[copied..]);
        Ok(Args {
            list: list.into(),
            attachments: ordered,
        })
    }

    /// What stands between the brackets.
    #[must_use]
    pub fn list(&self) -> &str {
        &self.list
    }

    /// The binary data.
    #[must_use]
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Whether there is no argument.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.trim_ascii().is_empty()
    }

    /// The texts of the single arguments.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        json::values(&self.list)
    }

    /// The arguments but the first `n`.
    #[must_use]
    pub fn skip(&self, n: usize) -> Args<'_> {
        let mut rest = Some(&*self.list);
        for _ in 0..n {
            rest = rest.and_then(|list| json::split_first(list).1);
        }
        let rest = Args {
            list: rest.unwrap_or_default().into(),
            attachments: Vec::new(),
        };
        // The placeholders have been numbered, so each has an attachment.
        rest.attach(self.attachments.clone()).unwrap_or_default()
    }

    /// The same arguments behind one more, a valid JSON value without binary data.
    #[must_use]
    pub(crate) fn behind(&self, value: impl Display) -> Args<'static> {
        self.joined(value, &self.list)
    }

    /// The same arguments before one more, a valid JSON value without binary data.
    #[must_use]
    pub(crate) fn before(&self, value: impl Display) -> Args<'static> {
        self.joined(&self.list, value)
    }

    fn joined(&self, one: impl Display, other: impl Display) -> Args<'static> {
        let separator = if self.is_empty() { "" } else { "," };
        Args {
            list: format!("{one}{separator}{other}").into(),
            attachments: self.attachments.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const A: Bytes = Bytes::from_static(b"a");
    const B: Bytes = Bytes::from_static(b"b");

    fn placeholder(n: usize) -> String {
        let mut out = String::new();
        binary::push_placeholder(&mut out, n);
        out
    }

    #[rstest]
    #[case("[]", true, 0)]
    #[case("[ ]", true, 0)]
    #[case(" [1, [2]] ", false, 2)]
    fn arguments_are_counted_when_asked(#[case] text: &str, #[case] empty: bool, #[case] count: usize) {
        let args = Args::from_json(text).unwrap();
        assert_eq!((args.is_empty(), args.values().count()), (empty, count));
    }

    #[test]
    fn attachments_come_in_the_order_of_their_placeholders() {
        let text = format!("{},{},{}", placeholder(1), placeholder(0), placeholder(1));
        let args = Args::from_list(text).attach(vec![A, B]).unwrap();
        assert_eq!(args.attachments(), [B, A, B]);
        assert_eq!(
            args.list(),
            format!("{},{},{}", placeholder(0), placeholder(1), placeholder(2))
        );
        let rest = args.skip(1);
        assert_eq!(
            (rest.list(), rest.attachments()),
            (&*format!("{},{}", placeholder(0), placeholder(1)), &[A, B][..])
        );
        assert_eq!(args.skip(3), Args::NONE);
    }

    #[test]
    fn an_argument_is_put_before_or_behind_the_others() {
        assert_eq!(Args::NONE.before(1).list(), "1");
        assert_eq!(Args::from_list("2").before(3).list(), "2,3");
        assert_eq!(Args::NONE.behind(1).list(), "1");
        assert_eq!(Args::from_list("2").behind(1).list(), "1,2");
    }
}
