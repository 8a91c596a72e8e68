//! Names of things: short, typeable slugs, one type per noun.
//!
//! A slug has 1 to 48 characters of `a-z`, `0-9` and `-`, begins with a letter or a digit and
//! does not end in `-`. It is safe in a file name, an MQTT topic, a key name and a URL.

use std::fmt;
use std::str::FromStr;

/// Characters in an id at most: it must fit a label, a topic level and a file name.
pub const ID_CHARS_MAX: usize = 48;

/// Text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no {noun} id; use 1 to {ID_CHARS_MAX} characters of a-z, 0-9 and -, \
     beginning with a letter or a digit and not ending in -; a controller is not called server, \
     server-… or …-bulk"
)]
pub struct NotAnId {
    noun: &'static str,
    text: String,
}

/// Client ids of connections that are no controller's main one.
fn is_reserved(noun: &str, text: &str) -> bool {
    let reserved = text == "server" || text.starts_with("server-") || text.ends_with("-bulk");
    noun == "controller" && reserved
}

fn check(noun: &'static str, text: &str) -> Result<(), NotAnId> {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    let good = bytes.len() <= ID_CHARS_MAX
        && bytes.first().is_some_and(|&c| plain(c))
        && bytes.last().is_some_and(|&c| plain(c))
        && bytes.iter().all(|&c| plain(c) || c == b'-')
        && !is_reserved(noun, text);
    if good {
        return Ok(());
    }
    let text = text.chars().take(ID_CHARS_MAX + 16).collect();
    Err(NotAnId { noun, text })
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                check($noun, text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                check($noun, &text).map(|()| Self(text.into()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
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
    )+};
}

id! {
    /// The deployment: the third level of every topic, and `net` in every document.
    NetId = "network";
    /// A node of the area tree: province, commune, village.
    AreaId = "area";
    /// A device in an area; also its MQTT user and client id.
    ControllerId = "controller";
    /// A recurring slot.
    ProgrammeId = "programme";
    /// A unit of content.
    BulletinId = "bulletin";
    /// Somebody who works with the station.
    PersonId = "person";
    /// What a villager asked.
    QuestionId = "question";
    /// An emergency, told apart by this id until its expiry.
    EmergencyId = "emergency";
    /// A change that some days make to the programmes: a holiday, a mourning, a storm.
    ExceptionId = "exception";
    /// A token with which a program acts for a person.
    TokenName = "token";
    /// A recording on its way to the station.
    UploadId = "upload";
    /// A label of areas or of programmes, by which others mean them.
    Tag = "tag";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_escape_a_topic_or_a_folder_is_refused() {
        for bad in ["", "-a", "a-", "A", "a/b", "a+", "#", "..", "a b", "bản", &"a".repeat(49)] {
            assert!(bad.parse::<AreaId>().is_err(), "{bad}");
        }
        for good in ["a", "lai-chau", "3-ban", &"a".repeat(48)] {
            assert_eq!(good.parse::<AreaId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_controller_cannot_take_the_client_id_of_another_connection() {
        for bad in ["server", "server-2", "mu-ca-1-bulk"] {
            assert!(bad.parse::<ControllerId>().is_err(), "{bad}");
            assert!(bad.parse::<AreaId>().is_ok(), "{bad}");
        }
    }

    #[test]
    fn the_refusal_names_the_noun_and_the_mend() {
        let sentence = "Mù Cả".parse::<AreaId>().unwrap_err().to_string();
        assert!(sentence.contains("`Mù Cả` is no area id"), "{sentence}");
        assert!(sentence.contains("a-z, 0-9"), "{sentence}");
    }
}
