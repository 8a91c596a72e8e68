//! The station's own certificate authority: it certifies its controllers and its brokers, and
//! nobody else.
//!
//! **A certificate says who a connection belongs to, never what may sound**: every document is
//! signed by its author, whatever broker carries it. So certificates live long, and what ends one
//! early is the station's list: the embedded broker asks it at every connect, Mosquitto gets it as
//! a revocation list (RFC 5280).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams,
    CertificateSigningRequestParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::certificate::{BadPem, Identity, TlsKey, named};
use crate::digest::{hex, unhex};
use crate::id::{ControllerId, NetId};
use crate::time::Timestamp;

/// How long the authority itself counts: longer than a device lives.
const AUTHORITY_YEARS: i64 = 30;

/// How long the certificate of a controller or a broker counts. A device may lie in a store room for
/// years and must come back by itself; one that is stolen is revoked by name.
const CERTIFICATE_YEARS: i64 = 10;

/// How long a certificate for the pages counts: browsers refuse longer ones.
const PAGES_SECONDS: i64 = 825 * 86_400;

/// A certificate for the pages is made anew when less than this is left.
const PAGES_LEFT: Duration = Duration::from_hours(60 * 24);

/// A year in seconds, on average.
const YEAR_SECONDS: i64 = 31_556_952;

/// How far back a certificate begins: the clocks of a station's machines differ by less.
const BACKDATED_SECONDS: i64 = 3_600;

/// The authority: its certificate, which everybody gets, and its key, which stays at the station.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    key: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate in PEM.
    pub certificate: String,
    /// Its serial number, 32 hexadecimal digits: its name on the list.
    pub serial: String,
    /// When it ends.
    pub until: Timestamp,
}

/// Why no certificate was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Not PEM, or not what it should be.
    #[error(transparent)]
    Pem(#[from] BadPem),
    /// The request was made by another device.
    #[error(
        "the request names `{found}`, not {controller}; a file was mixed up: make the request on \
         {controller} itself"
    )]
    OtherName {
        /// Whom it names.
        found: String,
        /// Whom it was to be signed for.
        controller: ControllerId,
    },
    /// Neither a DNS name nor an IP address.
    #[error("`{0}` is no name of a host; write a DNS name or an IP address")]
    BadHost(String),
}

impl Authority {
    /// Makes the authority of a new deployment.
    #[must_use]
    pub fn make(net: &NetId, serial: [u8; 16], now: Timestamp) -> Self {
        let key = TlsKey::make().pair();
        let mut params = params(&format!("loaban {net}"), serial, now, AUTHORITY_YEARS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).expect("a key of ours signs itself").pem();
        let pem = key.serialize_pem();
        Self { certificate, key: pem, issuer: Issuer::new(params, key) }
    }

