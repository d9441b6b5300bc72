//! Several packets in one body: `\ufffd<length>\ufffd<packet>…`, the length in UTF-16 code units (Messages / Framing).

use super::{Fault, FramingError, utf16_end};

const MARKER: char = '\u{fffd}';

/// The packets of a body: one bare packet, or framed ones.
///
/// # Errors
///
/// An empty body; a length that is no positive decimal number, exceeds the body, or ends inside a character; a missing
/// marker.
pub fn split(body: &str) -> Result<Vec<String>, FramingError> {
    if body.is_empty() {
        return Err(FramingError::new(0, Fault::Empty));
    }
    if !body.starts_with(MARKER) {
        return Ok(vec![body.to_owned()]);
    }
    let mut packets = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let offset = |rest: &str| body.len() - rest.len();
        let Some(framed) = rest.strip_prefix(MARKER) else {
            return Err(FramingError::new(offset(rest), Fault::Marker("U+FFFD")));
        };
        let digits = framed.bytes().take_while(u8::is_ascii_digit).count();
        let (length, behind) = framed.split_at(digits);
        let Some(data) = behind.strip_prefix(MARKER) else {
            let fault = match behind.chars().next() {
                None => Fault::Truncated,
                Some(_) => Fault::Length,
            };
            return Err(FramingError::new(offset(behind), fault));
        };
        let length = super::length(length).map_err(|fault| FramingError::new(offset(framed), fault))?;
        let end = utf16_end(data, length).map_err(|fault| FramingError::new(offset(data), fault))?;
        packets.push(data[..end].to_owned());
        rest = &data[end..];
    }
    Ok(packets)
}

/// One body for these packets: a single one stands bare.
#[must_use]
pub fn join<S: AsRef<str>>(packets: &[S]) -> String {
    match packets {
        [single] => single.as_ref().to_owned(),
        packets => packets
            .iter()
            .map(AsRef::as_ref)
            .map(|packet| format!("{MARKER}{}{MARKER}{packet}", packet.encode_utf16().count()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_utf16_code_units() {
        let packets = ["3:::\u{e9}\u{1d11e}", "3:::b"];
        let body = "\u{fffd}7\u{fffd}3:::\u{e9}\u{1d11e}\u{fffd}5\u{fffd}3:::b";
        assert_eq!(join(&packets), body);
        assert_eq!(split(body).unwrap(), packets);
    }

    proptest::proptest! {
        #[test]
        fn split_undoes_join(packets in proptest::collection::vec("[0-8]::[^\u{0}]{0,20}", 2..5)) {
            proptest::prop_assert_eq!(split(&join(&packets)).unwrap(), packets);
        }

        #[test]
        fn any_body_is_read_or_refused(body in "[\u{fffd}0-9:a\u{1f600}]{0,30}") {
            let _ = split(&body);
        }
    }
}
