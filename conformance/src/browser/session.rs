//! A browser, driven by WebDriver.

use std::future::Future;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use fantoccini::error::{CmdError, ErrorStatus, NewSessionError};
use fantoccini::wd::{Capabilities, WindowHandle};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::capabilities::{capabilities, version};
use super::driver::Driver;
use super::engine::{Engine, Missing, Programs};
use crate::run::boot::BootError;

/// How long one call may take, before patience.
const CALL: Duration = Duration::from_secs(20);

/// How long a browser may take to start, before patience.
const START: Duration = Duration::from_secs(40);

/// Between two questions to a page that is being read.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A browser of its own, with a profile of its own.
pub struct Session {
    engine: Engine,
    version: String,
    driver: Driver,
    client: Client,
    first: Tab,
    /// The tab that commands go to, where that is known.
    front: Mutex<Option<Tab>>,
    /// Empty tabs that earlier cases have left: to open one takes long.
    spare: std::sync::Mutex<Vec<Tab>>,
    patience: f64,
}

/// A tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab(WindowHandle);

/// What can go wrong with a browser.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The engine is not here.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The driver cannot be started.
    #[error("the driver of the browser cannot be started: {0}")]
    Driver(#[from] BootError),
    /// The browser cannot be started.
    #[error("the browser cannot be started: {0}")]
    Browser(String),
    /// A call was refused.
    #[error("{call}: {reason}")]
    Call {
        /// Which.
        call: &'static str,
        /// What the driver says.
        reason: String,
    },
    /// A call was not answered.
    #[error("{0}: the browser does not answer")]
    Timeout(&'static str),
    /// A script threw; in the page's words.
    #[error("{0}")]
    Script(String),
    /// The case has no browser to run in.
    #[error("no browser was chosen for this case")]
    NoSeat,
}

impl SessionError {
    /// Whether the browser is of no more use. A script that throws says nothing about the browser.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !matches!(self, SessionError::Script(_))
    }
}

impl Session {
    /// Starts driver and browser. `guard` is the program that has the guard as its hidden subcommand; `None` is this one.
    ///
    /// # Errors
    ///
    /// One of them is missing or does not start.
    pub async fn start(
        engine: Engine,
        headed: bool,
        patience: f64,
        guard: Option<&Path>,
    ) -> Result<Session, SessionError> {
        let programs = engine.find()?;
        match Session::begin(engine, &programs, headed, patience, guard).await {
            // Of a busy machine it sometimes expects too much.
            Err(error) if engine == Engine::Webkit => {
                tracing::debug!("another {engine} is started: {error}");
                Session::begin(engine, &programs, headed, patience, guard).await
            }
            begun => begun,
        }
    }

    async fn begin(
        engine: Engine,
        programs: &Programs,
        headed: bool,
        patience: f64,
        guard: Option<&Path>,
    ) -> Result<Session, SessionError> {
        let folder = tempfile::Builder::new().prefix("sio-browser-").tempdir();
        let folder = folder.map_err(|error| SessionError::Browser(error.to_string()))?;
        let driver = Driver::start(engine, programs, folder.path(), patience, guard).await?;
        // From here on the guard removes it, also where this process is killed.
        let folder = folder.keep();
        let limit = CALL.mul_f64(patience);
        let connected = async {
            let capabilities = capabilities(engine, programs, &folder, headed, limit);
            let client = match timeout(START.mul_f64(patience), connect(&driver, capabilities)).await {
                Ok(Ok(client)) => client,
                Ok(Err(error)) => return Err(SessionError::Browser(error.to_string())),
                Err(_) => return Err(SessionError::Timeout("the start of the browser")),
            };
            let first = bounded("the first tab", limit, client.window()).await?;
            Ok((client, Tab(first)))
        };
        match connected.await {
            Ok((client, first)) => Ok(Session {
                engine,
                version: version(engine, client.capabilities()),
                driver,
                client,
                front: Mutex::new(Some(first.clone())),
                spare: std::sync::Mutex::new(Vec::new()),
                first,
                patience,
            }),
            Err(error) => {
                driver.stop().await;
                Err(error)
            }
        }
    }

    /// Which browser it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// `Chromium 156.0.8078.79`
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The tab that the browser began with.
    #[must_use]
    pub fn first_tab(&self) -> Tab {
        self.first.clone()
    }

