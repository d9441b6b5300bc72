//! How each browser is started: what it is told to leave alone, and where it keeps its things.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use fantoccini::wd::Capabilities;
use serde_json::{Value, json};

use super::engine::{Engine, Programs};

/// Size of a window, in pixels.
const SIZE: (u32, u32) = (900, 900);

/// Chromium as it is driven: nothing of its own on the network, no tab that is slowed down because another is in front, and as
/// few processes as may be, for each case would start some.
const CHROMIUM: [&str; 20] = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--hide-scrollbars",
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    "--in-process-gpu",
    "--disable-extensions",
    "--disable-breakpad",
    "--mute-audio",
    "--window-size=900,900",
];

/// What a browser is asked to be. `limit` is how long its driver may take for a page or a script.
pub(super) fn capabilities(
    engine: Engine,
    programs: &Programs,
    folder: &Path,
    headed: bool,
    limit: Duration,
) -> Capabilities {
    let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let common = json!({
        // A forever frame never ends loading.
        "pageLoadStrategy": if engine == Engine::Webkit { "none" } else { "eager" },
        "timeouts": { "script": limit, "pageLoad": limit },
    });
    let binary = programs.browser.display().to_string();
    let mut own = match engine {
        Engine::Chromium => {
            let mut arguments: VecDeque<String> = CHROMIUM.iter().map(ToString::to_string).collect();
            arguments.push_back(format!("--user-data-dir={}", folder.join("profile").display()));
            if !headed {
                arguments.push_front("--headless".to_owned());
            }
            json!({ "browserName": "chrome", "goog:chromeOptions": { "binary": binary, "args": arguments } })
        }
        Engine::Firefox => {
            let (width, height) = (SIZE.0.to_string(), SIZE.1.to_string());
            let mut arguments = vec!["-width", &width, "-height", &height];
            if !headed {
                arguments.push("-headless");
            }
            json!({
                "browserName": "firefox",
                "moz:firefoxOptions": { "binary": binary, "args": arguments, "prefs": firefox() },
            })
        }
        Engine::Webkit => json!({
            "webkitgtk:browserOptions": { "binary": binary, "args": ["--automation"] },
        }),
    };
    if let (Value::Object(own), Value::Object(common)) = (&mut own, common) {
        own.extend(common);
    }
    own.as_object().cloned().unwrap_or_default()
}

/// Nothing of its own on the network, timers of tabs in the background as in front, and as few processes as may be.
fn firefox() -> Value {
    json!({
        "app.update.enabled": false,
        "app.normandy.enabled": false,
        "browser.safebrowsing.malware.enabled": false,
        "browser.safebrowsing.phishing.enabled": false,
        "browser.safebrowsing.downloads.remote.enabled": false,
        "browser.search.update": false,
        "browser.region.network.url": "",
        "datareporting.policy.dataSubmissionEnabled": false,
        "browser.sessionhistory.max_total_viewers": 0,
        "browser.sessionstore.resume_from_crash": false,
        "browser.tabs.remote.separatePrivilegedContentProcess": false,
        "dom.ipc.processCount": 1,
        "dom.ipc.processCount.webIsolated": 1,
        "dom.ipc.processPrelaunch.enabled": false,
        "dom.ipc.keepProcessesAlive.web": 1,
        "fission.autostart": false,
        "dom.min_background_timeout_value": 10,
        "dom.timeout.enable_budget_timer_throttling": false,
        "extensions.update.enabled": false,
        "extensions.getAddons.cache.enabled": false,
        "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false,
        "services.settings.server": "data:,",
        "toolkit.telemetry.enabled": false,
    })
}

/// The browser's name and version, as it tells them.
pub(super) fn version(engine: Engine, capabilities: Option<&Capabilities>) -> String {
    let version = capabilities
        .and_then(|it| it.get("browserVersion")?.as_str())
        .unwrap_or("?");
    let name = match engine {
        Engine::Chromium => "Chromium",
        Engine::Firefox => "Firefox",
        Engine::Webkit => "WebKitGTK",
    };
    format!("{name} {version}")
}
