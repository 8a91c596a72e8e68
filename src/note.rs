//! C2SP signed notes: the envelope of every document that is signed, on the wire and in the log.
//!
//! A note is UTF-8 text that ends in a line feed, a blank line, and one line per signature:
//! `— <key name> base64(key id ‖ signature)`. One human can read it. Signatures are Ed25519
//! (RFC 8032), checked strictly. Source: C2SP `signed-note.md`.
//!
//! **A note is opened only with keys that the caller names: which key may sign what, and how many
//! must, is decided above, never here.** A named key whose signature is wrong refuses the whole
//! note; unknown keys are passed over.

mod scheme;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use scheme::{SIGNATURE_BYTES, Scheme};

/// Bytes in a note at most: a week's manifest of one controller fits several times.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;

/// Signatures under a note at most: a threshold of officers, both roots at a rotation, room.
pub const SIGNATURES_MAX: usize = 16;

/// Characters in a key name at most: network, role and person's id with their separators.
pub const KEY_NAME_CHARS_MAX: usize = 160;

/// The signature algorithm byte of Ed25519 in key ids and encoded keys.
const ED25519: u8 = 0x01;

/// The name of a key, such as `laichau/content/lan`: no spaces, no `+`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// Text that cannot name a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a key; use 1 to {KEY_NAME_CHARS_MAX} characters without spaces, + or control characters"
)]
pub struct NotAKeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyName {
    type Error = NotAKeyName;

    fn try_from(text: String) -> Result<Self, NotAKeyName> {
        let good = (1..=KEY_NAME_CHARS_MAX).contains(&text.chars().count())
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+');
        if good { Ok(Self(text)) } else { Err(NotAKeyName(text.chars().take(80).collect())) }
    }
}

impl FromStr for KeyName {
    type Err = NotAKeyName;

    fn from_str(text: &str) -> Result<Self, NotAKeyName> {
        text.to_owned().try_into()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({})", self.0)
    }
}

/// The first four bytes of SHA-256(name ‖ LF ‖ algorithm ‖ public key).
fn key_id(name: &KeyName, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_str());
    hash.update([b'\n', ED25519]);
    hash.update(key.as_bytes());
    let digest = hash.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// A named public key, written `name+keyid+base64(algorithm ‖ key)` (C2SP "verifier key").
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey {
    name: KeyName,
    key: VerifyingKey,
    id: [u8; 4],
}

impl PublicKey {
    fn new(name: KeyName, key: VerifyingKey) -> Self {
        let id = key_id(&name, &key);
        Self { name, key, id }
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The 32 bytes of the key (RFC 8032).
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// A fingerprint for people to compare aloud: 8 groups of 4 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let digits = format!("{:x}", Sha256::digest(self.key.as_bytes()));
        let groups: Vec<&str> = (0..8).map(|i| &digits[i * 4..i * 4 + 4]).collect();
        groups.join(" ")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = vec![ED25519];
        encoded.extend(self.key.as_bytes());
        let id = u32::from_be_bytes(self.id);
        write!(f, "{}+{id:08x}+{}", self.name, BASE64.encode(encoded))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no public key; it is written name+id+base64, as `loaban-controller enrol` prints it"
)]
pub struct NotAKey(String);

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        parse_key(text).ok_or_else(|| NotAKey(text.chars().take(80).collect()))
    }
}

fn parse_key(text: &str) -> Option<PublicKey> {
    let mut parts = text.splitn(3, '+');
    let name: KeyName = parts.next()?.parse().ok()?;
    let id = parts.next()?;
    let encoded = BASE64.decode(parts.next()?).ok()?;
    let (&ED25519, key) = encoded.split_first()? else { return None };
    let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let key = PublicKey::new(name, key);
    (id == format!("{:08x}", u32::from_be_bytes(key.id))).then_some(key)
}

impl TryFrom<String> for PublicKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

/// A named secret key. Its secret is in no `Debug`, no `Display`, no serialisation.
pub struct Signer {
    key: SigningKey,
    public: PublicKey,
    scheme: Scheme,
}

