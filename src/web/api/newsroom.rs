//! Bulletins and the life of their versions.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::Action;
use crate::bulletin::search::Query;
use crate::bulletin::version::{Version, Voice};
use crate::bulletin::{
    Bulletin, Campaign, Class, Column, Comment, DocumentNumber, IssuingBody, Kind, Script,
    SourceLevel, Title, Topic, Variety,
};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, UploadId};
use crate::lang::LangTag;
use crate::server::{Aim, Contribution, Judged, NewSound, ServerError, Sound, Station, Validity};
use crate::web::api::document::Told;
use crate::web::api::fleet::{DONE, Done};
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Language, Remark, Secret, Sha256, Slug, Text, Whole};

/// Bulletins of one answer at most.
const BULLETINS_MAX: usize = 200;

/// Bytes of a recording that is played.
const SOUND: &str = "audio/ogg";

pub(super) fn add(table: Table) -> Table {
    let table = table
        .read(
            look(
                "/bulletins",
                Action::Read,
                "bulletins",
                "Bulletins with the state of their versions",
            ),
            list,
        )
        .write(
            act(
                "/bulletins",
                Action::Contribute,
                "contribute",
                "Hand in the text of a new bulletin",
            ),
            contribute,
        )
        .read(look("/bulletins/{bulletin}", Action::Read, "bulletin", "One bulletin whole"), show)
        .write(
            act(
                "/bulletins/{bulletin}/versions/{language}/text",
                Action::Translate,
                "translate",
                "Hand in the text in another language",
            ),
            translate,
        )
        .write(
            act(
                "/bulletins/{bulletin}/versions/{language}/recording",
                Action::Record,
                "record",
                "Make a recording of an upload; it is decoded apart, and judged",
            ),
            record,
        )
        .raw(
            look(
                "/bulletins/{bulletin}/versions/{language}/sound",
                Action::Listen,
                "sound",
                "The recording as loudspeakers play it",
            ),
            Told {
                parameters: vec![],
                body: None,
                answer: json!({ "description": "Opus in Ogg", "content": { SOUND: {} } }),
            },
            sound,
        );
    add_steps(table)
}

/// The steps of a version that has a recording.
fn add_steps(table: Table) -> Table {
    table
        .write(
            act(
                "/bulletins/{bulletin}/versions/{language}/review",
                Action::Review,
                "review",
                "Say that one listened back and found it right",
            ),
            review,
        )
        .write(
            act(
                "/bulletins/{bulletin}/versions/{language}/return",
                Action::Review,
                "send-back",
                "Return it to its makers with what to change",
            ),
            send_back,
        )
        .write(
            act(
                "/bulletins/{bulletin}/versions/{language}/approval",
                Action::Approve,
                "approve",
                "Approve it with one's own key",
            ),
            approve,
        )
        .write(
            act(
                "/bulletins/{bulletin}/versions/{language}/withdrawal",
                Action::Approve,
                "withdraw",
                "Take it back",
            ),
            withdraw,
        )
}

/// Which bulletins.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Words to look for, with or without marks.
    #[schemars(with = "Option<Text>")]
    words: Option<String>,
    /// Only those after this id: the last of the answer before.
    #[schemars(with = "Option<Slug>")]
    after: Option<BulletinId>,
}

/// Bulletins in order of id, or of how well they fit the words.
#[derive(Serialize, JsonSchema)]
struct Page {
    bulletins: Vec<Shown>,
    /// Whether there are more.
    more: bool,
}

/// A bulletin.
#[derive(Serialize, JsonSchema)]
struct Shown {
    /// As `loaban bulletin show --json` prints it.
    #[schemars(with = "Whole")]
    bulletin: Bulletin,
    versions: Vec<State>,
}

/// The state of a version.
#[derive(Serialize, JsonSchema)]
struct State {
    #[schemars(with = "Language")]
    language: LangTag,
    /// `text`, `draft`, `reviewed`, `approved` or `withdrawn`.
    state: String,
}

