//! A file as HTTP serves it: compressed or not, with an entity tag, and not at all to who has it already.

use bytes::Bytes;
use flate2::Compression;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{Response, StatusCode};
use sha1::{Digest, Sha1};

use crate::transport::gzip;

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
            body: gzip::compress(&body, Compression::best()).into(),
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
        if gzip::is_accepted(request) {
            &self.gzip
        } else {
            &self.plain
        }
    }
}

/// RFC 9110 13.1.2: a list of tags compared weakly, or `*`. Unquoted ones, as the originals send, count as well.
fn names_tag(request: &HeaderMap, tag: &str) -> bool {
    let values = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut items = values.flat_map(|value| value.split(',')).map(str::trim);
    items.any(|item| item == "*" || item.trim_start_matches("W/").trim_matches('"') == tag)
}
