//! The answer in Vietnamese and English: the sentence, the facts and what would mend it.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Answer, Evidence, Fact, Question, Silence, Verdict, WallClock, state};
use crate::lang::LangTag;
use crate::schedule::Reason;
use crate::schedule::remark::Missing;
use crate::time::{Timestamp, Zone};

/// The same in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

fn both(vi: impl Into<String>, en: impl Into<String>) -> Words {
    Words { vi: vi.into(), en: en.into() }
}

/// Cause of the wire; what it means and what would mend it, in Vietnamese and in English.
const CAUSES: [(&str, &str, &str, &str, &str); 17] = [
    (
        "quiet",
        "bộ thu đang trong giờ yên lặng đặt tại thiết bị",
        "the controller was in the quiet hours of its own settings",
        "sửa giờ yên lặng trong `controller.toml`, hoặc dời giờ phát",
        "mend the quiet hours in its `controller.toml`, or air it at another time",
    ),
    (
        "policy",
        "ngoài khung giờ phát đã ký",
        "it was outside the signed airtime policy",
        "dời giờ phát hoặc mở rộng khung giờ của xã",
        "move it, or widen the commune's window",
    ),
    (
        "clock",
        "đồng hồ của bộ thu chưa tin cậy được",
        "the controller could not trust its clock",
        "khôi phục đường truyền để bộ thu hỏi giờ; kiểm tra pin đồng hồ",
        "restore its link so that it can ask the time; check the battery of its clock",
    ),
    (
        "missing",
        "bản ghi âm chưa về đến bộ thu",
        "the recording had not arrived at the controller",
        "khôi phục đường truyền; duyệt bản tin sớm hơn giờ phát",
        "restore its link; approve earlier before air",
    ),
    (
        "expired",
        "lịch hoặc bản tin đã hết hạn tại bộ thu",
        "the schedule or the bulletin had run out at the controller",
        "khôi phục đường truyền để nhận lịch mới; gia hạn bản tin",
        "restore its link for a new schedule; let the bulletin hold longer",
    ),
    (
        "refused",
        "bộ thu từ chối: chữ ký, địa bàn hoặc ngôn ngữ không hợp lệ",
        "the controller refused it: a signature, an area or a language was not right",
        "xem biên nhận từ chối, duyệt lại bằng khoá còn hiệu lực",
        "look at the refusal's receipt; approve again with a key that counts",
    ),
    (
        "storage",
        "bộ nhớ biên nhận của bộ thu đã đầy",
        "the controller's storage for receipts was full",
        "khôi phục đường truyền để biên nhận được xác nhận",
        "restore its link so that receipts are acknowledged",
    ),
    (
        "power",
        "bộ thu mất điện",
        "the controller was without power",
        "kiểm tra nguồn điện; phát lại vào giờ khác",
        "check its power; air it again at another time",
    ),
    (
        "emergency",
        "nhường bản tin khẩn cấp",
        "an emergency sounded",
        "phát lại vào giờ khác",
        "air it again at another time",
    ),
    (
        "stopped",
        "có người dừng phát bằng lệnh hoặc công tắc tại chỗ",
        "somebody stopped it by an order or the switch on the spot",
        "hỏi người trực tại xã; phát lại",
        "ask who was on duty; air it again",
    ),
    (
        "sound",
        "thiết bị âm thanh hoặc bản ghi âm bị lỗi",
        "the sound device or the recording failed",
        "chạy tự kiểm tra bộ thu; kiểm tra loa",
        "run the controller's self-test; look at the speaker",
    ),
    (
        "busy",
        "bộ thu đang phát chương trình khác",
        "another airing was still playing",
        "dời một trong hai chương trình",
        "move one of the two programmes",
    ),
    (
        "withdrawn",
        "bản tin đã bị thu hồi",
        "the bulletin was withdrawn",
        "thu âm và duyệt bản mới",
        "record and approve a new version",
    ),
    (
        "lost",
        "mất liên lạc với bộ thu",
        "the controller's link was lost",
        "khôi phục đường truyền",
        "restore its link",
    ),
    (
        "revoked",
        "thiết bị ở đó đã bị thu hồi, nên không có biên nhận",
        "the device there was revoked, so there is no receipt",
        "cấp một thiết bị khác rồi ghi danh",
        "provision another device and enrol it",
    ),
    (
        "exchanged",
        "thiết bị ở đó đã được thay trước khi gửi biên nhận",
        "the device there was exchanged before it sent its receipt",
        "giữ lại thẻ nhớ của thiết bị cũ: biên nhận còn ở đó",
        "keep the card of the old device: its receipts are on it",
    ),
    (
        "unenrolled",
        "chưa có thiết bị nào được ghi danh ở đó",
        "no device was enrolled there",
        "cấp một thiết bị rồi ghi danh",
        "provision a device and enrol it",
    ),
];