async fn list(call: Call<Nothing, Wanted>) -> Result<Page, Problem> {
    let state = |(language, state): (LangTag, &str)| State { language, state: state.to_owned() };
    if let Some(words) = &call.input.words {
        let query: Query = words.parse().map_err(|e| Problem::wrong(&format!("{e}")))?;
        let found = call.station().search(&query).await?;
        let shown = |hit: crate::server::Hit| Shown {
            bulletin: hit.bulletin,
            versions: hit.versions.into_iter().map(state).collect(),
        };
        let bulletins = found.hits.into_iter().map(shown).collect();
        return Ok(Page { bulletins, more: found.more > 0 });
    }
    let mut all = call.station().store.bulletins().await?;
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all.retain(|bulletin| call.input.after.as_ref().is_none_or(|after| bulletin.id > *after));
    let more = all.len() > BULLETINS_MAX;
    all.truncate(BULLETINS_MAX);
    let mut bulletins = Vec::new();
    for bulletin in all {
        let versions = call.station().store.versions_of(&bulletin.id).await?;
        let versions = versions.iter().map(|v| state((v.text().language.clone(), v.state())));
        bulletins.push(Shown { versions: versions.collect(), bulletin });
    }
    Ok(Page { bulletins, more })
}

/// A bulletin.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Which {
    #[schemars(with = "Slug")]
    pub(super) bulletin: BulletinId,
}

/// A bulletin with its versions, as `loaban bulletin show --json` prints it.
#[derive(Serialize, JsonSchema)]
struct Complete {
    #[schemars(with = "Whole")]
    bulletin: Bulletin,
    /// The bulletin as it is: what an amendment names as `seen`.
    #[schemars(with = "Sha256")]
    mark: Digest,
    #[schemars(with = "Vec<Whole>")]
    versions: Vec<Version>,
    /// Each version as it is.
    marks: Vec<Marked>,
}

/// A version as it is.
#[derive(Serialize, JsonSchema)]
struct Marked {
    #[schemars(with = "Language")]
    language: LangTag,
    /// What a step on it names as `seen`.
    #[schemars(with = "Sha256")]
    mark: Digest,
}

async fn show(call: Call<Which, Nothing>) -> Result<Complete, Problem> {
    let bulletin = call.station().bulletin(&call.path.bulletin).await?;
    let versions = call.station().store.versions_of(&bulletin.id).await?;
    let mark = Station::bulletin_mark(&bulletin);
    let announced = call.station().store.announcement(&bulletin.id).await?;
    let marked = |version: &Version| Marked {
        language: version.text().language.clone(),
        mark: Aim::mark(&bulletin, Some(version), announced.as_ref()),
    };
    let marks = versions.iter().map(marked).collect();
    Ok(Complete { bulletin, mark, versions, marks })
}

/// A new bulletin with its first text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct New {
    /// A name of your own for it.
    #[schemars(with = "Slug")]
    bulletin: BulletinId,
    #[schemars(with = "Text")]
    title: Title,
    /// A column of the station's list.
    #[schemars(with = "Text")]
    column: Column,
    #[schemars(with = "String")]
    #[serde(default = "notice")]
    kind: Kind,
    #[schemars(with = "String")]
    #[serde(default = "normal")]
    class: Class,
    #[schemars(with = "String")]
    #[serde(default = "commune")]
    source_level: SourceLevel,
    #[schemars(with = "Text")]
    issuing_body: IssuingBody,
    /// The area that it belongs to; the whole station where none is named.
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
    #[schemars(with = "Option<Text>")]
    document_number: Option<DocumentNumber>,
    #[schemars(with = "Vec<Text>")]
    #[serde(default)]
    topics: Vec<Topic>,
    #[schemars(with = "Option<Text>")]
    campaign: Option<Campaign>,
    /// Days on which it may be heard, from now on.
    #[serde(default = "month")]
    #[schemars(range(min = 1, max = 366))]
    valid_days: u32,
    #[schemars(with = "Language")]
    language: LangTag,
    #[schemars(with = "Option<Text>")]
    variety: Option<Variety>,
    /// What is to be said.
    #[schemars(with = "String")]
    script: Script,
}

fn notice() -> Kind {
    Kind::Notice
}

fn normal() -> Class {
    Class::Normal
}

fn commune() -> SourceLevel {
    SourceLevel::Commune
}

fn month() -> u32 {
    30
}

impl New {
    fn contribution(self) -> Result<Contribution, Problem> {
        if !(1..=366).contains(&self.valid_days) {
            return Err(Problem::wrong("a bulletin is valid for 1 to 366 days"));
        }
        let (valid_from, valid_until) = Validity::Days(self.valid_days).from(utc_now());
        let bulletin = Bulletin {
            id: self.bulletin,
            title: self.title,
            title_en: None,
            area: self.area,
            column: self.column,
            kind: self.kind,
            class: self.class,
            source_level: self.source_level,
            issuing_body: self.issuing_body,
            document_number: self.document_number,
            topics: self.topics.into_iter().collect(),
            campaign: self.campaign,
            valid_from,
            valid_until,
        };
        let (language, variety, script) = (self.language, self.variety, self.script);
        Ok(Contribution {
            bulletin: Ok(bulletin),
            language,
            variety,
            script,
            answers: None,
            seen: None,
        })
    }
}

