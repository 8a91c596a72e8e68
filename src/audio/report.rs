//! Tells the person who sent a recording what is wrong with it and what to do, in Vietnamese and English.
//!
//! A problem has a stable code for machines and a sentence in each language for a clerk. **A sentence says what to
//! do, not only what is wrong.** The verdict is the worst of the problems. The limits are this room's judgement of
//! what an outdoor horn still carries; each stands beside its reason.

use std::fmt;

use serde::Serialize;

use super::chain::{Examination, Measurement, Refusal, Shortfall};
use super::loudness::BLOCK;
use crate::unit::Millis;

/// Whether a recording can be aired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// Nothing to mend.
    #[serde(rename = "good")]
    Good,
    /// It can be aired; the next one could be better.
    #[serde(rename = "usable")]
    Usable,
    /// Listeners would not understand it, or would turn away.
    #[serde(rename = "record again")]
    RecordAgain,
}

impl Verdict {
    /// The word that files and pages carry.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Usable => "usable",
            Self::RecordAgain => "record again",
        }
    }

    /// The same in Vietnamese.
    #[must_use]
    pub const fn vi(self) -> &'static str {
        match self {
            Self::Good => "tốt",
            Self::Usable => "dùng được",
            Self::RecordAgain => "cần thu lại",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A stable word for machines.
    pub code: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What to do, in Vietnamese.
    pub vi: String,
    /// What to do, in English.
    pub en: String,
}

/// All that is wrong, worst first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The worst of the problems.
    pub verdict: Verdict,
    /// The problems.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Sorts problems, worst first, and draws the verdict.
    #[must_use]
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.verdict));
        Self { verdict: problems.first().map_or(Verdict::Good, |worst| worst.verdict), problems }
    }
}

/// Judges a recording as it came in.
#[must_use]
pub fn examine(found: &Examination) -> Report {
    match unheard(found) {
        Some(refusal) => refused(refusal),
        None => Report::new(recorded(found)),
    }
}

/// Why nothing could ever be made of it, where its measurement alone shows that.
fn unheard(found: &Examination) -> Option<Refusal> {
    let loudness = &found.loudness;
    match loudness.duration {
        length if length == Millis::default() => Some(Refusal::Empty),
        length if length < BLOCK => Some(Refusal::TooShort(length)),
        _ => loudness.integrated.is_none().then_some(Refusal::Silent),
    }
}

/// Judges a recording and what became of it.
#[must_use]
pub fn outcome(found: &Measurement) -> Report {
    let mut problems = recorded(&found.recording);
    problems.extend(silence(found));
    problems.extend(found.shortfall.map(shortfall));
    Report::new(problems)
}

/// The report of a recording that was refused.
#[must_use]
pub fn refused(refusal: Refusal) -> Report {
    let vi = match refusal {
        Refusal::Empty => {
            "Tệp không có âm thanh nào; hãy xuất lại từ máy ghi âm hoặc thu lại.".to_owned()
        }
        Refusal::TooShort(length) => {
            format!("Bản ghi chỉ dài {length}; hãy thu ít nhất một câu trọn vẹn.")
        }
        Refusal::Silent => {
            "Bản ghi im lặng; hãy kiểm tra micro đã bật và cắm chắc, rồi thu lại.".to_owned()
        }
        Refusal::TooFaint(loudness) => {
            format!("Bản ghi quá nhỏ ({loudness}); hãy đưa micro gần miệng hơn và thu lại.")
        }
    };
    let en = sentence(&refusal.to_string());
    Report::new(vec![Problem { code: refusal.code(), verdict: Verdict::RecordAgain, vi, en }])
}

