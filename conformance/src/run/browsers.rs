//! Cases with pages: a browser is borrowed for each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::boot::{Address, Target};
use super::case::{Played, Setting, play};
use super::engine::Options;
use super::plan::Extras;
use crate::browser::matrix::Seat;
use crate::browser::pool::{Loan, Pool};
use crate::browser::session::SessionError;
use crate::browser::stage::{Setup, Stage};
use crate::client::webtransport;
use crate::report::trace_folder;
use crate::scenario::catalogue::Case;
use crate::scenario::pattern::hex;

/// How long a server's certificate is asked for.
const CERTIFICATE: Duration = Duration::from_secs(5);

/// Factor on the time limits of a case with Flash, which is compiled anew for each page.
const FLASH: f64 = 3.0;

/// Browsers, and what each case with pages runs with.
#[derive(Debug)]
pub struct Browsers {
    /// The browsers.
    pub pool: Pool,
    /// By the case's id.
    pub seats: BTreeMap<String, Seat>,
}

/// A browser for one case.
pub(super) struct Browser {
    browsers: Arc<Browsers>,
    seat: Seat,
    loan: Loan,
}

impl Browser {
    pub(super) async fn borrow(browsers: &Arc<Browsers>, case: &Case) -> Result<Browser, SessionError> {
        let seat = browsers.seats.get(&case.id).cloned().ok_or(SessionError::NoSeat)?;
        let loan = browsers.pool.borrow(seat.engine, seat.flash.is_some()).await?;
        Ok(Browser {
            browsers: Arc::clone(browsers),
            seat,
            loan,
        })
    }

    /// Plays a case with pages; what a failure leaves is in a folder of its own.
    pub(super) async fn play(
        self,
        case: &Case,
        setting: Setting,
        address: &Address,
        target: Target,
        extras: Extras,
        options: &Options,
    ) -> Played {
        let folder = trace_folder(&options.traces, &case.id);
        // Of an earlier run.
        let _ = std::fs::remove_dir_all(&folder);
        let patience = setting.patience * if self.seat.flash.is_some() { FLASH } else { 1.0 };
        let setup = Setup {
            id: case.id.clone(),
            seat: self.seat,
            transport: case.transport.clone(),
            upstream: address.clone(),
            target,
            extras,
            patience: options.patience,
            folder: folder.clone(),
        };
        let certificate = if extras.webtransport {
            certificate_hash(address).await
        } else {
            None
        };
        let stage = Arc::new(Stage::new(setup, Arc::clone(&self.loan.session), certificate));
        let setting = Setting {
            pages: Some(stage.clone()),
            patience,
            ..setting
        };
        let mut played = play(&case.scenario, setting).await;
        if let Some(fault) = &mut played.failure {
            stage.leave_behind().await;
            fault.notes.push(("page".to_owned(), format!("{}/", folder.display())));
        }
        let sound = stage.strike().await;
        let broken = !sound || played.is_void();
        drop(stage);
        self.browsers.pool.give_back(self.loan, broken).await;
        played
    }
}

/// By what a page may trust the server's certificate, if the server has WebTransport.
async fn certificate_hash(address: &Address) -> Option<String> {
    let authority = address.authority();
    let target = "/socket.io/?EIO=4&transport=webtransport";
    let asked = webtransport::certificate_hash(&address.host, address.port, &authority, target);
    let hash = tokio::time::timeout(CERTIFICATE, asked).await.ok()?.ok()?;
    Some(hex(&hash))
}
