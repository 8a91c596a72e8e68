//! Files that must survive: recordings, keys, and what a controller holds.
//!
//! **What a call here says is kept is on the disk when it returns**: data is synced before a rename
//! puts it in place, and the folder after. Nothing half-written is ever taken for whole.

#[cfg(feature = "server")]
mod assets;
mod disk;
mod durable;
mod keys;
#[cfg(feature = "server")]
mod originals;
#[cfg(feature = "server")]
mod safe;
#[cfg(feature = "server")]
mod sealed;
mod shelf;

#[cfg(test)]
mod tests;

#[cfg(feature = "server")]
pub use assets::Assets;
pub use disk::{Disk, System};
#[cfg(feature = "server")]
pub use durable::digest_of;
pub use durable::{VaultError, read_text, write_atomic, write_secret};
pub use keys::{create_key, load_key};
#[cfg(feature = "server")]
pub use originals::{Incoming, ORIGINAL_BYTES_MAX, Originals};
#[cfg(feature = "server")]
pub use safe::Safe;
#[cfg(feature = "server")]
pub use sealed::{PASSPHRASE_CHARS_MIN, Sealed, SealedError};
pub use shelf::{Shelf, ShelfLock};
