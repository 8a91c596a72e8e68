//! Documents in their envelope: the first members of the line, and strict reading.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::id::NetId;
use crate::note::{NOTE_BYTES_MAX, legible};

/// A document with a name on the wire.
pub trait Document: Serialize + DeserializeOwned {
    /// The value of `typ`.
    const TYP: &'static str;
}

/// Why a document was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The first members are not those of this protocol, type and network.
    #[error("not a {typ} document of network {net}: it does not begin with {prefix}")]
    Header {
        /// The type that was expected.
        typ: &'static str,
        /// The network that was expected.
        net: NetId,
        /// What it must begin with.
        prefix: String,
    },
    /// More than one line.
    #[error("a {0} document is one line that ends in a line feed")]
    Lines(&'static str),
    /// A member is missing, unknown, of another type or out of its range.
    #[error("the {typ} document cannot be read: {why}")]
    Body {
        /// The type that was expected.
        typ: &'static str,
        /// The parser's words.
        why: String,
    },
}

fn prefix(typ: &str, net: &NetId) -> String {
    format!(r#"{{"v":{},"typ":"{typ}","net":"{net}","#, super::VERSION)
}

/// The one line, its line feed included, that says `document` in network `net`.
///
/// # Panics
/// Where a document has no members or is longer than a note may be: the limits of each body keep
/// it far below.
pub fn encode<D: Document>(net: &NetId, document: &D) -> String {
    let body = serde_json::to_string(document).expect("documents have text keys");
    let members = body.strip_prefix('{').expect("a document is an object");
    assert!(members.len() > 1, "a document has members");
    let line = format!("{}{members}\n", prefix(D::TYP, net));
    assert!(line.len() < NOTE_BYTES_MAX, "a {} document outgrew its limits", D::TYP);
    line
}

/// Reads the document that `text`, verified before, says in network `net`.
pub fn decode<D: Document>(net: &NetId, text: &str) -> Result<D, EnvelopeError> {
    let typ = D::TYP;
    let line = text.strip_suffix('\n').filter(|line| !line.contains('\n'));
    let line = line.ok_or(EnvelopeError::Lines(typ))?;
    let prefix = prefix(typ, net);
    let Some(members) = line.strip_prefix(&prefix) else {
        return Err(EnvelopeError::Header { typ, net: net.clone(), prefix });
    };
    serde_json::from_str(&format!("{{{members}"))
        .map_err(|e| EnvelopeError::Body { typ, why: legible(&e) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ClockAsk;
    use crate::time::Timestamp;

    fn ask() -> ClockAsk {
        let t1 = Timestamp::from_seconds(1);
        ClockAsk { controller: "c-1".parse().unwrap(), nonce: "ab".repeat(8), t1 }
    }

    fn net(name: &str) -> NetId {
        name.parse().unwrap()
    }

    #[test]
    fn a_document_reads_back_in_its_own_network_only() {
        let line = encode(&net("laichau"), &ask());
        assert!(line.starts_with(r#"{"v":1,"typ":"clock","net":"laichau","controller":"c-1""#));
        assert_eq!(decode::<ClockAsk>(&net("laichau"), &line), Ok(ask()));
        assert!(matches!(
            decode::<ClockAsk>(&net("dienbien"), &line),
            Err(EnvelopeError::Header { .. })
        ));
    }

    #[test]
    fn an_error_carries_no_command_for_a_terminal() {
        let line = encode(&net("x"), &ask()).replace("\"nonce\"", r#""\u001b[2J""#);
        let fault = decode::<ClockAsk>(&net("x"), &line).unwrap_err().to_string();
        assert!(fault.contains("unknown field `\u{fffd}[2J`"), "{fault}");
    }

    #[test]
    fn unknown_members_fractions_and_second_lines_are_refused() {
        let line = encode(&net("x"), &ask());
        let broken = [
            line.replace("}\n", ",\"extra\":1}\n"),
            line.replace("}\n", ",\"net\":\"y\"}\n"),
            line.replace("1000000", "1000000.5"),
            line.replace("1000000", "1e6"),
            format!("{line}{line}"),
            line.trim_end().to_owned(),
        ];
        for text in broken {
            assert!(decode::<ClockAsk>(&net("x"), &text).is_err(), "{text}");
        }
    }
}
