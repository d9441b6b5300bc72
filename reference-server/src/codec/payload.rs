//! Several packets in one body: `\ufffd <length> \ufffd <packet>`, repeated (spec, "Framing").
//!
//! The length counts UTF-16 code units, as the original servers and clients count. One packet goes bare.

use super::{Malformed, Text};

const MARK: char = '\u{fffd}';

/// Writes packets as one payload.
#[must_use]
pub fn encode(packets: &[Text]) -> Text {
    if let [packet] = packets {
        return packet.clone();
    }
    let mut out = String::with_capacity(packets.iter().map(|packet| packet.len() + 16).sum());
    for packet in packets {
        out.push(MARK);
        out.push_str(&units(packet).to_string());
        out.push(MARK);
        out.push_str(packet);
    }
    Text::from(out)
}

/// Splits a payload into the texts of its packets; a payload without mark is one packet.
#[must_use]
pub fn decode(payload: &str) -> Frames<'_> {
    Frames {
        rest: Some(payload),
        bare: !payload.starts_with(MARK),
    }
}

/// The iterator of [`decode`]. It ends at the first malformed frame, after saying so.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    /// `None` at the end.
    rest: Option<&'a str>,
    bare: bool,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a str, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if self.bare {
            return Some(if rest.is_empty() {
                Err(Malformed::Empty)
            } else {
                Ok(rest)
            });
        }
        Some(split_frame(rest).map(|(packet, rest)| {
            self.rest = (!rest.is_empty()).then_some(rest);
            packet
        }))
    }
}

fn split_frame(text: &str) -> Result<(&str, &str), Malformed> {
    let rest = text.strip_prefix(MARK).ok_or(Malformed::NoFrame)?;
    let (length, rest) = rest.split_once(MARK).ok_or(Malformed::Truncated)?;
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse() {
        Ok(length) if digits && length > 0 => split_at_unit(rest, length),
        _ => Err(Malformed::BadLength),
    }
}

/// Length in UTF-16 code units.
pub(super) fn units(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    }
}

/// Splits after so many of them.
pub(super) fn split_at_unit(text: &str, length: usize) -> Result<(&str, &str), Malformed> {
    if text.as_bytes().get(..length).is_some_and(<[u8]>::is_ascii) {
        return text.split_at_checked(length).ok_or(Malformed::Truncated);
    }
    let mut left = length;
    let mut chars = text.chars();
    while left > 0 {
        let units = chars.next().ok_or(Malformed::Truncated)?.len_utf16();
        left = left.checked_sub(units).ok_or(Malformed::BadLength)?;
    }
    text.split_at_checked(text.len() - chars.as_str().len())
        .ok_or(Malformed::Truncated)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["1::"], "1::")]
    #[case(&["3:::a", "3:::b"], "\u{fffd}5\u{fffd}3:::a\u{fffd}5\u{fffd}3:::b")]
    #[case(&["3:::é𝄞", "3:::\u{fffd}"], "\u{fffd}7\u{fffd}3:::é𝄞\u{fffd}5\u{fffd}3:::\u{fffd}")]
    fn a_payload_is_its_packets(#[case] packets: &[&str], #[case] payload: &str) {
        let texts: Vec<Text> = packets.iter().map(|packet| Text::from(*packet)).collect();
        assert_eq!(encode(&texts).as_str(), payload);
        assert_eq!(decode(payload).collect::<Result<Vec<_>, _>>().as_deref(), Ok(packets));
    }

    #[rstest]
    #[case::text("\u{fffd}3\u{fffd}2::x", Malformed::NoFrame)]
    #[case::truncated("\u{fffd}3\u{fffd}2::\u{fffd}4\u{fffd}2::", Malformed::Truncated)]
    #[case::within_a_pair("\u{fffd}3\u{fffd}2::\u{fffd}1\u{fffd}𝄞", Malformed::BadLength)]
    fn what_stands_before_a_bad_frame_counts(#[case] payload: &str, #[case] error: Malformed) {
        assert_eq!(decode(payload).collect::<Vec<_>>(), [Ok("2::"), Err(error)]);
    }
}
