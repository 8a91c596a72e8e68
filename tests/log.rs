//! The broadcast log against vectors that others made, against strangers who alter it, and against
//! disks that fail.

#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set fails there")]

#[path = "log/cast.rs"]
mod cast;
#[path = "log/export.rs"]
mod export;
#[path = "log/faults.rs"]
mod faults;
#[path = "log/fragile.rs"]
mod fragile;
#[path = "log/killed.rs"]
mod killed;
#[path = "log/tampering.rs"]
mod tampering;
#[path = "log/tree.rs"]
mod tree;
#[path = "log/vectors.rs"]
mod vectors;
#[path = "log/writing.rs"]
mod writing;
