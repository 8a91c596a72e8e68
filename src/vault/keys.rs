//! Keys that a machine uses by itself: the server's online keys, a controller's own key.

use std::path::Path;

use crate::digest::{hex, unhex};
use crate::note::{KeyName, Signer};
use crate::vault::durable::{VaultError, read_text, write_secret};

/// Keeps a new key with this secret, readable by its owner only.
pub fn create_key(path: &Path, name: KeyName, seed: [u8; 32]) -> Result<Signer, VaultError> {
    write_secret(path, format!("{name} {}\n", hex(&seed)).as_bytes())?;
    Ok(Signer::from_seed(name, &seed))
}

/// The key that was kept; `None` where there is none.
pub fn load_key(path: &Path) -> Result<Option<Signer>, VaultError> {
    let Some(text) = read_text(path, 4_096)? else { return Ok(None) };
    let parsed = text.trim_end().split_once(' ').and_then(|(name, seed)| {
        let seed: [u8; 32] = unhex(seed)?.try_into().ok()?;
        Some(Signer::from_seed(name.parse().ok()?, &seed))
    });
    let why = || "it is no key file".to_owned();
    parsed.map(Some).ok_or_else(|| VaultError::Damaged { path: path.to_owned(), why: why() })
}
