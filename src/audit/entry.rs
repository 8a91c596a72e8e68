//! One entry of the broadcast log: a fact as one line of JSON.
//!
//! ```json
//! {"v":1,"fact":"f-000812","at":1795301400000000,"kind":"version.approved","who":"person:lan","body":{"version":"…"}}
//! ```
//!
//! The bytes of an entry are exactly that line without its line feed; they are what the tree
//! hashes. `body` keeps the bytes it was given. A kind that the reader does not know is no fault:
//! the log outlives the programs that read it. A correction is a new entry whose body names, in
//! `corrects`, the fact that it corrects.
//!
//! **An entry has at most 65,535 bytes**, because an entry bundle of C2SP `tlog-tiles` writes the
//! length in 16 bits, and a log that any such tool can read is worth more than long entries. A
//! signed note enters as a JSON text, in which no character of a note takes more than two bytes
//! for one: [`NOTE_IN_ENTRY_BYTES_MAX`] always fits, and a batch of 64 receipts is below it. A
//! longer document enters by its digest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::{ControllerId, PersonId};
use crate::time::Timestamp;

/// Bytes in an entry at most (C2SP `tlog-tiles`: a length of 16 bits).
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// A signed note of so many bytes fits an entry whatever it says: twice that, and 1,535 bytes for
/// the rest of the entry.
pub const NOTE_IN_ENTRY_BYTES_MAX: usize = 32_000;

/// Characters in the id of a fact at most.
pub const FACT_ID_CHARS_MAX: usize = 96;

/// Characters in a kind at most.
pub const KIND_CHARS_MAX: usize = 64;

/// The version of the line that this code writes.
const VERSION: u8 = 1;

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $error:ident, $max:ident, $signs:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        #[doc = concat!("Text that is no [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($rule, .0, max = $max)]
        pub struct $error(String);

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || $signs.contains(&c);
                let fits = (1..=$max).contains(&text.len()) && text.bytes().all(good);
                if fits { Ok(Self(text)) } else { Err($error(text.chars().take(120).collect())) }
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

word! {
    /// The store's id of a fact: unique in the log, so that a fact is logged once.
    FactId, NotAFactId, FACT_ID_CHARS_MAX, b"-_.:/ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "`{}` is no id of a fact; use 1 to {max} characters of a-z, A-Z, 0-9 and -_.:/"
}

word! {
    /// What kind of fact: a noun and what happened to it, such as `version.approved`.
    Kind, NotAKind, KIND_CHARS_MAX, b"-.",
    "`{}` is no kind of fact; use 1 to {max} characters of a-z, 0-9, - and ., such as version.approved"
}

/// Who did it: `server`, `person:<id>` or `controller:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// The server, of itself.
    Server,
    /// Somebody who works with the station.
    Person(PersonId),
    /// A device.
    Controller(ControllerId),
}

/// Text that names no actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no actor; write server, person:<id> or controller:<id>")]
pub struct NotAnActor(String);

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Controller(id) => write!(f, "controller:{id}"),
        }
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        let actor = match text.split_once(':') {
            None if text == "server" => Some(Self::Server),
            Some(("person", id)) => id.parse().ok().map(Self::Person),
            Some(("controller", id)) => id.parse().ok().map(Self::Controller),
            _ => None,
        };
        actor.ok_or_else(|| NotAnActor(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for Actor {
    type Error = NotAnActor;

    fn try_from(text: String) -> Result<Self, NotAnActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// Why something is no entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// More than [`ENTRY_BYTES_MAX`].
    #[error(
        "the entry of fact {fact} has {bytes} bytes, more than the {ENTRY_BYTES_MAX} allowed; \
         log its long document by digest, or split the batch"
    )]
    TooLong {
        /// The fact, as far as it is known.
        fact: String,
        /// Its length.
        bytes: usize,
    },
    /// The body is no JSON object.
    #[error("the body of fact {0} is no JSON object; name its parts: {{\"name\":value}}")]
    NotAnObject(FactId),
    /// The body has a line feed or another control character.
    #[error("the entry of fact {0} is no single line; write its body as compact JSON")]
    NotALine(String),
    /// A version of the line that this code does not know.
    #[error("the entry has version {0}, and this program knows {VERSION}; use a newer program")]
    Version(u64),
    /// No JSON, or not with these fields.
    #[error("not an entry of the log; it was altered or is something else")]
    Json(#[source] serde_json::Error),
}

/// One entry: a fact, when, of what kind, by whom.
#[derive(Clone)]
pub struct Entry {
    fact: FactId,
    at: Timestamp,
    kind: Kind,
    who: Option<Actor>,
    body: Box<RawValue>,
    line: String,
}

/// The fields as they stand in the line, in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    v: u64,
    fact: FactId,
    at: Timestamp,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    who: Option<Actor>,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Entry {
    /// Makes the entry of a fact whose particulars are `body`, which must become a JSON object.
    pub fn new(
        fact: FactId,
        at: Timestamp,
        kind: Kind,
        who: Option<Actor>,
        body: &impl Serialize,
    ) -> Result<Self, EntryError> {
        let body = serde_json::value::to_raw_value(body).map_err(EntryError::Json)?;
        let line = Line { v: VERSION.into(), fact, at, kind, who, body: &body };
        let text = serde_json::to_string(&line).map_err(EntryError::Json)?;
        Self::checked(line, text)
    }

    /// Reads an entry from its bytes, which stay as they are.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong { fact: "(unread)".to_owned(), bytes: bytes.len() });
        }
        let text =
            std::str::from_utf8(bytes).map_err(|_| EntryError::NotALine("(unread)".to_owned()))?;
        let line: Line<'_> = serde_json::from_str(text).map_err(EntryError::Json)?;
        Self::checked(line, text.to_owned())
    }

    /// The fact that the bytes of an entry speak of, without reading the rest; `None` where they
    /// are no entry.
    pub fn fact_in(bytes: &[u8]) -> Option<FactId> {
        #[derive(Deserialize)]
        struct Named {
            fact: FactId,
        }
        serde_json::from_slice::<Named>(bytes).ok().map(|named| named.fact)
    }

    fn checked(line: Line<'_>, text: String) -> Result<Self, EntryError> {
        let Line { v, fact, at, kind, who, body } = line;
        if v != u64::from(VERSION) {
            return Err(EntryError::Version(v));
        }
        if text.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong { fact: fact.to_string(), bytes: text.len() });
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(EntryError::NotALine(fact.to_string()));
        }
        if !body.get().starts_with('{') {
            return Err(EntryError::NotAnObject(fact));
        }
        Ok(Self { fact, at, kind, who, body: body.to_owned(), line: text })
    }

    /// The store's id of the fact.
    pub fn fact(&self) -> &FactId {
        &self.fact
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What kind of fact.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Who did it, where that is known.
    pub fn who(&self) -> Option<&Actor> {
        self.who.as_ref()
    }

    /// The particulars: a JSON object, byte for byte as it was logged.
    pub fn body(&self) -> &RawValue {
        &self.body
    }

    /// The entry as it is logged: one line of JSON without its line feed.
    pub fn as_str(&self) -> &str {
        &self.line
    }

    /// The bytes that the tree hashes.
    pub fn bytes(&self) -> &[u8] {
        self.line.as_bytes()
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line
    }
}