async fn contribute(call: Call<Nothing, New>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    let contribution = call.input.contribution()?;
    if let Ok(bulletin) = &contribution.bulletin {
        station.check_lists(bulletin).await?;
    }
    station.check_language(&contribution.language).await?;
    station.contribute(contribution, by).await?;
    Ok(DONE)
}

/// A version.
#[derive(Deserialize, JsonSchema)]
struct InLanguage {
    #[schemars(with = "Slug")]
    bulletin: BulletinId,
    #[schemars(with = "Language")]
    language: LangTag,
}

impl InLanguage {
    /// The version as somebody saw it, where they say so.
    fn aim(&self, seen: Option<Digest>) -> Aim<'_> {
        Aim { bulletin: &self.bulletin, language: &self.language, seen }
    }
}

/// A text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Translation {
    /// The `mark` of the version as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    #[schemars(with = "String")]
    script: Script,
    /// Which speech of the language.
    #[schemars(with = "Option<Text>")]
    variety: Option<Variety>,
}

async fn translate(call: Call<InLanguage, Translation>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    station.check_language(&call.path.language).await?;
    let Translation { seen, script, variety } = call.input;
    station.translate(call.path.aim(seen), variety, script, by).await?;
    Ok(DONE)
}

/// A recording that was uploaded.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Recorded {
    /// The `mark` of the version as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    /// The upload, which must be whole.
    #[schemars(with = "Slug")]
    upload: UploadId,
    /// `human`, `synthetic` or `stand-in`.
    #[schemars(with = "String")]
    voice: Voice,
}

/// What became of a recording.
#[derive(Serialize, JsonSchema)]
struct Taken {
    /// The SHA-256 by which the recording is known.
    asset: String,
    length_ms: u64,
    /// Loudness before and after, the verdict, and what is wrong with it.
    #[schemars(with = "Option<Whole>")]
    judged: Option<Judged>,
}

async fn record(call: Call<InLanguage, Recorded>) -> Result<Taken, Problem> {
    let _place = call.heavy().await?;
    let (station, by) = (call.station(), call.by());
    let file = station.uploaded(&call.input.upload, by)?;
    let program = std::env::current_exe().map_err(|e| ServerError::Task(e.to_string()))?;
    let new = NewSound { file: &file, voice: call.input.voice };
    let aim = call.path.aim(call.input.seen);
    let made = station.record(aim, new, by, &Sound::new(program)).await?;
    station.drop_upload(&call.input.upload, by)?;
    let (asset, length_ms, judged) = (made.asset.to_string(), made.length_ms, made.judged);
    Ok(Taken { asset, length_ms, judged })
}

async fn sound<I>(call: Call<InLanguage, I>, _: Body) -> Result<Response, Problem> {
    let InLanguage { bulletin, language } = &call.path;
    let version = call.station().version(bulletin, language).await?;
    let spoken = version.spoken().ok_or_else(|| Problem::not_there("it has no recording yet"))?;
    let bytes = call.station().assets.read(spoken.recording.asset).map_err(ServerError::from)?;
    Ok(([(header::CONTENT_TYPE, SOUND)], bytes).into_response())
}

/// What was heard.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Heard {
    /// The `mark` of the version as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
}

async fn review(call: Call<InLanguage, Heard>) -> Result<Done, Problem> {
    call.station().review(call.path.aim(call.input.seen), call.by()).await?;
    Ok(DONE)
}

/// What to change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The `mark` of the version as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    /// In words.
    #[schemars(with = "Remark")]
    comment: Comment,
}

async fn send_back(call: Call<InLanguage, Said>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    let Said { seen, comment } = call.input;
    station.send_back(call.path.aim(seen), by, comment).await?;
    Ok(DONE)
}

/// A passphrase.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// The `mark` of the version as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    /// What opens the approver's own key, for this one signature.
    #[schemars(with = "Secret")]
    passphrase: String,
}

async fn approve(call: Call<InLanguage, Approval>) -> Result<Done, Problem> {
    let Approval { seen, passphrase } = &call.input;
    call.station().approve(call.path.aim(*seen), call.by(), passphrase).await?;
    Ok(DONE)
}

async fn withdraw(call: Call<InLanguage, Said>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    let Said { seen, comment } = call.input;
    station.withdraw(call.path.aim(seen), by, comment).await?;
    Ok(DONE)
}