impl Signer {
    /// The key that 32 bytes of secret randomness make.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self::of(name, seed, Scheme::Ed25519)
    }

    /// The key of the same name and bytes whose signatures are a keyed hash: for simulations in
    /// bulk, where nobody would forge them. It reads such notes only, and nothing else reads them.
    #[cfg(feature = "sim")]
    pub fn with_keyed_hash(name: KeyName, seed: &[u8; 32]) -> Self {
        Self::of(name, seed, Scheme::KeyedHash)
    }

    fn of(name: KeyName, seed: &[u8; 32], scheme: Scheme) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self { public: PublicKey::new(name, key.verifying_key()), key, scheme }
    }

    /// The 32 secret bytes, for sealing them away; nobody else has a use for them.
    pub fn seed(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public.clone()
    }

    /// Signs `text`, which must end in a line feed, into a note.
    ///
    /// # Panics
    /// Where `text` does not end in a line feed or holds other control characters: documents are
    /// made by our own encoder, which cannot produce such text.
    pub fn sign(&self, text: &str) -> String {
        assert!(is_note_text(text), "a note's text ends in LF and has no other control characters");
        let signature = self.signature_line(text);
        let mut note = String::with_capacity(text.len() + 1 + signature.len());
        note.extend([text, "\n", &signature]);
        note
    }

    /// Adds a signature under a note that has some already.
    pub fn cosign(&self, note: &str) -> Result<String, NoteError> {
        let parsed = self.read(note.as_bytes())?;
        Ok(format!("{note}{}", self.signature_line(parsed.text())))
    }

    /// Splits a note as [`Note::parse`] does, to be checked in the way that this key signs.
    pub fn read<'a>(&self, bytes: &'a [u8]) -> Result<Note<'a>, NoteError> {
        Ok(Note { scheme: self.scheme, ..Note::parse(bytes)? })
    }

    fn signature_line(&self, text: &str) -> String {
        let mut blob = self.public.id.to_vec();
        blob.extend(self.scheme.sign(&self.key, text));
        format!("— {} {}\n", self.public.name, BASE64.encode(blob))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.name)
    }
}

/// Why a note was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note has {0} bytes, more than the {NOTE_BYTES_MAX} allowed; split what it says")]
    TooLong(usize),
    /// Not text, a blank line, and signature lines.
    #[error("not a signed note: {0}; it was cut or is something else")]
    Malformed(&'static str),
    /// No signature by a key that the reader trusts for this.
    #[error("no signature by a key that may sign this; the note names {0}")]
    Unsigned(String),
    /// A signature by a known key that is wrong: the text was altered.
    #[error("the signature by {0} is wrong: the text was altered or the key is not theirs")]
    Forged(KeyName),
}

/// A note split into its text and signatures; nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
    scheme: Scheme,
}

/// Key name, key id, signature.
type SignatureLine<'a> = (&'a str, [u8; 4], [u8; SIGNATURE_BYTES]);

impl<'a> Note<'a> {
    /// Splits a note at its last blank line.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed("no blank line"))?;
        let (text, block) = (&note[..=split], &note[split + 2..]);
        // Below the text too: what names the signers is shown before anybody verified it.
        if !is_note_text(note) {
            return Err(NoteError::Malformed("control characters, or no line feed at the end"));
        }
        Ok(Self { text, signatures: signatures(block)?, scheme: Scheme::Ed25519 })
    }

    /// What the note says, its last line feed included. **Not verified.**
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Checks every signature by one of `keys` and returns the text with the keys that signed.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<Verified<'a, 'k>, NoteError> {
        let mut signers = Vec::new();
        for key in keys {
            if self.signed_by(key)? {
                signers.push(key);
            }
        }
        if signers.is_empty() {
            let names: Vec<&str> = self.signatures.iter().map(|(name, _, _)| *name).collect();
            return Err(NoteError::Unsigned(names.join(", ")));
        }
        Ok(Verified { text: self.text, signers })
    }

    fn signed_by(&self, key: &PublicKey) -> Result<bool, NoteError> {
        let mut signed = false;
        for (name, id, signature) in &self.signatures {
            if *name != key.name.as_str() || *id != key.id {
                continue;
            }
            if !self.scheme.holds(&key.key, self.text, signature) {
                return Err(NoteError::Forged(key.name.clone()));
            }
            signed = true;
        }
        Ok(signed)
    }
}

