//! The suite: the cases that come with the program, by the date of the newest.
//!
//! Whoever has pinned an older date is warned of what is newer, and not failed: `since:` of a case is the suite it came with;
//! a case without it has been there from the first.

use std::fmt;
use std::str::FromStr;

mod renamed;

pub use renamed::Renamed;

/// The date of this suite; `CHANGELOG.md` tells what each brought.
pub const DATE: &str = "2026-11-28";

/// A day of the calendar: `2026-11-28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a date as 2026-11-28")]
pub struct NoDate;

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Date, NoDate> {
        let digits = |at: std::ops::Range<usize>| -> Option<u16> {
            let part = text.get(at)?;
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse().ok())?
        };
        let parts = (digits(0..4), digits(5..7), digits(8..10));
        let (Some(year), Some(month @ 1..=12), Some(day)) = parts else {
            return Err(NoDate);
        };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u16::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if text.len() != 10 || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") || !(1..=days).contains(&day)
        {
            return Err(NoDate);
        }
        let small = |number: u16| u8::try_from(number).map_err(|_| NoDate);
        Ok(Date {
            year,
            month: small(month)?,
            day: small(day)?,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::catalogue::Catalogue;

    #[rstest::rstest]
    #[case("2026-11-28", true)]
    #[case("2024-02-29", true)]
    #[case("2026-02-29", false)]
    #[case("2100-02-29", false)]
    #[case("2026-13-01", false)]
    #[case("2026-04-31", false)]
    #[case("2026-00-10", false)]
    #[case("2026-1-10", false)]
    #[case("2026-11-28 ", false)]
    #[case("+026-11-28", false)]
    #[case("2026/11/28", false)]
    #[case("", false)]
    fn dates(#[case] text: &str, #[case] good: bool) {
        let date = text.parse::<Date>();
        assert_eq!(
            date.map(|date| date.to_string()),
            if good { Ok(text.to_owned()) } else { Err(NoDate) }
        );
    }

    #[test]
    fn no_case_is_newer_than_its_suite() {
        let suite: Date = DATE.parse().unwrap();
        for scenario in Catalogue::embedded().unwrap().scenarios {
            if let Some(since) = &scenario.headers.since {
                assert!(since.node.parse::<Date>().unwrap() <= suite, "{}", scenario.source.path);
            }
        }
    }
}
