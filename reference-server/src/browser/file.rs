//! A file as HTTP serves it: compressed or not, with an entity tag, and not at all to who has it already.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{Response, StatusCode};
use sha1::{Digest, Sha1};

/// One file in both of its encodings.
pub(super) struct File {
    content_type: &'static str,
    plain: Encoded,
    gzip: Encoded,
}

struct Encoded {
    body: Bytes,
    /// Unquoted. Each encoding has its own, or it would not be a strong tag.
    tag: String,
}

impl File {
    pub(super) fn new(content_type: &'static str, body: Bytes) -> File {
        let tag: String = Sha1::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        let gzip = Encoded {
            body: compress(&body),
            tag: format!("{tag}-gzip"),
        };
        File {
            content_type,
            plain: Encoded { body, tag },
            gzip,
        }
    }

    /// The file, or `304 Not Modified` where `If-None-Match` names it. To be revalidated before each use.
    pub(super) fn respond(&self, request: &HeaderMap) -> Response<Bytes> {
        let tag = &self.choose(request).tag;
        let mut response = if names_tag(request, tag) {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
                .headers_mut()
                .insert(VARY, HeaderValue::from_static("Accept-Encoding"));
            response
        } else {
            self.respond_unconditionally(request)
        };
        if let Ok(quoted) = HeaderValue::try_from(format!("\"{tag}\"")) {
            response.headers_mut().insert(ETAG, quoted);
        }
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    /// The file, without a word about caching.
    pub(super) fn respond_unconditionally(&self, request: &HeaderMap) -> Response<Bytes> {
        let chosen = self.choose(request);
        let mut response = Response::new(chosen.body.clone());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(chosen.body.len()));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if std::ptr::eq(chosen, &raw const self.gzip) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn choose(&self, request: &HeaderMap) -> &Encoded {
        if accepts_gzip(request) { &self.gzip } else { &self.plain }
    }
}

fn compress(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("a Vec takes every write").into()
}

/// RFC 9110 12.5.3: named with a weight above 0, or not named and `*` is.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let mut any = false;
    for item in items(request, &ACCEPT_ENCODING) {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        let accepted = weight.is_empty() || weight.parse().is_ok_and(|weight: f32| weight > 0.0);
        match coding.trim() {
            "gzip" | "x-gzip" => return accepted,
            "*" => any = accepted,
            _ => {}
        }
    }
    any
}

/// RFC 9110 13.1.2: a list of tags compared weakly, or `*`. Unquoted ones, as the originals send, count as well.
fn names_tag(request: &HeaderMap, tag: &str) -> bool {
    items(request, &IF_NONE_MATCH).any(|item| item == "*" || item.trim_start_matches("W/").trim_matches('"') == tag)
}

fn items<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
