//! The system's randomness: the one place that draws it.

/// `N` random bytes from the operating system.
///
/// # Panics
/// Where the system has none to give: no key may be made then.
#[expect(clippy::disallowed_methods, reason = "this is the room that draws randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A secret of 128 bits as 32 hexadecimal digits: a password or a passphrase that nobody chose.
pub fn secret() -> String {
    crate::digest::hex(&bytes::<16>())
}
