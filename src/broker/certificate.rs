//! The key that this side of a TLS connection makes for itself, and the request to have it certified.
//!
//! **The key never leaves the machine that made it**: what goes to the station is a request in PEM
//! (PKCS #10, RFC 2986), what comes back a certificate.

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

/// A TLS key of our own: ECDSA on P-256, which every broker and TLS library takes.
pub struct TlsKey(KeyPair);

/// What one side shows to the other: its certificate and its key, both in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and the authority where there are any.
    pub certificate: String,
    /// The key in PKCS #8; it is never shown.
    pub key: String,
}

/// A text in PEM that is no key, certificate or request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no {what} in PEM form: {why}; {mend}")]
pub struct BadPem {
    pub(super) what: &'static str,
    pub(super) why: String,
    pub(super) mend: &'static str,
}

impl TlsKey {
    /// Makes a new key. The library draws its randomness from the system.
    #[must_use]
    pub fn make() -> Self {
        Self(KeyPair::generate().expect("P-256 is supported and the system has randomness"))
    }

    /// Reads a key that was kept.
    ///
    /// # Errors
    /// If the text is no key.
    pub fn read(pem: &str) -> Result<Self, BadPem> {
        KeyPair::from_pem(pem).map(Self).map_err(|error| BadPem {
            what: "TLS key",
            why: error.to_string(),
            mend: "delete the file and make the request again",
        })
    }

    /// The key as it is kept: a secret.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// The request that the station certifies `name`, a controller's id, for this key.
    #[must_use]
    pub fn request(&self, name: &str) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        let request = params.serialize_request(&self.0).and_then(|request| request.pem());
        request.expect("a key of ours signs a name of ours")
    }

    #[cfg(feature = "server")]
    pub(super) fn pair(self) -> KeyPair {
        self.0
    }
}

pub(super) fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsKey")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_kept_is_the_same_key() {
        let key = TlsKey::make();
        let again = TlsKey::read(&key.pem()).unwrap();
        assert_eq!(key.0.public_key_raw(), again.0.public_key_raw());
    }

    #[test]
    fn a_text_that_is_no_key_says_what_to_do() {
        let error = TlsKey::read("not a key").unwrap_err().to_string();
        assert!(error.contains("make the request again"), "{error}");
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        let key = TlsKey::make();
        let identity = Identity { certificate: "c".to_owned(), key: key.pem() };
        assert_eq!(format!("{key:?}"), "TlsKey");
        assert!(!format!("{identity:?}").contains("PRIVATE"));
    }
}
