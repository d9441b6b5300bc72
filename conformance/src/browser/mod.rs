//! Real browsers: the `page` lanes of a case.
//!
//! [`matrix`] makes cases of scenarios, clients and engines; [`pool`] keeps browsers open; a [`stage`] is what the pages of
//! one case are. A [`session`] is a browser driven by WebDriver.

mod capabilities;
pub mod clients;
pub mod driver;
pub mod engine;
pub mod flash;
pub mod matrix;
pub mod pool;
pub mod served;
pub mod session;
pub mod stage;
