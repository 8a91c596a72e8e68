//! What a bulletin is, put right by programs.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::access::Action;
use crate::bulletin::{
    Bulletin, Campaign, Class, Column, DocumentNumber, IssuingBody, Kind, SourceLevel, Title, Topic,
};
use crate::digest::Digest;
use crate::id::AreaId;
use crate::time::Timestamp;
use crate::web::api::fleet::{DONE, Done};
use crate::web::api::newsroom::Which;
use crate::web::api::operation::{Call, Table, act};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Instant, Sha256, Slug, Text};

pub(super) fn add(table: Table) -> Table {
    let says = "Put right what a bulletin is; what is left out stays";
    let path = "/bulletins/{bulletin}/amendment";
    table.write(act(path, Action::Contribute, "amend", says), amend)
}

/// What becomes of its fields: what is left out stays, and `null` takes away what may be missing.
/// Class, area and validity stay while a version is approved: they are signed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Amended {
    /// The `mark` of the bulletin as you read it; refused where it is another one by now.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    #[schemars(with = "Option<Text>")]
    title: Option<Title>,
    #[schemars(with = "Option<Text>")]
    #[serde(default)]
    title_en: Field<Title>,
    /// A column of the station's list.
    #[schemars(with = "Option<Text>")]
    column: Option<Column>,
    #[schemars(with = "Option<String>")]
    kind: Option<Kind>,
    #[schemars(with = "Option<String>")]
    class: Option<Class>,
    #[schemars(with = "Option<String>")]
    source_level: Option<SourceLevel>,
    #[schemars(with = "Option<Text>")]
    issuing_body: Option<IssuingBody>,
    /// The area that it belongs to; the whole station where it is `null`.
    #[schemars(with = "Option<Slug>")]
    #[serde(default)]
    area: Field<AreaId>,
    #[schemars(with = "Option<Text>")]
    #[serde(default)]
    document_number: Field<DocumentNumber>,
    #[schemars(with = "Option<Vec<Text>>")]
    topics: Option<Vec<Topic>>,
    #[schemars(with = "Option<Text>")]
    #[serde(default)]
    campaign: Field<Campaign>,
    #[schemars(with = "Option<Instant>")]
    valid_from: Option<Timestamp>,
    #[schemars(with = "Option<Instant>")]
    valid_until: Option<Timestamp>,
}

/// A field that stays where it is left out, and is taken away by `null`.
#[derive(Debug, Default)]
enum Field<T> {
    #[default]
    Stays,
    Becomes(Option<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(read: D) -> Result<Self, D::Error> {
        Option::deserialize(read).map(Self::Becomes)
    }
}

impl<T> Field<T> {
    fn over(self, held: Option<T>) -> Option<T> {
        match self {
            Self::Stays => held,
            Self::Becomes(value) => value,
        }
    }
}

impl Amended {
    fn made_of(self, held: Bulletin) -> Bulletin {
        Bulletin {
            id: held.id,
            title: self.title.unwrap_or(held.title),
            title_en: self.title_en.over(held.title_en),
            area: self.area.over(held.area),
            column: self.column.unwrap_or(held.column),
            kind: self.kind.unwrap_or(held.kind),
            class: self.class.unwrap_or(held.class),
            source_level: self.source_level.unwrap_or(held.source_level),
            issuing_body: self.issuing_body.unwrap_or(held.issuing_body),
            document_number: self.document_number.over(held.document_number),
            topics: self.topics.map_or(held.topics, |topics| topics.into_iter().collect()),
            campaign: self.campaign.over(held.campaign),
            valid_from: self.valid_from.unwrap_or(held.valid_from),
            valid_until: self.valid_until.unwrap_or(held.valid_until),
        }
    }
}

async fn amend(call: Call<Which, Amended>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    let held = station.bulletin(&call.path.bulletin).await?;
    // What is left out is filled from what is read here, so it counts for just that.
    let read = crate::server::Station::bulletin_mark(&held);
    let seen = call.input.seen.unwrap_or(read);
    station.amend(&call.input.made_of(held), Some(seen), by).await?;
    Ok(DONE)
}
