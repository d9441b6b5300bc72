//! Where recordings come from: reference servers, one for each case, or one server of somebody else's.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::record::{Pace, RecordError, Recording, record};
use crate::client::TcpConnect;
use crate::run::boot::{self, Address, BootError, Running, Target, embedded};
use crate::run::offer::offer;
use crate::run::plan::Extras;
use crate::run::queue::waits;
use crate::scenario::catalogue::Case;

/// How many cases are recorded at a time: they wait more than they work.
const AT_A_TIME: usize = 48;

/// The same with one server, whose own timings do not wait for it.
const AT_A_TIME_THERE: usize = 12;

/// How often a case that fails when many were recorded is recorded again, by itself.
const RETRIES: usize = 5;

/// See the [module](self).
pub(super) enum Source {
    /// A reference server for each case.
    Fresh,
    /// A server for all of them.
    There(Box<Running>),
}

/// A case and its recording.
pub(super) type Recorded = (Case, Result<Recording, RecordError>);

impl Source {
    /// Reaches or starts the target.
    pub(super) async fn open(target: &Target, patience: f64) -> Result<Source, BootError> {
        Ok(match target {
            Target::Embedded => Source::Fresh,
            target => Source::There(Box::new(boot::start(target, patience).await?)),
        })
    }

    /// The cases that the server can be asked at all.
    pub(super) async fn applicable(&self, cases: Vec<Case>, patience: f64) -> Vec<Case> {
        match self {
            Source::Fresh => cases,
            Source::There(running) => {
                let offer = offer(running.address(), &[], patience).await;
                cases.into_iter().filter(|case| offer.lacks(case).is_none()).collect()
            }
        }
    }

    /// Records every case: those that need a shared server for themselves, one after another.
    pub(super) async fn record_all(&self, cases: Vec<Case>, pace: &Pace) -> Result<Vec<Recorded>, BootError> {
        let (mut crowd, alone): (Vec<Case>, Vec<Case>) = (cases.into_iter())
            .partition(|case| matches!(self, Source::Fresh) || case.scenario.headers.alone.is_none());
        // Those that wait, first: the others are recorded beside them.
        crowd.sort_by_key(|case| !waits(case));
        let mut recorded = self.record_crowd(crowd, pace).await?;
        for case in alone {
            let result = self.record(&case, pace).await?;
            recorded.push((case, result));
        }
        for (case, result) in &mut recorded {
            for _ in 0..self.retries() {
                if matches!(result, Err(RecordError::Failed(_))) {
                    *result = self.record(case, pace).await?;
                }
            }
        }
        Ok(recorded)
    }

    async fn record_crowd(&self, cases: Vec<Case>, pace: &Pace) -> Result<Vec<Recorded>, BootError> {
        let room = Arc::new(Semaphore::new(match self {
            Source::Fresh => AT_A_TIME,
            Source::There(_) => AT_A_TIME_THERE,
        }));
        let (mut running, mut by_task) = (JoinSet::new(), HashMap::new());
        for case in cases {
            let (room, pace, owned, address) = (room.clone(), pace.clone(), case.detached(), self.address());
            let task = running.spawn(async move {
                let _place = room.acquire_owned().await;
                record_at(address, &owned, &pace).await
            });
            by_task.insert(task.id(), case);
        }
        let mut recorded = Vec::new();
        while let Some(ended) = running.join_next_with_id().await {
            let (id, result) = match ended {
                Ok((id, result)) => (id, result?),
                Err(error) => (
                    error.id(),
                    Err(RecordError::Setup(format!("the player broke down: {error}"))),
                ),
            };
            recorded.extend(by_task.remove(&id).map(|case| (case, result)));
        }
        Ok(recorded)
    }

    /// Records one case.
    pub(super) async fn record(&self, case: &Case, pace: &Pace) -> Result<Result<Recording, RecordError>, BootError> {
        record_at(self.address(), case, pace).await
    }

    /// The case failed for another reason than that the machine is busy where it fails at somebody else's server again.
    pub(super) fn retries(&self) -> usize {
        match self {
            Source::Fresh => RETRIES,
            Source::There(_) => 1,
        }
    }

    pub(super) async fn close(self) {
        if let Source::There(running) = self {
            running.stop().await;
        }
    }

    /// `None` stands for a server of the case's own.
    fn address(&self) -> Option<Address> {
        match self {
            Source::Fresh => None,
            Source::There(running) => Some(running.address().clone()),
        }
    }
}

async fn record_at(
    address: Option<Address>,
    case: &Case,
    pace: &Pace,
) -> Result<Result<Recording, RecordError>, BootError> {
    let server = match address {
        None => Some(embedded(pace.patience, Extras::of(case)).await?),
        Some(_) => None,
    };
    let address = address.or(server.as_ref().map(boot::EmbeddedServer::address));
    let Some(Address {
        host,
        port,
        policy_port,
    }) = address
    else {
        return Ok(Err(RecordError::Setup("there is no server".to_owned())));
    };
    let connect = TcpConnect {
        host,
        port,
        policy_port,
    };
    let result = record(case, Arc::new(connect), pace, server.is_none()).await;
    if let Some(server) = server {
        server.stop().await;
    }
    Ok(result)
}
