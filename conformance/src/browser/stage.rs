//! The pages of one case: tabs of a borrowed browser, each behind a proxy of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::flash::Bridge;
use super::matrix::Seat;
use super::session::{Session, SessionError, Tab};
use crate::record::{LocalFile, Proxy, render};
use crate::run::boot::{Address, Boot, EmbeddedServer, Running, Target, embedded};
use crate::run::case::{PageError, Pages, Visit};
use crate::run::plan::Extras;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const PAGE_PATH: &str = "/__conformance__/page";
const SCRIPT_PATH: &str = "/__conformance__/page.js";

/// What a stage is set up with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The case's id, for a person who watches.
    pub id: String,
    /// Client and engine.
    pub seat: Seat,
    /// `over:`
    pub transport: Option<String>,
    /// The server.
    pub upstream: Address,
    /// How another of its kind is started.
    pub target: Target,
    /// What the embedded one is given.
    pub extras: Extras,
    /// Factor on time limits.
    pub patience: f64,
    /// Where what a failure leaves goes.
    pub folder: PathBuf,
}

/// The pages.
pub struct Stage {
    setup: Setup,
    session: Arc<Session>,
    /// Of the server's certificate, SHA-256 in hexadecimal.
    certificate: Option<String>,
    pages: Mutex<BTreeMap<String, Page>>,
    started: Mutex<Vec<Started>>,
}

struct Page {
    proxy: Arc<Proxy>,
    /// For Flash.
    bridge: Option<Bridge>,
    tab: Option<Tab>,
}

enum Started {
    Embedded(EmbeddedServer),
    Command(Running),
}

impl Stage {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(setup: Setup, session: Arc<Session>, certificate: Option<String>) -> Stage {
        Stage {
            setup,
            session,
            certificate,
            pages: Mutex::new(BTreeMap::new()),
            started: Mutex::new(Vec::new()),
        }
    }

    /// Leaves the browser as the next case wants it, and ends what was started. Whether the browser is still of use.
    pub async fn strike(&self) -> bool {
        let mut sound = true;
        for page in std::mem::take(&mut *self.pages.lock().await).into_values() {
            if let Some(tab) = page.tab {
                sound &= self.leave(&tab).await.is_ok();
            }
        }
        for started in self.started.lock().await.drain(..) {
            match started {
                Started::Embedded(server) => server.stop().await,
                Started::Command(running) => running.stop().await,
            }
        }
        sound
    }

    async fn leave(&self, tab: &Tab) -> Result<(), SessionError> {
        self.session.clear_cookies(tab).await?;
        self.session.leave(tab).await
    }

