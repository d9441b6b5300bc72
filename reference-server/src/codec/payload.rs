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
        rest: payload,
        bare: !payload.starts_with(MARK),
    }
}

/// The iterator of [`decode`]. It ends at the first malformed frame, after saying so.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a str,
    bare: bool,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a str, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        if self.bare {
            return Some(Ok(rest));
        }
        let Some((length, rest)) = rest.strip_prefix(MARK).and_then(|rest| rest.split_once(MARK)) else {
            return Some(Err(Malformed::BadLength));
        };
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Err(Malformed::BadLength));
        }
        match length.parse().ok().and_then(|length| split_at_unit(rest, length)) {
            Some((packet, rest)) => {
                self.rest = rest;
                Some(Ok(packet))
            }
            None => Some(Err(Malformed::Truncated)),
        }
    }
}

/// Length in UTF-16 code units.
fn units(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    }
}

fn split_at_unit(text: &str, length: usize) -> Option<(&str, &str)> {
    if text.as_bytes().get(..length)?.is_ascii() {
        return text.split_at_checked(length);
    }
    let mut left = length;
    let mut chars = text.chars();
    while left > 0 {
        left = left.checked_sub(chars.next()?.len_utf16())?;
    }
    text.split_at_checked(text.len() - chars.as_str().len())
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
    #[case::one_frame("\u{fffd}3\u{fffd}2::", &[Ok("2::")])]
    #[case::empty("", &[])]
    #[case::empty_frame("\u{fffd}0\u{fffd}", &[Ok("")])]
    #[case::not_a_number("\u{fffd}x\u{fffd}2::", &[Err(Malformed::BadLength)])]
    #[case::signed("\u{fffd}+3\u{fffd}2::", &[Err(Malformed::BadLength)])]
    #[case::no_second_mark("\u{fffd}3", &[Err(Malformed::BadLength)])]
    #[case::too_long("\u{fffd}3\u{fffd}2::\u{fffd}4\u{fffd}2::", &[Ok("2::"), Err(Malformed::Truncated)])]
    #[case::far_too_long("\u{fffd}99999999999999999999\u{fffd}2::", &[Err(Malformed::Truncated)])]
    #[case::within_a_pair("\u{fffd}5\u{fffd}3:::𝄞", &[Err(Malformed::Truncated)])]
    #[case::junk_behind("\u{fffd}3\u{fffd}2::x", &[Ok("2::"), Err(Malformed::BadLength)])]
    fn frames_end_at_the_first_bad_one(#[case] payload: &str, #[case] frames: &[Result<&str, Malformed>]) {
        assert_eq!(decode(payload).collect::<Vec<_>>(), frames);
    }
}