/// The problem of a file that ended early: what there is was used.
#[must_use]
pub fn truncated(lost: Option<Millis>) -> Problem {
    let (vi, en) = lost.map_or_else(
        || (String::new(), String::new()),
        |lost| (format!(" (mất {lost})"), format!(" ({lost} are missing)")),
    );
    Problem {
        code: "truncated",
        verdict: Verdict::Usable,
        vi: format!("Tệp bị cắt cụt{vi}; đã dùng phần còn lại. Hãy gửi lại tệp đầy đủ."),
        en: format!(
            "The file ends too early{en}; what there is was used. Send the whole file again."
        ),
    }
}

/// The problem of packets that could not be decoded.
#[must_use]
pub fn damaged(packets: u64) -> Problem {
    Problem {
        code: "damaged",
        verdict: Verdict::Usable,
        vi: format!(
            "{packets} đoạn trong tệp bị hỏng và đã bị bỏ qua; hãy xuất lại tệp rồi gửi lại."
        ),
        en: format!(
            "{packets} pieces of the file are damaged and were left out; export it and send it again."
        ),
    }
}

/// A text with a capital letter and a full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).chain(['.']).collect()
    })
}

/// Below this, words drown even on a good speaker.
const NOISE_HEAVY_DB: f64 = 8.0;
/// Below this, noise is heard in every pause.
const NOISE_HEARD_DB: f64 = 18.0;
/// From this share on, every vowel is distorted.
const CLIPPED_HEAVY: f64 = 0.01;
/// From this share on, clipping is heard as crackle.
const CLIPPED_HEARD: f64 = 0.000_1;
/// Below this, consonants are gone.
const BAND_LOST_HZ: u32 = 2_200;
/// Below this, it sounds like a telephone.
const BAND_NARROW_HZ: u32 = 4_200;
/// Below this, the recorder's own noise comes up with the voice.
const FAINT_LUFS: f64 = -35.0;
/// A silence longer than this was surely not meant.
const SILENCE_LONG: Millis = Millis::from_secs(5);

