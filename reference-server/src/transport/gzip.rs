//! Compression of what is long enough to be worth it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, header};

/// The fewest bytes that are compressed.
const THRESHOLD: usize = 1024;

/// The body in gzip, if it is long and the client takes it.
pub(super) fn encode(request: &HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
    (body.len() >= THRESHOLD && is_accepted(request)).then(|| compress(body, Compression::fast()))
}

pub(crate) fn compress(body: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("a Vec takes every write")
}

/// RFC 9110 12.5.3: named with a weight above 0, or not named and `*` is.
pub(crate) fn is_accepted(request: &HeaderMap) -> bool {
    let mut any = false;
    let values = request.get_all(header::ACCEPT_ENCODING).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        let accepted = weight.is_empty() || weight.parse().is_ok_and(|weight: f32| weight > 0.0);
        let coding = coding.trim();
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            return accepted;
        }
        if coding == "*" {
            any = accepted;
        }
    }
    any
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
        assert_eq!(encode(&headers, &[b'x'; THRESHOLD]).is_some(), accepted);
        assert_eq!(encode(&headers, b"x"), None);
    }
}
