//! A bulletin with its versions side by side, and the page of one version: the Vietnamese text
//! beside its own, its recording, what was said of it, and what its visitor may do next.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::version::{ApprovalPolicy, Version, Voice};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::web::Site;
use crate::web::assets;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::live::{self, Parts};
use crate::web::newsroom::chip::{Chip, Stand};
use crate::web::newsroom::list::about;
use crate::web::newsroom::stock::{Item, Stock, stock, vietnamese};
use crate::web::newsroom::text::Written;
use crate::web::newsroom::words;
use crate::web::player::{Heard, Player};
use crate::web::tongue::Tongue;

/// A version.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Place {
    pub(super) bulletin: BulletinId,
    pub(super) language: LangTag,
}

impl Place {
    /// Its page.
    pub(super) fn path(&self) -> String {
        format!("/bulletins/{}/{}", self.bulletin, self.language)
    }
}

#[derive(Template)]
#[template(path = "bulletin.html")]
struct Overview {
    frame: Frame,
    id: BulletinId,
    about: String,
    facts: Vec<(&'static str, String)>,
    cards: Vec<Card>,
    others: Vec<(LangTag, String)>,
    may_amend: bool,
}

/// One language of the bulletin.
struct Card {
    chip: Chip,
    script: Option<String>,
    people: Vec<String>,
}

/// A bulletin with every version.
pub(super) async fn overview(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
) -> Result<Response, Fault> {
    let (stock, tongue, now) = (stock(&site).await?, visitor.tongue, utc_now());
    let item = stock.item(&id)?;
    let card = |chip: Chip| {
        let version = item.version(&chip.language);
        let script = version.map(|version| version.text().script.to_string());
        let people = version.map(|version| people(&stock, version, tongue)).unwrap_or_default();
        Card { chip, script, people }
    };
    let cards: Vec<Card> = stock.chips(item, tongue, now).into_iter().map(card).collect();
    let shown = |tag: &LangTag| cards.iter().any(|card| card.chip.language == *tag);
    let others = stock.names.all().into_iter().filter(|tag| !shown(tag));
    let others = others.map(|tag| (tag.clone(), stock.language(&tag, tongue).to_owned()));
    Ok(frame::page(&Overview {
        frame: Frame::new(&site, &visitor, item.bulletin.title.to_string()),
        about: about(&stock, item, tongue),
        facts: facts(&stock, item, tongue),
        may_amend: stock.may(&visitor, Action::Contribute, item.bulletin.area.as_ref()),
        others: others.collect(),
        cards,
        id,
    }))
}

/// What the bulletin is, line by line.
fn facts(stock: &Stock, item: &Item, tongue: Tongue) -> Vec<(&'static str, String)> {
    let (bulletin, zone) = (&item.bulletin, stock.world.zone);
    let day = |at| zone.local(at).format("%H:%M %d/%m/%Y").to_string();
    let mut facts = vec![
        (tongue.say("Thể loại", "Kind"), words::kind(bulletin.kind, tongue).to_owned()),
        (tongue.say("Nguồn", "Source"), words::source(bulletin.source_level, tongue).to_owned()),
        (tongue.say("Nơi ban hành", "Issued by"), bulletin.issuing_body.to_string()),
        (tongue.say("Còn hạn từ", "Holds from"), day(bulletin.valid_from)),
        (tongue.say("đến", "until"), day(bulletin.valid_until)),
    ];
    if let Some(number) = &bulletin.document_number {
        facts.push((tongue.say("Số văn bản", "Document"), number.to_string()));
    }
    if !bulletin.topics.is_empty() {
        let topics: Vec<&str> = bulletin.topics.iter().map(AsRef::as_ref).collect();
        facts.push((tongue.say("Lĩnh vực", "Fields of law"), topics.join(", ")));
    }
    if let Some(campaign) = &bulletin.campaign {
        facts.push((tongue.say("Đợt tuyên truyền", "Campaign"), campaign.to_string()));
    }
    facts.push((tongue.say("Mã", "Id"), bulletin.id.to_string()));
    facts
}

/// Who did what for a version.
fn people(stock: &Stock, version: &Version, tongue: Tongue) -> Vec<String> {
    let text = version.text();
    let steps = [
        (tongue.say("viết", "written by"), text.contributor.as_ref()),
        (tongue.say("dịch", "translated by"), text.translator.as_ref()),
        (tongue.say("đọc", "read by"), version.spoken().map(|spoken| &spoken.announcer)),
        (tongue.say("nghe thẩm định", "reviewed by"), version.reviewed_by()),
        (tongue.say("duyệt", "approved by"), version.approved_by()),
    ];
    let done = steps.into_iter().filter_map(|(step, who)| Some((step, who?)));
    done.map(|(step, who)| format!("{step}: {}", stock.person(who))).collect()
}

#[expect(clippy::struct_excessive_bools, reason = "each shows or hides one part of the page")]
#[derive(Template)]
#[template(path = "version.html")]
struct Page {
    frame: Frame,
    place: Place,
    about: String,
    chips: Vec<Chip>,
    name: String,
    /// The Vietnamese text, beside another language's.
    reference: Option<String>,
    held: Option<String>,
    variety: String,
    typed: String,
    seen: Digest,
    heard: Heard,
    may: Steps,
    /// What was said of it, the newest first.
    returned: Vec<String>,
    /// Whether the newest of that waits to be mended.
    to_mend: bool,
    /// Who took it back, and why.
    withdrawn: Option<String>,
    announced: bool,
    /// Whether whoever signs has one-time codes.
    has_codes: bool,
    /// Whether another text would leave a recording behind.
    has_recording: bool,
    state: String,
    sound: String,
    voices: Vec<(&'static str, &'static str)>,
    /// What it is to record it once more, where nobody asks for that.
    again: Option<&'static str>,
    record: String,
    back: Back,
}

/// What came of a form, where it did not work.
#[derive(Default)]
pub(super) struct Back {
    pub(super) status: StatusCode,
    pub(super) fault: Option<String>,
    pub(super) typed: Option<Written>,
    /// Whether somebody else changed the version meanwhile.
    pub(super) conflict: bool,
    pub(super) comment: String,
    /// What was said of having heard it.
    pub(super) heard: String,
    pub(super) from: String,
}

impl Back {
    /// Something was filled in wrong.
    pub(super) fn bad() -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..Self::default() }
    }

    /// A step was refused.
    pub(super) fn refused(fault: &Fault, tongue: Tongue) -> Self {
        let sentence = tongue.say(&fault.vi, &fault.en).to_owned();
        Self { status: fault.status, fault: Some(sentence), ..Self::default() }
    }
}

