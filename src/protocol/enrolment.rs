//! What a new device hands to its station: the keys that it made, bound to the code of its box.
//!
//! It travels as a file, never by MQTT: a device has no connection before it.

use serde::{Deserialize, Serialize};

use crate::id::ControllerId;
use crate::note::PublicKey;
use crate::protocol::Document;

/// The keys of a new device; `typ` is `enrolment`. Signed by the device key that it names, and at an
/// enrolment by the key of the one-time code too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Which controller it is to be.
    pub controller: ControllerId,
    /// The device key that it made.
    pub key: PublicKey,
    /// The request that its TLS key be certified, in PEM; left out where the broker speaks no TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Document for Enrolment {
    const TYP: &'static str = "enrolment";
}
