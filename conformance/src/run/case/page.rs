//! Steps of a page in a browser.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout, timeout_at};

use super::fault::Fault;
use super::op::Op;
use super::send::render;
use super::{Failed, Play};
use crate::record::{Proxy, Treatment};
use crate::scenario::ast::{Lane, Network, PageAction, Span, Text};
use crate::scenario::json::{self, Value};
use crate::scenario::json_pattern::JsonPattern;
use crate::scenario::pattern::{Mismatch, match_bytes};

/// How long a page's step waits when nothing else is said, before `--patience`: a browser is slower than the wire.
const PAGE_WAIT: Duration = Duration::from_secs(5);

/// What the page lanes of a case are: tabs of a browser, each behind a proxy of its own.
pub trait Pages: Send + Sync + fmt::Debug {
    /// Opens a tab's page.
    fn goto<'a>(&'a self, page: &'a str, visit: Visit) -> BoxFuture<'a, Result<(), PageError>>;

    /// Runs the body of an async function in the tab; gives what it returns, as JSON.
    fn run<'a>(&'a self, page: &'a str, body: String) -> BoxFuture<'a, Result<String, PageError>>;

    /// What stands between the tab and the server.
    fn proxy<'a>(&'a self, page: &'a str) -> BoxFuture<'a, Result<Arc<Proxy>, PageError>>;

    /// Puts a new server behind the tab's proxy.
    fn restart<'a>(&'a self, page: &'a str) -> BoxFuture<'a, Result<(), PageError>>;
}

/// Where a tab goes.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// A path of the server, or the page with the client under test.
    pub path: Option<String>,
    /// Globals that are taken away.
    pub without: Vec<String>,
    /// What of old browsers it is given.
    pub with: Vec<String>,
}

/// Why a page did not do as it was told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PageError {
    /// Its script threw.
    #[error("{0}")]
    Script(String),
    /// The browser or its driver failed; this says nothing about the server.
    #[error("{0}")]
    Browser(String),
}

/// One look at what `until` waits for.
struct Look {
    revision: String,
    value: Result<Value, String>,
    looked: Value,
}

