//! The sentences of remarks, in English and in Vietnamese: what is so, and what would mend it.

use std::fmt;

use super::Reason;

mod en;
mod vi;

impl Reason {
    /// The sentence in Vietnamese: what is so, then what would mend it.
    pub fn vi(&self) -> String {
        format!("{}; {}", self.what_vi(), self.mend_vi())
    }
}

impl fmt::Display for Reason {
    /// The sentence in English: what is so, then what would mend it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what_en(), self.mend_en())
    }
}
