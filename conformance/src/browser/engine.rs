//! The browsers that can be driven, and where they are on this machine.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A browser engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Chromium, by chromedriver.
    Chromium,
    /// Firefox, by geckodriver.
    Firefox,
    /// WebKitGTK's `MiniBrowser`, by `WebKitWebDriver`, on an X server of its own.
    Webkit,
}

/// The programs of an engine.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The browser.
    pub browser: PathBuf,
    /// What drives it.
    pub driver: PathBuf,
}

/// An engine that is not here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {program}: {install}")]
pub struct Missing {
    /// What was not found.
    pub program: &'static str,
    /// The command that installs it.
    pub install: &'static str,
}

/// A name of no engine.
#[derive(Clone, Debug, thiserror::Error)]
#[error("known are chromium, firefox, webkit")]
pub struct UnknownEngine;

impl Engine {
    /// All of them.
    pub const ALL: [Engine; 3] = [Engine::Chromium, Engine::Firefox, Engine::Webkit];

    /// As options and case ids have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Engine::Chromium => "chromium",
            Engine::Firefox => "firefox",
            Engine::Webkit => "webkit",
        }
    }

    /// Its programs: what the environment names, or what is in `PATH` or where packages put it.
    ///
    /// # Errors
    ///
    /// One of them is not here.
    pub fn find(self) -> Result<Programs, Missing> {
        let found = |program: &'static str, variable: &str, names: &[&str], install: &'static str| {
            env::var_os(variable)
                .map(PathBuf::from)
                .or_else(|| names.iter().find_map(|name| installed(name)))
                .ok_or(Missing { program, install })
        };
        let (browser, driver) = match self {
            Engine::Chromium => {
                let install = "apt-get install chromium chromium-driver";
                let browsers = ["chromium", "chromium-browser", "google-chrome"];
                (
                    found("chromium", "SIO_CHROMIUM", &browsers, install)?,
                    found("chromedriver", "SIO_CHROMEDRIVER", &["chromedriver"], install)?,
                )
            }
            Engine::Firefox => (
                found(
                    "firefox",
                    "SIO_FIREFOX",
                    &["firefox-esr", "firefox"],
                    "apt-get install firefox-esr",
                )?,
                found(
                    "geckodriver",
                    "SIO_GECKODRIVER",
                    &[
                        "geckodriver",
                        "target/tools/bin/geckodriver",
                        "~/.cargo/bin/geckodriver",
                    ],
                    "cargo install geckodriver --version 0.37.1 --locked",
                )?,
            ),
            Engine::Webkit => {
                let install = "apt-get install webkit2gtk-driver xvfb";
                let browsers = [
                    "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
                    "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
                    "MiniBrowser",
                ];
                found("Xvfb", "SIO_XVFB", &["Xvfb"], install)?;
                (
                    found("MiniBrowser", "SIO_MINIBROWSER", &browsers, install)?,
                    found("WebKitWebDriver", "SIO_WEBKITDRIVER", &["WebKitWebDriver"], install)?,
                )
            }
        };
        Ok(Programs { browser, driver })
    }

    /// Why the engine cannot have a transport.
    #[must_use]
    pub fn lacks(self, transport: &str) -> Option<&'static str> {
        match (self, transport) {
            (Engine::Webkit, "webtransport") => Some("webkit has no WebTransport"),
            (Engine::Webkit, "xhr-multipart") => Some("webkit does not show multipart answers to pages"),
            _ => None,
        }
    }
}

/// A program of this name in `PATH`, or the file where the name is a path.
fn installed(name: &str) -> Option<PathBuf> {
    if let Some(rest) = name.strip_prefix("~/") {
        return env::home_dir()
            .map(|home| home.join(rest))
            .filter(|path| path.is_file());
    }
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Engine, UnknownEngine> {
        Engine::ALL
            .into_iter()
            .find(|engine| engine.name() == name)
            .ok_or(UnknownEngine)
    }
}
