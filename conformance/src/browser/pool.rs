//! Browsers that are kept open from one case to the next.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::engine::Engine;
use super::session::{Session, SessionError};

/// How many browsers of an engine run at a time: one session each.
fn seats(engine: Engine) -> usize {
    match engine {
        Engine::Chromium => 3,
        Engine::Firefox => 2,
        Engine::Webkit => 1,
    }
}

/// The browsers of a run. Each is started when it is first needed.
#[derive(Debug)]
pub struct Pool {
    headed: bool,
    patience: f64,
    engines: BTreeMap<&'static str, Arc<Semaphore>>,
    /// One page with Flash at a time, in whatever browser: Flash is compiled anew for each, and takes a whole processor.
    flash: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    guard: Option<PathBuf>,
}

/// A browser, for one case.
pub struct Loan {
    /// The browser.
    pub session: Arc<Session>,
    _permits: [Option<OwnedSemaphorePermit>; 2],
}

impl Pool {
    /// No browser is started yet.
    #[must_use]
    pub fn new(engines: &[Engine], headed: bool, patience: f64) -> Pool {
        let permits = |engine: &Engine| {
            (
                engine.name(),
                Arc::new(Semaphore::new(if headed { 1 } else { seats(*engine) })),
            )
        };
        Pool {
            headed,
            patience,
            engines: engines.iter().map(permits).collect(),
            flash: Arc::new(Semaphore::new(1)),
            idle: Mutex::new(Vec::new()),
            guard: None,
        }
    }

    /// How many cases can run at a time.
    #[must_use]
    pub fn size(&self) -> usize {
        self.engines.values().map(|permits| permits.available_permits()).sum()
    }

    /// A browser of the engine, as soon as one is free; for pages with Flash, as soon as no other has such pages.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub async fn borrow(&self, engine: Engine, flash: bool) -> Result<Loan, SessionError> {
        let flash = permit(flash.then_some(&self.flash)).await;
        let browser = permit(self.engines.get(engine.name())).await;
        let mine = |session: &Session| session.engine() == engine;
        let kept = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.iter().position(mine).map(|at| idle.swap_remove(at))
        };
        let session = match kept {
            Some(session) => session,
            None => Session::start(engine, self.headed, self.patience, self.guard.as_deref()).await?,
        };
        Ok(Loan {
            session: Arc::new(session),
            _permits: [flash, browser],
        })
    }

    /// Takes a browser back; one that failed is ended.
    pub async fn give_back(&self, loan: Loan, broken: bool) {
        let Loan { session, _permits } = loan;
        let Ok(session) = Arc::try_unwrap(session) else { return };
        if broken {
            session.stop().await;
        } else {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }

    /// Ends every browser, all at once.
    pub async fn stop(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(idle.into_iter().map(Session::stop)).await;
    }
}

async fn permit(of: Option<&Arc<Semaphore>>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(of?).acquire_owned().await.ok()
}
