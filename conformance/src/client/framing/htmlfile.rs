//! htmlfile: a page that never ends, one script element a packet.

use super::{Fault, FramingError, Pending, find, literal, utf8};

const OPEN: &[u8] = b"<script>_(";
const CLOSE: &[u8] = b");</script>";
/// Browsers of the time began to run a page only after this many bytes.
const PRELUDE: usize = 256;

/// One piece of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HtmlItem {
    /// The page before its first packet: at least 256 bytes that define `_`.
    Prelude(String),
    /// One packet.
    Packet(String),
}

/// Reads the body of an htmlfile response (without the chunked coding) as it comes.
#[derive(Debug, Default)]
pub struct Stream {
    pending: Pending,
    begun: bool,
}

impl Stream {
    /// A stream at its first byte.
    #[must_use]
    pub fn new() -> Stream {
        Stream::default()
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.push(bytes);
    }

    /// The next item, or `None` until more bytes have come. The prelude is the first.
    ///
    /// # Errors
    ///
    /// A prelude that is too short or defines nothing, an element that is not exactly `<script>_("…");</script>`, an
    /// unescaped closing tag or line separator, bytes that are not UTF-8, more than 16 MiB without an end.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means not yet")]
    pub fn next(&mut self) -> Result<Option<HtmlItem>, FramingError> {
        self.pending.check()?;
        if self.begun { self.packet() } else { self.prelude() }
    }

    /// How many bytes, counted from the first, the items so far have used up.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.pending.offset
    }

    /// Whether bytes are left that make no whole item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.bytes.iter().all(u8::is_ascii_whitespace)
    }

    fn prelude(&mut self) -> Result<Option<HtmlItem>, FramingError> {
        let bytes = &self.pending.bytes;
        let first = find(bytes, OPEN);
        let page = &bytes[..first.unwrap_or(bytes.len())];
        let whole = first.is_some() || (page.len() >= PRELUDE && page.trim_ascii_end().ends_with(b"</script>"));
        if !whole {
            return Ok(None);
        }
        let end = page.len();
        let script = find(page, b"</script>");
        if end < PRELUDE || script.is_none_or(|script| find(&page[..script], b"_").is_none()) {
            return self.pending.fail(end, Fault::Prelude);
        }
        self.begun = true;
        utf8(self.pending.take(end), 0).map(|text| Some(HtmlItem::Prelude(text)))
    }

    fn packet(&mut self) -> Result<Option<HtmlItem>, FramingError> {
        self.pending.skip_whitespace();
        let bytes = &self.pending.bytes;
        let known = bytes.len().min(OPEN.len());
        if bytes[..known] != OPEN[..known] {
            return self.pending.fail(0, Fault::Marker("<script>_("));
        }
        if bytes.len() == known {
            return Ok(None);
        }
        if bytes[known] != b'"' {
            return self.pending.fail(known, Fault::Literal);
        }
        // To a browser the element ends at the first closing tag, wherever it stands.
        let tag = find(bytes, b"</script");
        let end = literal::end(&bytes[known..]).map(|n| known + n);
        if let Some(tag) = tag.filter(|tag| end.is_none_or(|end| *tag < end)) {
            return self.pending.fail(tag, Fault::Unsafe("closing script tag"));
        }
        let Some(end) = end else { return Ok(None) };
        let tail = &bytes[end..bytes.len().min(end + CLOSE.len())];
        if *tail != CLOSE[..tail.len()] {
            return self.pending.fail(end, Fault::Marker(");</script>"));
        }
        if tail.len() < CLOSE.len() {
            return Ok(None);
        }
        let offset = self.pending.offset + known;
        let mut element = self.pending.take(end + CLOSE.len());
        element.truncate(end);
        let text = utf8(element.split_off(known), offset)?;
        let (packet, _) = literal::read(&text).map_err(|error| error.shifted(offset))?;
        Ok(Some(HtmlItem::Packet(packet)))
    }
}

/// The element that carries a packet: what [`Stream`] reads. Slashes are escaped.
#[must_use]
pub fn element(packet: &str) -> String {
    format!("<script>_({});</script>", literal::write(packet).replace('/', "\\/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_whole_however_the_bytes_come() {
        let prelude = format!("{:256}", "<html><body><script>var _ = function (msg) {};</script>");
        let page = format!(
            "{prelude}{}{}",
            element("1::"),
            element("3:::a\"</script>\u{2028}\u{1f600}")
        );
        for step in [1, 7, 4096] {
            let mut stream = Stream::new();
            let mut items = Vec::new();
            for chunk in page.as_bytes().chunks(step) {
                stream.push(chunk);
                while let Some(item) = stream.next().unwrap() {
                    items.push(item);
                }
            }
            let packets = ["1::", "3:::a\"</script>\u{2028}\u{1f600}"].map(|p| HtmlItem::Packet(p.to_owned()));
            assert_eq!(
                items,
                [vec![HtmlItem::Prelude(prelude.clone())], packets.to_vec()].concat()
            );
            assert!(stream.is_empty());
        }
    }
}
