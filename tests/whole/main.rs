//! The whole path with real parts: processes, brokers, databases, a browser.
//!
//! Everything here needs what `./run test` installs; a missing component fails the test.

mod bad_input;
mod cast;
mod demo;
mod processes;
mod samples;
mod store;