/// A note's text with the keys, all known to the caller, whose signatures under it are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<'a, 'k> {
    /// What they signed, its last line feed included.
    pub text: &'a str,
    /// The keys that signed, in the order the caller named them; never empty.
    pub signers: Vec<&'k PublicKey>,
}

/// Words that quote what somebody sent, fit to be shown: an escape in JSON could carry a terminal's commands there.
pub fn legible(words: &impl fmt::Display) -> String {
    words.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn is_note_text(text: &str) -> bool {
    text.ends_with('\n') && text.chars().all(|c| c == '\n' || !c.is_control())
}

fn signatures(block: &str) -> Result<Vec<SignatureLine<'_>>, NoteError> {
    let block = block.strip_suffix('\n').ok_or(NoteError::Malformed("no line feed at the end"))?;
    let mut found = Vec::new();
    for line in block.split('\n') {
        let line = line.strip_prefix("— ").ok_or(NoteError::Malformed("a line is no signature"))?;
        let (name, blob) =
            line.split_once(' ').ok_or(NoteError::Malformed("a signature has no name"))?;
        let blob =
            BASE64.decode(blob).map_err(|_| NoteError::Malformed("a signature is no base64"))?;
        // A signature of another algorithm has another length: unknown, passed over.
        if let Ok(blob) = <[u8; 68]>::try_from(blob) {
            let (id, signature) = blob.split_at(4);
            found.push((
                name,
                id.try_into().expect("split at 4"),
                signature.try_into().expect("68 - 4 = 64"),
            ));
        }
        if found.len() > SIGNATURES_MAX {
            return Err(NoteError::Malformed("more signatures than allowed"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str, byte: u8) -> Signer {
        Signer::from_seed(name.parse().unwrap(), &[byte; 32])
    }

    #[test]
    fn the_example_of_the_standard_verifies() {
        let text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        let key: PublicKey = text.parse().unwrap();
        let note = "This is an example message.\n\n— example.com/foo \
            Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(parsed.verify([&key]).unwrap().text, "This is an example message.\n");
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn what_one_key_signs_only_that_key_opens() {
        let (lan, minh) = (signer("x/content/lan", 1), signer("x/content/minh", 2));
        let note = lan.sign("xin chào\n");
        let parsed = Note::parse(note.as_bytes()).unwrap();
        let (lan, minh) = (lan.public(), minh.public());
        assert_eq!(parsed.verify([&minh, &lan]).unwrap().signers, [&lan]);
        assert_eq!(parsed.verify([&minh]), Err(NoteError::Unsigned("x/content/lan".to_owned())));
    }

    #[test]
    fn an_altered_text_is_refused_by_name() {
        let lan = signer("x/content/lan", 1);
        let note = lan.sign("mở lúc 5 giờ\n").replace('5', "6");
        let parsed = Note::parse(note.as_bytes()).unwrap();
        let key = lan.public();
        assert_eq!(parsed.verify([&key]), Err(NoteError::Forged(key.name().clone())));
    }

    #[test]
    fn a_second_signature_stands_beside_the_first() {
        let (lan, minh) = (signer("x/e/lan", 1), signer("x/e/minh", 2));
        let note = minh.cosign(&lan.sign("lũ quét\n")).unwrap();
        let (lan, minh) = (lan.public(), minh.public());
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(parsed.verify([&lan, &minh]).unwrap().signers.len(), 2);
    }

    #[test]
    fn a_key_with_a_wrong_id_is_no_key() {
        let text = signer("x/content/lan", 1).public().to_string();
        assert!(text.parse::<PublicKey>().is_ok());
        assert!(text.replace("lan+", "lam+").parse::<PublicKey>().is_err());
    }

    #[test]
    fn a_secret_is_in_no_debug_text() {
        assert_eq!(format!("{:?}", signer("x/root/1", 7)), "Signer(x/root/1)");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = Note::parse(&bytes);
        }

        #[test]
        fn any_text_survives_signing(text in "[^\\p{Cc}]{0,80}") {
            let lan = signer("x/content/lan", 1);
            let text = format!("{text}\n");
            let note = lan.sign(&text);
            let key = lan.public();
            let parsed = Note::parse(note.as_bytes()).unwrap();
            proptest::prop_assert_eq!(parsed.verify([&key]).unwrap().text, text.as_str());
        }
    }
}
