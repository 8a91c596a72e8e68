//! What came of a test tone, in words.

use crate::receipt::{TestPart, Tested};
use crate::server::{Answer, SelfTest};
use crate::time::{Timestamp, Zone};
use crate::web::commune::speaker::moment;
use crate::web::tongue::Tongue;

/// A self-test as a speaker's card shows it.
pub(super) struct Tone {
    pub(super) class: &'static str,
    /// When it was ordered and what came of it.
    pub(super) told: String,
    /// What else it found not to be well.
    pub(super) faults: Vec<String>,
}

/// What controllers say of a tone that did not sound, and what that means.
const WHY: [(&str, &str); 8] = [
    ("no sound in quiet hours", "đang trong giờ yên lặng đặt tại thiết bị"),
    ("something else plays", "loa đang phát thứ khác; hãy thử lại sau"),
    ("the local stop is on", "nút tắt tại chỗ đang bật"),
    ("stopped before its end", "bị dừng giữa chừng"),
    ("no order is taken before", "đồng hồ của loa chưa tin cậy được; hãy chờ loa hỏi giờ"),
    ("expired at", "lệnh đến khi đã hết hạn; hãy thử lại"),
    ("is not newer than", "loa đã nhận lệnh mới hơn"),
    ("the order is for", "lệnh gửi nhầm thiết bị"),
];

fn why(words: &str, tongue: Tongue) -> String {
    let known = WHY.iter().find(|(said, _)| words.contains(said));
    match (tongue, known) {
        (Tongue::Vi, Some((_, vi))) => (*vi).to_owned(),
        (Tongue::Vi | Tongue::En, _) => words.to_owned(),
    }
}

impl Tone {
    pub(super) fn of(test: &SelfTest, tongue: Tongue, zone: Zone, now: Timestamp) -> Self {
        let (class, told) = match &test.answer {
            Answer::Waiting => (
                "kept",
                tongue.say("đã gửi lệnh, loa chưa trả lời", "ordered, not answered yet").to_owned(),
            ),
            Answer::Silent => (
                "warn",
                tongue
                    .say(
                        "loa không trả lời và lệnh đã hết hạn; kiểm tra điện và mạng rồi thử lại",
                        "not answered, and the order has expired; look at power and link, try again",
                    )
                    .to_owned(),
            ),
            Answer::Taken => (
                "kept",
                tongue
                    .say(
                        "loa đã nhận lệnh, chờ báo kết quả",
                        "the speaker took the order; its findings are to come",
                    )
                    .to_owned(),
            ),
            Answer::Refused(words) => {
                let refused = tongue.say("loa từ chối lệnh", "the speaker refused the order");
                ("bad", format!("{refused}: {}", why(words, tongue)))
            }
            Answer::Found(tests) => sounded(tests, tongue),
        };
        let name = tongue.say("Thử loa lúc", "Test tone at");
        let told = format!("{name} {}: {told}", moment(zone, test.asked, now));
        Self { class, told, faults: faults(&test.answer, tongue) }
    }
}

fn sounded(tests: &[Tested], tongue: Tongue) -> (&'static str, String) {
    match tests.iter().find(|test| test.part == TestPart::Tone) {
        Some(tone) if tone.well => (
            "good",
            tongue.say("loa báo đã kêu trọn", "the speaker says that it sounded").to_owned(),
        ),
        Some(tone) => {
            let silent = tongue.say("KHÔNG kêu", "it did NOT sound");
            ("bad", format!("{silent}: {}", why(&tone.found, tongue)))
        }
        None => {
            ("warn", tongue.say("loa không nói về tiếng", "nothing is said of the tone").into())
        }
    }
}

/// What else is not well; the device's own words stand behind it.
fn faults(answer: &Answer, tongue: Tongue) -> Vec<String> {
    let Answer::Found(tests) = answer else { return Vec::new() };
    let fault = |test: &Tested| {
        let part = match test.part {
            TestPart::Tone => return None,
            TestPart::Storage => tongue.say("bộ nhớ không tốt", "storage is not well"),
            TestPart::Link => tongue.say("mất kết nối máy chủ", "the link is not well"),
            TestPart::Clock => tongue.say("đồng hồ lệch", "the clock is off"),
            TestPart::Amplifier => tongue.say(
                "âm ly không có dòng điện: loa có thể không ra tiếng",
                "the amplifier drew no current: it may not have been heard",
            ),
        };
        (!test.well).then(|| format!("{part} ({})", test.found))
    };
    tests.iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answer: Answer) -> Tone {
        let at = Timestamp::from_seconds(1_795_300_000);
        Tone::of(&SelfTest { asked: at, answer }, Tongue::Vi, Zone::default(), at)
    }

    fn tested(part: TestPart, well: bool, found: &str) -> Tested {
        Tested { part, well, found: found.to_owned() }
    }

    #[test]
    fn a_tone_that_did_not_sound_says_why_in_words() {
        for (said, vi) in WHY {
            let tone = told(Answer::Found(vec![tested(TestPart::Tone, false, said)]));
            assert_eq!(tone.class, "bad");
            assert!(tone.told.ends_with(&format!("KHÔNG kêu: {vi}")), "{}", tone.told);
            assert!(told(Answer::Refused(format!("order 7 {said} 6"))).told.contains(vi));
        }
    }

    #[test]
    fn a_tone_that_sounded_with_a_dead_amplifier_says_both() {
        let tests = vec![
            tested(TestPart::Tone, true, "played to its end"),
            tested(TestPart::Link, true, "connected to the broker"),
            tested(TestPart::Amplifier, false, "no current was told of the tone"),
        ];
        let tone = told(Answer::Found(tests));
        assert_eq!(tone.class, "good");
        assert_eq!(tone.faults.len(), 1, "{:?}", tone.faults);
        assert!(tone.faults[0].contains("âm ly"), "{:?}", tone.faults);
    }

    #[test]
    fn what_is_not_answered_is_told_as_such() {
        assert!(told(Answer::Waiting).told.contains("chưa trả lời"));
        assert!(told(Answer::Silent).told.contains("không trả lời"));
        assert!(told(Answer::Taken).told.contains("đã nhận lệnh"));
    }
}