    /// Reads an authority that was kept.
    ///
    /// # Errors
    /// If either text is not what it should be.
    pub fn read(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let pair = TlsKey::read(key)?.pair();
        let issuer = Issuer::from_ca_cert_pem(certificate, pair).map_err(|error| BadPem {
            what: "authority's certificate",
            why: error.to_string(),
            mend: "restore keys/online from a backup",
        })?;
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), issuer })
    }

    /// Its certificate in PEM: what both sides hold to know the other.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its key as it is kept: a secret.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Certifies that the key of `request` is that of `controller`. Of what the request asks for,
    /// only its key counts.
    ///
    /// # Errors
    /// If it is no request, is not signed by its own key, or names another.
    pub fn sign_request(
        &self,
        request: &str,
        controller: &ControllerId,
        serial: [u8; 16],
        now: Timestamp,
    ) -> Result<Issued, AuthorityError> {
        let request = CertificateSigningRequestParams::from_pem(request).map_err(|error| {
            let mend = "copy what `loaban-controller request` printed, whole";
            BadPem { what: "certificate request", why: error.to_string(), mend }
        })?;
        let found = common_name(&request.params);
        if found != controller.as_str() {
            return Err(AuthorityError::OtherName { found, controller: controller.clone() });
        }
        let mut params = params(controller.as_str(), serial, now, CERTIFICATE_YEARS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(self.sign(&params, &request.public_key))
    }

    /// A certificate for a broker whose key this is and that is reached under these names.
    ///
    /// # Errors
    /// If one is no name of a host.
    pub fn broker(
        &self,
        hosts: &[String],
        key: TlsKey,
        serial: [u8; 16],
        now: Timestamp,
    ) -> Result<Identity, AuthorityError> {
        let mut params = params("broker", serial, now, CERTIFICATE_YEARS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = hosts.iter().map(|host| san(host)).collect::<Result<_, _>>()?;
        Ok(self.identity(&params, key))
    }

    /// A new key and certificate for pages that browsers reach under these names.
    ///
    /// # Errors
    /// If one is no name of a host.
    pub fn pages(
        &self,
        hosts: &[String],
        serial: [u8; 16],
        now: Timestamp,
    ) -> Result<Identity, AuthorityError> {
        let name = hosts.first().map_or("pages", String::as_str);
        let mut params = params(name, serial, now, CERTIFICATE_YEARS);
        params.not_after = moment(now, PAGES_SECONDS - BACKDATED_SECONDS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = hosts.iter().map(|host| san(host)).collect::<Result<_, _>>()?;
        Ok(self.identity(&params, TlsKey::make()))
    }

    /// Whether `certificate` was made by this authority for these very names, and does not end soon.
    #[must_use]
    pub fn still_serves(&self, certificate: &str, hosts: &[String], now: Timestamp) -> bool {
        let (Some(held), Some(own)) = (der(certificate), der(&self.certificate)) else {
            return false;
        };
        let (Ok((_, held)), Ok((_, own))) =
            (X509Certificate::from_der(&held), X509Certificate::from_der(&own))
        else {
            return false;
        };
        let wanted: Result<BTreeSet<String>, _> =
            hosts.iter().map(|host| san(host).map(|name| format!("{name:?}"))).collect();
        let ends = Timestamp::from_seconds(held.validity().not_after.timestamp());
        held.verify_signature(Some(own.public_key())).is_ok()
            && wanted.is_ok_and(|wanted| wanted == named_hosts(&held))
            && ends > now + PAGES_LEFT
    }

    /// A new key and certificate for the server itself, towards a broker that is not its own.
    #[must_use]
    pub fn server(&self, serial: [u8; 16], now: Timestamp) -> Identity {
        let mut params = params(super::rules::SERVER, serial, now, CERTIFICATE_YEARS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.identity(&params, TlsKey::make())
    }

    /// The list of certificates that count for nothing, in PEM. It has no end of its own: a broker
    /// whose list has ended lets nobody in.
    #[must_use]
    pub fn revocations(&self, serials: &[String], now: Timestamp) -> String {
        let revoked = |serial: &String| RevokedCertParams {
            serial_number: serial_number(&unhex(serial).unwrap_or_default()),
            revocation_time: moment(now, 0),
            reason_code: None,
            invalidity_date: None,
        };
        let number = u64::try_from(now.micros()).unwrap_or(0).to_be_bytes();
        let list = CertificateRevocationListParams {
            this_update: moment(now, -BACKDATED_SECONDS),
            next_update: moment(now, AUTHORITY_YEARS * YEAR_SECONDS),
            crl_number: serial_number(&number),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).and_then(|list| list.pem());
        list.expect("the authority may sign its list")
    }

    fn identity(&self, params: &CertificateParams, key: TlsKey) -> Identity {
        let key = key.pair();
        let certificate = self.sign(params, &key).certificate;
        Identity { certificate, key: key.serialize_pem() }
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Issued {
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let until = Timestamp::from_micros(params.not_after.unix_timestamp() * 1_000_000);
        let signed =
            params.signed_by(key, &self.issuer).expect("the authority signs names of ours");
        Issued { certificate: signed.pem(), serial: hex(&serial), until }
    }
}

fn params(name: &str, serial: [u8; 16], now: Timestamp, years: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.not_before = moment(now, -BACKDATED_SECONDS);
    params.not_after = moment(now, years * YEAR_SECONDS);
    params.serial_number = Some(serial_number(&serial));
    params.use_authority_key_identifier_extension = true;
    params
}

/// A serial number is positive and has no leading zero: RFC 5280, 4.1.2.2.
fn serial_number(bytes: &[u8]) -> SerialNumber {
    let mut bytes = bytes.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::from(bytes)
}

fn moment(now: Timestamp, seconds: i64) -> OffsetDateTime {
    let at = now.micros() / 1_000_000 + seconds;
    OffsetDateTime::from_unix_timestamp(at).expect("a time of this century and the next")
}

fn san(host: &str) -> Result<SanType, AuthorityError> {
    if let Ok(address) = host.parse() {
        return Ok(SanType::IpAddress(address));
    }
    let bad = || AuthorityError::BadHost(host.to_owned());
    let name = rustls::pki_types::DnsName::try_from(host).map_err(|_| bad())?;
    Ok(SanType::DnsName(name.as_ref().try_into().map_err(|_| bad())?))
}

fn der(pem: &str) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

/// The names in a certificate, in the words of [`san`].
fn named_hosts(certificate: &X509Certificate<'_>) -> BTreeSet<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => {
            address(bytes).map(|ip| ip.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    };
    names.filter_map(|held| san(&name(held)).ok()).map(|name| format!("{name:?}")).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// The SHA-256 of a certificate as browsers show it; `None` where the text holds none.
#[must_use]
pub fn fingerprint(certificate: &str) -> Option<String> {
    let digits = crate::digest::Digest::of(&der(certificate)?).to_string().to_uppercase();
    let pair = |pair: &[u8]| String::from_utf8_lossy(pair).into_owned();
    let pairs: Vec<String> = digits.as_bytes().chunks(2).map(pair).collect();
    Some(pairs.join(":"))
}

fn common_name(params: &CertificateParams) -> String {
    match params.distinguished_name.get(&DnType::CommonName) {
        Some(DnValue::Utf8String(name)) => name.clone(),
        Some(DnValue::PrintableString(name)) => name.as_str().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_795_320_000)
    }

    fn authority() -> Authority {
        Authority::make(&"laichau".parse().unwrap(), [1; 16], now())
    }

    fn controller(id: &str) -> ControllerId {
        id.parse().unwrap()
    }

    #[test]
    fn a_request_becomes_a_certificate_for_ten_years() {
        let request = TlsKey::make().request("mt-1");
        let issued =
            authority().sign_request(&request, &controller("mt-1"), [7; 16], now()).unwrap();
        assert_eq!(issued.serial, format!("47{}", "07".repeat(15)));
        assert_eq!(issued.until.to_string().get(..4), Some("2036"));
    }

    #[test]
    fn a_request_of_another_device_is_refused_by_name() {
        let request = TlsKey::make().request("mt-2");
        let refused = authority().sign_request(&request, &controller("mt-1"), [7; 16], now());
        let sentence = refused.unwrap_err().to_string();
        assert!(sentence.contains("names `mt-2`, not mt-1"), "{sentence}");
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_is_refused() {
        let request = TlsKey::make().request("mt-1");
        let mut lines: Vec<&str> = request.lines().collect();
        let last = lines.len() - 2;
        let altered = lines[last].replace(|c: char| c.is_ascii_lowercase(), "A");
        lines[last] = &altered;
        let refused =
            authority().sign_request(&lines.join("\n"), &controller("mt-1"), [7; 16], now());
        assert!(refused.unwrap_err().to_string().contains("loaban-controller request"));
    }

    #[test]
    fn an_authority_that_was_kept_signs_as_the_same() {
        let made = authority();
        let kept = Authority::read(made.certificate(), made.key()).unwrap();
        let request = TlsKey::make().request("mt-1");
        let issued = kept.sign_request(&request, &controller("mt-1"), [7; 16], now()).unwrap();
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let (issued, made) = (der(&issued.certificate), der(made.certificate()));
        let (_, issued) = X509Certificate::from_der(&issued).unwrap();
        let (_, made) = X509Certificate::from_der(&made).unwrap();
        assert!(issued.verify_signature(Some(made.public_key())).is_ok());
        assert_eq!(issued.issuer(), made.subject());
    }

    #[test]
    fn a_broker_is_certified_for_names_and_addresses_of_hosts_only() {
        let hosts = ["loa.example.vn", "10.0.0.1", "::1"].map(str::to_owned);
        assert!(authority().broker(&hosts, TlsKey::make(), [3; 16], now()).is_ok());
        let bad = ["hai mươi".to_owned()];
        let refused = authority().broker(&bad, TlsKey::make(), [3; 16], now()).unwrap_err();
        assert!(refused.to_string().contains("no name of a host"), "{refused}");
    }

    #[test]
    fn a_certificate_for_pages_serves_until_its_names_change_or_its_end_is_near() {
        let (authority, hosts) = (authority(), ["loa.example.vn", "10.0.0.1"].map(str::to_owned));
        let made = authority.pages(&hosts, [3; 16], now()).unwrap().certificate;
        let later = |days: u64| now() + Duration::from_hours(days * 24);
        assert!(authority.still_serves(&made, &hosts, later(700)));
        assert!(!authority.still_serves(&made, &hosts, later(800)), "its end is near");
        assert!(!authority.still_serves(&made, &hosts[..1], now()), "other names");
        let other = Authority::make(&"laichau".parse().unwrap(), [2; 16], now());
        assert!(!other.still_serves(&made, &hosts, now()), "another authority");
        assert_eq!(fingerprint(&made).unwrap().len(), 95);
    }
}
