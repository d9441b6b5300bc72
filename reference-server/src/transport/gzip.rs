//! Compression of what is long enough to be worth it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, header};

/// The fewest bytes that are compressed.
const THRESHOLD: usize = 1024;

/// The body in gzip, if it is long and the client takes it.
pub(super) fn encode(request: &HeaderMap, body: &str) -> Option<Vec<u8>> {
    if body.len() < THRESHOLD || !is_accepted(request) {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).ok()?;
    encoder.finish().ok()
}

/// A coding may be named with a quality; one of zero refuses it.
fn is_accepted(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter();
    let codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut accepted = false;
    for coding in codings {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").unwrap_or("1").parse().unwrap_or(1.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return quality > 0.0,
            "*" => accepted = quality > 0.0,
            _ => {}
        }
    }
    accepted
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("gzip, deflate, br", true)]
    #[case("br;q=1.0, GZIP;q=0.8", true)]
    #[case("*", true)]
    #[case("gzip;q=0, *", false)]
    #[case("identity", false)]
    fn a_client_says_what_it_takes(#[case] value: &str, #[case] accepted: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        assert_eq!(encode(&headers, &"x".repeat(THRESHOLD)).is_some(), accepted);
        assert_eq!(encode(&headers, "x"), None);
    }
}
