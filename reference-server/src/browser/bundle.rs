//! The names of client bundles, and their text: the parts under `js/`, joined.

/// Transports in the order the client prefers them.
const TRANSPORTS: [(&str, &str); 6] = [
    ("websocket", include_str!("js/websocket.js")),
    ("flashsocket", include_str!("js/flashsocket.js")),
    ("htmlfile", include_str!("js/htmlfile.js")),
    ("xhr-multipart", include_str!("js/xhr-multipart.js")),
    ("xhr-polling", include_str!("js/xhr-polling.js")),
    ("jsonp-polling", include_str!("js/jsonp-polling.js")),
];

/// What every bundle holds, in the order it must run.
const CORE: [&str; 5] = [
    include_str!("js/core.js"),
    include_str!("js/packet.js"),
    include_str!("js/http.js"),
    include_str!("js/socket.js"),
    include_str!("js/connection.js"),
];

/// `socket.io[+transport…][.vX.Y.Z].js`, parsed. Order and repetition of the transports do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BundleName {
    /// Bit k: the k-th of [`TRANSPORTS`] is in.
    transports: usize,
    /// The name holds a version.
    pub(super) versioned: bool,
}

impl BundleName {
    /// How many bundles there are.
    pub(super) const COUNT: usize = 1 << TRANSPORTS.len();

    /// Parses a path below the resource, such as `/socket.io+websocket.js`. `None`: not a bundle's path at all;
    /// `Some(None)`: it is, but holds an unknown transport or a malformed version.
    pub(super) fn parse(path: &str) -> Option<Option<BundleName>> {
        let name = path.strip_prefix("/socket.io")?;
        let ours = name == ".js" || name.starts_with('+') || name.starts_with(".v");
        ours.then(|| parse_variant(name.strip_suffix(".js")?))
    }

    /// Where a bundle of these transports is kept, below [`COUNT`](Self::COUNT).
    pub(super) fn index(self) -> usize {
        self.transports
    }

    pub(super) fn source(self) -> String {
        let chosen = TRANSPORTS
            .iter()
            .enumerate()
            .filter(|(k, _)| self.transports & (1 << k) != 0);
        let parts: Vec<&str> = CORE.into_iter().chain(chosen.map(|(_, (_, source))| *source)).collect();
        parts.join("\n")
    }
}

fn parse_variant(variant: &str) -> Option<BundleName> {
    let (names, version) = match variant.split_once(".v") {
        Some((names, version)) => (names, Some(version)),
        None => (variant, None),
    };
    if !version.is_none_or(is_version) {
        return None;
    }
    let mut transports = 0;
    for wanted in names.split('+').skip(1) {
        transports |= 1 << TRANSPORTS.iter().position(|(name, _)| *name == wanted)?;
    }
    if names.is_empty() {
        transports = BundleName::COUNT - 1;
    }
    Some(BundleName {
        transports,
        versioned: version.is_some(),
    })
}

fn is_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').count() == 3 && text.split('.').all(is_number)
}
