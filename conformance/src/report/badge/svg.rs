//! The picture: two halves with a word each, drawn without anything from elsewhere.

use super::{Badge, LABEL, State};

/// Height, and the space at both sides of a text, in pixels.
const HEIGHT: usize = 20;
const MARGIN: usize = 7;

/// The badge as an SVG file.
pub(super) fn render(badge: &Badge) -> String {
    let Badge {
        message,
        state,
        versions,
    } = badge;
    let fill = match state {
        State::Good => "#2a7d2e",
        State::Known => "#6b6f00",
        State::Bad => "#b3261e",
        State::Unknown => "#6a6a6a",
    };
    let (left, right) = (width(LABEL) + 2 * MARGIN, width(message) + 2 * MARGIN);
    let whole = left + right;
    let (at_label, at_message) = (MARGIN, left + MARGIN);
    let (label_length, message_length) = (width(LABEL), width(message));
    let title = escaped(&format!("{LABEL}: {message}"));
    let (label, message, versions) = (escaped(LABEL), escaped(message), escaped(versions));
    // `textLength` fits a text into its half, whatever font there is.
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" aria-label="{title}">
  <title>{title}</title>
  <desc>{versions}</desc>
  <clipPath id="shape"><rect width="{whole}" height="{HEIGHT}" rx="4"/></clipPath>
  <g clip-path="url(#shape)">
    <rect width="{left}" height="{HEIGHT}" fill="#3c3c3c"/>
    <rect x="{left}" width="{right}" height="{HEIGHT}" fill="{fill}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" aria-hidden="true">
    <text x="{at_label}" y="14" textLength="{label_length}">{label}</text>
    <text x="{at_message}" y="14" textLength="{message_length}">{message}</text>
  </g>
</svg>
"##
    )
}

/// About how wide a text is, in pixels, in a sans-serif of 11 pixels.
fn width(text: &str) -> usize {
    let tenths: usize = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ' ' | '|' => 35,
            'f' | 'r' | 't' => 45,
            'm' | 'w' | 'M' | 'W' => 95,
            'A'..='Z' => 75,
            _ => 68,
        })
        .sum();
    tenths.div_ceil(10)
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    fn badge(message: &str, state: State) -> Badge {
        Badge {
            message: message.to_owned(),
            state,
            versions: "sio-conformance 0.1.0, suite 2026-11-28".to_owned(),
        }
    }

    #[test]
    fn a_picture() {
        insta::assert_snapshot!(render(&badge("3 failing", State::Bad)));
    }

    #[test]
    fn well_formed_and_with_a_name_of_its_own() {
        for state in [State::Good, State::Known, State::Bad, State::Unknown] {
            let text = render(&badge("2293 pass & <more>", state));
            let mut reader = Reader::from_str(&text);
            let mut title = String::new();
            loop {
                match reader.read_event().unwrap() {
                    Event::Start(tag) if tag.name().as_ref() == "title" => {
                        title = reader.read_text(tag.name()).unwrap().to_string();
                    }
                    Event::Eof => break,
                    _ => {}
                }
            }
            assert_eq!(title, "socket.io conformance: 2293 pass &amp; &lt;more&gt;");
            assert!(!text.contains("href"), "nothing from elsewhere");
        }
    }

    #[test]
    fn the_width_follows_the_text() {
        let wide = |message| render(&badge(message, State::Good)).len();
        assert!(width("2293 pass, 12 known failures") > width("2293 pass"));
        assert!(wide("1") < wide("1000000 pass"));
    }
}
