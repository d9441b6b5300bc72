//! Which pages may talk to the server, and how a browser is told.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::body::{Body, answer};

/// Whether the request may be served. `origins` as in [`Options`](crate::Options); `Referer` counts where there is no
/// `Origin`; a program that says neither is no page.
pub(crate) fn is_allowed(origins: Option<&[String]>, headers: &HeaderMap) -> bool {
    let Some(origins) = origins else { return true };
    let said = [
        header::ORIGIN,
        HeaderName::from_static("sec-websocket-origin"),
        header::REFERER,
    ];
    let Some(said) = said.iter().find_map(|name| headers.get(name)) else {
        return true;
    };
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // The official client 0.9 in Node names its own host, without a scheme.
    if own.is_some() && own == said.to_str().ok() {
        return true;
    }
    let Some(origin) = said.to_str().ok().and_then(origin_of) else {
        return false;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    origins.iter().any(|allowed| *allowed == origin) || (own.is_some() && own == host)
}

/// Adds what lets a page of the origin that asks read the response.
pub(crate) fn allow(origins: Option<&[String]>, request: &HeaderMap, response: &mut Response<Body>) {
    let Some(origin) = request.get(header::ORIGIN) else {
        return;
    };
    if is_allowed(origins, request) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
}

/// Whether a browser asks if it may ask.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to that.
pub(crate) fn preflight(status: StatusCode, origins: Option<&[String]>, request: &HeaderMap) -> Response<Body> {
    let mut response = answer(status, "", "");
    allow(origins, request, &mut response);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, OPTIONS"),
    );
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

/// `scheme://host[:port]` of a URL.
fn origin_of(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url[host..].find('/').map_or(url.len(), |end| host + end);
    Some(&url[..end])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_page(&[], true)]
    #[case::listed(&[("origin", "http://a.example")], true)]
    #[case::other(&[("origin", "http://b.example")], false)]
    #[case::other_scheme(&[("origin", "https://a.example")], false)]
    #[case::longer(&[("origin", "http://a.example.org")], false)]
    #[case::null(&[("origin", "null")], false)]
    #[case::own(&[("origin", "http://here:80"), ("host", "here:80")], true)]
    #[case::own_without_a_scheme(&[("origin", "here:80"), ("host", "here:80")], true)]
    #[case::referer(&[("referer", "http://a.example/page?x")], true)]
    #[case::bad_referer(&[("referer", "http://b.example/page")], false)]
    #[case::old_websocket(&[("sec-websocket-origin", "http://b.example")], false)]
    fn one_origin_is_allowed(#[case] headers: &[(&'static str, &'static str)], #[case] allowed: bool) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(is_allowed(Some(&["http://a.example".to_owned()]), &headers), allowed);
        assert!(is_allowed(None, &headers));
    }
}