/// What the visitor may do now.
#[expect(clippy::struct_excessive_bools, reason = "one for each form of the page")]
#[derive(Clone, Copy, Default)]
struct Steps {
    write: bool,
    record: bool,
    review: bool,
    send_back: bool,
    approve: bool,
    withdraw: bool,
}

impl Steps {
    fn of(site: &Site, stock: &Stock, visitor: &Visitor, item: &Item, language: &LangTag) -> Self {
        let version = item.version(language);
        let may = |action| stock.may(visitor, action, item.bulletin.area.as_ref());
        let me = visitor.signed_in.as_ref().map(|who| &who.person.id);
        let spoken = version.and_then(Version::spoken);
        let own = spoken.is_some_and(|spoken| Some(&spoken.announcer) == me);
        if item.taken_back().is_some() {
            return Self::default();
        }
        let open = !matches!(version, Some(Version::Approved(_)));
        let (draft, text) =
            (matches!(version, Some(Version::Draft(_))), matches!(version, Some(Version::Text(_))));
        let policy =
            ApprovalPolicy { reviewer_may_approve: site.station.config.reviewer_may_approve };
        let signs = |reviewed: &crate::bulletin::version::Reviewed| {
            me.is_some_and(|me| reviewed.may_approve(me, policy).is_ok())
        };
        let reviewed = match version {
            Some(Version::Reviewed(reviewed)) => Some(reviewed),
            _ => None,
        };
        let hands_in = item.is_original(language);
        let writes = if hands_in { Action::Contribute } else { Action::Translate };
        Self {
            write: open && may(writes),
            record: open && version.is_some() && may(Action::Record),
            review: draft && !own && may(Action::Review),
            send_back: (draft || text || reviewed.is_some()) && !own && may(Action::Review),
            approve: reviewed.is_some_and(signs) && may(Action::Approve),
            withdraw: !open && may(Action::Approve),
        }
    }
}

