//! Columns: the named places of a station's programme, such as "Hỏi đáp pháp luật".
//!
//! A column is free text; the usual ones are data, and a station adds its own.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

/// Characters in a column's name at most.
pub const COLUMN_CHARS_MAX: usize = 80;

/// The columns that stations usually have.
pub const USUAL: [&str; 12] = [
    "Thời sự",
    "Hỏi đáp pháp luật",
    "An toàn giao thông",
    "Thông tin chính sách",
    "Chính sách dân tộc và tôn giáo",
    "Phòng chống thiên tai",
    "Sức khoẻ cho mọi người",
    "Khuyến nông",
    "Giáo dục",
    "Văn hoá văn nghệ",
    "An ninh trật tự",
    "Thông báo của xã",
];

/// A column's name in Unicode normalisation form C, without blanks at its ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Column(String);

/// Text that names no column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no column; write 1 to {COLUMN_CHARS_MAX} characters on one line, such as Hỏi đáp pháp luật"
)]
pub struct NotAColumn(String);

impl Column {
    /// The usual columns.
    pub fn usual() -> impl Iterator<Item = Self> {
        USUAL.into_iter().map(|name| name.parse().expect("the usual columns are columns"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Column {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Column {
    type Err = NotAColumn;

    fn from_str(text: &str) -> Result<Self, NotAColumn> {
        let refuse = || NotAColumn(text.chars().take(COLUMN_CHARS_MAX + 16).collect());
        // Normalising may lengthen text threefold; what is far too long is not even tried.
        if text.len() > 16 * COLUMN_CHARS_MAX {
            return Err(refuse());
        }
        let name: String = text.trim().nfc().collect();
        let good = (1..=COLUMN_CHARS_MAX).contains(&name.chars().count())
            && !name.chars().any(char::is_control);
        if good { Ok(Self(name)) } else { Err(refuse()) }
    }
}

impl TryFrom<String> for Column {
    type Error = NotAColumn;

    fn try_from(text: String) -> Result<Self, NotAColumn> {
        text.parse()
    }
}

impl From<Column> for String {
    fn from(column: Column) -> Self {
        column.0
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_typed_with_loose_accents_is_the_same_column() {
        let loose = "Ho\u{309}i đa\u{301}p pha\u{301}p luật";
        assert_eq!(loose.parse::<Column>(), "Hỏi đáp pháp luật".parse());
    }

    #[test]
    fn nothing_and_too_much_name_no_column() {
        for bad in ["", "  ", "a\nb", &"a".repeat(COLUMN_CHARS_MAX + 1), &"a".repeat(100_000)] {
            assert!(bad.parse::<Column>().is_err());
        }
        assert_eq!(Column::usual().count(), USUAL.len());
    }
}
