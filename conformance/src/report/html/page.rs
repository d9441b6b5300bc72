//! The file itself: head, styles, data and scripts.

use super::Run;
use super::plain::escaped;
use crate::run::event::Outcome;

const STYLES: [&str; 6] = [
    include_str!("page/base.css"),
    include_str!("page/head.css"),
    include_str!("page/matrix.css"),
    include_str!("page/panel.css"),
    include_str!("page/tables.css"),
    include_str!("page/print.css"),
];

/// In this order: one script, of functions that know each other by name.
const SCRIPTS: [&str; 12] = [
    include_str!("page/dom.js"),
    include_str!("page/data.js"),
    include_str!("page/state.js"),
    include_str!("page/marks.js"),
    include_str!("page/head.js"),
    include_str!("page/failures.js"),
    include_str!("page/matrix.js"),
    include_str!("page/trace.js"),
    include_str!("page/sequence.js"),
    include_str!("page/panel.js"),
    include_str!("page/coverage.js"),
    include_str!("page/changes.js"),
];

const MAIN: &str = include_str!("page/main.js");

/// Nothing comes from anywhere else, whatever the data says.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri \
                      'none'; form-action 'none'";

/// The title of the window: what a row of tabs is searched for.
pub(super) fn title(runs: &[Run]) -> String {
    let names: Vec<&str> = runs.iter().map(Run::name).collect();
    let fail: usize = runs.iter().map(|run| run.count(Outcome::Fail)).sum();
    format!("{fail} fail · {}", names.join(", "))
}

/// The page. `data` is safe within a script, `plain` is HTML.
pub(super) fn page(title: &str, data: &str, plain: &str) -> String {
    let mut out = String::with_capacity(data.len() + plain.len() + 128 * 1024);
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    out.push_str("<meta name=\"referrer\" content=\"no-referrer\">\n");
    out.push_str(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n",
        escaped(POLICY)
    ));
    out.push_str(&format!("<title>{}</title>\n<style>\n", escaped(title)));
    STYLES.iter().for_each(|style| out.push_str(style));
    out.push_str("</style>\n</head>\n<body>\n<noscript>\n");
    out.push_str(plain);
    out.push_str("</noscript>\n<div id=\"app\"></div>\n<script type=\"application/json\" id=\"data\">");
    out.push_str(data);
    out.push_str("</script>\n<script>\n\"use strict\";\n(() => {\n");
    SCRIPTS.iter().for_each(|script| out.push_str(script));
    out.push_str(MAIN);
    out.push_str("})();\n</script>\n</body>\n</html>\n");
    out
}