/// Where the visitor came from, and what they saw.
#[derive(Default, Deserialize)]
pub(super) struct Came {
    #[serde(default)]
    from: String,
    seen: Option<Digest>,
}

/// The page of one version.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Query(came): Query<Came>,
) -> Result<Response, Fault> {
    page(&site, &visitor, &place, Back { from: came.from, ..Back::default() }).await
}

/// The same, with what came of a form.
pub(super) async fn page(
    site: &Arc<Site>,
    visitor: &Visitor,
    place: &Place,
    back: Back,
) -> Result<Response, Fault> {
    let (stock, tongue) = (stock(site).await?, visitor.tongue);
    let item = stock.item(&place.bulletin)?;
    let version = item.version(&place.language);
    let seen = item.mark(&place.language);
    let text = version.map(Version::text);
    let held = text.map(|text| text.script.to_string());
    let variety = text.and_then(|text| text.variety.as_ref()).map(ToString::to_string);
    let reference = item.version(&vietnamese()).filter(|_| place.language != vietnamese());
    let said = version.into_iter().flat_map(|version| version.returns().all());
    let returned = said.map(|one| format!("{}: {}", stock.person(&one.step.by), one.comment));
    let settled = version.is_some_and(|held| held.spoken().is_some() && !held.is_returned());
    let again = settled.then(|| tongue.say("Ghi âm lại", "Record it again"));
    let live = format!("{}/live?seen={seen}", place.path());
    let title = format!("{} – {}", item.bulletin.title, stock.language(&place.language, tongue));
    let (status, typed) = (back.status, back.typed.as_ref());
    let page = frame::page(&Page {
        frame: Frame::new(site, visitor, title).live(live),
        about: about(&stock, item, tongue),
        chips: stock.chips(item, tongue, utc_now()),
        name: stock.language(&place.language, tongue).to_owned(),
        reference: reference.map(|version| version.text().script.to_string()),
        variety: typed.map(|typed| typed.variety.clone()).or(variety).unwrap_or_default(),
        typed: typed.map(|typed| typed.script.clone()).or(held.clone()).unwrap_or_default(),
        may: Steps::of(site, &stock, visitor, item, &place.language),
        returned: returned.rev().collect(),
        to_mend: version.is_some_and(Version::is_returned),
        withdrawn: withdrawn(&stock, item, version),
        announced: item.is_announced(),
        has_codes: visitor.signed_in.as_ref().is_some_and(|who| who.has_second),
        has_recording: version.is_some_and(|held| held.spoken().is_some()),
        state: state(&stock, item, place, tongue, seen)?,
        sound: sound(site, &stock, visitor, place).await?,
        voices: Voice::ALL.map(|voice| (voice.word(), words::voice(voice, tongue))).to_vec(),
        again,
        record: assets::address("record.js"),
        place: place.clone(),
        held,
        seen,
        heard: Heard::of(&back.heard, version.and_then(Version::spoken).map(|one| &one.recording)),
        back,
    });
    Ok((status, page).into_response())
}

