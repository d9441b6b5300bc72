//! `xhr-multipart`: one MIME part a packet, the framing of release 0.6.

use super::Text;

/// The `Content-Type` of the stream.
pub const CONTENT_TYPE: &str = "multipart/x-mixed-replace;boundary=\"socketio\"";

/// What opens the stream.
pub const PREAMBLE: &str = "--socketio\n";

/// The part that delivers one packet, with the delimiter that ends it.
#[must_use]
pub fn encode(packet: &str) -> Text {
    Text::from(format!("Content-Type: text/plain\n\n{packet}\n--socketio\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_a_part() {
        assert_eq!(encode("1::").as_str(), "Content-Type: text/plain\n\n1::\n--socketio\n");
    }
}
