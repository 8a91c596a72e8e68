//! Text as it is searched: without tone marks, vowel marks and capitals.
//!
//! `Hỏi đáp Pháp luật` and `hoi dap phap luat` fold to the same words, whichever of Unicode's
//! forms they were typed in. Only the marks of Latin letters go: the vowels of Tai Viet and the
//! like are letters of their own and stay. **Folded text is for finding, never for showing.**

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The marks of Latin letters: tones, circumflex, breve, horn.
fn is_latin_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

fn plain(c: char) -> char {
    // Unicode does not take đ apart: its stroke is no mark.
    if c == 'đ' { 'd' } else { c }
}

/// The words of `text`, folded, in their order. Signs part words: `15/2020/NĐ-CP` is four.
pub fn words(text: &str) -> Vec<String> {
    let lower = text.chars().flat_map(char::to_lowercase);
    let folded: String = lower.nfd().filter(|c| !is_latin_mark(*c)).map(plain).collect();
    let recomposed: String = folded.nfc().collect();
    let inside = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    recomposed
        .split(|c| !inside(c))
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// `text` as one line of folded words.
pub fn line(text: &str) -> String {
    words(text).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_folds_to_its_plain_one_in_both_forms() {
        let text = "ĂÂĐÊÔƠƯ ăâđêôơư àảãáạ ằẳẵắặ ầẩẫấậ èẻẽéẹ ềểễếệ ìỉĩíị òỏõóọ ồổỗốộ ờởỡớợ ùủũúụ ừửữứự ỳỷỹýỵ";
        let plain = "aadeoou aadeoou aaaaa aaaaa aaaaa eeeee eeeee iiiii ooooo ooooo ooooo uuuuu uuuuu yyyyy";
        assert_eq!(line(text), plain);
        assert_eq!(line(&text.nfd().collect::<String>()), plain);
    }

    #[test]
    fn signs_part_words_and_numbers_stay() {
        assert_eq!(
            words("Nghị định số 15/2020/NĐ-CP."),
            ["nghi", "dinh", "so", "15", "2020", "nd", "cp"]
        );
        assert!(words(" … – ").is_empty());
    }

    #[test]
    fn the_vowels_of_tai_viet_are_letters_and_stay() {
        assert_eq!(words("ꪼꪕ ꪎꪲ"), ["ꪼꪕ", "ꪎꪲ"]);
    }

    proptest::proptest! {
        #[test]
        fn folding_what_is_folded_changes_nothing(text in ".{0,60}") {
            let once = line(&text);
            proptest::prop_assert_eq!(line(&once), once);
        }
    }
}
