//! The answer in Vietnamese and English: the sentence, the facts and what would mend it.

use std::fmt::Write as _;

use serde::Serialize;

use super::terms::{self, cause};
use super::{Answer, Evidence, Fact, Question, Silence, Verdict, WallClock, state};
use crate::id::ProgrammeId;
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

pub(super) fn both(vi: impl Into<String>, en: impl Into<String>) -> Words {
    Words { vi: vi.into(), en: en.into() }
}

fn clock(zone: Zone, at: Timestamp) -> WallClock {
    WallClock::of(zone, at)
}

pub(super) fn answer(question: &Question<'_>, evidence: &Evidence, verdict: &Verdict) -> Words {
    let (id, date) = (question.bulletin, question.date);
    let bulletin = evidence.title.as_ref().map_or(id.to_string(), |title| format!("“{title}”"));
    let date_vi = date.vi();
    let village = question.world.tree.get(&question.controller.area);
    let village = village.map_or(question.controller.id.as_str(), |area| area.name.as_str());
    let why = why(question, evidence, verdict);
    if *verdict == Verdict::Heard {
        let (vi, en) = heard(question, evidence);
        return both(
            format!("{bulletin} đã phát trọn ở {village}: {vi}."),
            format!("{bulletin} was played to its end at {village}: {en}."),
        );
    }
    if *verdict == Verdict::ToCome {
        return both(
            format!("{village} sẽ nghe {bulletin} ngày {date_vi}: {}.", why.vi),
            format!("{village} is to hear {bulletin} on {date}: {}.", why.en),
        );
    }
    both(
        format!("{village} không nghe {bulletin} ngày {date_vi}: {}.", why.vi),
        format!("{village} did not hear {bulletin} on {date}: {}.", why.en),
    )
}

fn heard(question: &Question<'_>, evidence: &Evidence) -> (String, String) {
    let zone = question.world.zone;
    let (mut vi, mut en) = (Vec::new(), Vec::new());
    for told in evidence.told.iter().filter(|told| told.whole) {
        let begun = told.begun.map(|at| clock(zone, at));
        let (at_vi, at_en) = begun.map_or_else(Default::default, |at| (at.vi(), at.to_string()));
        let (language, proof) = (&told.language, terms::evidence(&told.evidence));
        vi.push(format!(
            "{}, lượt phát bắt đầu lúc {at_vi}, mức bằng chứng: {}",
            language.name_vi(),
            proof.vi
        ));
        en.push(format!("in {}, airing begun {at_en}, evidence {}", language.name_en(), proof.en));
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
        let _ = write!(vi, "; mất liên lạc với bộ thu từ {}", seen.vi());
        let _ = write!(en, "; the controller's link is lost since {seen}");
    }
    both(vi, en)
}

