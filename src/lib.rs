//! Loa Bản ("the village loudspeaker"): audio bulletins in Vietnamese and in Mông, Thái, Dao and
//! Hà Nhì, made broadcast-ready, scheduled for the villages that speak those languages, pushed over
//! MQTT to networked loudspeakers, with a broadcast log that anyone can verify.
//!
//! # The building
//!
//! A room uses rooms on lower floors only; `tests/architecture.rs` holds this table.
//!
//! ```text
//!  9  cli                                              words from a person at a terminal
//!  8  web                                              words from a person at a browser
//!  7  server          controller          sim          three ways to run the machines
//!  6  store  vault  log  broker  speaker  decoder      gateways: each to one outside thing
//!     clock  entropy  shutdown  terminal
//! ══════════════════════ no I/O, no clock, no randomness below ══════════════════════
//!  5  dispatch              agent                      the two halves of the protocol
//!  4  protocol                                         documents <-> bytes, topics, signatures
//!  3  manifest                                         what one controller shall hold and play
//!  2  schedule  receipt  report                        what airs when and where; proof; the sums
//!  1  audio  bulletin  calendar  fleet  trust  access  audit  config
//!  0  unit  time  id  lang  digest  note
//! ```
//!
//! # The way of a bulletin
//!
//! [`decoder`] opens the recording in a child process; [`audio`] makes an asset of it; a person
//! reviews it and another approves it ([`bulletin`]), which signs its descriptor ([`protocol`],
//! [`note`]). [`schedule`] plans airings for each village; [`manifest`] is what one controller is
//! told of them. [`dispatch`] hands it out; [`agent`] verifies, fetches, plays and swears to it in
//! [`receipt`]s, which enter the [`log`] before they are acknowledged.
//!
//! # Two kinds of time
//!
//! [`time::Timestamp`] is UTC and may step; [`time::Uptime`] never goes back. The machines take
//! both as arguments ([`time::Now`]) and read no clock.

// First: its macros are known from here on.
#[macro_use]
pub mod terminal;

#[cfg(feature = "server")]
pub mod access;
pub mod agent;
pub mod audio;
#[cfg(feature = "server")]
pub mod audit;
pub mod broker;
pub mod bulletin;
pub mod calendar;
#[cfg(feature = "server")]
pub mod cli;
pub mod clock;
pub mod config;
pub mod controller;
#[cfg(feature = "server")]
pub mod decoder;
pub mod digest;
#[cfg(feature = "sim")]
pub mod dispatch;
pub mod entropy;
pub mod fleet;
pub mod id;
pub mod lang;
#[cfg(feature = "server")]
pub mod log;
pub mod manifest;
pub mod note;
pub mod protocol;
pub mod receipt;
#[cfg(feature = "server")]
pub mod report;
#[cfg(feature = "server")]
pub mod schedule;
#[cfg(feature = "server")]
pub mod server;
pub mod shutdown;
#[cfg(feature = "sim")]
pub mod sim;
pub mod speaker;
#[cfg(feature = "server")]
pub mod store;
pub mod time;
pub mod trust;
pub mod unit;
pub mod vault;
#[cfg(feature = "server")]
pub mod web;
