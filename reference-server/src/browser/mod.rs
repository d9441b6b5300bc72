//! What the server hands to browsers: the client for revision 1, whole or as a custom bundle, and two pages that use it.
//!
//! | path | what |
//! |---|---|
//! | `/` | runs the `news` / `my other event` example and shows the transport; `/?transport=T` forces one |
//! | `/chat` | a chat on the contract's `broadcast` event |
//! | `/socket.io/socket.io.js` | the client with every transport |
//! | `/socket.io/socket.io+websocket+xhr-polling.js` | the client with those transports only |
//! | `/socket.io/socket.io.v0.9.16.js` | the same under a name that caches may keep for ten years, whatever the version |
//!
//! No Flash movie is served: the client's `flashsocket` is the browser's own WebSocket.

mod bundle;
mod file;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};

use bundle::BundleName;
use file::File;

const RESOURCE: &str = "/socket.io";
const TEN_YEARS: Duration = Duration::from_secs(315_360_000);

/// The files, made once: pages at start, a bundle when it is first asked for.
pub(crate) struct Assets {
    index: File,
    chat: File,
    /// By [`BundleName::index`], so there are never more than that.
    bundles: [OnceLock<File>; BundleName::COUNT],
}

impl Assets {
    pub(crate) fn new() -> Assets {
        let page = |text: &'static str| File::new("text/html; charset=utf-8", Bytes::from_static(text.as_bytes()));
        Assets {
            index: page(include_str!("pages/index.html")),
            chat: page(include_str!("pages/chat.html")),
            bundles: [const { OnceLock::new() }; BundleName::COUNT],
        }
    }

    /// The answer to a request for `path` (without query), or `None` where the path is none of ours.
    ///
    /// `now` only matters to the `Expires` of a versioned bundle.
    pub(crate) fn respond(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Option<Response<Bytes>> {
        let mut response = match path {
            "/" => self.index.respond(headers),
            "/chat" => self.chat.respond(headers),
            _ => self.respond_to_resource(path.strip_prefix(RESOURCE)?, headers, now)?,
        };
        match *method {
            Method::GET => {}
            Method::HEAD => *response.body_mut() = Bytes::new(),
            _ => {
                response = plain(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "only GET and HEAD are answered here\n".to_owned(),
                );
                response
                    .headers_mut()
                    .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
        }
        Some(response)
    }

    fn respond_to_resource(&self, path: &str, headers: &HeaderMap, now: SystemTime) -> Option<Response<Bytes>> {
        if let "/static/flashsocket/WebSocketMain.swf" | "/static/flashsocket/WebSocketMainInsecure.swf" = path {
            let text = "this server ships no Flash movie: its client speaks flashsocket by the browser's WebSocket\n";
            return Some(plain(StatusCode::NOT_FOUND, text.to_owned()));
        }
        let Some(name) = BundleName::parse(path)? else {
            return Some(plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("Error serving static {path}"),
            ));
        };
        let file =
            self.bundles[name.index()].get_or_init(|| File::new("application/javascript", Bytes::from(name.source())));
        Some(if name.versioned {
            forever(file, headers, now)
        } else {
            file.respond(headers)
        })
    }
}

/// A versioned name never changes its content, so it is not revalidated. The directive in the middle is the originals'.
fn forever(file: &File, headers: &HeaderMap, now: SystemTime) -> Response<Bytes> {
    let mut response = file.respond_unconditionally(headers);
    let keep = HeaderValue::from_static("private, x-gzip-ok=\"\", max-age=315360000");
    response.headers_mut().insert(CACHE_CONTROL, keep);
    if let Ok(expires) = HeaderValue::try_from(httpdate::fmt_http_date(now + TEN_YEARS)) {
        response.headers_mut().insert(EXPIRES, expires);
    }
    response
}

fn plain(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let length = HeaderValue::from(response.body().len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    response
}

#[cfg(test)]
mod tests;