impl Eq for Entry {}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({})", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fact: &str, body: &impl Serialize) -> Result<Entry, EntryError> {
        let (at, kind) = (Timestamp::from_seconds(7), "version.approved".parse().unwrap());
        Entry::new(fact.parse().unwrap(), at, kind, Some("person:lan".parse().unwrap()), body)
    }

    #[test]
    fn an_entry_is_one_line_and_reads_back_byte_for_byte() {
        let made = entry("f-1", &serde_json::json!({"version": "bản tin"})).unwrap();
        let line = r#"{"v":1,"fact":"f-1","at":7000000,"kind":"version.approved","who":"person:lan","body":{"version":"bản tin"}}"#;
        assert_eq!(made.as_str(), line);
        assert_eq!(Entry::parse(line.as_bytes()).unwrap(), made);
    }

    #[test]
    fn a_body_keeps_the_spelling_it_was_given() {
        let line =
            r#"{"v":1,"fact":"f-1","at":7,"kind":"new.kind","body":{ "n": 1.50, "t": "\u0041" }}"#;
        let read = Entry::parse(line.as_bytes()).unwrap();
        assert_eq!(read.as_str(), line);
        assert_eq!(read.body().get(), r#"{ "n": 1.50, "t": "\u0041" }"#);
        assert_eq!(read.who(), None);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let line = |text: &str| Entry::parse(text.as_bytes());
        assert!(matches!(line("{}"), Err(EntryError::Json(_))));
        let unknown = r#"{"v":1,"fact":"f","at":7,"kind":"k","body":{},"more":1}"#;
        assert!(matches!(line(unknown), Err(EntryError::Json(_))));
        let newer = r#"{"v":2,"fact":"f","at":7,"kind":"k","body":{}}"#;
        assert!(matches!(line(newer), Err(EntryError::Version(2))));
        let lines = "{\"v\":1,\"fact\":\"f\",\"at\":7,\"kind\":\"k\",\"body\":{\n}}";
        assert!(matches!(line(lines), Err(EntryError::NotALine(_))));
        assert!(matches!(entry("f", &[1]), Err(EntryError::NotAnObject(_))));
    }

    #[test]
    fn the_longest_note_fits_whatever_it_says() {
        let note = "\"".repeat(NOTE_IN_ENTRY_BYTES_MAX);
        let made = entry(&"f".repeat(FACT_ID_CHARS_MAX), &serde_json::json!({"note": note}));
        assert!(made.is_ok());
        let note = "\"".repeat(NOTE_IN_ENTRY_BYTES_MAX + 800);
        let refused = entry("f-9", &serde_json::json!({"note": note})).unwrap_err().to_string();
        assert!(refused.contains("fact f-9 has 65"), "{refused}");
    }

    #[test]
    fn an_actor_is_the_server_a_person_or_a_controller() {
        for good in ["server", "person:lan", "controller:ka-lang-1"] {
            assert_eq!(good.parse::<Actor>().unwrap().to_string(), good);
        }
        for bad in ["", "lan", "person:", "person:Lan", "server:", "broker:x"] {
            assert!(bad.parse::<Actor>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = Entry::parse(&bytes);
        }
    }
}
