//! The broadcast log as a thing to compute with: entries, their tree, checkpoints and proofs.
//!
//! The log is an append-only Merkle tree (RFC 6962, SHA-256) in C2SP form: `tlog-tiles` for the
//! tree and the entries, `tlog-checkpoint` for its signed head, `tlog-proof` for what one entry
//! needs to convince somebody who has nothing but the log's public key.
//!
//! ```text
//! entry ── leaf hash ─┐
//!                     ├─ frontier ── root ── checkpoint (signed)
//! entry ── leaf hash ─┘     └─ tiles ── inclusion and consistency proofs
//! ```
//!
//! **Nothing here reads a file, a clock or a random number.** `log` keeps these things in a folder.

pub mod bundle;
pub mod checkpoint;
pub mod commitment;
pub mod entry;
pub mod proof;
pub mod qr;
pub mod telling;
pub mod tile;
pub mod tree;

pub use checkpoint::{Checkpoint, Origin, SignedCheckpoint};
pub use entry::{Actor, Entry, FactId, Kind};
pub use proof::Proof;
