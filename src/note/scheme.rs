//! How a signature is made and checked: Ed25519, and in bulk simulation a stand-in for it.
//!
//! **A program that runs has one scheme.** The stand-in exists only with the feature `sim`, and only
//! the simulator names it (`tests/architecture.rs`): `loaban-controller` is built without it.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Bytes in a signature, of any scheme.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// What makes and checks a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// RFC 8032, checked strictly.
    Ed25519,
    /// A hash of the text, keyed by the public key: it tells altered texts and keys apart at a
    /// hundredth of the cost, and anybody can make it.
    #[cfg(feature = "sim")]
    KeyedHash,
}

impl Scheme {
    pub(super) fn sign(self, key: &SigningKey, text: &str) -> [u8; SIGNATURE_BYTES] {
        match self {
            Self::Ed25519 => key.sign(text.as_bytes()).to_bytes(),
            #[cfg(feature = "sim")]
            Self::KeyedHash => keyed_hash(&key.verifying_key(), text),
        }
    }

    pub(super) fn holds(
        self,
        key: &VerifyingKey,
        text: &str,
        signature: &[u8; SIGNATURE_BYTES],
    ) -> bool {
        match self {
            Self::Ed25519 => {
                key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
            }
            #[cfg(feature = "sim")]
            Self::KeyedHash => keyed_hash(key, text) == *signature,
        }
    }
}

/// `SipHash` of the public key and the text, in the place of a signature.
#[cfg(feature = "sim")]
fn keyed_hash(key: &VerifyingKey, text: &str) -> [u8; SIGNATURE_BYTES] {
    use std::hash::Hasher as _;
    // Without random keys: the same text has the same signature in every run.
    let mut hash = std::hash::DefaultHasher::new();
    hash.write(key.as_bytes());
    hash.write(text.as_bytes());
    let mut signature = [0; SIGNATURE_BYTES];
    signature[..8].copy_from_slice(&hash.finish().to_be_bytes());
    signature
}
