//! What the server must be able to read again and a copy of its database must not show:
//! XChaCha20-Poly1305 under a key that is a file of its own.

use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::digest::{hex, unhex};
use crate::vault::{VaultError, read_text, write_secret};

/// Bytes of the key file at most.
const FILE_BYTES_MAX: u64 = 1024;

/// A key that seals small secrets for the database.
pub struct Safe(XChaCha20Poly1305);

impl std::fmt::Debug for Safe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Safe")
    }
}

impl Safe {
    /// Opens the key at `path`; where there is none, `fresh` becomes it.
    pub fn open(path: &Path, fresh: [u8; 32]) -> Result<Self, VaultError> {
        let damaged = || VaultError::Damaged {
            path: path.to_owned(),
            why: "it is no key of 64 hexadecimal digits".to_owned(),
        };
        let key = if let Some(text) = read_text(path, FILE_BYTES_MAX)? {
            unhex(text.trim()).and_then(|key| key.try_into().ok()).ok_or_else(damaged)?
        } else {
            write_secret(path, hex(&fresh).as_bytes())?;
            fresh
        };
        Ok(Self(XChaCha20Poly1305::new(&<[u8; 32]>::into(key))))
    }

    /// Seals `secret` for the row called `name`; `nonce` is random and used once.
    pub fn seal(&self, name: &str, secret: &[u8], nonce: [u8; 24]) -> String {
        let payload = Payload { msg: secret, aad: name.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        format!("{}:{}", hex(&nonce), hex(&sealed.expect("a short secret can be sealed")))
    }

    /// What was sealed for the row called `name`; `None` where it was altered or is another row's.
    pub fn unseal(&self, name: &str, sealed: &str) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_once(':')?;
        let nonce: [u8; 24] = unhex(nonce)?.try_into().ok()?;
        let sealed = unhex(sealed)?;
        let payload = Payload { msg: &sealed, aad: name.as_bytes() };
        self.0.decrypt(&XNonce::from(nonce), payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_again_in_the_same_row_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.key");
        let sealed = Safe::open(&path, [7; 32]).unwrap().seal("lan", b"bi mat", [3; 24]);
        let again = Safe::open(&path, [8; 32]).unwrap();
        assert_eq!(again.unseal("lan", &sealed).unwrap(), b"bi mat");
        assert_eq!(again.unseal("minh", &sealed), None);
        assert_eq!(again.unseal("lan", &sealed.replace(':', ":0")), None);
        assert!(!sealed.contains("bi mat"));
    }

    #[test]
    fn a_damaged_key_file_is_told_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.key");
        std::fs::write(&path, "not a key").unwrap();
        assert!(Safe::open(&path, [7; 32]).unwrap_err().to_string().contains("64 hexadecimal"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
    }
}
