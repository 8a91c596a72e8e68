//! TLS on our client connections: whom we believe, what we show, and by what time.
//!
//! **A broker's certificate is held against [`SureTime`], not against the system's clock.** A
//! controller without a battery wakes in 1970, where every certificate is still to begin; a broken
//! one wakes in 2099, where every one has ended; and it learns the time over this very connection.
//! So what counts is the newest time that the station has signed to this device, and a certificate
//! that begins later only shows that we know too little.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rumqttc::{ConnectionError, StateError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use super::certificate::{BadPem, Identity};
use crate::time::Timestamp;

/// A time that has surely passed: it only grows. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SureTime(Arc<AtomicI64>);

impl SureTime {
    /// Begins at `at`.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(at.micros())))
    }

    /// `at` has passed too.
    pub fn passed(&self, at: Timestamp) {
        self.0.fetch_max(at.micros(), Ordering::Relaxed);
    }

    fn unix(&self) -> UnixTime {
        let seconds = u64::try_from(self.0.load(Ordering::Relaxed) / 1_000_000).unwrap_or(0);
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }
}

/// How a link speaks TLS. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Believes a broker that `authority`, one or more certificates in PEM, has certified for the
    /// name that we call it by; shows `identity` where the broker asks.
    ///
    /// # Errors
    /// If a text is not PEM, or key and certificate do not belong together.
    pub fn new(
        authority: &str,
        identity: Option<&Identity>,
        sure: SureTime,
    ) -> Result<Self, BadPem> {
        let mend = "copy ca.pem from the provisioning folder again";
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authority, "authority's certificate", mend)? {
            roots.add(certificate).map_err(bad("authority's certificate", mend))?;
        }
        let provider = Arc::new(ring::default_provider());
        let checks =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let checks = checks.build().map_err(bad("authority's certificate", mend))?;
        let verifier = Arc::new(Believer { checks, sure });
        let config = builder(provider).dangerous().with_custom_certificate_verifier(verifier);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let mend = "have the station sign a new request of this device";
                let (chain, key) = parts(identity, mend)?;
                config.with_client_auth_cert(chain, key).map_err(bad("certificate", mend))?
            }
        };
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

/// How a server shows `identity` to clients that need show nothing, speaking HTTP/1.1 inside.
///
/// # Errors
/// If a text is not PEM, or key and certificate do not belong together.
#[cfg(feature = "server")]
pub fn serving(identity: &Identity) -> Result<Arc<rustls::ServerConfig>, BadPem> {
    let mend = "mend `certificate` and `key` under [web] in loaban.toml";
    let (chain, key) = parts(identity, mend)?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has suites for TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key);
    let mut config = config.map_err(bad("certificate", mend))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().expect("ring has suites for TLS 1.2 and 1.3")
}

/// Certificate chain and key of an identity.
pub(super) fn parts(
    identity: &Identity,
    mend: &'static str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), BadPem> {
    let chain = certificates(&identity.certificate, "certificate", mend)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes());
    Ok((chain, key.map_err(bad("TLS key", mend))?))
}

/// Every certificate of a text in PEM; none at all is a fault.
pub(super) fn certificates(
    pem: &str,
    what: &'static str,
    mend: &'static str,
) -> Result<Vec<CertificateDer<'static>>, BadPem> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let read = read.map_err(bad(what, mend))?;
    if read.is_empty() {
        return Err(bad(what, mend)("it holds none"));
    }
    Ok(read)
}

fn bad<E: fmt::Display>(what: &'static str, mend: &'static str) -> impl FnOnce(E) -> BadPem {
    move |error| BadPem { what, why: error.to_string(), mend }
}

/// The library's checks, at our time.
#[derive(Debug)]
struct Believer {
    checks: Arc<WebPkiServerVerifier>,
    sure: SureTime,
}

impl ServerCertVerifier for Believer {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        _system: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let at = |time| self.checks.verify_server_cert(certificate, between, name, ocsp, time);
        match at(self.sure.unix()) {
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                not_before,
                ..
            })) => at(not_before),
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checks.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checks.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.checks.supported_verify_schemes()
    }
}

/// What TLS found wrong with a connection, as a sentence for the person who must act.
pub(super) fn fault(error: &ConnectionError) -> Option<String> {
    let io = match error {
        ConnectionError::Tls(rumqttc::TlsError::TLS(error)) => return Some(sentence(error)),
        ConnectionError::Tls(rumqttc::TlsError::Io(io))
        | ConnectionError::Io(io)
        | ConnectionError::MqttState(
            StateError::Io(io) | StateError::Deserialization(rumqttc::Error::Io(io)),
        ) => io,
        _ => return None,
    };
    io.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).map(sentence)
}

fn sentence(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(fault) => certificate_sentence(fault),
        Error::AlertReceived(alert) => alert_sentence(*alert),
        Error::InvalidMessage(_) => "does not speak TLS on this port; check the port, or write \
            mqtt:// where the connection shall be plain"
            .to_owned(),
        other => format!("and we found no way to speak TLS: {other}"),
    }
}

fn certificate_sentence(fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "shows a certificate that the authority of this station did not sign; check the \
             address, and that `ca` is this station's ca.pem"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "shows a certificate that has ended; give the broker a new one: restart `loaban \
             serve`, or write the files of Mosquitto anew"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "is certified for {}, not for {}; call it by one of these names, or add this one to \
             `names` under [broker] in loaban.toml",
            presented.join(", "),
            expected.to_str()
        ),
        other => format!("shows a certificate that cannot be believed: {other}"),
    }
}

fn alert_sentence(alert: AlertDescription) -> String {
    let ours = match alert {
        AlertDescription::CertificateRevoked => "is revoked",
        AlertDescription::CertificateExpired => "has ended",
        AlertDescription::CertificateRequired => "is missing",
        AlertDescription::UnknownCA => "is of another station",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError => "cannot be believed",
        other => return format!("refuses to speak TLS with us: {other:?}"),
    };
    format!(
        "says that our certificate {ours}; have the station sign a new request of this device, or \
         provision it anew"
    )
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_time_never_goes_back() {
        let sure = SureTime::at(Timestamp::from_micros(5_000_000));
        sure.clone().passed(Timestamp::from_micros(9_000_000));
        sure.passed(Timestamp::from_micros(7_000_000));
        assert_eq!(sure.unix().as_secs(), 9);
    }

    #[test]
    fn an_authority_that_is_no_certificate_says_what_to_copy() {
        let error = Tls::new("", None, SureTime::default()).unwrap_err().to_string();
        assert!(error.contains("it holds none") && error.contains("copy ca.pem"), "{error}");
    }
}
