use std::io::Read;
use std::time::UNIX_EPOCH;

use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use rstest::rstest;

use super::*;

const CLIENT: &str = "/socket.io/socket.io.js";
const ALL: [&str; 6] = [
    "websocket",
    "flashsocket",
    "htmlfile",
    "xhr-multipart",
    "xhr-polling",
    "jsonp-polling",
];

fn ask(method: &Method, path: &str, headers: &[(http::HeaderName, &str)]) -> Option<Response<Bytes>> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect();
    Assets::new().respond(method, path, &headers, UNIX_EPOCH)
}

fn get(path: &str, headers: &[(http::HeaderName, &str)]) -> Response<Bytes> {
    ask(&Method::GET, path, headers).unwrap()
}

fn header<'a>(response: &'a Response<Bytes>, name: &http::HeaderName) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn transports_in(response: &Response<Bytes>) -> Vec<&'static str> {
    let text = std::str::from_utf8(response.body()).unwrap();
    let mut found: Vec<(usize, &str)> = ALL
        .iter()
        .filter_map(|name| Some((text.find(&format!("io.transports.push('{name}')"))?, *name)))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

#[rstest]
#[case("/socket.io/socket.io.js", &ALL)]
#[case("/socket.io/socket.io+websocket.js", &["websocket"])]
#[case("/socket.io/socket.io+flashsocket.js", &["flashsocket"])]
#[case("/socket.io/socket.io+websocket+xhr-polling.js", &["websocket", "xhr-polling"])]
#[case("/socket.io/socket.io+xhr-polling+websocket+xhr-polling.js", &["websocket", "xhr-polling"])]
#[case("/socket.io/socket.io+jsonp-polling.v0.9.16.js", &["jsonp-polling"])]
#[case("/socket.io/socket.io.v0.9.16.js", &ALL)]
fn a_bundle_holds_the_transports_of_its_name(#[case] path: &str, #[case] transports: &[&str]) {
    let response = get(path, &[]);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, &CONTENT_TYPE), "application/javascript");
    assert_eq!(header(&response, &CONTENT_LENGTH), response.body().len().to_string());
    assert_eq!(transports_in(&response), transports);
    assert!(response.body().starts_with(b"/*!"));
}

#[rstest]
#[case("/socket.io+bogus.js")]
#[case("/socket.io+.js")]
#[case("/socket.io+websocket+bogus.js")]
#[case("/socket.io+websocket")]
#[case("/socket.io.v0.9.js")]
#[case("/socket.io.v0.9.16.1.js")]
#[case("/socket.io.v0.9.x.js")]
#[case("/socket.io.v0..9.js")]
#[case("/socket.io+websocket.v1.js")]
#[case("/socket.io.v0.9.16+websocket.js")]
fn a_bundle_that_cannot_be_made_is_an_error(#[case] path: &str) {
    let response = get(&format!("/socket.io{path}"), &[]);
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.body(), format!("Error serving static {path}").as_bytes());
    assert_eq!(header(&response, &CONTENT_TYPE), "text/plain; charset=UTF-8");
}

#[rstest]
#[case("/socket.io/1/")]
#[case("/socket.io")]
#[case("/socket.io/socket.io")]
#[case("/socket.io/socket.iox.js")]
#[case("/socket.io.js")]
#[case("/chat/")]
#[case("")]
fn other_paths_are_not_answered(#[case] path: &str) {
    assert!(ask(&Method::GET, path, &[]).is_none());
}

#[rstest]
#[case("/")]
#[case("/chat")]
fn pages_are_html_and_load_nothing_but_the_client(#[case] path: &str) {
    let response = get(path, &[]);
    assert_eq!(header(&response, &CONTENT_TYPE), "text/html; charset=utf-8");
    let text = std::str::from_utf8(response.body()).unwrap();
    assert_eq!(text.matches("src=").count(), 1);
    assert!(text.contains("<script src=\"/socket.io/socket.io.js\">"));
    assert!(
        !["http:", "https:", "url(", "@import"]
            .iter()
            .any(|elsewhere| text.contains(elsewhere))
    );
}

#[test]
fn flash_movies_are_not_shipped() {
    for name in ["WebSocketMain.swf", "WebSocketMainInsecure.swf"] {
        let response = get(&format!("/socket.io/static/flashsocket/{name}"), &[]);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.body().starts_with(b"this server ships no Flash movie"));
    }
}

