//! Judges Socket.IO servers of any generation, over every transport.
//!
//! | module | what |
//! |---|---|
//! | [`scenario`] | the `.wire` language, and the catalogue of cases written in it |
//! | [`client`] | connections with their own bytes, and what came on them |
//! | [`run`] | plan, targets, and the player of one case |
//! | [`expect`], [`glob`] | the baseline of known failures, and how cases are named |
//! | [`config`], [`probe`] | what a server is said to do, and what it does |
//! | [`report`] | one stream of events, and what it looks like to a person or a program |
//! | [`codec_check`] | the packet vectors, put to anybody's parser |
//! | [`prove`] | shows that the cases notice what they are there to notice |
//! | [`record`] | a proxy between a page and a server, that writes down what goes by and lets it fail |
//! | [`suite`] | the date of the cases |
//! | [`record`] | a proxy between clients and a server, that writes down what goes by, as a case too, and lets it fail |
//! | [`shrink`] | makes a failing case small |
//! | [`exit`] | what the exit code says |

pub mod browser;
pub mod cli;
pub mod client;
pub mod codec_check;
pub mod commands;
pub mod config;
pub mod exit;
pub mod expect;
pub mod glob;
pub mod probe;
pub mod prove;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod suite;