    /// Another tab, empty.
    ///
    /// # Errors
    ///
    /// The driver does not open it.
    pub async fn new_tab(&self) -> Result<Tab, SessionError> {
        if let Some(tab) = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(tab);
        }
        // The tab that commands went to may have been closed.
        let _front = self.bring_to_front(&self.first).await?;
        let opened = self.call("a new tab", self.client.new_window(true)).await?;
        Ok(Tab(opened.handle))
    }

    /// Empties a tab for the next case.
    ///
    /// # Errors
    ///
    /// The driver does not do so.
    pub async fn leave(&self, tab: &Tab) -> Result<(), SessionError> {
        self.goto(tab, "about:blank").await?;
        if *tab != self.first {
            self.spare
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(tab.clone());
        }
        Ok(())
    }

    /// Closes a tab.
    ///
    /// # Errors
    ///
    /// The driver does not close it.
    pub async fn close_tab(&self, tab: &Tab) -> Result<(), SessionError> {
        let mut front = self.bring_to_front(tab).await?;
        *front = None;
        self.call("closing a tab", self.client.close_window()).await
    }

    /// Opens an address, and comes back when the page is read; frames in it may still be loading.
    ///
    /// # Errors
    ///
    /// The driver does not do so.
    pub async fn goto(&self, tab: &Tab, url: &str) -> Result<(), SessionError> {
        let _front = self.bring_to_front(tab).await?;
        self.call("opening a page", async {
            match self.engine {
                Engine::Chromium | Engine::Firefox => self.client.goto(url).await,
                Engine::Webkit => self.goto_and_ask(url).await,
            }
        })
        .await
    }

    /// WebKitGTK's driver misses the end of about one first navigation in twenty. It is told not to wait for any, and the
    /// page is asked instead: for as long as it is the one before, or is being read. Ends only where it is read; the
    /// caller bounds it.
    async fn goto_and_ask(&self, url: &str) -> Result<(), CmdError> {
        let leave = "window.__left = true; return location.href";
        if self.client.execute(leave, Vec::new()).await? == *url {
            // An address that names a place in the page it is the address of would lead nowhere.
            self.client.refresh().await?;
        } else {
            self.client.goto(url).await?;
        }
        let read = "return !window.__left && document.readyState !== 'loading'";
        // Between two pages there is nobody to answer.
        while !matches!(self.client.execute(read, Vec::new()).await, Ok(Value::Bool(true))) {
            sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    /// Runs the body of an async function with `arguments`, and gives what it returns.
    ///
    /// # Errors
    ///
    /// [`SessionError::Script`] where the function throws, is none, or gives what JSON cannot express; any other is about
    /// the browser.
    pub async fn eval(&self, tab: &Tab, body: &str, arguments: Vec<Value>) -> Result<Value, SessionError> {
        // The body may end in a comment.
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             (async function () {{ {body}\n }}).apply(null, [].slice.call(arguments, 0, -1)) \
             .then((value) => done({{ value: value === undefined ? null : value }}), (error) => done({{ error: String(error) }}))"
        );
        let _front = self.bring_to_front(tab).await?;
        let answer = self
            .call("a script", self.client.execute_async(&script, arguments))
            .await?;
        match answer.get("error") {
            Some(error) => Err(SessionError::Script(error.as_str().unwrap_or_default().to_owned())),
            None => Ok(answer.get("value").cloned().unwrap_or(Value::Null)),
        }
    }

    /// What the tab looks like, as a PNG file.
    ///
    /// # Errors
    ///
    /// The driver does not give it.
    pub async fn screenshot(&self, tab: &Tab) -> Result<Vec<u8>, SessionError> {
        let _front = self.bring_to_front(tab).await?;
        self.call("a screenshot", self.client.screenshot()).await
    }

    /// Forgets the cookies of the page in the tab.
    ///
    /// # Errors
    ///
    /// The driver does not do so.
    pub async fn clear_cookies(&self, tab: &Tab) -> Result<(), SessionError> {
        let _front = self.bring_to_front(tab).await?;
        self.call("forgetting cookies", self.client.delete_all_cookies()).await
    }

    /// Ends browser and driver, and waits for their end.
    pub async fn stop(self) {
        // Whatever does not end by itself is killed with its driver.
        let _ = timeout(Duration::from_secs(2), self.client.close()).await;
        self.driver.stop().await;
    }

    /// Commands go to the tab in front; the lock is held until the command is done.
    async fn bring_to_front(&self, tab: &Tab) -> Result<tokio::sync::MutexGuard<'_, Option<Tab>>, SessionError> {
        let mut front = self.front.lock().await;
        if front.as_ref() != Some(tab) {
            *front = None;
            self.call("changing the tab", self.client.switch_to_window(tab.0.clone()))
                .await?;
            *front = Some(tab.clone());
        }
        Ok(front)
    }

    async fn call<T>(
        &self,
        call: &'static str,
        future: impl Future<Output = Result<T, CmdError>>,
    ) -> Result<T, SessionError> {
        bounded(call, CALL.mul_f64(self.patience), future).await
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.version).finish()
    }
}

async fn bounded<T>(
    call: &'static str,
    limit: Duration,
    future: impl Future<Output = Result<T, CmdError>>,
) -> Result<T, SessionError> {
    match timeout(limit, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(CmdError::Standard(error))) if error.error == ErrorStatus::JavascriptError => {
            // Behind the first line drivers speak of themselves.
            let text = error.message.lines().next().unwrap_or_default();
            Err(SessionError::Script(text.to_owned()))
        }
        Ok(Err(error)) => Err(SessionError::Call {
            call,
            reason: error.to_string(),
        }),
        Err(_) => Err(SessionError::Timeout(call)),
    }
}

async fn connect(driver: &Driver, capabilities: Capabilities) -> Result<Client, NewSessionError> {
    ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&driver.url())
        .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use fantoccini::error::WebDriver;

    use super::*;

    async fn refused(status: ErrorStatus, message: &'static str) -> SessionError {
        let error = CmdError::Standard(WebDriver::new(status, message));
        let answer = ready(Err::<(), _>(error));
        bounded("a script", Duration::from_secs(1), answer).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_script_that_throws_is_no_fault_of_the_browser() {
        let error = refused(
            ErrorStatus::JavascriptError,
            "javascript error: no such thing\n  (Session info)",
        )
        .await;
        assert_eq!(error.to_string(), "javascript error: no such thing");
        assert!(!error.is_broken(), "{error:?}");
    }

    #[tokio::test]
    async fn a_call_that_is_refused_is_one() {
        let error = refused(ErrorStatus::NoSuchWindow, "the tab has crashed").await;
        assert!(error.is_broken(), "{error:?}");
        let told = error.to_string();
        assert!(
            told.starts_with("a script: ") && told.contains("the tab has crashed"),
            "{told}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_not_answered_ends() {
        let silence = pending::<Result<(), CmdError>>();
        let error = bounded("a screenshot", CALL, silence).await.unwrap_err();
        assert_eq!(error.to_string(), "a screenshot: the browser does not answer");
        assert!(error.is_broken(), "{error:?}");
    }
}