/// The meaning of a cause; the word itself where it is a new one.
fn cause(word: &str) -> (Words, Words) {
    let found = CAUSES.iter().find(|(cause, ..)| *cause == word);
    found.map_or_else(
        || (both(word, word), both("xem biên nhận", "look at the receipt")),
        |(_, vi, en, mend_vi, mend_en)| (both(*vi, *en), both(*mend_vi, *mend_en)),
    )
}

fn clock(zone: Zone, at: Timestamp) -> WallClock {
    WallClock::of(zone, at)
}

pub(super) fn answer(question: &Question<'_>, evidence: &Evidence, verdict: &Verdict) -> Words {
    let (bulletin, date) = (question.bulletin, question.date);
    let village = question.world.tree.get(&question.controller.area);
    let village = village.map_or(question.controller.id.as_str(), |area| area.name.as_str());
    let why = why(question, evidence, verdict);
    if *verdict == Verdict::Heard {
        let (vi, en) = heard(question, evidence);
        return both(
            format!("{village} đã nghe {bulletin}: {vi}."),
            format!("{village} heard {bulletin}: {en}."),
        );
    }
    if *verdict == Verdict::ToCome {
        return both(
            format!("{village} sẽ nghe {bulletin} ngày {date}: {}.", why.vi),
            format!("{village} is to hear {bulletin} on {date}: {}.", why.en),
        );
    }
    both(
        format!("{village} không nghe {bulletin} ngày {date}: {}.", why.vi),
        format!("{village} did not hear {bulletin} on {date}: {}.", why.en),
    )
}

fn heard(question: &Question<'_>, evidence: &Evidence) -> (String, String) {
    let zone = question.world.zone;
    let (mut vi, mut en) = (Vec::new(), Vec::new());
    for told in evidence.told.iter().filter(|told| told.whole) {
        let at = told.begun.map_or_else(String::new, |at| clock(zone, at).to_string());
        let (language, proof) = (&told.language, &told.evidence);
        vi.push(format!("{}, lượt phát bắt đầu {at}, bằng chứng {proof}", language.name_vi()));
        en.push(format!("in {}, airing begun {at}, evidence {proof}", language.name_en()));
    }
    (vi.join("; "), en.join("; "))
}

/// Why not, or when.
fn why(question: &Question<'_>, evidence: &Evidence, verdict: &Verdict) -> Words {
    let zone = question.world.zone;
    match verdict {
        Verdict::Heard => both("", ""),
        Verdict::NotPlayed { cause: word } => cause(word).0,
        Verdict::Awaited => awaited(zone, evidence),
        Verdict::Dropped => both(
            "lịch mới đã bỏ lượt phát này trước giờ phát",
            "a newer schedule left its airing out before it began",
        ),
        Verdict::ToCome => to_come(question, evidence),
        Verdict::NotIssued => both(
            "có trong kế hoạch nhưng không có trong lịch nào đã ký cho bộ thu",
            "it is in the plan, but no signed schedule of the controller names it",
        ),
        Verdict::NoBulletin => {
            both("không có bản tin nào tên như vậy", "there is no bulletin of that name")
        }
        Verdict::Refused { reason } => split(reason).0,
        Verdict::NotChosen => both(
            "chương trình chọn bản tin khác của chuyên mục, hoặc bản tin này đã phát ở đây trước đó",
            "its programme took another bulletin of the column, or it aired here before",
        ),
        Verdict::NoProgramme => both(
            "không chương trình nào trong ngày đưa bản tin này đến thôn bản",
            "no programme of that day has it for this village",
        ),
    }
}

fn awaited(zone: Zone, evidence: &Evidence) -> Words {
    let (mut vi, mut en) = (
        "đã đến giờ nhưng chưa có biên nhận".to_owned(),
        "its time has come and no receipt is here".to_owned(),
    );
    if let Some((seen, true)) = evidence.link {
        let seen = clock(zone, seen);
        let _ = write!(vi, "; mất liên lạc với bộ thu từ {seen}");
        let _ = write!(en, "; the controller's link is lost since {seen}");
    }
    both(vi, en)
}

