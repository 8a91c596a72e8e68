//! What waits for this person: to hear, to sign, to mend, to record, to translate, to answer.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::Question;
use crate::bulletin::version::{ApprovalPolicy, Version};
use crate::clock::utc_now;
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::time::Timestamp;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::newsroom::chip::{Chip, Stand};
use crate::web::newsroom::stock::{Item, Stock, stock, vietnamese};
use crate::web::tongue::Tongue;

/// Things of one kind on the page at most; the rest come when these are done.
const SHOWN_MAX: usize = 50;

#[derive(Template)]
#[template(path = "inbox.html")]
struct Page {
    frame: Frame,
    told: Option<&'static str>,
    heaps: Vec<Heap>,
    /// Questions that wait for an answer of this person.
    questions: usize,
    nothing: bool,
}

/// Things of one kind that wait.
struct Heap {
    name: &'static str,
    act: &'static str,
    rows: Vec<Waiting>,
    more: usize,
}

/// A version that waits.
struct Waiting {
    bulletin: BulletinId,
    language: LangTag,
    title: String,
    name: String,
    /// Who made it, or what was said of it.
    about: String,
    chips: Vec<Chip>,
}

/// What was just done.
#[derive(Default, Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    told: String,
}

/// The page.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(told): Query<Told>,
) -> Result<Response, Fault> {
    let (stock, tongue) = (stock(&site).await?, visitor.tongue);
    let look = Look {
        stock: &stock,
        visitor: &visitor,
        me: &visitor.who()?.person.id,
        policy: ApprovalPolicy { reviewer_may_approve: site.station.config.reviewer_may_approve },
        now: utc_now(),
    };
    let heaps: Vec<Heap> = HEAPS.iter().map(|kind| look.heap(kind)).collect();
    let heaps: Vec<Heap> = heaps.into_iter().filter(|heap| !heap.rows.is_empty()).collect();
    let questions = look.questions(&site).await?;
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, tongue.say("Việc chờ bạn", "What waits for you")),
        told: done(&told.told, tongue),
        nothing: heaps.is_empty() && questions == 0,
        heaps,
        questions,
    }))
}

fn done(told: &str, tongue: Tongue) -> Option<&'static str> {
    match told {
        "reviewed" => Some(tongue.say(
            "Đã ghi: bạn đã nghe và thấy đúng. Phiên bản chờ lãnh đạo duyệt.",
            "You heard it and found it right. It waits for a leader.",
        )),
        "returned" => Some(tongue.say(
            "Đã trả lại kèm lời nhắn cho người làm.",
            "Returned to its makers with your comment.",
        )),
        "approved" => Some(tongue.say(
            "Đã ký duyệt: từ nay phiên bản này được phát khi đến lịch.",
            "Signed: from now on this version airs when its time comes.",
        )),
        _ => None,
    }
}

/// One kind of thing to do, who may do it, and which versions wait for it.
struct Kind {
    action: Action,
    stand: Stand,
    name: (&'static str, &'static str),
    act: (&'static str, &'static str),
}

/// The kinds, in the order of the page: what others wait for comes first.
static HEAPS: [Kind; 6] = [
    Kind {
        action: Action::Approve,
        stand: Stand::AwaitsApproval,
        name: ("Chờ bạn duyệt", "Awaits your approval"),
        act: ("Nghe và duyệt", "Hear and approve"),
    },
    Kind {
        action: Action::Review,
        stand: Stand::AwaitsReview,
        name: ("Chờ bạn nghe thẩm định", "Awaits your review"),
        act: ("Nghe và so", "Hear and compare"),
    },
    Kind {
        action: Action::Record,
        stand: Stand::Returned,
        name: ("Bị trả lại, cần sửa", "Returned, to be mended"),
        act: ("Sửa", "Mend"),
    },
    Kind {
        action: Action::Record,
        stand: Stand::AwaitsRecording,
        name: ("Chờ ghi âm", "Awaits a recording"),
        act: ("Ghi âm", "Record"),
    },
    Kind {
        action: Action::Record,
        stand: Stand::Withdrawn,
        name: ("Đã thu hồi", "Taken back"),
        act: ("Xem và ghi lại", "Look and record again"),
    },
    Kind {
        action: Action::Translate,
        stand: Stand::Missing,
        name: ("Chưa có bản dịch", "Not translated yet"),
        act: ("Dịch", "Translate"),
    },
];

