//! Writes a record as a case: a scenario that does what the clients did, and expects what the server answered.
//!
//! | module | what |
//! |---|---|
//! | `sessions` | which exchanges belong to one client's session, and which generation they speak |
//! | `units` | the packets in bodies and frames |
//! | `regular` | a session whose client did as clients do: `open`, packets, `upgrade`, `close` |
//! | `literal` | any other one: requests, statuses and bodies as they went by |
//! | `moments` | what happened, in order, before it is written as steps |
//! | `values` | what the server gave and a later run will give otherwise: captures and holes |
//! | `steps` | moments as steps of the language |
//!
//! A regular session is written as packets, because the player then polls, pings and upgrades by itself, and it does not
//! matter how the server spreads its packets over polls. Nothing is lost without a word: what the language cannot say
//! stands in the file as a comment, and in [`Recorded::lost`].

use std::time::Duration;

use super::exchange::Exchange;
use crate::scenario::Generation;
use crate::scenario::ast::{Auto, Headers, Item, Level, Scenario, Source, Span, Spanned};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::parse::{MAX_FILE, parse};
use crate::scenario::print::print;

mod echoes;
#[cfg(test)]
mod ends_tests;
mod literal;
mod moments;
mod places;
mod regular;
mod sessions;
mod steps;
#[cfg(test)]
mod tests;
mod units;
mod values;

use moments::{Moment, What};
use sessions::{Session, sessions};

/// What is written.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The last part of the case id: lower case, digits and hyphens.
    pub name: &'a str,
    /// Which generation, where the record holds several; the one with most sessions where nothing is said.
    pub generation: Option<Generation>,
    /// Since the proxy's start: when the recording was over.
    pub ended: Duration,
    /// Exchanges that were too many to keep.
    pub unrecorded: u64,
}

/// A record as a case.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The file.
    pub text: String,
    /// Its clients.
    pub clients: usize,
    /// Its steps.
    pub steps: usize,
    /// What could not be written, one line each.
    pub lost: Vec<String>,
}

/// Why there is no case.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No request of the protocol went by.
    #[error(
        "no request of the protocol came, so there is nothing to write: let your client connect to the proxy's address"
    )]
    Nothing,
    /// None of the generation that was asked for did.
    #[error("no session of {0} was recorded")]
    NoneOf(Generation),
    /// What was written does not parse.
    #[error("what was written is no case, which is a fault of the harness: {}", .0.first().map_or("", |it| it.title.as_str()))]
    Malformed(Vec<Diagnostic>),
}

/// Writes the case.
///
/// # Errors
///
/// There is nothing to write.
pub fn write(exchanges: &[Exchange], request: &Request<'_>) -> Result<Recorded, RecordError> {
    let found = sessions(exchanges);
    let generation = match request.generation {
        Some(generation) => generation,
        None => found.most().ok_or(RecordError::Nothing)?,
    };
    let mut lost = found.left_out(generation);
    if request.unrecorded > 0 {
        lost.push(format!("{} requests were too many to keep", request.unrecorded));
    }
    let mine: Vec<&Session> = found.all.iter().filter(|it| it.generation == generation).collect();
    if mine.is_empty() {
        return Err(RecordError::NoneOf(generation));
    }
    let mut moments: Vec<Moment> = Vec::new();
    let mut literal = 0;
    for (number, session) in mine.iter().enumerate() {
        let lane = lane(number);
        let written = regular::moments(session, &lane, request.ended, &mut lost).unwrap_or_else(|why| {
            literal += 1;
            let mut written = literal::moments(session, &lane, &mut lost);
            let at = written.first().map_or(Duration::ZERO, |first| first.at);
            let words = format!("written request by request: {}", why.0);
            written.insert(0, Moment::new(at, &lane, What::Comment(words)));
            written
        });
        moments.extend(written);
    }
    moments::arrange(&mut moments, request.ended);
    let sids = values::Sids {
        plain: literal == 1 && mine.len() == 1,
    };
    let items = steps::items(generation, &mine, &moments, sids, &mut lost);
    let mut headers = headers(&format!("{generation}/recorded/{}", request.name), mine.len());
    if generation == Generation::Eio4 && values::Values::remembers(&moments) {
        headers.needs.push(spanned("recovery"));
    }
    finished(headers, mine.len(), items, lost)
}

fn finished(
    headers: Headers,
    clients: usize,
    mut items: Vec<Item>,
    mut lost: Vec<String>,
) -> Result<Recorded, RecordError> {
    let mut notes = vec![Item::Blank];
    notes.extend(
        lost.iter()
            .map(|it| Item::Comment(format!("left out: {}", one_line(it)))),
    );
    if !lost.is_empty() {
        notes.push(Item::Blank);
    }
    let steps = items.iter().filter(|item| matches!(item, Item::Step(_))).count();
    items.splice(0..0, notes);
    let scenario = Scenario {
        source: Source {
            path: String::new(),
            text: String::new(),
        }
        .into(),
        headers,
        items,
    };
    let text = print(&scenario);
    if text.len() > MAX_FILE {
        lost.push(format!(
            "the file is larger than the {} MiB that `run` reads: record less",
            MAX_FILE >> 20
        ));
    } else {
        parse("recording", &text).map_err(RecordError::Malformed)?;
    }
    Ok(Recorded {
        text,
        clients,
        steps,
        lost,
    })
}

fn headers(id: &str, clients: usize) -> Headers {
    let title = match clients {
        1 => "a recording of 1 client".to_owned(),
        clients => format!("a recording of {clients} clients"),
    };
    Headers {
        case: spanned(id),
        title: Some(spanned(&title)),
        needs: Vec::new(),
        over: Vec::new(),
        clients: Vec::new(),
        level: Level::Must,
        since: None,
        auto: Auto::Heartbeats,
        alone: Some(spanned("nobody else was there when it was recorded")),
        affects: None,
        fixed: None,
    }
}

fn spanned(word: &str) -> Spanned<String> {
    Spanned {
        node: word.to_owned(),
        span: Span::default(),
    }
}

/// `a`, `b`, …, `z`, `aa`, `ab`, …
fn lane(mut number: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.insert(0, b'a' + u8::try_from(number % 26).unwrap_or_default());
        match (number / 26).checked_sub(1) {
            Some(rest) => number = rest,
            None => return String::from_utf8_lossy(&name).into_owned(),
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").trim().to_owned()
}