fn to_come(question: &Question<'_>, evidence: &Evidence) -> Words {
    let issued = evidence.issued.iter().filter(|issued| !issued.languages.is_empty());
    let at = issued.map(|issued| issued.at).min();
    let at = at.or_else(|| question.airing().map(|airing| airing.at));
    let at = at.map_or_else(String::new, |at| clock(question.world.zone, at).to_string());
    let named = evidence.issued.iter().flat_map(|issued| &issued.languages);
    let planned = question.airing().into_iter().flat_map(|airing| airing.items.iter());
    let planned = planned.filter(|item| item.bulletin == *question.bulletin);
    let mut languages: Vec<&LangTag> = named.chain(planned.map(|item| &item.language)).collect();
    languages.sort();
    languages.dedup();
    let vi: Vec<&str> = languages.iter().map(|language| language.name_vi()).collect();
    let en: Vec<&str> = languages.iter().map(|language| language.name_en()).collect();
    both(
        format!("lượt phát lúc {at}, bằng {}", vi.join(", ")),
        format!("airing at {at}, in {}", en.join(", ")),
    )
}

/// What is so, and what would mend it: the two halves of a reason's sentence.
fn split(reason: &Reason) -> (Words, Words) {
    let (vi, en) = (reason.vi(), reason.to_string());
    let halves = |text: &str| {
        let (so, mend) = text.split_once("; ").unwrap_or((text, ""));
        (so.to_owned(), mend.to_owned())
    };
    let ((so_vi, mend_vi), (so_en, mend_en)) = (halves(&vi), halves(&en));
    (both(so_vi, so_en), both(mend_vi, mend_en))
}

pub(super) fn mend(question: &Question<'_>, verdict: &Verdict) -> Vec<Words> {
    match verdict {
        Verdict::Heard | Verdict::ToCome => vec![],
        Verdict::NotPlayed { cause: word } => vec![cause(word).1],
        Verdict::Awaited => vec![both(
            "khôi phục đường truyền; biên nhận sẽ đến sau",
            "restore the link; the receipts come after",
        )],
        Verdict::Dropped => vec![both(
            "xem thay đổi nào đã bỏ nó: `loaban schedule plan --diff`",
            "see which change left it out: `loaban schedule plan --diff`",
        )],
        Verdict::NotIssued => vec![both(
            "kiểm tra bộ thu đã đăng ký chưa, máy chủ có chạy không, bản ghi âm có chữ ký không: `loaban doctor`",
            "check that the controller is enrolled, the server runs, the recording has its signature: `loaban doctor`",
        )],
        Verdict::NoBulletin => vec![both("tạo bản tin, hoặc sửa tên", "make it, or mend the name")],
        Verdict::Refused { reason } => vec![split(reason).1],
        Verdict::NotChosen => {
            vec![both("nêu tên bản tin trong một chương trình", "name it in a programme")]
        }
        Verdict::NoProgramme => {
            let column = question.airable().map_or("", |airable| airable.column.as_str());
            vec![both(
                format!(
                    "thêm bản tin hoặc chuyên mục \"{column}\" vào một chương trình của địa bàn này"
                ),
                format!("add it, or its column \"{column}\", to a programme for this area"),
            )]
        }
    }
}

pub(super) fn facts(question: &Question<'_>, evidence: &Evidence) -> Vec<Fact> {
    let mut facts: Vec<Fact> = life(evidence).chain(states(question)).collect();
    facts.extend(issued(question, evidence));
    facts.extend(told(evidence));
    facts.extend(evidence.silence.iter().map(silent));
    if let Some((seen, lost)) = evidence.link {
        let (vi, en) = if lost {
            ("mất liên lạc", "link lost")
        } else {
            ("còn liên lạc", "in touch")
        };
        facts.push(fact(
            Some(seen),
            None,
            format!("bộ thu: {vi}, tin cuối"),
            format!("controller: {en}, last heard of"),
        ));
    }
    facts.extend(planned(question));
    facts
}

fn fact(at: Option<Timestamp>, log_index: Option<u64>, vi: String, en: String) -> Fact {
    Fact { at, log_index, words: both(vi, en) }
}

fn life(evidence: &Evidence) -> impl Iterator<Item = Fact> {
    evidence.life.iter().map(|step| {
        let words = format!("{} ({})", step.what, step.who);
        fact(Some(step.at), step.position, words.clone(), words)
    })
}

