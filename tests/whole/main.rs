//! The whole path with real parts: processes, brokers, databases, a browser.
//!
//! Everything here needs what `./run test` installs; a missing component fails the test.

#![expect(clippy::unwrap_used, reason = "everything here is a test; a failure names its line")]

mod auditor;
mod bad_input;
mod cast;
mod demo;
mod desk;
mod emergency;
mod fuzzed;
mod https;
mod killed;
mod load;
mod manual;
mod newsdesk;
mod newsroom;
mod pages;
mod processes;
mod programmes;
mod programs;
mod reference;
mod samples;
mod second;
#[cfg(feature = "alsa")]
mod sound_out;
mod store;
mod weak;
mod week;