/// Who took it back, and why.
fn withdrawn(stock: &Stock, item: &Item, version: Option<&Version>) -> Option<String> {
    let (by, why) = match (version, item.taken_back()) {
        (Some(Version::Withdrawn(held)), _) => (&held.withdrawn().by, held.reason()),
        (_, Some(held)) => (&held.by, &held.reason),
        (_, None) => return None,
    };
    Some(format!("{}: {why}", stock.person(by)))
}

#[derive(Template)]
#[template(path = "version_state.html")]
struct Standing {
    tongue: Tongue,
    class: &'static str,
    words: &'static str,
    people: Vec<String>,
    /// Whether it is not what the page shows any more.
    changed: bool,
}

fn state(
    stock: &Stock,
    item: &Item,
    place: &Place,
    tongue: Tongue,
    seen: Digest,
) -> Result<String, Fault> {
    let version = item.version(&place.language);
    let (vi, en, class) = Stand::of(item, version, utc_now()).words();
    frame::part(&Standing {
        tongue,
        class,
        words: tongue.say(vi, en),
        people: version.map(|version| people(stock, version, tongue)).unwrap_or_default(),
        changed: item.mark(&place.language) != seen,
    })
}

#[derive(Template)]
#[template(path = "version_sound.html")]
struct Sound {
    frame: Frame,
    place: Place,
    seen: Digest,
    player: Option<Player>,
    /// Whose voice it is, where that is no human's.
    voice: Option<&'static str>,
    take: Option<Taking>,
}

/// A recording of the visitor's own that is on its way.
struct Taking {
    source: Digest,
    voice: &'static str,
    words: &'static str,
    done: u8,
    at: String,
    fault: Option<String>,
    /// Whether it may be attached to the version as it is now.
    again: bool,
}

async fn sound(
    site: &Site,
    stock: &Stock,
    visitor: &Visitor,
    place: &Place,
) -> Result<String, Fault> {
    let (item, tongue) = (stock.item(&place.bulletin)?, visitor.tongue);
    let version = item.version(&place.language);
    let spoken = version.and_then(Version::spoken);
    let player = match spoken.filter(|_| visitor.may(Action::Listen)) {
        Some(spoken) => Some(Player::of(site, &spoken.recording, tongue).await?),
        None => None,
    };
    let voice = spoken.map(|spoken| spoken.voice).filter(|voice| *voice != Voice::Human);
    let me = visitor.who()?.person.id.clone();
    let take = site.takes.of(&(place.bulletin.clone(), place.language.clone(), me));
    let taking = |take: super::take::Take| {
        let (words, done) = take.told(tongue);
        Taking {
            source: take.source,
            voice: take.voice.word(),
            words,
            done,
            at: take.at(),
            again: take.ended.as_ref().is_some_and(|fault| fault.status == StatusCode::CONFLICT),
            fault: take.ended.map(|fault| tongue.say(&fault.vi, &fault.en).to_owned()),
        }
    };
    frame::part(&Sound {
        frame: Frame::new(site, visitor, ""),
        place: place.clone(),
        seen: item.mark(&place.language),
        player,
        voice: voice.map(|voice| words::voice(voice, tongue)),
        take: take.map(taking),
    })
}

/// Its state and its recording, fresh.
pub(super) async fn live(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Query(came): Query<Came>,
) -> Result<Response, Fault> {
    let seen = came.seen.ok_or_else(Fault::not_found)?;
    let me = visitor.who()?.person.id.clone();
    let key = format!("version {} {me} {seen} {}", place.path(), visitor.tongue);
    Ok(live::stream(site, &key, move |site| {
        let (place, visitor) = (place.clone(), visitor.clone());
        async move {
            let stock = stock(&site).await?;
            let item = stock.item(&place.bulletin)?;
            let state = state(&stock, item, &place, visitor.tongue, seen)?;
            let sound = sound(&site, &stock, &visitor, &place).await?;
            Ok(Parts::from([("state", state), ("sound", sound)]))
        }
    }))
}
