//! A commune's own announcements, for programs: made of an upload, heard when two others said so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Action;
use crate::bulletin::{Script, Title};
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, PersonId, UploadId};
use crate::lang::LangTag;
use crate::server::{Judged, NewAnnouncement, ServerError, Sound};
use crate::time::Timestamp;
use crate::web::api::fleet::{DONE, Done};
use crate::web::api::newsroom::Which;
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Instant, Language, Sha256, Slug, Text, Whole};

/// Announcements of one answer at most, newest first.
const ANNOUNCEMENTS_MAX: usize = 200;

pub(super) fn add(table: Table) -> Table {
    table
        .read(
            look(
                "/announcements",
                Action::Listen,
                "announcements",
                "What communes announce, newest first",
            ),
            list,
        )
        .write(
            act(
                "/areas/{area}/announcements",
                Action::Announce,
                "announce",
                "Make an announcement of an upload; review and approve it as any bulletin",
            ),
            announce,
        )
        .write(
            act(
                "/announcements/{bulletin}/time",
                Action::Announce,
                "move-announcement",
                "Give an announcement another time",
            ),
            move_time,
        )
}

/// Announcements.
#[derive(Serialize, JsonSchema)]
struct Announcements {
    announcements: Vec<Listed>,
}

/// An announcement; its text and steps are those of the bulletin of this id.
#[derive(Serialize, JsonSchema)]
struct Listed {
    #[schemars(with = "Slug")]
    bulletin: BulletinId,
    /// The commune that makes it.
    #[schemars(with = "Slug")]
    area: AreaId,
    /// Where it is heard.
    #[schemars(with = "Vec<Slug>")]
    villages: Vec<AreaId>,
    /// When; none as soon as it is approved.
    #[schemars(with = "Option<Instant>")]
    at: Option<Timestamp>,
    #[schemars(with = "Instant")]
    made: Timestamp,
    #[schemars(with = "Slug")]
    by: PersonId,
    /// `draft`, `reviewed`, `approved` or `withdrawn`.
    state: String,
    /// It as it is, with its place and time: what a step on it names as `seen`.
    #[schemars(with = "Sha256")]
    mark: Digest,
}

async fn list(call: Call<Nothing, Nothing>) -> Result<Announcements, Problem> {
    let tree = call.station().schedule().await?.tree;
    let mut rows = call.station().store.announcements().await?;
    rows.retain(|row| call.allow(Action::Listen, &tree.chain(&row.area)).is_ok());
    rows.truncate(ANNOUNCEMENTS_MAX);
    let mut announcements = Vec::new();
    for row in rows {
        let mark = call.station().announcement_mark(&row).await?;
        let state = match row.withdrawn {
            Some(_) => "withdrawn",
            None => call.station().announced(&row.bulletin).await?.state(),
        };
        let (bulletin, area, villages) = (row.bulletin, row.area, row.villages);
        announcements.push(Listed {
            bulletin,
            area,
            villages,
            at: row.at,
            made: row.made,
            by: row.by,
            state: state.to_owned(),
            mark,
        });
    }
    Ok(Announcements { announcements })
}

/// A commune.
#[derive(Deserialize, JsonSchema)]
struct Where {
    #[schemars(with = "Slug")]
    area: AreaId,
}

/// An announcement as it is entered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct New {
    /// The recording, which must be whole.
    #[schemars(with = "Slug")]
    upload: UploadId,
    #[schemars(with = "Text")]
    title: Title,
    /// What is said, for those who review it.
    #[schemars(with = "String")]
    script: Script,
    #[schemars(with = "Language")]
    language: LangTag,
    /// Where it is heard: villages of the commune.
    #[schemars(with = "Vec<Slug>", length(min = 1, max = 200))]
    villages: Vec<AreaId>,
    /// When; as soon as it is approved where it is left out.
    #[schemars(with = "Option<Instant>")]
    at: Option<Timestamp>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
struct Made {
    /// Its name.
    #[schemars(with = "Slug")]
    bulletin: BulletinId,
    length_ms: u64,
    /// Loudness before and after, the verdict, and what is wrong with the recording.
    #[schemars(with = "Option<Whole>")]
    judged: Option<Judged>,
}

/// Villages of one announcement at most: more than any commune has.
const VILLAGES_MAX: usize = 200;

async fn announce(call: Call<Where, New>) -> Result<Made, Problem> {
    let asked = &call.input;
    if !(1..=VILLAGES_MAX).contains(&asked.villages.len()) {
        return Err(Problem::wrong("an announcement is for 1 to 200 villages"));
    }
    let _place = call.heavy().await?;
    let (station, by, area) = (call.station(), call.by(), &call.path.area);
    let file = station.uploaded(&asked.upload, by)?;
    let program = std::env::current_exe().map_err(|e| ServerError::Task(e.to_string()))?;
    let taken = station.take_recording(area, &file, by, &Sound::new(program)).await?;
    let new = NewAnnouncement {
        title: asked.title.clone(),
        script: asked.script.clone(),
        language: asked.language.clone(),
        villages: asked.villages.clone(),
        at: asked.at,
        source: taken.source,
    };
    let bulletin = station.announce(area, new, by).await?;
    station.drop_upload(&asked.upload, by)?;
    Ok(Made { bulletin, length_ms: taken.length_ms, judged: taken.judged })
}

/// A time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Moved {
    /// The `mark` of the announcement as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    /// When; as soon as it is approved, or at once where it is, where it is left out.
    #[schemars(with = "Option<Instant>")]
    at: Option<Timestamp>,
}

async fn move_time(call: Call<Which, Moved>) -> Result<Done, Problem> {
    let Moved { seen, at } = call.input;
    let (station, by) = (&call.site.station, &call.who.person.id);
    station.move_announcement(&call.path.bulletin, seen, at, by).await?;
    Ok(DONE)
}
