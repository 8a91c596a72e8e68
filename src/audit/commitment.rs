//! Personal data in the log: a salted commitment stands in for it.
//!
//! The entry holds SHA-256(salt ‖ text); salt and text stay in the store. Whoever is shown both
//! can check them against the log; once they are erased, what remains in the log says nothing,
//! and the tree is whole. The salt is 32 random bytes, one for each text, so that two entries
//! about one person cannot be linked and a name cannot be guessed.
//!
//! **A salt is never used twice, and never enters the log.**

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// 32 random bytes that keep a text from being guessed. They are in no `Debug` text.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Takes 32 bytes of secret randomness.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

/// What an entry says in place of a personal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(Digest);

impl Commitment {
    /// Commits to `text`.
    pub fn to(salt: &Salt, text: &str) -> Self {
        Self(Digest::of_parts(&[&salt.0, text.as_bytes()]))
    }

    /// Whether this commits to `text`.
    pub fn opens_to(self, salt: &Salt, text: &str) -> bool {
        Self::to(salt, text) == self
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_opens_to_its_own_text_and_salt_only() {
        let (salt, other) = (Salt::from_random([1; 32]), Salt::from_random([2; 32]));
        let commitment = Commitment::to(&salt, "Lò Văn Páo");
        assert!(commitment.opens_to(&salt, "Lò Văn Páo"));
        assert!(!commitment.opens_to(&salt, "Lò Văn Phá"));
        assert!(!commitment.opens_to(&other, "Lò Văn Páo"));
        assert_eq!(format!("{salt:?}"), "Salt");
    }
}
