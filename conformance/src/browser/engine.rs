//! The browsers that can be driven, and where they are on this machine.

use std::env;
use std::ffi::{OsStr, OsString};
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
    /// What was not found, and where the environment says that it is.
    pub program: String,
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

    /// Whether a case that fails in it is run again: pages lose a request or break off in WebAssembly, one in hundreds.
    #[must_use]
    pub fn is_frail(self) -> bool {
        self == Engine::Webkit
    }

    /// Its programs: what the environment names, or what is in `PATH` or where packages put it.
    ///
    /// # Errors
    ///
    /// One of them is not here, or not where the environment says.
    pub fn find(self) -> Result<Programs, Missing> {
        self.find_in(|variable| env::var_os(variable))
    }

    fn find_in(self, environment: impl Fn(&str) -> Option<OsString>) -> Result<Programs, Missing> {
        let path = environment("PATH").unwrap_or_default();
        let found = |program: &str, variable: &str, names: &[&str], install: &'static str| {
            if let Some(named) = environment(variable) {
                let named = named.to_string_lossy();
                return installed(&named, &path).ok_or_else(|| Missing {
                    program: format!("{program} at {named}, as {variable} says"),
                    install,
                });
            }
            let here = names.iter().find_map(|name| installed(name, &path));
            here.ok_or_else(|| Missing {
                program: program.to_owned(),
                install,
            })
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
            (Engine::Webkit, "htmlfile") => Some("webkit does not show a stream in a frame piece by piece"),
            (Engine::Webkit, "xhr-multipart") => Some("webkit does not show multipart answers to pages"),
            _ => None,
        }
    }
}

/// A program of this name in the folders of `path`, or the file where the name is a path.
fn installed(name: &str, path: &OsStr) -> Option<PathBuf> {
    if let Some(rest) = name.strip_prefix("~/") {
        return env::home_dir()
            .map(|home| home.join(rest))
            .filter(|path| path.is_file());
    }
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    env::split_paths(path)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found where only these programs are in PATH, and the environment has `more`. `HERE` is their folder.
    fn found(programs: &[&str], more: &[(&str, &str)], engine: Engine) -> Result<[String; 2], String> {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        let here = folder.path().display().to_string();
        let environment = |name: &str| {
            let more = more.iter().find(|(variable, _)| *variable == name);
            match name {
                "PATH" => Some(OsString::from(&here)),
                _ => more.map(|(_, value)| OsString::from(value.replace("HERE", &here))),
            }
        };
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        match engine.find_in(environment) {
            Ok(programs) => Ok([name(programs.browser), name(programs.driver)]),
            Err(missing) => Err(missing.to_string()),
        }
    }

    #[test]
    fn programs_are_found_in_path() {
        let names = found(&["google-chrome", "chromedriver"], &[], Engine::Chromium).unwrap();
        assert_eq!(names, ["google-chrome", "chromedriver"]);
        let names = found(&["google-chrome", "chromium", "chromedriver"], &[], Engine::Chromium).unwrap();
        assert_eq!(names, ["chromium", "chromedriver"]);
        let names = found(&["firefox", "geckodriver"], &[], Engine::Firefox).unwrap();
        assert_eq!(names, ["firefox", "geckodriver"]);
    }

    #[test]
    fn the_environment_names_programs() {
        let named = [("SIO_CHROMIUM", "HERE/mine"), ("SIO_CHROMEDRIVER", "driver")];
        let names = found(
            &["mine", "driver", "chromium", "chromedriver"],
            &named,
            Engine::Chromium,
        )
        .unwrap();
        assert_eq!(names, ["mine", "driver"]);
    }

    #[test]
    fn no_other_is_taken_in_place_of_one_that_is_named() {
        let nowhere = [("SIO_CHROMIUM", "/nowhere/chromium")];
        let missing = found(&["chromium", "chromedriver"], &nowhere, Engine::Chromium).unwrap_err();
        assert_eq!(
            missing,
            "no chromium at /nowhere/chromium, as SIO_CHROMIUM says: apt-get install chromium chromium-driver"
        );
    }

    #[test]
    fn what_is_missing_is_told_with_its_command() {
        let missing = found(&["chromium"], &[], Engine::Chromium).unwrap_err();
        assert_eq!(missing, "no chromedriver: apt-get install chromium chromium-driver");
        let missing = found(&["geckodriver"], &[], Engine::Firefox).unwrap_err();
        assert_eq!(missing, "no firefox: apt-get install firefox-esr");
        let missing = found(&["WebKitWebDriver", "MiniBrowser"], &[], Engine::Webkit).unwrap_err();
        assert_eq!(missing, "no Xvfb: apt-get install webkit2gtk-driver xvfb");
    }
}
