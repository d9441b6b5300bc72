//! The forever iframe: one page that never ends, one `<script>` a packet.

use super::{Text, script};

const HEAD: &str = "<html><body><script>var _ = function (msg) { parent.s._(msg, document); };</script>";

/// The first chunk: 256 bytes, so that browsers begin to run what follows.
#[must_use]
pub fn preamble() -> Text {
    Text::from(format!("{HEAD:<256}"))
}

/// The script that delivers one packet.
#[must_use]
pub fn encode(packet: &str) -> Text {
    let mut out = String::with_capacity(packet.len() + packet.len() / 4 + 32);
    out.push_str("<script>_(");
    script::push_slashless_string(&mut out, packet);
    out.push_str(");</script>");
    Text::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_a_script() {
        assert_eq!(preamble().len(), 256);
        assert_eq!(
            encode("3:::a/b</script>").as_str(),
            r#"<script>_("3:::a\/b<\/script>");</script>"#
        );
    }
}