impl Play<'_> {
    /// `goto`, `eval`, `network`, `restart`.
    pub(super) async fn act(&mut self, lane: &Lane, action: &PageAction, span: Span) -> Result<(), Failed> {
        let pages = self.pages(span)?;
        let captures = self.captures(lane);
        let text = |text: &Text| -> Result<String, Failed> {
            Ok(String::from_utf8_lossy(&render(text, &captures)?).into_owned())
        };
        let done = match action {
            PageAction::Goto { path, without, with } => {
                let names =
                    |list: &[crate::scenario::ast::Spanned<String>]| list.iter().map(|it| it.node.clone()).collect();
                let visit = Visit {
                    path: path.as_ref().map(text).transpose()?,
                    without: names(without),
                    with: names(with),
                };
                pages.goto(&lane.client, visit).await
            }
            PageAction::Eval(lines) => {
                let lines = lines.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                let script = lines.join("\n");
                pages
                    .run(&lane.client, format!("return await __page.run({})", quoted(&script)))
                    .await
                    .map(drop)
            }
            PageAction::Network { transport, treatment } => match pages.proxy(&lane.client).await {
                Ok(proxy) => {
                    treat(&proxy, &transport.node, *treatment);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            PageAction::Restart => pages.restart(&lane.client).await,
            _ => Ok(()),
        };
        done.map_err(|error| failed(span, &error))?;
        let shown = self.source(span);
        let shown = shown.split_once(' ').map_or("", |(_, rest)| rest).to_owned();
        self.note(Instant::now(), lane, shown);
        Ok(())
    }

    /// `until`, `console`, `sent`, `tried`: looks again whenever something happened, until it fits.
    pub(super) async fn observe(&mut self, op: &Op<'_>, lane: &Lane, action: &PageAction) -> Result<(), Failed> {
        let span = op.step.span;
        let pages = self.pages(span)?;
        let wait = PAGE_WAIT.mul_f64(self.setting.patience);
        let (bounds, deadline) = self.deadline(op, lane, wait)?;
        let watched = async {
            match action {
                PageAction::Until { script, value } => {
                    self.until(&*pages, lane, script, value.as_ref(), deadline).await
                }
                PageAction::Console(text) => self.console(&*pages, lane, text, deadline).await,
                PageAction::Sent { method, target } => self.sent(&*pages, lane, method, target, span, deadline).await,
                PageAction::Tried(text) => self.tried(&*pages, lane, text, deadline).await,
                _ => Ok(String::new()),
            }
        };
        let seen = watched.await?;
        let at = Instant::now();
        let verb = self
            .source(span)
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        self.note(at, lane, format!("{verb}: {seen}"));
        let previous = self.actor(lane).events.get(&lane.part).copied();
        if let Some(actor) = self.actor_mut(lane) {
            actor.events.insert(lane.part.clone(), at);
        }
        self.in_time(op, lane, bounds, at, previous)
    }

    async fn until(
        &mut self,
        pages: &dyn Pages,
        lane: &Lane,
        script: &Text,
        wanted: Option<&Text>,
        deadline: Instant,
    ) -> Result<String, Failed> {
        let span = script.span;
        let captures = self.captures(lane);
        let source = String::from_utf8_lossy(&render(script, &captures)?).into_owned();
        let pattern = wanted.map(pattern).transpose()?;
        let mut revision = "-1".to_owned();
        loop {
            let body = format!("return await __page.until({}, {revision})", quoted(&source));
            let look = match timeout_at(deadline + PAGE_WAIT, pages.run(&lane.client, body)).await {
                Ok(answer) => look(&answer.map_err(|error| failed(span, &error))?),
                Err(_) => {
                    return Err(failed(
                        span,
                        &PageError::Browser("the browser does not answer".to_owned()),
                    ));
                }
            };
            let miss = match (&look.value, &pattern) {
                (Err(thrown), _) => (span, format!("the script throws {thrown}"), None),
                (Ok(value), None) if is_true(value) => return self.looked(pages, lane, &look, span).await,
                (Ok(value), None) => (span, "is not true".to_owned(), Some(value.to_string())),
                (Ok(value), Some(pattern)) => {
                    let mut bound = captures.clone();
                    match pattern.matches(value, &mut bound) {
                        Ok(()) => {
                            self.bind(lane, &bound);
                            return self.looked(pages, lane, &look, span).await;
                        }
                        Err(miss) => (miss.span, miss.to_string(), Some(value.to_string())),
                    }
                }
            };
            if Instant::now() >= deadline {
                let (span, label, got) = miss;
                let says_little = pattern.is_none() && got.as_deref() == Some("false");
                let compared = if says_little {
                    left(pages, lane, &source).await
                } else {
                    None
                };
                let got = compared.or(got);
                let fault = Fault::new(span, "the page does not come to this", label);
                return Err(Box::new(match got {
                    Some(got) => fault.got(got),
                    None => fault,
                }));
            }
            revision = look.revision;
        }
    }

    /// What was looked at counts as expected from here on.
    async fn looked(&self, pages: &dyn Pages, lane: &Lane, look: &Look, span: Span) -> Result<String, Failed> {
        let body = format!("return __page.commit({})", look.looked);
        ask(pages, lane, body, span).await?;
        Ok(look.value.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    async fn console(
        &mut self,
        pages: &dyn Pages,
        lane: &Lane,
        text: &Text,
        deadline: Instant,
    ) -> Result<String, Failed> {
        let mut revision = "-1".to_owned();
        loop {
            let body = format!("return await __page.until('__page.console()', {revision})");
            let look = look(&ask(pages, lane, body, text.span).await?);
            let lines: Vec<String> = match &look.value {
                Ok(Value::Array(lines)) => lines.iter().map(words).collect(),
                _ => Vec::new(),
            };
            for (number, line) in lines.iter().enumerate() {
                let mut captures = self.captures(lane);
                if match_bytes(text, line.as_bytes(), &mut captures).is_ok() {
                    self.bind(lane, &captures);
                    let body = format!("return __page.readConsole({number})");
                    ask(pages, lane, body, text.span).await?;
                    return Ok(line.clone());
                }
            }
            if Instant::now() >= deadline {
                let fault = Fault::new(text.span, "not on the console", "no line fits");
                return Err(Box::new(fault.got(lines.join(" ⏎ "))));
            }
            revision = look.revision;
        }
    }

    /// A request after the one that the `sent` above found.
    async fn sent(
        &mut self,
        pages: &dyn Pages,
        lane: &Lane,
        method: &str,
        target: &Text,
        span: Span,
        deadline: Instant,
    ) -> Result<String, Failed> {
        let proxy = pages.proxy(&lane.client).await.map_err(|error| failed(span, &error))?;
        let from = self.actor(lane).requests;
        loop {
            let seen = proxy.revision();
            let requests = proxy.requests(from);
            let mut nearest: Option<Mismatch> = None;
            for (number, request) in (from + 1..)
                .zip(&requests)
                .filter(|(_, request)| request.method == method)
            {
                let mut captures = self.captures(lane);
                match match_bytes(target, request.target.as_bytes(), &mut captures) {
                    Ok(()) => {
                        self.bind(lane, &captures);
                        if let Some(actor) = self.actor_mut(lane) {
                            actor.requests = number;
                        }
                        return Ok(format!("{method} {}", request.target));
                    }
                    Err(miss) => nearest = Some(miss),
                }
            }
            if timeout_at(deadline, proxy.changed(seen)).await.is_err() {
                let requests = requests.iter().map(|it| format!("{} {}", it.method, it.target));
                let label = match nearest {
                    Some(miss) => format!("no such request; the last one: {miss}"),
                    None => format!("the page's client made no {method} any more"),
                };
                let fault = Fault::new(target.span, "not sent by the page", label);
                return Err(Box::new(fault.got(requests.collect::<Vec<_>>().join("  "))));
            }
        }
    }

    /// Transports and their session ids, in the order in which they were tried.
    async fn tried(
        &mut self,
        pages: &dyn Pages,
        lane: &Lane,
        text: &Text,
        deadline: Instant,
    ) -> Result<String, Failed> {
        let proxy = pages
            .proxy(&lane.client)
            .await
            .map_err(|error| failed(text.span, &error))?;
        let pattern = pattern(text)?;
        loop {
            let seen = proxy.revision();
            let value = attempts(&proxy);
            let mut captures = self.captures(lane);
            let miss = match pattern.matches(&value, &mut captures) {
                Ok(()) => {
                    self.bind(lane, &captures);
                    if let Some(actor) = self.actor_mut(lane) {
                        actor.tried = Some(value.to_string());
                    }
                    return Ok(value.to_string());
                }
                Err(miss) => miss,
            };
            if timeout_at(deadline, proxy.changed(seen)).await.is_err() {
                let fault = Fault::new(miss.span, "other transports were tried", miss.to_string());
                return Err(Box::new(fault.got(value.to_string())));
            }
        }
    }

    /// A round trip on every connected socket of the page; then nothing may be left that nobody looked at.
    pub(super) async fn fence_page(&mut self, lane: &Lane, span: Span) -> Result<(), Failed> {
        let pages = self.pages(span)?;
        let body = "return await __page.fence()".to_owned();
        let left = match json::parse(&ask(&*pages, lane, body, span).await?) {
            Ok(Value::Array(left)) => left,
            _ => Vec::new(),
        };
        if !left.is_empty() {
            let got: Vec<String> = left.iter().map(words).collect();
            let label = format!("came on {} although no step expects it", lane.client);
            return Err(Box::new(Fault::new(span, "not expected", label).got(got.join("  "))));
        }
        if let Some(before) = &self.actor(lane).tried {
            let proxy = pages.proxy(&lane.client).await.map_err(|error| failed(span, &error))?;
            let now = attempts(&proxy).to_string();
            if now != *before {
                let label = "more transports were tried after the step that names them";
                return Err(Box::new(Fault::new(span, "not expected", label).got(now)));
            }
        }
        Ok(())
    }

    fn pages(&self, span: Span) -> Result<Arc<dyn Pages>, Failed> {
        self.setting.pages.clone().ok_or_else(|| {
            let label = "run the case with `sio-conformance browser`";
            Box::new(Fault::new(span, "there is no browser here", label))
        })
    }
}

fn treat(proxy: &Proxy, transport: &str, network: Network) {
    let treatment = match network {
        Network::Pass | Network::Cut => Treatment::Pass,
        Network::Refuse => Treatment::Refuse,
        Network::Hang => Treatment::Hang,
        Network::Mute => Treatment::Mute,
        Network::Strip => Treatment::Strip,
        Network::Reset | Network::Drop => Treatment::Reset,
    };
    proxy.treat(transport, treatment);
    if matches!(network, Network::Cut | Network::Drop) {
        proxy.cut(transport);
    }
}

/// `[["websocket","sid"],["xhr-polling","sid"]]`
fn attempts(proxy: &Proxy) -> Value {
    let attempts = proxy.attempts().into_iter();
    let pair = |sid: Option<String>| sid.map_or(Value::Null, |sid| Value::string(&sid));
    Value::Array(
        attempts
            .map(|attempt| Value::Array(vec![Value::string(&attempt.transport), pair(attempt.sid)]))
            .collect(),
    )
}

/// Runs a script in the page of a lane.
async fn ask(pages: &dyn Pages, lane: &Lane, body: String, span: Span) -> Result<String, Failed> {
    let answer = pages.run(&lane.client, body).await;
    answer.map_err(|error| failed(span, &error))
}

/// What stands on the left of the comparison that a script is, with its value; `None` where it is none.
async fn left(pages: &dyn Pages, lane: &Lane, source: &str) -> Option<String> {
    let asked = pages.run(&lane.client, format!("return await __page.left({})", quoted(source)));
    let answer = timeout(PAGE_WAIT, asked).await.ok()?.ok()?;
    let text = words(&json::parse(&answer).ok()?);
    (!text.is_empty()).then_some(text)
}

fn pattern(text: &Text) -> Result<JsonPattern, Failed> {
    JsonPattern::parse(&text.atoms.written_out(), text.span)
        .map_err(|error| Box::new(Fault::new(error.span, "malformed pattern", error.message.clone())))
}

/// A string's characters, any other value as JSON.
fn words(value: &Value) -> String {
    String::from_utf8_lossy(&value.raw()).into_owned()
}

fn look(answer: &str) -> Look {
    let value = json::parse(answer).unwrap_or(Value::Null);
    let member = |name: &str| value.member(&name.into()).cloned();
    Look {
        revision: member("revision").map_or_else(|| "-1".to_owned(), |revision| words(&revision)),
        value: match member("thrown") {
            Some(thrown) => Err(words(&thrown)),
            None => Ok(member("value").unwrap_or(Value::Null)),
        },
        looked: member("looked").unwrap_or(Value::Array(Vec::new())),
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_f64() != Some(0.0) && !value.raw().is_empty()
}

fn failed(span: Span, error: &PageError) -> Failed {
    Box::new(match error {
        PageError::Script(thrown) => Fault::new(span, "the page's script failed", thrown.clone()),
        PageError::Browser(reason) => Fault {
            harness: true,
            ..Fault::new(span, "the browser failed", reason.clone())
        },
    })
}

/// As a literal of JavaScript.
fn quoted(script: &str) -> String {
    serde_json::Value::from(script).to_string()
}