#[rstest]
#[case("gzip", true)]
#[case("deflate, gzip;q=0.5, br", true)]
#[case("*", true)]
#[case("identity, *;q=0.1", true)]
#[case("", false)]
#[case("deflate, br", false)]
#[case("gzip;q=0, *", false)]
#[case("gzip; q=0.000", false)]
#[case("gzip;q=nonsense", false)]
fn compression_is_negotiated(#[case] accepted: &str, #[case] compressed: bool) {
    let response = get(CLIENT, &[(ACCEPT_ENCODING, accepted)]);
    let plain = get(CLIENT, &[]);
    assert_eq!(header(&response, &VARY), "Accept-Encoding");
    assert_eq!(header(&response, &CONTENT_LENGTH), response.body().len().to_string());
    if !compressed {
        assert_eq!(header(&response, &CONTENT_ENCODING), "");
        assert_eq!(response.body(), plain.body());
        return;
    }
    assert_eq!(header(&response, &CONTENT_ENCODING), "gzip");
    assert_ne!(header(&response, &ETAG), header(&plain, &ETAG));
    let mut text = Vec::new();
    GzDecoder::new(&response.body()[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body()[..]);
}

#[rstest]
#[case("\"TAG\"", true)]
#[case("TAG", true)]
#[case("W/\"TAG\"", true)]
#[case("\"other\", \"TAG\"", true)]
#[case("*", true)]
#[case("\"other\"", false)]
#[case("", false)]
fn who_has_the_file_does_not_get_it_again(#[case] given: &str, #[case] has_it: bool) {
    for encoding in ["gzip", "identity"] {
        let tag = header(&get(CLIENT, &[(ACCEPT_ENCODING, encoding)]), &ETAG).to_owned();
        let given = given.replace("TAG", tag.trim_matches('"'));
        let response = get(CLIENT, &[(ACCEPT_ENCODING, encoding), (IF_NONE_MATCH, &given)]);
        assert_eq!(response.status() == StatusCode::NOT_MODIFIED, has_it);
        assert_eq!(response.body().is_empty(), has_it);
        assert_eq!(header(&response, &ETAG), tag);
        assert_eq!(header(&response, &CACHE_CONTROL), "no-cache");
        assert_eq!(header(&response, &VARY), "Accept-Encoding");
    }
}

#[test]
fn tags_tell_contents_apart() {
    let tag = |path| header(&get(path, &[]), &ETAG).to_owned();
    assert_eq!(tag(CLIENT), tag(CLIENT));
    assert_ne!(tag(CLIENT), tag("/socket.io/socket.io+websocket.js"));
    assert!(tag(CLIENT).starts_with('"') && tag(CLIENT).ends_with('"') && tag(CLIENT).len() == 42);
}

#[rstest]
#[case("/socket.io/socket.io.v0.9.16.js")]
#[case("/socket.io/socket.io+websocket.v12.0.345.js")]
fn a_versioned_name_may_be_kept_for_ten_years(#[case] path: &str) {
    let response = get(path, &[(IF_NONE_MATCH, "*")]);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        header(&response, &CACHE_CONTROL),
        "private, x-gzip-ok=\"\", max-age=315360000"
    );
    assert_eq!(header(&response, &EXPIRES), "Sun, 30 Dec 1979 00:00:00 GMT");
    assert_eq!(header(&response, &ETAG), "");
}

#[rstest]
#[case("/")]
#[case(CLIENT)]
#[case("/socket.io/socket.io.v0.9.16.js")]
#[case("/socket.io/socket.io+bogus.js")]
#[case("/socket.io/static/flashsocket/WebSocketMain.swf")]
fn head_gives_the_headers_alone(#[case] path: &str) {
    let head = ask(&Method::HEAD, path, &[]).unwrap();
    let whole = get(path, &[]);
    assert_eq!(head.status(), whole.status());
    assert_eq!(head.headers(), whole.headers());
    assert!(head.body().is_empty() && !whole.body().is_empty());
}

#[test]
fn other_methods_are_refused() {
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let response = ask(&method, CLIENT, &[]).unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, &ALLOW), "GET, HEAD");
    }
}
