//! The one-time code of a device: printed on paper, laid into its box, and kept nowhere else.
//!
//! Whoever types it on the device proves that its keys were made by somebody who holds the paper.
//! **The station keeps the public half of a key that the code makes, never the code**: as with a
//! hash nobody finds the code by it, and unlike a hash it does not serve to pretend to know it.
//!
//! Twelve characters of Crockford's base 32 in three groups, the last of them a check: 55 bits.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::id::{ControllerId, NetId};
use crate::note::Signer;

/// Crockford's base 32: no letter that is taken for a digit, and no U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters that are drawn; one more is the check.
pub const CODE_LETTERS: usize = 11;

/// Characters between two hyphens: what people read aloud in one breath.
const GROUP: usize = 4;

/// A one-time code.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// Text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no one-time code: a code has 12 letters and digits in three groups, such as \
     K7M2-9QXP-T4R5, and the last one tells of a slip; read the paper of the box again"
)]
pub struct NotACode(String);

impl Code {
    /// The code that secret randomness makes.
    pub fn of(randomness: [u8; CODE_LETTERS]) -> Self {
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte % 32)]);
        let mut letters: String = randomness.into_iter().map(letter).collect();
        letters.push(check(&letters));
        Self(letters)
    }

    /// The key that it makes for one controller of one network: what signs the device's request.
    pub fn key(&self, net: &NetId, controller: &ControllerId) -> Signer {
        let text = format!("loaban code\n{net}\n{controller}\n{}\n", self.0);
        let name = format!("{net}/code/{controller}");
        let name = name.parse().expect("ids hold no space, no + and no control character");
        Signer::from_seed(name, Digest::of(text.as_bytes()).as_bytes())
    }
}

/// One character of the digest of the others: 31 of 32 slips show before the paper travels back.
fn check(letters: &str) -> char {
    let digest = Digest::of(format!("loaban code check\n{letters}\n").as_bytes());
    char::from(LETTERS[usize::from(digest.as_bytes()[0] % 32)])
}

impl FromStr for Code {
    type Err = NotACode;

    /// Takes it as people type it: in any case, with or without hyphens, O for 0, I and L for 1.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let meant = text.chars().filter(|c| *c != '-' && !c.is_whitespace());
        let meant = meant.map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
        let letters: String = meant.take(CODE_LETTERS + 2).collect();
        let plain = letters.bytes().all(|letter| LETTERS.contains(&letter));
        let whole = plain && letters.len() == CODE_LETTERS + 1;
        match whole.then(|| letters.split_at(CODE_LETTERS)) {
            Some((drawn, last)) if last == check(drawn).to_string() => Ok(Self(letters)),
            _ => Err(NotACode(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, rest) = self.0.split_at(GROUP);
        let (second, third) = rest.split_at(GROUP);
        write!(f, "{first}-{second}-{third}")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Code {
        Code::of([7; CODE_LETTERS])
    }

    fn key(code: &Code, net: &str, controller: &str) -> String {
        code.key(&net.parse().unwrap(), &controller.parse().unwrap()).public().to_string()
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::of([0, 1, 33, 18, 31, 20, 255, 8, 9, 10, 64]);
        let typed = code.to_string().to_lowercase().replace('-', " ").replace('0', "o");
        assert_eq!(typed.replace('1', "l").parse(), Ok(code));
    }

    #[test]
    fn a_slip_is_told_before_the_paper_travels() {
        let right = code().to_string();
        let wrong: Vec<String> = (0..right.len())
            .filter(|at| right.as_bytes()[*at] != b'-')
            .map(|at| format!("{}X{}", &right[..at], &right[at + 1..]))
            .collect();
        let told = wrong.iter().filter(|text| text.parse::<Code>().is_err()).count();
        assert!(told >= wrong.len() - 1, "{told} of {}", wrong.len());
        assert!("K7M2-9QXP".parse::<Code>().unwrap_err().to_string().contains("read the paper"));
    }

    #[test]
    fn a_code_makes_another_key_for_every_controller_and_network() {
        let made = key(&code(), "laichau", "mu-ca-1");
        assert_eq!(made, key(&code(), "laichau", "mu-ca-1"));
        assert_ne!(made, key(&code(), "laichau", "mu-ca-2"));
        assert_ne!(made, key(&code(), "dienbien", "mu-ca-1"));
    }

    #[test]
    fn a_code_shows_itself_on_paper_only() {
        assert_eq!(format!("{:?}", code()), "Code");
    }
}
