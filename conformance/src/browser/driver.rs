//! The program that drives a browser, below a guard: neither it nor a browser outlives the harness.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::engine::{Engine, Programs};
use crate::run::boot::{Boot, BootError, Running, Target};

/// Before each of the scripts below: what driver and browser keep in files goes to the folder, and where the driver will
/// listen is known.
const BEFORE: &str = r#"export TMPDIR="$2"; printf '{"listening":"http://127.0.0.1:%s"}\n' "$PORT"; "#;

/// Starts the driver that is its first argument, on the port that it is told. Of the X server of WebKitGTK the number is
/// read from a pipe: only then does it accept connections. Its pages take their language from the locale, and of `C.UTF-8`
/// make one that they themselves refuse.
const CHROMEDRIVER: &str = r#"exec "$1" --port="$PORT""#;
const GECKODRIVER: &str = r#"exec "$1" --host 127.0.0.1 --port "$PORT" --websocket-port 0"#;
const WEBKITDRIVER: &str = r#"mkfifo "$2/display" && { Xvfb -displayfd 3 -screen 0 1000x900x24 -nolisten tcp 3> "$2/display" & } &&
    read -r display < "$2/display" && unset LC_ALL LC_MESSAGES LANGUAGE &&
    DISPLAY=":$display" LANG=en_US.UTF-8 exec "$1" --host=127.0.0.1 --port="$PORT""#;

/// A running driver.
pub(super) struct Driver {
    running: Running,
}

impl Driver {
    /// Starts it and waits until it accepts a connection. `folder` is for what it and its browser leave, and is removed by
    /// the guard.
    pub(super) async fn start(
        engine: Engine,
        programs: &Programs,
        folder: &Path,
        patience: f64,
        guard: Option<&Path>,
    ) -> Result<Driver, BootError> {
        let script = match engine {
            Engine::Chromium => CHROMEDRIVER,
            Engine::Firefox => GECKODRIVER,
            Engine::Webkit => WEBKITDRIVER,
        };
        let script = format!("{BEFORE}{script}");
        let words = ["sh", "-c", &script, "sh"].map(OsString::from).into_iter();
        let paths = [programs.driver.clone().into(), folder.as_os_str().to_owned()];
        let command: Vec<OsString> = words.chain(paths).collect();
        let boot = Boot {
            guard: guard.map(PathBuf::from),
            remove: Some(folder.to_owned()),
            ..Boot::new(patience)
        };
        let running = boot.start(&Target::Command(command.into())).await?;
        Ok(Driver { running })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.running.address().authority())
    }

    /// Ends it and every browser that it started, and waits for their end.
    pub(super) async fn stop(self) {
        self.running.stop().await;
    }
}
