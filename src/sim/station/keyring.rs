//! The keys of a simulated station and its controllers, made once each.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::digest::Digest;
use crate::note::{KeyName, Signer};
use crate::sim::Signatures;

/// Makes keys, the same for the same name and salt.
#[derive(Debug)]
pub(super) struct Keyring {
    /// A word that keeps one seed's keys from another's.
    salt: u64,
    signatures: Signatures,
    made: RefCell<BTreeMap<KeyName, Rc<Signer>>>,
}

impl Keyring {
    pub(super) fn new(salt: u64, signatures: Signatures) -> Self {
        Self { salt, signatures, made: RefCell::default() }
    }

    pub(super) fn salt(&self) -> u64 {
        self.salt
    }

    /// A key of its own, for a machine that keeps it.
    pub(super) fn cut(&self, name: KeyName) -> Signer {
        self.make(name, b"")
    }

    /// Another key of the same name.
    pub(super) fn second(&self, name: KeyName) -> Signer {
        self.make(name, b"second")
    }

    fn make(&self, name: KeyName, word: &[u8]) -> Signer {
        let seed = Digest::of_parts(&[name.as_str().as_bytes(), &self.salt.to_be_bytes(), word]);
        match self.signatures {
            Signatures::Real => Signer::from_seed(name, seed.as_bytes()),
            Signatures::StandIn => Signer::with_keyed_hash(name, seed.as_bytes()),
        }
    }

    pub(super) fn key(&self, name: KeyName) -> Rc<Signer> {
        let mut made = self.made.borrow_mut();
        if let Some(key) = made.get(&name) {
            return Rc::clone(key);
        }
        let key = Rc::new(self.cut(name.clone()));
        made.insert(name, Rc::clone(&key));
        key
    }
}
