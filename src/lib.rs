//! Loa Bản.
pub mod digest;
pub mod id;
pub mod lang;
pub mod note;
pub mod time;
