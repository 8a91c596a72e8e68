//! The wire: documents to bytes and back, topics, and who may sign what where.
//!
//! Every document is a C2SP signed note around one line of JSON that begins with
//! `{"v":1,"typ":…,"net":…,` in exactly this order and spelling. Reading is strict: signatures
//! before JSON, unknown members refused, integers only, at most 256 KiB. Blocks of recordings are
//! the one exception: raw bytes, known by their SHA-256 from a descriptor that an approver signed.

mod body;
mod enrolment;
mod envelope;
mod topic;

pub use body::{
    Ack, ClockAnswer, ClockAsk, Descriptor, DescriptorError, Emergency, EmergencyAction,
    EmergencySound, Order, OrderCommand, Status, StatusState, Want, bitmap,
};
pub use enrolment::Enrolment;
pub use envelope::{Document, EnvelopeError, decode, encode};
pub use topic::{Down, Topic, Topics, Up};

/// The version of the protocol, in every topic and document.
pub const VERSION: u8 = 1;

/// Bytes of a block by default; see the manual for links below 256 kbit/s.
pub const BLOCK_BYTES: u32 = 16 * 1024;

/// Bytes of a recording at most: an hour at 64 kbit/s.
pub const ASSET_BYTES_MAX: u64 = 30 * 1024 * 1024;