    async fn open_proxy(&self, pages: &mut BTreeMap<String, Page>, page: &str) -> Result<Arc<Proxy>, PageError> {
        if let Some(page) = pages.get(page) {
            return Ok(Arc::clone(&page.proxy));
        }
        let file = |path: &str, content_type, body: &'static str| LocalFile {
            path: path.to_owned(),
            content_type,
            body: Bytes::from_static(body.as_bytes()),
        };
        let mut local = vec![
            file(PAGE_PATH, "text/html; charset=utf-8", PAGE),
            file(SCRIPT_PATH, "text/javascript; charset=utf-8", SCRIPT),
        ];
        if let Some(body) = &self.setup.seat.script {
            local.push(LocalFile {
                path: self.setup.seat.client.path().to_owned(),
                content_type: "text/javascript; charset=utf-8",
                body: body.clone(),
            });
        }
        local.extend(self.setup.seat.flash.iter().flat_map(|flash| flash.files()));
        let proxy = Proxy::start(self.setup.upstream.clone(), local).await;
        let proxy = Arc::new(proxy.map_err(|error| PageError::Browser(format!("no proxy for the page: {error}")))?);
        let opened = Page {
            bridge: match &self.setup.seat.flash {
                Some(_) => Some(
                    Bridge::start(proxy.port())
                        .await
                        .map_err(|error| PageError::Browser(error.to_string()))?,
                ),
                None => None,
            },
            proxy: Arc::clone(&proxy),
            tab: None,
        };
        pages.insert(page.to_owned(), opened);
        Ok(proxy)
    }

    /// The address of a visit.
    fn url(&self, origin: &str, visit: &Visit, bridge: Option<&Bridge>) -> String {
        if let Some(path) = &visit.path {
            return format!("{origin}{path}");
        }
        let Seat { client, .. } = &self.setup.seat;
        let settings = serde_json::json!({
            "client": client.name,
            "generation": client.generation.token(),
            "transport": self.setup.transport,
            "script": client.path(),
            "without": visit.without,
            "with": visit.with,
            "certificate": self.certificate,
            "flash": bridge.map(Bridge::url),
        });
        format!(
            "{origin}{PAGE_PATH}?{}#{}",
            encoded(&settings.to_string()),
            encoded(&self.setup.id)
        )
    }

    async fn visit(&self, page: &str, visit: Visit) -> Result<(), PageError> {
        let mut pages = self.pages.lock().await;
        let proxy = self.open_proxy(&mut pages, page).await?;
        let Some(opened) = pages.get_mut(page) else {
            return Ok(());
        };
        let tab = match &opened.tab {
            Some(tab) => tab.clone(),
            None if page == "page" => self.session.first_tab(),
            None => self.session.new_tab().await.map_err(|error| told(&error))?,
        };
        opened.tab = Some(tab.clone());
        let url = self.url(&proxy.origin(), &visit, opened.bridge.as_ref());
        drop(pages);
        self.session.goto(&tab, &url).await.map_err(|error| told(&error))?;
        if visit.path.is_none() {
            // The driver may come back while the page is still being read.
            let ready = "while (document.readyState === 'loading') await new Promise((go) => setTimeout(go, 5)); \
                         return String(!!window.__page)";
            self.session
                .eval(&tab, ready, Vec::new())
                .await
                .map_err(|error| told(&error))?;
        }
        Ok(())
    }

    async fn evaluate(&self, page: &str, body: String) -> Result<String, PageError> {
        let tab = self.pages.lock().await.get(page).and_then(|page| page.tab.clone());
        let Some(tab) = tab else {
            return Err(PageError::Script(format!(
                "{page} was not opened; begin with `{page} goto`"
            )));
        };
        let wrapped = format!(
            "if (!window.__page) return null; return JSON.stringify((await (async () => {{ {body} }})()) ?? null)"
        );
        for _ in 0..2 {
            let value = self
                .session
                .eval(&tab, &wrapped, Vec::new())
                .await
                .map_err(|error| told(&error))?;
            match value {
                serde_json::Value::String(text) => return Ok(text),
                // A page of the server's own.
                _ => {
                    let installed = self
                        .session
                        .eval(&tab, "(0, eval)(arguments[0])", vec![SCRIPT.into()])
                        .await;
                    installed.map_err(|error| told(&error))?;
                }
            }
        }
        Err(PageError::Browser("the page does not keep its helpers".to_owned()))
    }

    async fn start_again(&self, page: &str) -> Result<(), PageError> {
        let proxy = self.open_proxy(&mut *self.pages.lock().await, page).await?;
        let failed = |error: crate::run::boot::BootError| PageError::Browser(error.to_string());
        let (address, started) = match &self.setup.target {
            Target::Embedded => {
                let server = embedded(self.setup.patience, self.setup.extras).await.map_err(failed)?;
                (server.address(), Started::Embedded(server))
            }
            target @ Target::Command(_) => {
                let running = Boot::new(self.setup.patience).start(target).await.map_err(failed)?;
                (running.address().clone(), Started::Command(running))
            }
            Target::Url(_) => {
                return Err(PageError::Script(
                    "a server at a URL cannot be started again".to_owned(),
                ));
            }
        };
        self.started.lock().await.push(started);
        proxy.point_at(address);
        Ok(())
    }

    /// A screenshot, what the page says of itself, and what went through its proxy, for each page.
    pub async fn leave_behind(&self) {
        let folder = &self.setup.folder;
        if std::fs::create_dir_all(folder).is_err() {
            return;
        }
        // What cannot be had of a broken browser is left out.
        let write = |name: String, bytes: &[u8]| drop(std::fs::write(folder.join(name), bytes));
        let pages: Vec<(String, Option<Tab>, Arc<Proxy>)> = {
            let pages = self.pages.lock().await;
            let each = pages
                .iter()
                .map(|(name, page)| (name.clone(), page.tab.clone(), Arc::clone(&page.proxy)));
            each.collect()
        };
        for (name, tab, proxy) in pages {
            write(format!("{name}.requests.txt"), render(&proxy.exchanges()).as_bytes());
            let Some(tab) = tab else { continue };
            if let Ok(png) = self.session.screenshot(&tab).await {
                write(format!("{name}.png"), &png);
            }
            if let Ok(story) = self.evaluate(&name, "return __page.story()".to_owned()).await
                && let Ok(story) = serde_json::from_str::<serde_json::Value>(&story)
            {
                let lines = story["console"].as_array().cloned().unwrap_or_default();
                let console: String = lines
                    .iter()
                    .filter_map(|it| it.as_str())
                    .map(|it| format!("{it}\n"))
                    .collect();
                write(format!("{name}.console.txt"), console.as_bytes());
                let sockets = serde_json::to_string_pretty(&story["sockets"]).unwrap_or_default();
                write(format!("{name}.sockets.json"), sockets.as_bytes());
            }
        }
    }
}

impl Pages for Stage {
    fn goto<'a>(&'a self, page: &'a str, visit: Visit) -> BoxFuture<'a, Result<(), PageError>> {
        self.visit(page, visit).boxed()
    }

    fn run<'a>(&'a self, page: &'a str, body: String) -> BoxFuture<'a, Result<String, PageError>> {
        self.evaluate(page, body).boxed()
    }

    fn proxy<'a>(&'a self, page: &'a str) -> BoxFuture<'a, Result<Arc<Proxy>, PageError>> {
        async move { self.open_proxy(&mut *self.pages.lock().await, page).await }.boxed()
    }

    fn restart<'a>(&'a self, page: &'a str) -> BoxFuture<'a, Result<(), PageError>> {
        self.start_again(page).boxed()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stage").field(&self.setup.id).finish()
    }
}

fn told(error: &SessionError) -> PageError {
    if error.is_broken() {
        PageError::Browser(error.to_string())
    } else {
        PageError::Script(error.to_string())
    }
}

/// Percent-encoded for a query or a fragment.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~,/:".contains(&byte);
    text.bytes().fold(String::new(), |mut out, byte| {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
