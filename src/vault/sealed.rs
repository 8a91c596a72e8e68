//! People's keys, sealed under their passphrase: Argon2id (RFC 9106), then XChaCha20-Poly1305.
//!
//! **A sealed key is opened for the moment of signing only**, and never in a database.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use crate::digest::{hex, unhex};
use crate::note::{KeyName, Signer};

/// Characters in a passphrase at least.
pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// Memory of the key derivation in KiB: OWASP's second choice of 2023 and later, for old laptops.
const MEMORY_KIB: u32 = 19 * 1024;

/// Passes of the key derivation.
const PASSES: u32 = 2;

/// The most that a file may ask for: a hostile file must not take the machine's memory.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;

/// A key sealed under a passphrase, as it is kept in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "`sealed` is the word of the file")]
pub struct Sealed {
    /// The key's name.
    pub name: KeyName,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

/// Why a key could not be sealed or unsealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// Too short to protect anything.
    #[error(
        "the passphrase has fewer than {PASSPHRASE_CHARS_MIN} characters; choose four words or more"
    )]
    Short,
    /// Wrong passphrase, or the file was altered.
    #[error("the passphrase does not open the key {0}; type it again")]
    Wrong(KeyName),
    /// Not a sealed key of this kind.
    #[error("the sealed key {0} cannot be read: {1}")]
    Unreadable(KeyName, &'static str),
}

impl Sealed {
    /// Seals `signer`; `salt` and `nonce` are random and used once.
    pub fn seal(
        signer: &Signer,
        passphrase: &str,
        salt: [u8; 16],
        nonce: [u8; 24],
    ) -> Result<Self, SealedError> {
        if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
            return Err(SealedError::Short);
        }
        let name = signer.public().name().clone();
        let key = derive(&name, passphrase, &salt, MEMORY_KIB, PASSES)?;
        let seed = signer.seed();
        let payload = Payload { msg: &seed, aad: name.as_str().as_bytes() };
        let sealed = XChaCha20Poly1305::new(&key.into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealedError::Unreadable(name.clone(), "it could not be sealed"))?;
        Ok(Self {
            name,
            kdf: "argon2id".to_owned(),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: hex(&salt),
            nonce: hex(&nonce),
            sealed: hex(&sealed),
        })
    }

    /// The key, for the moment of signing.
    pub fn unseal(&self, passphrase: &str) -> Result<Signer, SealedError> {
        let unreadable = |why| SealedError::Unreadable(self.name.clone(), why);
        if self.kdf != "argon2id" || self.memory_kib > MEMORY_KIB_MAX || self.passes > 16 {
            return Err(unreadable("its key derivation is unknown or asks for too much"));
        }
        let salt = unhex(&self.salt).ok_or_else(|| unreadable("its salt"))?;
        let nonce: [u8; 24] = unhex(&self.nonce)
            .and_then(|nonce| nonce.try_into().ok())
            .ok_or_else(|| unreadable("its nonce"))?;
        let sealed = unhex(&self.sealed).ok_or_else(|| unreadable("its box"))?;
        let key = derive(&self.name, passphrase, &salt, self.memory_kib, self.passes)?;
        let payload = Payload { msg: &sealed, aad: self.name.as_str().as_bytes() };
        let seed = XChaCha20Poly1305::new(&key.into()).decrypt(&XNonce::from(nonce), payload);
        let seed = seed.map_err(|_| SealedError::Wrong(self.name.clone()))?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| unreadable("its length"))?;
        Ok(Signer::from_seed(self.name.clone(), &seed))
    }
}

fn derive(
    name: &KeyName,
    passphrase: &str,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<[u8; 32], SealedError> {
    let unreadable = |_| SealedError::Unreadable(name.clone(), "its key derivation");
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(unreadable)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut key)
        .map_err(unreadable)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Sealed {
        let signer = Signer::from_seed("x/content/lan".parse().unwrap(), &[7; 32]);
        Sealed::seal(&signer, "bốn từ rất dài", [1; 16], [2; 24]).unwrap()
    }

    #[test]
    fn the_right_passphrase_gives_the_key_back() {
        let signer = sealed().unseal("bốn từ rất dài").unwrap();
        assert_eq!(signer.seed(), [7; 32]);
    }

    #[test]
    fn a_wrong_passphrase_and_another_name_are_refused() {
        let wrong = sealed().unseal("bốn từ rất ngắn").unwrap_err();
        assert!(matches!(wrong, SealedError::Wrong(_)));
        let renamed = Sealed { name: "x/root/1".parse().unwrap(), ..sealed() };
        assert!(renamed.unseal("bốn từ rất dài").is_err());
    }

    #[test]
    fn a_file_that_asks_for_all_memory_is_refused() {
        let greedy = Sealed { memory_kib: u32::MAX, ..sealed() };
        assert!(matches!(greedy.unseal("x"), Err(SealedError::Unreadable(..))));
    }

    #[test]
    fn a_short_passphrase_seals_nothing() {
        let signer = Signer::from_seed("x/content/lan".parse().unwrap(), &[7; 32]);
        let short = Sealed::seal(&signer, "ngắn", [1; 16], [2; 24]);
        assert!(matches!(short, Err(SealedError::Short)));
    }
}