fn recorded(found: &Examination) -> Vec<Problem> {
    [
        clipping(found),
        noise(found),
        band(found),
        faintness(found),
        phase(found),
        one_side(found),
        glitches(found),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn clipping(found: &Examination) -> Option<Problem> {
    let survey = &found.survey;
    let verdict =
        graded(survey.clipped_share >= CLIPPED_HEARD, survey.clipped_share >= CLIPPED_HEAVY)?;
    let count = survey.clipped_samples;
    let at: Vec<String> = survey.clipped_at.iter().map(ToString::to_string).collect();
    let at = at.join(", ");
    Some(Problem {
        code: "clipped",
        verdict,
        vi: format!(
            "Tiếng bị vỡ ({count} mẫu, tại {at}); hãy giảm mức thu hoặc để micro xa hơn một chút."
        ),
        en: format!(
            "The sound is clipped ({count} samples, at {at}); lower the recording level or step back a little."
        ),
    })
}

fn noise(found: &Examination) -> Option<Problem> {
    let ratio = found.survey.speech_to_noise?;
    let verdict = graded(ratio.get() < NOISE_HEARD_DB, ratio.get() < NOISE_HEAVY_DB)?;
    Some(Problem {
        code: "noisy",
        verdict,
        vi: format!(
            "Tiếng ồn nền lớn (tiếng nói chỉ hơn {ratio}); hãy thu trong phòng yên tĩnh và đưa micro gần hơn."
        ),
        en: format!(
            "The background is noisy (speech is only {ratio} above it); record in a quiet room, microphone nearer."
        ),
    })
}

fn band(found: &Examination) -> Option<Problem> {
    let hz = found.survey.bandwidth_hz?;
    let verdict = graded(hz < BAND_NARROW_HZ, hz < BAND_LOST_HZ)?;
    Some(Problem {
        code: "narrow-band",
        verdict,
        vi: format!(
            "Âm thanh chỉ tới {hz} Hz, như qua điện thoại; hãy thu bằng máy ghi âm hoặc ở 16 kHz trở lên."
        ),
        en: format!(
            "The sound ends at {hz} Hz, as over a telephone; use a recorder, or record at 16 kHz or more."
        ),
    })
}

fn faintness(found: &Examination) -> Option<Problem> {
    let loudness = found.loudness.integrated.filter(|loudness| loudness.get() < FAINT_LUFS)?;
    Some(Problem {
        code: "faint",
        verdict: Verdict::Usable,
        vi: format!("Bản ghi nhỏ ({loudness}); hãy đưa micro gần hơn hoặc tăng mức thu."),
        en: format!(
            "The recording is faint ({loudness}); bring the microphone nearer or raise the recording level."
        ),
    })
}

fn phase(found: &Examination) -> Option<Problem> {
    let channels = &found.channels;
    // One window in ten, so that a single odd moment of music is no problem.
    (channels.cancelling * 10 > channels.judged).then(|| Problem {
        code: "opposite-phase",
        verdict: Verdict::Usable,
        vi: "Hai kênh ngược pha; đã dùng một kênh. Hãy kiểm tra dây micro hoặc thu một kênh (mono).".to_owned(),
        en: "The two channels are of opposite phase; one was used. Check the microphone's cable, or record mono."
            .to_owned(),
    })
}

fn one_side(found: &Examination) -> Option<Problem> {
    let channels = &found.channels;
    (channels.judged > 0 && channels.one_sided * 10 > channels.judged * 9).then(|| Problem {
        code: "one-sided",
        verdict: Verdict::Good,
        vi: "Chỉ một kênh có tiếng; đã dùng kênh đó.".to_owned(),
        en: "Only one channel carries sound; it was used.".to_owned(),
    })
}

fn glitches(found: &Examination) -> Option<Problem> {
    let count = found.channels.not_numbers + found.channels.glitches;
    (count > 0).then(|| Problem {
        code: "glitches",
        verdict: Verdict::Usable,
        vi: format!("Tệp có {count} mẫu bị lỗi, đã được sửa; hãy nghe lại và xuất lại tệp nếu còn tiếng lạ."),
        en: format!("The file holds {count} impossible samples, now mended; listen, and export it again if it crackles."),
    })
}

fn silence(found: &Measurement) -> Option<Problem> {
    let cut = Millis::new(found.cut.lead.get() + found.cut.tail.get() + found.cut.pauses.get());
    (cut >= SILENCE_LONG).then(|| Problem {
        code: "silence-cut",
        verdict: Verdict::Good,
        vi: format!("Đã cắt {cut} im lặng."),
        en: format!("{cut} of silence were cut."),
    })
}

fn shortfall(why: Shortfall) -> Problem {
    let (vi, en) = match why {
        Shortfall::GainBound => (
            "Bản ghi quá nhỏ nên không thể tăng tới mức chuẩn; hãy đưa micro gần hơn và thu lại.",
            "The recording is so faint that it could not be raised to the target; microphone nearer, record again.",
        ),
        Shortfall::Noise => (
            "Tiếng ồn nền quá gần tiếng nói nên bản ghi không được tăng tới mức chuẩn; hãy tắt quạt, đóng cửa, đưa micro gần miệng hơn và thu lại.",
            "The background noise is so near to the voice that the recording was not raised to the target; switch off fans, close the door, bring the microphone nearer and record again.",
        ),
        Shortfall::Ceiling => (
            "Có tiếng đập rất mạnh nên không thể tăng tới mức chuẩn; hãy tránh va chạm micro.",
            "Strong knocks kept the recording below the target; do not touch the microphone or the table.",
        ),
    };
    Problem { code: why.code(), verdict: Verdict::Usable, vi: vi.to_owned(), en: en.to_owned() }
}

/// Usable when the lighter limit is passed, record again when the heavier is.
fn graded(light: bool, heavy: bool) -> Option<Verdict> {
    match (light, heavy) {
        (_, true) => Some(Verdict::RecordAgain),
        (true, false) => Some(Verdict::Usable),
        (false, false) => None,
    }
}