/// Somebody's look at what there is.
struct Look<'a> {
    stock: &'a Stock,
    visitor: &'a Visitor,
    me: &'a PersonId,
    policy: ApprovalPolicy,
    now: Timestamp,
}

impl Look<'_> {
    fn heap(&self, kind: &Kind) -> Heap {
        let tongue = self.visitor.tongue;
        let mut rows = Vec::new();
        let mut all = 0;
        let open =
            |item: &&Item| item.bulletin.valid_until > self.now && item.taken_back().is_none();
        for item in self.stock.items.values().filter(open) {
            if !self.stock.may(self.visitor, kind.action, item.bulletin.area.as_ref()) {
                continue;
            }
            for language in self.languages(item, kind.stand) {
                all += 1;
                if all <= SHOWN_MAX {
                    rows.push(self.waiting(item, language));
                }
            }
        }
        let more = all.saturating_sub(SHOWN_MAX);
        let (name, act) =
            (tongue.say(kind.name.0, kind.name.1), tongue.say(kind.act.0, kind.act.1));
        Heap { name, act, rows, more }
    }

    /// The languages of a bulletin that stand so, and that this person may see to.
    fn languages<'i>(&'i self, item: &'i Item, stand: Stand) -> Vec<&'i LangTag> {
        if stand == Stand::Missing {
            // There must be something to translate, and an announcement is in one language.
            let begun = !item.is_announced() && item.version(&vietnamese()).is_some();
            let asked = self.stock.languages.iter().filter(|_| begun);
            return asked.filter(|tag| item.version(tag).is_none()).collect();
        }
        let mine = |version: &&Version| {
            Stand::of(item, Some(version), self.now) == stand && self.is_for_me(version)
        };
        item.versions.iter().filter(mine).map(|version| &version.text().language).collect()
    }

    /// Whether this person may take the next step: never over a recording of their own.
    fn is_for_me(&self, version: &Version) -> bool {
        match version {
            Version::Draft(draft) if !version.is_returned() => {
                draft.content().spoken.announcer != *self.me
            }
            Version::Reviewed(reviewed) => reviewed.may_approve(self.me, self.policy).is_ok(),
            Version::Text(_) | Version::Draft(_) | Version::Withdrawn(_) => true,
            Version::Approved(_) => false,
        }
    }

    fn waiting(&self, item: &Item, language: &LangTag) -> Waiting {
        let tongue = self.visitor.tongue;
        let version = item.version(language);
        let about = match version {
            Some(version) if version.is_returned() => {
                let last = version.returns().last();
                last.map(|last| format!("{}: {}", self.stock.person(&last.step.by), last.comment))
            }
            Some(Version::Withdrawn(held)) => {
                Some(format!("{}: {}", self.stock.person(&held.withdrawn().by), held.reason()))
            }
            version => version.and_then(Version::spoken).map(|spoken| {
                let by = self.stock.person(&spoken.announcer);
                format!("{}: {by}", tongue.say("đọc", "read by"))
            }),
        };
        Waiting {
            bulletin: item.bulletin.id.clone(),
            language: language.clone(),
            title: item.bulletin.title.to_string(),
            name: self.stock.language(language, tongue).to_owned(),
            about: about.unwrap_or_default(),
            chips: self.stock.chips(item, tongue, self.now),
        }
    }

    /// Open questions that this person may answer.
    async fn questions(&self, site: &Site) -> Result<usize, Fault> {
        let all = site.station.store.questions().await?;
        let mine = |question: &&Question| {
            let village = &question.asked().village;
            matches!(question, Question::Open(_))
                && self.stock.may(self.visitor, Action::Answer, Some(village))
        };
        Ok(all.iter().filter(mine).count())
    }
}
