//! Parsers for the plain values that have no type of their own: whole numbers, switches, words.
//!
//! Each is an argument to [`Table::required`](super::Table::required) and its kin.

use std::convert::Infallible;
use std::ops::RangeInclusive;

/// A whole number inside `range`.
pub fn within<N: TryFrom<i64>>(range: RangeInclusive<i64>) -> impl Fn(i64) -> Result<N, String> {
    move |number| {
        let fits = range.contains(&number).then(|| N::try_from(number).ok()).flatten();
        fits.ok_or_else(|| {
            format!("{number} is outside {} to {}; choose inside it", range.start(), range.end())
        })
    }
}

/// `true` or `false`.
#[expect(clippy::unnecessary_wraps, reason = "every parser has this shape")]
pub fn switch(on: bool) -> Result<bool, Infallible> {
    Ok(on)
}

/// 1 to `chars_max` characters on one line, without blanks at its ends.
pub fn words(chars_max: usize) -> impl Fn(&str) -> Result<String, String> {
    move |text| {
        let length = text.chars().count();
        if text.trim() != text || text.is_empty() || text.chars().any(char::is_control) {
            return Err("write one line of text without blanks at its ends".to_owned());
        }
        if length > chars_max {
            return Err(format!("{length} characters are more than {chars_max}; shorten it"));
        }
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_range_or_its_type_is_refused_with_the_range() {
        assert_eq!(within::<u16>(1..=7)(7), Ok(7));
        assert!(within::<u16>(1..=7)(8).unwrap_err().contains("1 to 7"));
        assert!(within::<u8>(0..=1000)(256).is_err());
    }

    #[test]
    fn words_are_one_trimmed_line() {
        assert!(words(5)("Bản").is_ok());
        for bad in ["", " a", "a\nb", "abcdef"] {
            assert!(words(5)(bad).is_err(), "{bad}");
        }
    }
}