fn to_come(question: &Question<'_>, evidence: &Evidence) -> Words {
    let issued = evidence.issued.iter().filter(|issued| !issued.languages.is_empty());
    let at = issued.map(|issued| issued.at).min();
    let at = at.or_else(|| question.airing().map(|airing| airing.at));
    let at = at.map(|at| clock(question.world.zone, at));
    let (at_vi, at_en) = at.map_or_else(Default::default, |at| (at.vi(), at.to_string()));
    let named = evidence.issued.iter().flat_map(|issued| &issued.languages);
    let planned = question.airing().into_iter().flat_map(|airing| airing.items.iter());
    let planned = planned.filter(|item| item.bulletin == *question.bulletin);
    let mut languages: Vec<&LangTag> = named.chain(planned.map(|item| &item.language)).collect();
    languages.sort();
    languages.dedup();
    let vi: Vec<&str> = languages.iter().map(|language| language.name_vi()).collect();
    let en: Vec<&str> = languages.iter().map(|language| language.name_en()).collect();
    both(
        format!("lượt phát lúc {at_vi}, bằng {}", vi.join(", ")),
        format!("airing at {at_en}, in {}", en.join(", ")),
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
            "xem ai đã đổi chương trình: mục lịch trong nhật ký gốc, hoặc `loaban schedule plan --diff`",
            "see who changed the programme: the schedule's entries in the log, or `loaban schedule plan --diff`",
        )],
        Verdict::NotIssued => vec![both(
            "kiểm tra bộ thu đã ghi danh chưa, máy chủ có chạy không, bản ghi âm có chữ ký không: trang Sức khoẻ máy chủ, hoặc `loaban doctor`",
            "check that the controller is enrolled, the server runs, the recording has its signature: the page Health, or `loaban doctor`",
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
    let zone = question.world.zone;
    let mut facts: Vec<Fact> = life(evidence, zone).chain(states(question)).collect();
    facts.extend(issued(question, evidence));
    facts.extend(told(question, evidence));
    facts.extend(evidence.silence.iter().map(silent));
    if let Some((seen, lost)) = evidence.link {
        let (vi, en) = if lost {
            ("nay mất liên lạc", "its link is lost now")
        } else {
            ("nay còn liên lạc", "it is in touch now")
        };
        facts.push(fact(
            Some(seen),
            None,
            format!("tin cuối cùng của bộ thu; {vi}"),
            format!("the controller was last heard of; {en}"),
        ));
    }
    facts.extend(planned(question));
    facts
}

fn fact(at: Option<Timestamp>, log_index: Option<u64>, vi: String, en: String) -> Fact {
    Fact { at, log_index, words: both(vi, en) }
}

fn life(evidence: &Evidence, zone: Zone) -> impl Iterator<Item = Fact> {
    evidence.life.iter().map(move |step| {
        let Words { vi, en } = terms::step(step, zone);
        fact(Some(step.at), step.position, vi, en)
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

/// What people call a programme, its id where the schedule does not know it.
fn programme(question: &Question<'_>, id: &ProgrammeId) -> String {
    let held = question.world.programmes.iter().find(|held| held.id == *id);
    held.map_or_else(|| id.to_string(), |held| format!("“{}”", held.title))
}

fn issued<'a>(
    question: &'a Question<'_>,
    evidence: &'a Evidence,
) -> impl Iterator<Item = Fact> + 'a {
    evidence.issued.iter().filter(|issued| !issued.languages.is_empty()).map(|issued| {
        let at = clock(question.world.zone, issued.at);
        let programme = programme(question, &issued.airing.programme);
        let vi: Vec<&str> = issued.languages.iter().map(LangTag::name_vi).collect();
        let en: Vec<&str> = issued.languages.iter().map(LangTag::name_en).collect();
        let (vi, en) = (vi.join(", "), en.join(", "));
        let (gone_vi, gone_en) = if issued.dropped.is_some() {
            (", sau đó bị bỏ", ", dropped later")
        } else {
            ("", "")
        };
        let (position, which) = match issued.held {
            Some((number, position)) => (
                position,
                both(
                    format!("thiết bị phát theo lịch số {number}"),
                    format!("the device went by manifest {number}"),
                ),
            ),
            None => (
                issued.position,
                both(
                    format!(
                        "không biết thiết bị giữ lịch nào, vì không có biên nhận; lịch mới nhất có \
                         lượt này là số {}",
                        issued.manifest
                    ),
                    format!(
                        "which manifest the device held is not known, there is no receipt; the \
                         newest that names it is {}",
                        issued.manifest
                    ),
                ),
            ),
        };
        fact(
            None,
            position,
            format!("{}: chương trình {programme} lúc {}, bằng {vi}{gone_vi}", which.vi, at.vi()),
            format!("{}: {programme} at {at}, in {en}{gone_en}", which.en),
        )
    })
}

fn silent(silence: &Silence) -> Fact {
    let (so, _) = cause(&silence.cause);
    fact(silence.at, silence.position, so.vi, so.en)
}

fn told<'a>(question: &'a Question<'_>, evidence: &'a Evidence) -> impl Iterator<Item = Fact> + 'a {
    evidence.told.iter().map(|told| {
        let (programme, language) = (programme(question, &told.airing.programme), &told.language);
        let outcome = terms::outcome(&told.outcome);
        // What was never begun is known by the receipt alone: no evidence is told that it sounded.
        let (more_vi, more_en) = match told.cause.as_str() {
            "" => {
                let proof = terms::evidence(&told.evidence);
                (format!("; mức bằng chứng: {}", proof.vi), format!("; evidence: {}", proof.en))
            }
            word => {
                let (so, _) = cause(word);
                (format!(": {}", so.vi), format!(": {}", so.en))
            }
        };
        fact(
            told.begun,
            told.position,
            format!(
                "biên nhận, chương trình {programme}, {}: {}{more_vi}",
                language.name_vi(),
                outcome.vi
            ),
            format!("receipt, {programme}, in {}: {}{more_en}", language.name_en(), outcome.en),
        )
    })
}

/// What the plan of that day says of the bulletin here.
fn planned(question: &Question<'_>) -> Vec<Fact> {
    let airing = question.airing().map(|airing| {
        let programme = programme(question, &airing.key.programme);
        let at = clock(question.world.zone, airing.at);
        fact(
            None,
            None,
            format!("kế hoạch có chương trình {programme} lúc {}", at.vi()),
            format!("the plan has {programme} at {at}"),
        )
    });
    let about = question.remarks().filter(|remark| {
        remark.bulletin.as_ref() == Some(question.bulletin)
            || (remark.bulletin.is_none()
                && question.airable().is_some_and(|a| question.would_have(a, remark)))
    });
    let remarks = about.map(|remark| {
        let of = |tag: &LangTag| format!(", {}", tag.name_vi());
        let language = remark.language.as_ref().map_or_else(String::new, of);
        let (programme, why) = (programme(question, &remark.programme), remark.reason.vi());
        fact(
            None,
            None,
            format!("kế hoạch, chương trình {programme}{language}: {why}"),
            format!("plan: {remark}"),
        )
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
        let at = fact.at.map(|at| clock(zone, at));
        let (at_vi, at) =
            at.map_or_else(Default::default, |at| (format!("{}  ", at.vi()), format!("{at}  ")));
        let log = fact.log_index.map_or_else(String::new, |n| format!(" [log {n}]"));
        let _ = writeln!(text, "  - {at_vi}{}{log}", fact.words.vi);
        if fact.words.vi != fact.words.en {
            let _ = writeln!(text, "    {at}{}{log}", fact.words.en);
        }
    }
    for mend in &answer.mend {
        let _ = writeln!(text, "  → {}\n    {}", mend.vi, mend.en);
    }
    text
}