/// How far the bulletin is in each language that the village asks for.
fn states<'a>(question: &'a Question<'_>) -> impl Iterator<Item = Fact> + 'a {
    let profile = question.world.tree.profile(&question.controller.area);
    let wishes = profile.into_iter().flat_map(|area| &area.listens);
    let end = question.world.zone.midnight(question.date.plus_days(1));
    let at = end.min(question.now.max(question.noon()));
    wishes.filter_map(move |wish| {
        let airable = question.airable()?;
        let language = &wish.language;
        let (vi, en) = match state(airable, language, at) {
            Ok(_) => ("đã duyệt", "approved"),
            Err(missing) => missing_words(missing),
        };
        let approved = state(airable, language, at).ok();
        Some(fact(
            approved,
            None,
            format!("thôn bản yêu cầu {}: {vi}", language.name_vi()),
            format!("the village asks for {}: {en}", language.name_en()),
        ))
    })
}

fn missing_words(missing: Missing) -> (&'static str, &'static str) {
    match missing {
        Missing::NotMade => ("chưa có phiên bản", "no version"),
        Missing::Draft => ("bản nháp", "draft"),
        Missing::InReview => ("chờ duyệt", "in review"),
        Missing::Withdrawn => ("đã thu hồi", "withdrawn"),
        Missing::ApprovedLater => ("duyệt sau đó", "approved later"),
    }
}

fn issued<'a>(
    question: &'a Question<'_>,
    evidence: &'a Evidence,
) -> impl Iterator<Item = Fact> + 'a {
    evidence.issued.iter().filter(|issued| !issued.languages.is_empty()).map(|issued| {
        let at = clock(question.world.zone, issued.at);
        let languages: Vec<&str> = issued.languages.iter().map(LangTag::as_str).collect();
        let (airing, number, languages) = (&issued.airing, issued.manifest, languages.join(" "));
        let (gone_vi, gone_en) = if issued.dropped.is_some() {
            (", sau đó bị bỏ", ", dropped later")
        } else {
            ("", "")
        };
        fact(
            None,
            issued.position,
            format!("lịch số {number} có lượt phát {airing} lúc {at} [{languages}]{gone_vi}"),
            format!("manifest {number} names {airing} at {at} [{languages}]{gone_en}"),
        )
    })
}

fn silent(silence: &Silence) -> Fact {
    let (so, _) = cause(&silence.cause);
    fact(silence.at, silence.position, so.vi, so.en)
}

fn told(evidence: &Evidence) -> impl Iterator<Item = Fact> {
    evidence.told.iter().map(|told| {
        let (airing, language, outcome) = (&told.airing, &told.language, &told.outcome);
        let word = if told.cause.is_empty() { String::new() } else { format!(" ({})", told.cause) };
        fact(
            told.begun,
            told.position,
            format!(
                "biên nhận {airing} [{language}]: {outcome}{word}, bằng chứng {}",
                told.evidence
            ),
            format!("receipt {airing} [{language}]: {outcome}{word}, evidence {}", told.evidence),
        )
    })
}

/// What the plan of that day says of the bulletin here.
fn planned(question: &Question<'_>) -> Vec<Fact> {
    let airing = question.airing().map(|airing| {
        let (key, at) = (&airing.key, clock(question.world.zone, airing.at));
        fact(
            None,
            None,
            format!("kế hoạch có lượt phát {key} lúc {at}"),
            format!("the plan has {key} at {at}"),
        )
    });
    let about = question.remarks().filter(|remark| {
        remark.bulletin.as_ref() == Some(question.bulletin)
            || (remark.bulletin.is_none()
                && question.airable().is_some_and(|a| question.would_have(a, remark)))
    });
    let remarks = about.map(|remark| {
        fact(None, None, format!("kế hoạch: {}", remark.vi()), format!("plan: {remark}"))
    });
    let mut facts: Vec<Fact> = airing.into_iter().chain(remarks).collect();
    if !facts.is_empty() && question.date < question.world.zone.date(question.now) {
        facts.push(fact(
            None,
            None,
            "kế hoạch của ngày đã qua được tính lại theo dữ liệu hôm nay".to_owned(),
            "the plan of a past day is made anew from what holds today".to_owned(),
        ));
    }
    facts
}

/// The answer for people: Vietnamese first, then English.
pub fn text(answer: &Answer, zone: Zone) -> String {
    let mut text = format!("{}\n{}\n", answer.sentence.vi, answer.sentence.en);
    for fact in &answer.facts {
        let at = fact.at.map_or_else(String::new, |at| format!("{}  ", clock(zone, at)));
        let log = fact.log_index.map_or_else(String::new, |n| format!(" [log {n}]"));
        let _ = writeln!(text, "  - {at}{}{log}", fact.words.vi);
        if fact.words.vi != fact.words.en {
            let _ = writeln!(text, "    {at}{}{log}", fact.words.en);
        }
    }
    for mend in &answer.mend {
        let _ = writeln!(text, "  → {}\n    {}", mend.vi, mend.en);
    }
    text
}
